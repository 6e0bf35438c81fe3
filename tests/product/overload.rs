//! More than the server can do, and much for long: what it cannot take it refuses and says when to
//! come again, what it took is there, and it keeps its size.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::harness::database;
use crate::program::{Running, program};
use crate::proof::Proof;
use crate::told::{Told, publish};

/// What one principal may call a second, and at once.
const RATE: usize = 50;
/// So many times as many call.
const TIMES: usize = 10;
/// How much memory calls may take beside three times that of an idle server.
const CALLS_KB: usize = 128 * 1024;
/// The write-ahead log is never larger.
const LOG_BYTES: u64 = 64 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_with_a_time_to_come_again_and_loses_nothing() {
    let proof = Proof::of("R14 overload", 1_000, 100_000);
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    command.env("FLOWMASTER_CALLS_PER_SECOND", RATE.to_string());
    command.env("FLOWMASTER_BURST", RATE.to_string());
    if let Some(url) = database().await {
        command.env("FLOWMASTER_DATABASE_URL", url);
    }
    let server = Running::start_by(command, folder.path()).unwrap();
    let key = server.new_key.clone().unwrap();
    publish(&server.caller(&key)).await;
    let idle = memory_kb(server.pid());
    let sent = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for client in 0..TIMES * 4 {
        let (base, key, sent, size) =
            (server.base.clone(), key.clone(), Arc::clone(&sent), proof.size());
        clients.push(tokio::spawn(async move {
            let http = reqwest::Client::new();
            let (mut started, mut refused) = (Vec::new(), 0);
            while sent.fetch_add(1, Ordering::Relaxed) < size {
                let name = format!("{client}-{}", started.len() + refused);
                let start = json!({ "process": "load", "business_key": name });
                let call = http
                    .post(format!("{base}/api/v1/process_start"))
                    .bearer_auth(&key)
                    .json(&start);
                let answer = call.send().await.unwrap();
                match answer.status().as_u16() {
                    200 => started.push(name),
                    429 | 503 => {
                        let again =
                            answer.headers().get("retry-after").expect("when to come again");
                        assert!(again.to_str().unwrap().parse::<u64>().unwrap() > 0);
                        refused += 1;
                    }
                    other => panic!("{other}: {}", answer.text().await.unwrap()),
                }
            }
            (started, refused)
        }));
    }
    let (mut started, mut refused) = (Vec::new(), 0);
    for client in clients {
        let (of_one, refused_one) = client.await.unwrap();
        started.extend(of_one);
        refused += refused_one;
    }
    let peak = memory_kb(server.pid());
    assert!(peak <= 3 * idle + CALLS_KB, "{idle} KB when idle, {peak} KB now");
    // Every call got an answer that it could go by.
    proof.operations((started.len() + refused) as u64, (started.len() + refused) as u64);
    proof.faults(refused);
    let caller = server.caller(&key);
    assert!(caller.is_alive().await);
    let mut found = Vec::new();
    let mut arguments = json!({ "process": "load", "limit": 50 });
    loop {
        // The rate of the searcher is bounded as well.
        let Ok(page) = caller.call("instance_search", arguments.clone()).await else { continue };
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().map(|it| it["business_key"].as_str().unwrap().to_owned()));
        match page.get("next_cursor").filter(|it| !it.is_null()) {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => break,
        }
    }
    found.sort_unstable();
    started.sort_unstable();
    assert_eq!(found, started, "what was acknowledged is there once, and nothing else");
    let size = proof.size();
    proof.ends(size / 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_works_for_long_keeps_its_size() {
    let proof = Proof::of("R15 endurance", 400, 400_000);
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), database().await.as_deref());
    let key = server.new_key.clone().unwrap();
    publish(&server.caller(&key)).await;
    let log = folder.path().join("flowmaster.db-wal");
    let warm = work(&server, &key, "warm", proof.size() / 2, &log, &proof).await;
    let after = work(&server, &key, "long", proof.size() / 2, &log, &proof).await;
    // Some kilobytes for each instance at hand, of which 10,000 are kept at most.
    assert!(after.memory_kb <= warm.memory_kb + CALLS_KB, "{warm:?} {after:?}");
    assert!(after.files <= warm.files + 8, "{warm:?} {after:?}");
    assert!(after.threads <= warm.threads + 4, "{warm:?} {after:?}");
    proof.ends(0);
}

#[derive(Debug)]
struct Size {
    memory_kb: usize,
    files: usize,
    threads: usize,
}

async fn work(
    server: &Running,
    key: &str,
    name: &str,
    pieces: usize,
    log: &Path,
    proof: &Proof,
) -> Size {
    let mut clients = Vec::new();
    for client in 0..4 {
        let (caller, name) = (server.caller(key), format!("{name}-{client}"));
        clients.push(tokio::spawn(async move {
            let mut done = 0;
            for piece in 0..pieces / 4 {
                let mut told = Told::default();
                done += u64::from(told.work(&caller, &format!("{name}-{piece}")).await);
            }
            done
        }));
    }
    for client in clients {
        proof.operations((pieces / 4) as u64, client.await.unwrap());
        let bytes = std::fs::metadata(log).map_or(0, |found| found.len());
        assert!(bytes <= LOG_BYTES, "the write-ahead log has {bytes} bytes");
    }
    let count = |folder: &str| {
        let place = PathBuf::from(format!("/proc/{}/{folder}", server.pid()));
        std::fs::read_dir(place).unwrap().count()
    };
    Size { memory_kb: memory_kb(server.pid()), files: count("fd"), threads: count("task") }
}

fn memory_kb(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
