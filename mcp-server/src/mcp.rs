//! The Model Context Protocol: tools, resources, prompts and completion over one surface, for both
//! protocol eras (2026-07-28 without sessions; 2024-11-05 to 2025-11-25 with `initialize`).
//!
//! Invariants: what is listed depends on the credential and the URL, never on the connection; the
//! order is the same every time; list results are private to the caller; everything that is called
//! goes through the dispatcher.

mod asking;
mod capabilities;
mod content;
mod exchange;
mod fit;
mod notes;
mod observe;
mod offered;
mod ongoing;
mod param_headers;
mod prompts;
mod resources;
mod sealed;
mod selection;
mod server;
mod session;
mod sessions;
mod tools;
mod watching;

use std::sync::Arc;

use flowmaster_kernel::{Clock, Ctx, IdSource};

pub use observe::{ClientSeen, Observer};
pub use sealed::Seal;
pub use selection::{Headers as SelectionHeaders, Selection};
pub use server::McpServer;
pub use sessions::{Sessions, SessionsFull};
pub use watching::Watches;

use crate::dispatch::Dispatcher;
use crate::ports::{Caller, Continuations, PromptSource, ResourceSource};
use crate::system::trace_id;

/// Everything an MCP connection can reach.
pub struct Surface {
    /// Runs operations.
    pub dispatcher: Arc<Dispatcher>,
    /// What can be read by URI.
    pub resources: Option<Arc<dyn ResourceSource>>,
    /// What a person can start from a client.
    pub prompts: Option<Arc<dyn PromptSource>>,
    /// Who is told about clients.
    pub observer: Observer,
    /// What calls have begun.
    pub continuations: Option<Arc<dyn Continuations>>,
    /// Seals what clients carry between the rounds of a call.
    pub seal: Seal,
    /// Who is told what changes.
    pub watches: Watches,
    /// The source of "now".
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdSource>,
}

impl Surface {
    /// The context of one call, in the trace that `traceparent` names.
    #[must_use]
    pub fn ctx(&self, caller: &Caller, traceparent: Option<&str>) -> Ctx {
        let trace = trace_id(traceparent, &*self.clock, &*self.ids);
        caller.ctx(trace.into(), &self.clock, &self.ids)
    }
}

/// Who sent a request and which tools the URL asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The verified caller.
    pub caller: Caller,
    /// The tools that are offered.
    pub selection: Selection,
}
