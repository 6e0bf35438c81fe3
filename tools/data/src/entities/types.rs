//! Parameters and answers of the organisation operations.

use std::collections::BTreeSet;

use flowmaster_engine::governance::{Position, PositionHolder, Substitute, Unit};
use flowmaster_kernel::{Cursor, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Replaces the organisation of the tenant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveOrganisation {
    /// All units, in any order. Those that are left out end.
    pub units: Vec<Unit>,
    /// All positions.
    #[serde(default)]
    pub positions: Vec<Position>,
    /// Who holds which position.
    #[serde(default)]
    pub holders: Vec<PositionHolder>,
    /// Who stands in for whom while somebody is absent.
    #[serde(default)]
    pub substitutes: Vec<Substitute>,
    /// The version that you changed, from `organisation_get`: if somebody saved another since, this
    /// save is refused. Without it the organisation is replaced whatever it is.
    #[serde(default)]
    pub version: Option<i64>,
}

/// The version that is in force now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedOrganisation {
    /// Number of the version.
    pub version: i64,
    /// How many units it has.
    pub units: u64,
    /// How many positions it has.
    pub positions: u64,
    /// How many holders it has.
    pub holders: u64,
    /// How many substitutes it has.
    pub substitutes: u64,
    /// False when nothing was changed.
    pub is_new: bool,
}

/// Reads the organisation, or a part of it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOrganisation {
    /// Number of the version. Default: the one in force.
    #[serde(default)]
    pub version: Option<i64>,
    /// Id of a unit: only it and the units below, with their positions and the holders of those.
    #[serde(default)]
    pub unit: Option<String>,
    /// Id of a person: only what the person holds, with the units of it, and for whom and by whom
    /// the person is substituted, whatever the dates.
    #[serde(default)]
    pub person: Option<String>,
    /// How many entries at most, over all four lists, 1 to 1,000. Default 500.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// The organisation at one version, as far as it fits on the page: first the units, then the
/// positions, the holders and the substitutes.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OrganisationPage {
    /// Number of the version; 0 when none was ever saved.
    pub version: i64,
    /// The units.
    pub units: Vec<Unit>,
    /// The positions.
    pub positions: Vec<Position>,
    /// Who holds which position.
    pub holders: Vec<PositionHolder>,
    /// Who stands in for whom.
    pub substitutes: Vec<Substitute>,
    /// Give it as `cursor` to read on; pages are of one version. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// Asks who somebody is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetPerson {
    /// Id of the person or agent. Default: you.
    #[serde(default)]
    pub person: Option<String>,
}

/// Who somebody is in the organisation now. Of somebody whom the organisation does not know, all
/// lists are empty.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PersonInOrganisation {
    /// Id of the person.
    pub person: String,
    /// Version of the organisation.
    pub version: i64,
    /// What the person holds now, by id.
    pub positions: Vec<HeldPosition>,
    /// The roles of these positions: what mandates are given to.
    pub roles: BTreeSet<String>,
    /// Who leads the person's units, nearest first, then the units above. At most 50.
    pub superiors: Vec<String>,
    /// Who stands in for the person now; none unless the person is absent. At most 50.
    pub substitutes: Vec<String>,
    /// For whom the person stands in now. At most 50.
    pub stands_in_for: Vec<String>,
}

/// A position that somebody holds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct HeldPosition {
    /// The position.
    #[serde(flatten)]
    pub position: Position,
    /// Its unit and the units above, nearest first.
    pub units: Vec<String>,
    /// When the person stops holding it, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}
