//! The pure process engine: the model of BPMN 2.0 processes, FEEL, DMN, governance and the state
//! machine that runs processes as `decide` (a command in, events out) and `apply` (an event onto
//! the state).
//!
//! This crate does no I/O, is not asynchronous, reads no clock and no randomness, never iterates a
//! hash map and never panics on input. Whatever it needs from outside is an argument.

pub mod bpmn;
pub mod compact;
pub mod dmn;
pub mod feel;
pub mod finding;
pub mod governance;
pub mod model;
pub mod validate;
pub mod xml;
