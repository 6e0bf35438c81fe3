//! Handles: what a client outside holds on to something that goes on after its call was answered, such as
//! a process instance; a task of the Model Context Protocol is one.
//!
//! Owns the table `handles_handle`, and no operations: entrances use it for what their protocol has.
//!
//! Invariants: an id cannot be guessed, and is of use to the principal that got it alone; a handle is
//! durable before anybody has its id; what is closed stays as it was closed; a question is asked once
//! and answered once.
//!
//! Not here: what a handle is of. It names it, and whoever made it says what has become of that.

mod service;
mod store;
mod types;

pub use service::Handles;
pub use store::MIGRATIONS;
pub use types::{Handle, HandleState};

#[cfg(test)]
mod tests;
