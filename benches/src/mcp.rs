//! MCP `tools/call` of a cheap read through the whole server, beside a bare rmcp echo server on the
//! same machine in the same run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flowmaster_mcp_server::compose::{Server, compose};
use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::http;
use flowmaster_mcp_server::mcp::Observer;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ContentBlock, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cpu::cpu_seconds;
use crate::report::{Report, quantile};

/// Measures both servers with 16 connections, about `seconds` each, and ours with one.
pub(crate) async fn measure(seconds: u64, report: &mut Report) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let echo = format!("http://{}/mcp", listener.local_addr()?);
    let bare = tokio::spawn(async move { axum::serve(listener, echo_router()).await });

    let folder = tempfile::tempdir()?;
    let config = Config {
        data_dir: folder.path().to_owned(),
        calls_per_second: 1_000_000,
        burst: 1_000_000,
        ..Config::default()
    };
    let Server { app, new_key, background, .. } = compose(config, Observer::default()).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let ours = format!("http://{}/mcp?toolsets=all", listener.local_addr()?);
    let key = new_key.map(|key| key.expose().to_owned()).unwrap_or_default();
    let stop = CancellationToken::new();
    let server = tokio::spawn(http::serve(app, listener, stop.clone()));

    let echo = Target::new(&echo, "", "echo", json!({ "text": "hello" }))?;
    let targets = [
        Target::new(&ours, &key, "me_get", json!({}))?,
        Target::new(&ours, &key, "process_search", json!({}))?,
    ];
    // In short turns, each beside one of the echo: what else the machine does meets both.
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..seconds * 2 {
        for (target, rates) in targets.iter().zip(&mut rates) {
            rates.push((target.rate().await?, echo.rate().await?));
        }
    }
    for (target, pairs) in targets.iter().zip(&rates) {
        let name = target.tool;
        report.add(&format!("mcp_{name}_calls_per_s"), median(pairs, |(it, _)| it.per_second))?;
        report.add(&format!("mcp_{name}_cpu_us"), median(pairs, |(it, _)| it.cpu_us))?;
        let ratio = median(pairs, |(it, echo)| it.per_second / echo.per_second);
        report.add(&format!("mcp_{name}_to_echo_ratio"), ratio)?;
        report.add(&format!("mcp_{name}_sequential_p50_ms"), target.sequential_p50().await?)?;
    }
    let echoes = rates.concat();
    report.add("mcp_echo_calls_per_s", median(&echoes, |(_, echo)| echo.per_second))?;
    report.add("mcp_echo_cpu_us", median(&echoes, |(_, echo)| echo.cpu_us))?;
    stop.cancel();
    background.stop().await;
    server.await??;
    bare.abort();
    Ok(())
}

/// How long a turn is.
const TURN: Duration = Duration::from_millis(500);
/// How many connections call at once.
const CONNECTIONS: usize = 16;

/// How the calls of a turn went.
#[derive(Clone, Copy)]
struct Rate {
    per_second: f64,
    /// Client and server together, in microseconds a call.
    cpu_us: f64,
}

/// A tool that is called, over connections that stay open.
struct Target {
    url: String,
    key: String,
    tool: &'static str,
    arguments: Value,
    clients: Vec<reqwest::Client>,
}

impl Target {
    fn new(
        url: &str,
        key: &str,
        tool: &'static str,
        arguments: Value,
    ) -> anyhow::Result<Arc<Self>> {
        let clients = (0..CONNECTIONS).map(|_| reqwest::Client::builder().build());
        let clients = clients.collect::<Result<_, _>>()?;
        Ok(Arc::new(Self { url: url.to_owned(), key: key.to_owned(), tool, arguments, clients }))
    }

    async fn rate(self: &Arc<Self>) -> anyhow::Result<Rate> {
        let (started, cpu) = (Instant::now(), cpu_seconds()?);
        let mut workers = Vec::new();
        for client in self.clients.clone() {
            let target = Arc::clone(self);
            workers.push(tokio::spawn(async move {
                let mut count = 0_u32;
                while started.elapsed() < TURN {
                    target.call(&client).await?;
                    count += 1;
                }
                anyhow::Ok(count)
            }));
        }
        let mut total = 0;
        for worker in workers {
            total += worker.await??;
        }
        let total = f64::from(total);
        Ok(Rate {
            per_second: total / started.elapsed().as_secs_f64(),
            cpu_us: (cpu_seconds()? - cpu) * 1e6 / total,
        })
    }

    async fn sequential_p50(&self) -> anyhow::Result<f64> {
        let client = reqwest::Client::new();
        let mut millis = Vec::new();
        for _ in 0..500 {
            let started = Instant::now();
            self.call(&client).await?;
            millis.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
        millis.sort_by(f64::total_cmp);
        Ok(quantile(&millis, 0.5))
    }

    async fn call(&self, client: &reqwest::Client) -> anyhow::Result<()> {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {
                "name": self.tool, "arguments": self.arguments,
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" }
                }
            }
        });
        let answer = client
            .post(&self.url)
            .bearer_auth(&self.key)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", self.tool)
            .json(&body)
            .send()
            .await?
            .error_for_status()?;
        // Looked at, not parsed: it is the server that is measured.
        let answer = answer.text().await?;
        let is_good = answer.contains("\"result\":{") && !answer.contains("\"isError\":true");
        anyhow::ensure!(is_good, "{answer}");
        Ok(())
    }
}

fn median(pairs: &[(Rate, Rate)], figure: fn(&(Rate, Rate)) -> f64) -> f64 {
    let mut figures: Vec<f64> = pairs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    quantile(&figures, 0.5)
}

/// The least an MCP server can be: one tool that says what it was told.
#[derive(Clone)]
struct Echo;

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::default())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<rmcp::model::CallToolResponse, ErrorData> {
        let text = request.arguments.and_then(|it| it.get("text")?.as_str().map(str::to_owned));
        Ok(CallToolResult::success(vec![ContentBlock::text(text.unwrap_or_default())]).into())
    }
}

fn echo_router() -> axum::Router {
    let config = StreamableHttpServerConfig::default().with_json_response(true);
    let service =
        StreamableHttpService::new(|| Ok(Echo), Arc::new(NeverSessionManager::default()), config);
    axum::Router::new().nest_service("/mcp", service)
}
