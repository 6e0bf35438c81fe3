//! Governance: which actions may be committed, decided by pure functions over the actor, the data,
//! the mandates and the organisation. The engine asks before it applies a command; a refusal becomes
//! an event.

mod amount;
mod answer;
mod authority;
mod chart;
mod decision;
mod eyes;
mod hearing;
mod mandate;
mod organisation;
mod policy;
mod proposal;
mod step;
mod target;

pub use amount::Amount;
pub use authority::{ANY_ACTION, Authority};
pub use chart::Chart;
pub use decision::{ChainPerson, ChainStep, Done, MandateDecision, MandateRequest, Outcome};
pub use hearing::{Hearing, Opinion, Verdict};
pub use mandate::{Deed, Delegation, Holder, Mandate, MandateSet, Ruling, Segregation};
pub use organisation::{HEAD, MAX_DEPTH, Organisation, Position, PositionHolder, Substitute, Unit};
pub use policy::{Action, Otherwise, Policy, Rule};
pub use proposal::{Approval, Proposal};
pub use step::{Asked, Consulted, Refusal, RefusalCode, asked_of, excluded_actors};
pub(crate) use step::{Attempt, Leaves, govern};
pub use target::{FieldPath, Target, ToolPattern};
