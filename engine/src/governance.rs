//! Governance: which actions may be committed, decided by pure functions over the actor, the data
//! and the mandates. The engine asks before it applies a command; a refusal becomes an event.

mod mandate;
mod policy;
mod step;

pub use mandate::{
    Amount, Authority, Delegation, Mandate, MandateDecision, MandateRequest, MandateSet, Outcome,
    check_mandate,
};
pub use policy::{Action, Policy, Rule};
pub use step::{Asked, Consulted, Refusal, RefusalCode, asked_of, excluded_actors};
pub(crate) use step::{Attempt, govern};
