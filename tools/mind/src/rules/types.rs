//! Parameters and answers of the rule and mandate operations.

use std::collections::BTreeSet;

use flowmaster_engine::governance::{Amount, Delegation, Mandate, MandateDecision, Mandates};
use flowmaster_kernel::{Cursor, Page, PageRequest, PrincipalKind, ResponseFormat, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A version of a DMN file, fixed for whoever pinned it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RulePin {
    /// Id of the file.
    pub file: String,
    /// Number of the version.
    pub version: i64,
}

/// The mandates of a tenant at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MandateSet {
    /// Number of the version, from 1; 0 when none were ever saved.
    pub version: i64,
    /// The mandates and delegations.
    pub mandates: Mandates,
}

/// A decision in a DMN file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionInfo {
    /// Id, for `rule_evaluate` and business rule tasks.
    pub id: String,
    /// Human name.
    pub name: String,
    /// Names of the inputs of its file: what the variables must hold.
    pub inputs: Vec<String>,
}

/// What is known of a version of a DMN file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// Id of the file.
    pub id: String,
    /// Number of the version, from 1. The newest is the active one.
    pub version: i64,
    /// SHA-256 of the file, in hexadecimal.
    pub hash: String,
    /// Human name.
    pub name: String,
    /// Its decisions, by id.
    pub decisions: Vec<DecisionInfo>,
    /// Who saved it.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
}

/// Finds DMN files by what their active versions hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRules {
    /// Part of the id or the name, upper or lower case.
    #[serde(default)]
    pub text: Option<String>,
    /// Only the file that holds the decision with this id.
    #[serde(default)]
    pub decision: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

impl SearchRules {
    pub(super) fn page(&self) -> PageRequest {
        PageRequest { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// Active versions, by id.
pub type FoundRules = Page<RuleInfo>;

/// Reads a DMN file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRule {
    /// Id of the file, from `rule_search`.
    pub id: String,
    /// Number of the version. Default: the active one.
    #[serde(default)]
    pub version: Option<i64>,
    /// `detailed` adds the DMN XML.
    #[serde(default)]
    pub response_format: ResponseFormat,
}

/// A version of a DMN file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rule {
    /// What is known of it.
    #[serde(flatten)]
    pub info: RuleInfo,
    /// The version in force, which is the newest.
    pub active_version: i64,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dmn: Option<String>,
}

/// Saves a DMN file: a new version that is active at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveRule {
    /// The DMN 1.2 to 1.5 XML, at most 1 MB. Expressions are FEEL; now() and today() read the
    /// moment of the evaluation, in decisions but not in functions and decision services.
    pub dmn: String,
    /// Id of the file. Default: the id attribute of its definitions element.
    #[serde(default)]
    pub id: Option<String>,
}

/// The version that now holds the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedRule {
    /// What is known of it.
    #[serde(flatten)]
    pub rule: RuleInfo,
    /// False when the active version has exactly this content.
    pub is_new: bool,
}

/// Evaluates a decision. Nothing is changed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateRule {
    /// Id of the decision.
    pub decision: String,
    /// Id of the file. Default: the one whose active version holds the decision.
    #[serde(default)]
    pub file: Option<String>,
    /// Number of the version of the file. Default: the active one.
    #[serde(default)]
    pub version: Option<i64>,
    /// The inputs by name, e.g. `{"amount": 1200}`.
    #[serde(default)]
    pub variables: Map<String, Value>,
}

/// What a decision answers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Evaluated {
    /// Its value.
    pub value: Value,
    /// Id of the decision.
    pub decision: String,
    /// The file that holds it.
    pub file: String,
    /// The version that was evaluated.
    pub version: i64,
    /// Inputs of the file that the variables do not hold. FEEL takes them for null, which is well
    /// where the decision does not look at them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_inputs: Vec<String>,
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
