//! Human tasks, in the states of WS-HumanTask 1.1 that a process needs: ready, reserved,
//! completed, failed (rejected) and obsolete.
//!
//! Owns the tables `tasks_task`, `tasks_candidate`, `tasks_comment` and the operations `task_list`,
//! `task_get`, `task_claim`, `task_release`, `task_complete`, `task_save_draft`, `task_reject`,
//! `task_delegate`, `task_comment`. Subscribes to `human_task.requested` and `human_task.closed`.
//!
//! Invariants: the actor is always the caller; whoever is excluded by four eyes can neither claim
//! nor be given a task; an answer is checked against the form on the server; completing a task and
//! moving the instance on is one commit; a task that is not for the caller looks like none.

mod archive;
mod error;
mod events;
mod rules;
mod service;
mod store;
mod tools;
pub mod types;

pub use archive::TaskKeeper;
pub use events::{close, open};
pub use service::Tasks;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
