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

use crate::report::{Report, quantile};

/// Measures both servers with 16 connections, and ours with one.
pub(crate) async fn measure(seconds: u64, report: &mut Report) -> anyhow::Result<()> {
    let span = Duration::from_secs(seconds);
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

    let read = ("process_search", json!({}));
    let whoami = ("me_get", json!({}));
    // In turns, so that a change of the machine's speed meets all of them.
    let (mut echoes, mut reads, mut whoamis) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        echoes.push(rate(&echo, "", &("echo", json!({ "text": "hello" })), span).await?);
        reads.push(rate(&ours, &key, &read, span).await?);
        whoamis.push(rate(&ours, &key, &whoami, span).await?);
    }
    let (echoes, reads, whoamis) = (median(echoes), median(reads), median(whoamis));
    report.add("mcp_echo_calls_per_s", echoes)?;
    report.add("mcp_me_get_calls_per_s", whoamis)?;
    report.add("mcp_process_search_calls_per_s", reads)?;
    report.add("mcp_me_get_to_echo_ratio", whoamis / echoes)?;
    report.add("mcp_process_search_to_echo_ratio", reads / echoes)?;
    let client = reqwest::Client::new();
    let mut millis = Vec::new();
    for _ in 0..500 {
        let started = Instant::now();
        call(&client, &ours, &key, &read).await?;
        millis.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    millis.sort_by(f64::total_cmp);
    report.add("mcp_process_search_sequential_p50_ms", quantile(&millis, 0.5))?;
    stop.cancel();
    background.stop().await;
    server.await??;
    bare.abort();
    Ok(())
}

/// Calls a second over 16 connections.
async fn rate(
    url: &str,
    key: &str,
    call_of: &(&str, Value),
    span: Duration,
) -> anyhow::Result<f64> {
    let until = Instant::now() + span;
    let mut workers = Vec::new();
    for _ in 0..16 {
        let (url, key) = (url.to_owned(), key.to_owned());
        let tool = (call_of.0.to_owned(), call_of.1.clone());
        workers.push(tokio::spawn(async move {
            let client = reqwest::Client::new();
            let mut count = 0_u32;
            while Instant::now() < until {
                call(&client, &url, &key, &(tool.0.as_str(), tool.1.clone())).await?;
                count += 1;
            }
            anyhow::Ok(count)
        }));
    }
    let started = Instant::now();
    let mut total = 0;
    for worker in workers {
        total += worker.await??;
    }
    Ok(f64::from(total) / started.elapsed().as_secs_f64())
}

async fn call(
    client: &reqwest::Client,
    url: &str,
    key: &str,
    tool: &(&str, Value),
) -> anyhow::Result<()> {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {
            "name": tool.0, "arguments": tool.1,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" }
            }
        }
    });
    let answer = client
        .post(url)
        .bearer_auth(key)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", "tools/call")
        .header("Mcp-Name", tool.0)
        .json(&body)
        .send()
        .await?
        .error_for_status()?;
    let answer: Value = answer.json().await?;
    anyhow::ensure!(answer.pointer("/result/isError") != Some(&Value::Bool(true)), "{answer}");
    anyhow::ensure!(answer.get("result").is_some(), "{answer}");
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
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
