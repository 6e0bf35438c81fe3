//! How an agent works on one task: a pure turn machine, and the models it may talk to.
//!
//! [`Turn`] decides: state and input in, next [`Action`] out, without I/O and without a clock. Who
//! drives it calls the model or the tool, records the answer, and feeds it back; fed the same
//! answers again, the machine takes the same way, so that a run goes on after a crash without
//! repeating what is recorded. [`Routes`] are the models: logical names over OpenAI-compatible
//! endpoints.
//!
//! What it does not do: it stores nothing, calls no tool itself, does not stream, does not shorten
//! a conversation that grows too long (it ends the run), keeps no memory between runs, and speaks
//! no protocol but OpenAI chat completions.

mod budget;
mod canonical;
mod contract;
mod model;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod turn;

pub use budget::{Budgets, Exceeded};
pub use canonical::{canonical, digest, step_key};
pub use contract::{Contract, Finding};
pub use model::{
    Endpoint, Finish, Message, ModelError, OpenAi, RawToolCall, Reply, Request, Routes, Secret,
    Structured, TokenLimit, ToolSpec, Usage,
};
pub use turn::{Action, Failure, Input, Task, ToolCall, ToolOutcome, Turn};
