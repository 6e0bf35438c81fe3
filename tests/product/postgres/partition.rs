//! A node that loses its database, by broken connections and by silence: it says so, the others go
//! on, and it serves again when the database is back, without help.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;

use crate::harness::{Caller, database};
use crate::program::Running;

/// How long a node may take to serve again.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Connections are closed, and new ones as soon as they are made.
    Cut,
    /// Nothing comes through, and nobody is told.
    Silent,
}

/// A wire to the database that can be cut.
struct Wire {
    state: watch::Sender<State>,
    /// The database as it is reached through the wire.
    url: String,
}

impl Wire {
    /// A wire to `database`, which is reached over the socket in a folder.
    async fn to(database: &str) -> Self {
        let (login, place) = database.rsplit_once('@').unwrap();
        let (host, name) = place.split_once('/').unwrap();
        let (folder, port) = host.rsplit_once(':').unwrap();
        let socket = PathBuf::from(folder.replace("%2F", "/")).join(format!(".s.PGSQL.{port}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{login}@{}/{name}", listener.local_addr().unwrap());
        let (state, watched) = watch::channel(State::Open);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (near, far) = (near.into_split(), UnixStream::connect(&socket).await.unwrap());
                let far = far.into_split();
                tokio::spawn(carry(near.0, far.1, watched.clone()));
                tokio::spawn(carry(far.0, near.1, watched.clone()));
            }
        });
        Self { state, url }
    }

    fn is(&self, state: State) {
        self.state.send_replace(state);
    }
}

/// Carries bytes one way until either side or the wire ends.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            cut = state.wait_for(|state| *state == State::Cut) => {
                drop(cut);
                return;
            }
        };
        let passes = state.wait_for(|state| *state != State::Silent).await;
        let is_open = passes.is_ok_and(|state| *state == State::Open);
        if count == 0 || !is_open || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

async fn start(node: &Caller, key: &str) -> Result<Value, (u16, Value)> {
    let start = json!({ "process": "wait", "business_key": key });
    node.try_call("process_start", start, Some(key)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_its_database_says_so_and_comes_back_by_itself() {
    let database = database().await.unwrap();
    let wire = Wire::to(&database).await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let near = Running::start(folders[0].path(), Some(&database));
    let far = Running::start(folders[1].path(), Some(&wire.url));
    let key = near.new_key.clone().unwrap();
    let (near, far) = (near.caller(&key), far.caller(&key));
    let wait = json!({ "id": "wait", "elements": [
        { "id": "s", "type": "startEvent", "next": "look" },
        { "id": "look", "type": "userTask" }
    ] });
    near.call("process_save", json!({ "compact": wait })).await.unwrap();
    near.call("process_publish", json!({ "id": "wait" })).await.unwrap();
    start(&far, "before").await.unwrap();
    for fault in [State::Cut, State::Silent] {
        wire.is(fault);
        let key = format!("{fault:?}");
        let (_, told) = start(&far, &key).await.expect_err("nobody could have started it");
        assert_eq!(told["retryable"], true, "{told}");
        assert!(far.is_alive().await, "{fault:?}");
        let started = start(&near, &key).await.unwrap();
        wire.is(State::Open);
        let patience = Instant::now() + PATIENCE;
        let again = loop {
            match start(&far, &key).await {
                Ok(again) => break again,
                Err((_, told)) => assert!(Instant::now() < patience, "{fault:?}: {told}"),
            }
        };
        assert_eq!(again["id"], started["id"], "{fault:?}");
    }
    let started = near.call("instance_search", json!({ "process": "wait" })).await.unwrap();
    assert_eq!(started["items"].as_array().unwrap().len(), 3, "{started}");
}
