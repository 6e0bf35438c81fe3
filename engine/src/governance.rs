//! Governance: which actions may be committed, decided by pure functions over the actor, the data
//! and the mandates. The engine asks before it applies a command; a refusal becomes an event.

mod decision;
mod mandate;
mod policy;
mod proposal;
mod ruling;
mod step;
mod target;

pub use mandate::{
    Amount, Authority, Delegation, Mandate, MandateDecision, MandateRequest, Mandates, Outcome,
    check_mandate,
};
pub use policy::{Action, Otherwise, Policy, Rule};
pub use proposal::{Approval, Proposal};
pub use ruling::{Opinion, Ruling, Verdict};
pub use step::{Asked, Consulted, Refusal, RefusalCode, asked_of, excluded_actors};
pub(crate) use step::{Attempt, Leaves, govern};
pub use target::{FieldPath, Target, ToolPattern};
