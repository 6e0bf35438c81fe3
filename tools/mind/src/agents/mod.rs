//! Agents: who they are, the work they take, and the record of every step they made.
//!
//! Owns the tables `agents_agent`, `agents_run`, `agents_step` and the operations `agent_save`,
//! `agent_search`, `agent_get`, `work_claim`, `work_submit`, `work_fail`, `run_get`, `run_search`.
//!
//! An agent works on jobs of the kind `agent`, whose type is the agent's id. Either the connected
//! client does it (`work_claim`, `work_submit`), or a [`Driver`] with a configured model. Both take
//! the same way out: the answer is checked against the prompt's output schema and handed to
//! `job_complete` through the [`ToolCaller`](flowmaster_kernel::ToolCaller), so authorisation,
//! policies and audit are those of every call.
//!
//! **Tools in the process.** Where the work is to perform an ad-hoc sub-process, the answer may be what
//! begins in it. That ends the run, because it may take a person days; when it is over the process asks
//! again, and a new run goes on from the record of those before it.
//!
//! **Who acts.** A caller that is an agent itself acts in its own name. Any other client works on
//! behalf of the agent: the acting principal is `agent:<id>` with the role agent, the agent's
//! business groups, and the scope `execution:write` alone; the run records who the client was.
//!
//! Invariants: a version of an agent never changes, and a run keeps the versions it began with;
//! every call of a model and of a tool is a step, the intent before and the outcome after, written
//! under the lease of the job, so whoever lost the lease writes nothing more; what is recorded is
//! not done again; a write whose outcome nobody knows is left to a person.

mod archive;
mod driver;
mod error;
mod opening;
mod record;
mod rules;
mod service;
mod store;
mod tools;
pub mod types;
mod work;

pub use archive::RunKeeper;
pub use driver::{Driver, Pace};
pub use service::Agents;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
