//! The words every other crate speaks: ids, time, the caller's context, errors, pages and the
//! vocabulary in which rooms declare their operations.
//!
//! This crate does not do I/O, does not read the clock or a source of randomness, does not know
//! any protocol (MCP, HTTP) and does not know SQL. It accepts only what three crates already need.

mod clock;
mod ctx;
mod error;
mod exchange;
mod hex;
mod id;
mod operation;
mod page;
mod port;
mod principal;

pub use clock::{Clock, ManualClock, Timestamp};
pub use ctx::{Ctx, Idempotency, MAX_IDEMPOTENCY_KEY};
pub use error::{Error, ErrorBody, ErrorKind, Result};
pub use exchange::{
    Answer, Answers, CANNOT_ASK, CANNOT_FOLLOW, Content, Exchange, INPUT_REQUIRED, NoteLevel,
    Question,
};
pub use hex::hex;
pub use id::{Id, IdSource, Kind, SequenceIds, TenantId};
pub use operation::{Catalogue, Effect, Operation, ResponseFormat, Spec, Toolset};
pub use page::{Cursor, Page, PageRequest};
pub use port::{BoxFuture, ToolCaller};
pub use principal::{Principal, PrincipalKind, Role, Scopes};
