//! The pure process engine: the model of BPMN 2.0 processes, FEEL, DMN, governance and the state
//! machine that runs processes as `decide` (a command in, events out) and `apply` (an event onto
//! the state).
//!
//! This crate does no I/O, is not asynchronous, reads no clock and no randomness, never iterates a
//! hash map and never panics on input. Whatever it needs from outside is an argument.

mod apply;
pub mod bpmn;
pub mod command;
pub mod compact;
pub mod completed;
mod decide;
pub mod dmn;
mod dsntk;
pub mod effect;
mod element;
pub mod evaluation;
pub mod event;
pub mod expression;
pub mod feel;
pub mod finding;
mod flow;
pub mod governance;
pub mod graph;
pub mod incident;
pub mod instance;
pub mod juel;
mod limits;
mod mapping;
pub mod model;
pub mod modification;
pub mod scenario;
pub mod scope;
#[cfg(test)]
mod testing;
mod transition;
mod trigger;
pub mod validate;
pub mod wait;
pub mod xml;
mod xpath;

pub use apply::apply;
pub use command::{Activation, Command, Rejected, StartedBy};
pub use decide::{
    Decided, Definition, Env, StartTrigger, advance, decide, replay, start_condition_holds,
    start_triggers,
};
pub use effect::{Effect, EffectKind, effect};
pub use element::ad_hoc::selectable;
pub use element::multi_instance::Repetition;
pub use element::performer::CALL as PERFORMED_CALL;
pub use event::{Event, refusal};
pub use flow::{WaitingJoin, waiting_joins};
pub use instance::{ActorRef, Instance, InstanceState, Key};
pub use scope::VariableMap;
