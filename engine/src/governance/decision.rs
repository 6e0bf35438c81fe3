//! What is asked of mandates, and what they answer.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::mandate::{Deed, Holder};
use crate::instance::ActorRef;

/// What somebody wants to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct MandateRequest {
    /// Who wants to decide.
    pub actor: ActorRef,
    /// The actor's groups.
    pub groups: BTreeSet<String>,
    /// The action, and its business domain.
    pub deed: Deed,
    /// Id of the unit of the organisation that the case belongs to.
    pub unit: Option<String>,
    /// The amount at stake.
    pub amount: Option<Amount>,
    /// Its currency.
    pub currency: Option<String>,
    /// Everyone who made the request or took part in it.
    pub involved: BTreeSet<ActorRef>,
    /// What was done on the case before, and by whom.
    pub done: BTreeSet<Done>,
}

/// Something that somebody did on the case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Done {
    /// What.
    pub deed: Deed,
    /// By whom.
    pub by: ActorRef,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MandateDecision {
    /// Allow, deny, escalate or `second_person`.
    pub outcome: Outcome,
    /// The mandate that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<String>,
    /// The delegation through which the actor holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
    /// The absent person for whom the actor stands in and so holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute_for: Option<String>,
    /// The segregation of duties that asks for another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segregation: Option<String>,
    /// Whether the deciding mandate asks for four eyes.
    pub four_eyes: bool,
    /// Who could decide instead, nearest first: people where the organisation knows them, otherwise
    /// the group, role or position. Empty when allowed. At most 50.
    pub approvers: Vec<String>,
    /// The same level by level, with the mandate of each. Empty when allowed. At most 20 steps.
    pub chain: Vec<ChainStep>,
    /// Why, and what would help, in words.
    pub reasons: Vec<String>,
}

/// A step of the approval chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChainStep {
    /// Its level; steps of one level can be asked in any order.
    pub level: u8,
    /// The mandate that would allow it, or that says to whom it goes.
    pub mandate: String,
    /// Who holds the mandate.
    pub holder: Holder,
    /// The people among the holders who may decide this case, nearest unit first. At most 10. Empty
    /// for groups, whose members only their credentials tell, and where nobody is left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<ChainPerson>,
}

/// Somebody who may decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainPerson {
    /// Id of the person.
    pub person: String,
    /// Who is absent, if the person stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute_for: Option<String>,
}

/// What a mandate check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Outcome {
    /// The actor may decide.
    Allow,
    /// The actor may not decide.
    Deny,
    /// Somebody with a wider mandate must decide.
    Escalate,
    /// The actor took part, or did what must be in other hands: another person must decide.
    SecondPerson,
}
