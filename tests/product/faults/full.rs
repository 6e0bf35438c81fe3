//! A disk that is full while work goes on: a small one of memory, seen by the server alone.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Caller, code};
use crate::program::{Running, program};
use crate::told::{Flag, Outcome, Told, publish};

const CLIENTS: usize = 4;
const ROUNDS: usize = 10;
/// How often each client is refused while the disk is full.
const REFUSALS: usize = 25;
/// How soon new work is taken after there is space again.
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_answers_reads_and_recovers_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_by(on_a_small_disk(folder.path()), folder.path())
        .unwrap_or_else(|status| panic!("a disk of memory could not be had ({status}): {REMEDY}"));
    let disk = inside(&server, folder.path());
    let key = server.new_key.clone().unwrap();
    let caller = server.caller(&key);
    publish(&caller).await;
    let mut all = Told::default();
    for round in 0..ROUNDS {
        let stop = Arc::new(Flag::default());
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let name = format!("{round}-{client}");
            let (caller, stop) = (server.caller(&key), Arc::clone(&stop));
            clients.push(tokio::spawn(async move { load(&caller, &name, &stop).await }));
        }
        let ballast = disk.join("ballast");
        fill(&ballast, &clients);
        let mut refused = Vec::new();
        for client in clients {
            let told = client.await.unwrap();
            refused.push(refusals(&told));
            all.add(told);
        }
        assert!(refused.iter().all(|count| *count == REFUSALS), "{refused:?}");
        std::fs::remove_file(&ballast).unwrap();
        let since = Instant::now();
        while !all.work(&caller, &format!("{round}-again")).await {
            assert!(since.elapsed() < RECOVERY, "no work is taken though there is space again");
        }
    }
    assert!(all.started() > ROUNDS * CLIENTS, "{}", all.started());
    all.hold(&caller).await;
}

/// Works, also when it is refused, and looks meanwhile whether the server answers; ends after
/// enough refusals in a row.
async fn load(caller: &Caller, name: &str, stop: &Flag) -> Told {
    let mut told = Told::default();
    let mut number = 0;
    while refusals(&told) < REFUSALS && !stop.is_set() {
        number += 1;
        if told.work(caller, &format!("{name}-{number}")).await {
            continue;
        }
        assert!(caller.is_alive().await, "no health while the disk is full");
        let seen = caller.call("process_get", json!({ "id": "load" })).await;
        assert_eq!(code(&seen), "ok", "no reading while the disk is full");
    }
    told
}

fn refusals(told: &Told) -> usize {
    let full =
        |outcome: &Outcome| matches!(outcome, Outcome::Refused(code) if code == "storage_full");
    told.starts.values().filter(|outcome| full(outcome)).count()
}

/// Takes all space, and again what the server gives up, as long as clients work.
fn fill<T>(ballast: &Path, clients: &[tokio::task::JoinHandle<T>]) {
    let mut file = File::create(ballast).unwrap();
    let block = [7; 16 * 1024];
    while !clients.iter().all(tokio::task::JoinHandle::is_finished) {
        match file.write(&block) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => std::thread::yield_now(),
            Err(error) => panic!("{}: {error}", ballast.display()),
        }
    }
}

const REMEDY: &str = "it takes root, or user namespaces (sysctl user.max_user_namespaces); leave \
                      these tests out with cargo xtask test --without faults";

/// The program with a file system of 64 MB at `folder`, which no other process sees.
fn on_a_small_disk(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        command.arg("--map-root-user");
    }
    let mount = r#"mount -t tmpfs -o size=64m,mode=700 tmpfs "$0" && exec "$@""#;
    command.args(["--mount", "sh", "-c", mount]).arg(folder).arg(program());
    command
}

/// The folder as the server sees it.
fn inside(server: &Running, folder: &Path) -> PathBuf {
    Path::new(&format!("/proc/{}/root", server.pid())).join(folder.strip_prefix("/").unwrap())
}
