//! The n-th write, or the n-th sync, of the real program fails once with EIO (`strace` injects it).
//!
//! What failed in a commit has an unknown outcome: the server says so, acknowledges no write any
//! more, and starts anew by itself. Every place up to the 200th is tried.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use flowmaster_kernel::Timestamp;

use crate::harness::Caller;
use crate::program::{Running, program};
use crate::told::{Flag, Told, publish};

const CLIENTS: usize = 4;
/// So much work is done at most until the fault has struck.
const PATIENCE: usize = 1_000;
/// So much work is done after a fault that stopped nothing.
const AFTERWARDS: usize = 5;

/// So many calls of one thread are tried. The first few strike while the server starts.
const PLACES: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_loses_nothing_and_the_server_restarts_itself() {
    every_place("fsync").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_loses_nothing_and_the_server_restarts_itself() {
    every_place("pwrite64").await;
}

async fn every_place(call: &str) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::start(&data, None);
    let key = server.new_key.clone().unwrap();
    publish(&server.caller(&key)).await;
    server.kill();
    let (mut restarts, mut refused_starts) = (0, 0);
    for number in 1..=PLACES {
        let log = folder.path().join(number.to_string());
        match strike(&data, &key, &log, call, number).await {
            Struck::AtTheStart => refused_starts += 1,
            Struck::Restarted => restarts += 1,
            Struck::Harmless => {}
        }
    }
    // A run in which nothing failed shows nothing.
    assert!(restarts * 2 > PLACES, "{restarts} restarts, {refused_starts} failed starts");
}

enum Struck {
    /// The server said so and ended.
    AtTheStart,
    Restarted,
    /// Nothing depended on it, e.g. a checkpoint that is simply done again.
    Harmless,
}

async fn strike(data: &Path, key: &str, log: &Path, call: &str, number: usize) -> Struck {
    let place = format!("{call} {number}");
    let mut server = match Running::start_by(injecting(call, number, log), data) {
        Ok(server) => server,
        Err(status) => {
            assert!(fault(log).is_some(), "{place}: it ended without a fault: {status}");
            assert!(status.code().is_some_and(|code| code > 0), "{place}: {status}");
            return Struck::AtTheStart;
        }
    };
    let stop = Arc::new(Flag::default());
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let name = format!("{call}-{number}-{client}");
        let (caller, log, stop) = (server.caller(key), log.to_owned(), Arc::clone(&stop));
        clients.push(tokio::spawn(async move { load(&caller, &name, &log, &stop).await }));
    }
    let (mut told, mut failed) = (Told::default(), false);
    for client in clients {
        let (one, went_on) = client.await.unwrap();
        told.add(one);
        failed |= !went_on;
    }
    let fault = fault(log).unwrap_or_else(|| panic!("{place}: no fault in so much work"));
    let struck = if failed {
        assert!(server.is_up_again(), "{place}: it ended instead of starting anew");
        assert!(told.last_sent <= fault.at, "{place}: a write was acknowledged after the fault");
        Struck::Restarted
    } else {
        assert!(!fault.in_commit, "{place}: nobody was told that a commit failed");
        Struck::Harmless
    };
    let caller = server.caller(key);
    assert!(told.work(&caller, &format!("{call}-{number}-after")).await, "{place}");
    told.hold(&caller).await;
    server.kill();
    struck
}

/// Works until the server fails, or goes on after the fault all the same; whether it did.
async fn load(caller: &Caller, name: &str, log: &Path, stop: &Flag) -> (Told, bool) {
    let mut told = Told::default();
    let mut left = PATIENCE;
    while left > 0 {
        if !told.work(caller, &format!("{name}-{left}")).await {
            stop.set();
            return (told, false);
        }
        left -= 1;
        if left > AFTERWARDS && (stop.is_set() || (left.is_multiple_of(4) && fault(log).is_some()))
        {
            stop.set();
            left = AFTERWARDS;
        }
    }
    (told, true)
}

/// The program under `strace`, which lets go of it when it starts itself anew.
fn injecting(call: &str, number: usize, log: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["--daemonize", "--follow-forks", "--detach-on=execve", "--string-limit=0"])
        .args(["--decode-fds=path", "--absolute-timestamps=format:unix,precision:us", "--output"])
        .arg(log)
        .arg("--trace=fsync,pwrite64")
        .arg(format!("--inject={call}:error=EIO:when={number}"))
        .arg(program());
    command
}

struct Fault {
    at: Timestamp,
    /// What was to be committed did not get into the write-ahead log. A checkpoint syncs that too,
    /// but has written nothing there: when it fails, nothing is lost, and it is done again.
    in_commit: bool,
}

/// The first fault that `strace` tells of.
fn fault(log: &Path) -> Option<Fault> {
    let text = std::fs::read_to_string(log).ok()?;
    let end = text.find("(INJECTED)")?;
    let mut before = text.get(..end)?.lines().rev();
    let line = before.next()?;
    let mut words = line.split_whitespace();
    let (thread, seconds) = (words.next()?, words.next()?);
    let (seconds, rest) = seconds.split_once('.')?;
    let millis = format!("{seconds}{}", rest.get(..3)?).parse().ok()?;
    // Another thread may have come in between: then the file is in the line before.
    let mut own = before.filter(|line| line.split_whitespace().next() == Some(thread));
    let call = if line.contains(" resumed>") { own.next()? } else { line };
    let written = |line: &str| line.contains("pwrite64(");
    let in_commit = call.contains("-wal>")
        && (written(call) || own.find(|line| line.contains("-wal>")).is_some_and(written));
    Some(Fault { at: Timestamp::from_millis(millis), in_commit })
}
