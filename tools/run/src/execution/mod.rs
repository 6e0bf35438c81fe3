//! Runs process instances: start, drive, look at, operate.
//!
//! Owns the tables `execution_instance`, `execution_subscription`, `execution_message`,
//! `execution_taken`, `execution_held`, `execution_ended`, `execution_archived` and the operations
//! `process_start`, `instance_search`, `instance_get`, `instance_control`, `instance_modify`,
//! `instance_modify_all`, `instance_activate`, `instance_timeline`, `instance_archive`, `archive_search`, `archive_get`,
//! `incident_list`, `incident_resolve`, `incident_resolve_all`, `message_publish`,
//! `signal_broadcast`, `condition_evaluate`, `job_claim`, `job_complete`, `job_fail`,
//! `job_authorize`. Publishes the outbox topics `human_task.requested`, `human_task.closed` and
//! `announced`.
//!
//! Invariants: a command is decided by the pure engine on the newest state and stored in one commit
//! with everything that follows from it (state, journal, jobs, timers, outbox, the answer under the
//! caller's idempotency key); the version check on the state makes two commands of one instance
//! serial, whoever sends them; what the policies refuse is journaled and changes nothing else, except that what a
//! person filled in is kept where another may confirm it; what they were asked is in the runtime record
//! ([`crate::record`]) in the same commit;
//! effects are carried out after the commit, at least once, by drivers that hold a lease; a process
//! takes a message once, however often it is delivered; what arrives for a paused instance is kept
//! until it is resumed; a state that is not as it was written is told, and never read as if it were;
//! what ended and is archived is read from its file as it was.

mod activate;
mod archive;
mod calls;
mod conditions;
mod control;
mod drivers;
mod error;
mod happened;
mod held;
mod hot;
mod human;
mod incidents;
mod instance;
mod jobs;
mod messages;
mod modify;
mod query;
mod relatives;
mod search;
mod service;
mod start;
mod start_timers;
mod store;
mod timeline;
mod tools;
mod transition;
pub mod types;
mod verify;
mod waiting;

pub use archive::{Archived, History, Record};
pub use drivers::{Drivers, Handler};
pub use flowmaster_engine::governance::Proposal;
pub use instance::{InstanceKind, Stored, WorkRef};
pub use service::Execution;
pub use store::MIGRATIONS;
pub use tools::operations;
pub use verify::verify_instances;

#[cfg(test)]
pub(crate) use timeline::recorded_events;

/// Outbox topic: a person has to do something.
pub const HUMAN_TASK_REQUESTED: &str = "human_task.requested";
/// Outbox topic: a person has nothing more to do about it.
pub const HUMAN_TASK_CLOSED: &str = "human_task.closed";

#[cfg(test)]
mod tests;
