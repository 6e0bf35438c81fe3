//! The surface of FlowMaster: one catalogue of operations, offered as MCP tools (Streamable HTTP,
//! stdio, HTTP+SSE of 2024-11-05), as a REST API with an OpenAPI document, and on the command line.
//!
//! Every entrance verifies a credential, makes a `Ctx` and goes through [`dispatch::Dispatcher`];
//! nothing else runs an operation. Only this crate knows rmcp and axum.
//!
//! What it does not do: no business rules, no SQL, no OAuth authorization server, no TLS (a reverse
//! proxy does that), no HTTP/3, no MCP tasks.

pub mod cli;
pub mod compose;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod dispatch;
pub mod http;
pub mod mcp;
pub mod ports;
pub mod stdio;
pub mod system;
pub mod telemetry;
pub mod terminal;
