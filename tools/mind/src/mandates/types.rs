//! Parameters and answers of the mandate operations.

use std::collections::BTreeSet;

use flowmaster_engine::governance::{Amount, Delegation, Mandate, MandateDecision, MandateSet};
use flowmaster_kernel::PrincipalKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The mandates of a tenant at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InForce {
    /// Number of the version, from 1; 0 when none were ever saved.
    pub version: i64,
    /// The mandates and delegations.
    pub mandates: MandateSet,
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
    /// Only mandates of this group or person, and delegations from or to it.
    #[serde(default)]
    pub holder: Option<String>,
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
}

/// Asks whether somebody may decide something. Nothing is changed or recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckMandate {
    /// Business domain, e.g. `finance`.
    pub domain: String,
    /// Action in the domain, e.g. `approve_invoice`.
    pub action: String,
    /// The amount at stake, e.g. `"1200.50"`.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// Its currency, ISO 4217.
    #[serde(default)]
    pub currency: Option<String>,
    /// Everyone who made the request or took part in it: they cannot be the second pair of eyes.
    #[serde(default)]
    pub involved: BTreeSet<String>,
    /// Who wants to decide. Default: you, with your groups.
    #[serde(default)]
    pub actor: Option<String>,
    /// What the actor is, if it is not you. Default: person.
    #[serde(default)]
    pub actor_kind: Option<PrincipalKind>,
    /// The groups of the actor, if it is not you.
    #[serde(default)]
    pub groups: Option<BTreeSet<String>>,
}

/// The answer, and by which mandates.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CheckedMandate {
    /// The answer.
    #[serde(flatten)]
    pub decision: MandateDecision,
    /// Version of the mandates that were asked.
    pub version: i64,
}
