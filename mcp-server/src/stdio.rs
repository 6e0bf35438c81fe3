//! MCP over standard input and output: one JSON message a line, logs on standard error, the end
//! of the input is the end of the process (MCP 2026-07-28, stdio).

mod bridge;

use std::sync::Arc;

use flowmaster_kernel::{Error, Result};
use rmcp::service::{ServerInitializeError, serve_server};
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite};

pub use bridge::bridge;

use crate::compose::App;
use crate::http::MAX_BODY;
use crate::mcp::{McpServer, Visitor};

/// Serves one client until its stream ends.
///
/// # Errors
/// `stdio_failed` when the stream breaks or does not begin with MCP.
pub async fn serve<R, W>(app: &Arc<App>, visitor: Visitor, input: R, output: W) -> Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::invalid("stdio_failed", "the client does not speak MCP").why(error.to_string())
    };
    let server = McpServer::for_visitor(Arc::clone(&app.surface), visitor);
    let transport = AsyncRwTransport::new(input, output).with_max_line_length(MAX_BODY);
    match serve_server(server, transport).await {
        Ok(running) => {
            running.waiting().await.map_err(|error| failed(error.into()))?;
            Ok(())
        }
        // A client that looks and leaves is no failure.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(failed(error.into())),
    }
}
