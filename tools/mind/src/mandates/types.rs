//! Parameters and answers of the mandate operations.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_engine::finding::Finding;
use flowmaster_engine::governance::{
    Amount, Authority, Delegation, Mandate, MandateDecision, Segregation,
};
use flowmaster_kernel::PrincipalKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The mandates of a tenant on its organisation, at one version of each.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// Number of the version of the mandates, from 1; 0 when none were ever saved.
    pub version: i64,
    /// Number of the version of the organisation, from 1; 0 when none was ever saved.
    pub organisation_version: i64,
    /// Both, ready to be asked.
    pub authority: Arc<Authority>,
}

/// Replaces the mandates of the tenant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveMandates {
    /// All mandates: who may decide what. Those that are left out end.
    pub mandates: Vec<Mandate>,
    /// All delegations: who stands in for whom. Those that are left out end.
    #[serde(default)]
    pub delegations: Vec<Delegation>,
    /// All segregations of duties: what one person may not both do on one case. Those that are left
    /// out end.
    #[serde(default)]
    pub segregations: Vec<Segregation>,
    /// The version that you changed, from `mandate_get`: if somebody saved another since, this
    /// save is refused. Without it the mandates are replaced whatever they are.
    #[serde(default)]
    pub version: Option<i64>,
}

/// The version that is in force now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedMandates {
    /// Number of the version.
    pub version: i64,
    /// How many mandates it has.
    pub mandates: u64,
    /// How many delegations it has.
    pub delegations: u64,
    /// How many segregations of duties it has.
    pub segregations: u64,
    /// What is saved and comes to nothing as the organisation is now, e.g. a role that no position
    /// carries. Add it with `organisation_save`, or correct the mandate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
    /// False when nothing was changed.
    pub is_new: bool,
}

/// Reads the mandates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetMandates {
    /// Number of the version. Default: the one in force.
    #[serde(default)]
    pub version: Option<i64>,
    /// Only mandates of this business domain, e.g. `finance`.
    #[serde(default)]
    pub domain: Option<String>,
    /// Only mandates of this person, group, role or position, by name, and delegations from or to
    /// it.
    #[serde(default)]
    pub holder: Option<String>,
    /// Only mandates of this unit itself, by id.
    #[serde(default)]
    pub unit: Option<String>,
}

/// The mandates at one version.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MandatesVersion {
    /// Number of the version; 0 when none were ever saved.
    pub version: i64,
    /// Who may decide what.
    pub mandates: Vec<Mandate>,
    /// Who stands in for whom.
    pub delegations: Vec<Delegation>,
    /// What one person may not both do on one case.
    pub segregations: Vec<Segregation>,
}

/// Asks whether somebody may decide something. Nothing is changed or recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckMandate {
    /// Business domain, e.g. `finance`.
    pub domain: String,
    /// Action in the domain, e.g. `approve_invoice`.
    pub action: String,
    /// Id of the unit of the organisation that the case belongs to, from `organisation_get`, e.g. the
    /// department that orders. Without it no mandate of a unit allows anything.
    #[serde(default)]
    pub unit: Option<String>,
    /// The amount at stake, e.g. `"1200.50"`.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// Its currency, ISO 4217.
    #[serde(default)]
    pub currency: Option<String>,
    /// Everyone who made the request or took part in it, at most 100 ids: they cannot be the second
    /// pair of eyes. An id that begins with `agent:` is an agent's.
    #[serde(default)]
    pub involved: BTreeSet<String>,
    /// What was done on the case before and by whom, at most 100: for the segregation of duties.
    #[serde(default)]
    pub done: Vec<DoneBefore>,
    /// Who wants to decide. Default: you, with your groups.
    #[serde(default)]
    pub actor: Option<String>,
    /// What the actor is, if it is not you. Default: agent where the id begins with `agent:`, else
    /// person.
    #[serde(default)]
    pub actor_kind: Option<PrincipalKind>,
    /// The groups of the actor, if it is not you. Positions and roles come from the organisation.
    #[serde(default)]
    pub groups: Option<BTreeSet<String>>,
}

/// Something that somebody did on the case.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoneBefore {
    /// Id of who did it.
    pub by: String,
    /// Business domain. Default: that of the question.
    #[serde(default)]
    pub domain: Option<String>,
    /// Action in the domain, e.g. `order`.
    pub action: String,
}

/// The answer, and by which mandates.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CheckedMandate {
    /// The answer.
    #[serde(flatten)]
    pub decision: MandateDecision,
    /// Version of the mandates that were asked.
    pub version: i64,
    /// Version of the organisation that they were asked on.
    pub organisation_version: i64,
}
