//! The organisation that mandates need: units in a tree, positions in units, who holds a position,
//! and who stands in for whom while somebody is absent. Plain data; what is asked of it is in
//! [`Chart`](super::Chart).

use std::collections::BTreeSet;

use flowmaster_kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The role of whoever leads a unit: its holders are the superiors of everybody else in the unit and
/// in the units below.
pub const HEAD: &str = "head";

/// The most units that may lie below each other.
pub const MAX_DEPTH: usize = 20;

/// The organisation of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// The units, e.g. departments: at most 5,000, at most 20 below each other.
    #[serde(default)]
    pub units: Vec<Unit>,
    /// The positions in the units: at most 20,000.
    #[serde(default)]
    pub positions: Vec<Position>,
    /// Who holds which position: at most 50,000.
    #[serde(default)]
    pub holders: Vec<PositionHolder>,
    /// Who stands in for whom: at most 50,000.
    #[serde(default)]
    pub substitutes: Vec<Substitute>,
}

/// A part of the organisation, e.g. a department, a branch or a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Id, unique among the units, e.g. `sales-north`: what mandates and cases name.
    pub id: String,
    /// Human name, e.g. `Sales North`.
    pub name: String,
    /// Id of the unit above it. None for the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A place in a unit that people hold, one or several at a time or nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Id, unique among the positions, e.g. `head-sales`: what mandates name.
    pub id: String,
    /// Human title, e.g. `Head of Sales`.
    pub title: String,
    /// Id of the unit it belongs to.
    pub unit: String,
    /// The roles it carries, e.g. `accountant`: what mandates are given to. `head` is the role of
    /// whoever leads the unit.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
}

/// Somebody holding a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionHolder {
    /// Id of the person or agent, as it is in the credential, e.g. `mia` or `agent:payer`.
    pub person: String,
    /// Id of the position.
    pub position: String,
    /// From this moment. Default: since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until before this moment. Default: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// Somebody standing in for somebody who is absent. The substitute may do what the absent person
/// may by positions, roles and mandates in person, and never more; what was delegated to the absent
/// person, or is held by substitution, is not passed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Substitute {
    /// Id of who is absent.
    pub absent: String,
    /// Id of who stands in.
    pub by: String,
    /// First moment of the absence. Default: since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// First moment after the absence. Default: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// Whether `now` lies from `from` to before `until`.
pub(super) fn in_force(from: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> bool {
    from.is_none_or(|from| now >= from) && until.is_none_or(|until| now < until)
}
