//! A client at the other end of a pair of pipes.

use flowmaster_kernel::Result;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex};
use tokio::task::JoinHandle;

pub(crate) struct Pipe {
    to_server: DuplexStream,
    from_server: Lines<BufReader<DuplexStream>>,
    server: JoinHandle<Result<()>>,
}

impl Pipe {
    /// A client of what `serve` makes of its input and output.
    pub(crate) fn open<F>(serve: impl FnOnce(DuplexStream, DuplexStream) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (to_server, input) = duplex(64 * 1024);
        let (output, from_server) = duplex(64 * 1024);
        let server = tokio::spawn(serve(input, output));
        Self { to_server, from_server: BufReader::new(from_server).lines(), server }
    }

    pub(crate) async fn send(&mut self, line: &str) {
        self.to_server.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    pub(crate) async fn ask(&mut self, message: &Value) -> Value {
        self.send(&message.to_string()).await;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Value {
        let line = self.from_server.next_line().await.unwrap().expect("an answer");
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) async fn close(mut self) {
        self.to_server.shutdown().await.unwrap();
        self.server.await.unwrap().unwrap();
    }
}

/// A request of protocol 2026-07-28, which says its version in every message.
pub(crate) fn modern(id: u32, method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}
