//! What the program did to its files, as `strace` saw it.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::program::program;

/// One thing that was done, and when.
pub(super) struct Done {
    /// Microseconds since 1970.
    pub(super) at: i64,
    pub(super) what: Event,
}

/// Files are named without their folder.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Write {
        file: String,
        at: usize,
        bytes: Rc<[u8]>,
    },
    Resize {
        file: String,
        length: usize,
    },
    Remove {
        file: String,
    },
    /// A thread began to sync a file, or the folder.
    SyncBegan {
        file: String,
        thread: u32,
    },
    /// What the thread began to sync is on the disk.
    Synced {
        thread: u32,
    },
}

/// The program under `strace`, which writes to `log`.
pub(super) fn recorded(log: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["--daemonize", "--follow-forks", "-xx", "--string-limit=1000000"])
        .args(["--decode-fds=path", "--absolute-timestamps=format:unix,precision:us"])
        // The reserve is filled by write(2), and means nothing.
        .arg("--trace=pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync,unlink,unlinkat")
        .arg("--output")
        .arg(log)
        .arg(program());
    command
}

/// Reads the log of a program that has ended.
pub(super) fn read(log: &Path, pid: u32) -> Vec<Done> {
    let end = format!("{pid} ");
    let patience = Instant::now() + Duration::from_secs(30);
    let text = loop {
        let text = std::fs::read_to_string(log).unwrap();
        let is_end = |line: &str| line.starts_with(&end) && line.contains(" +++ ");
        if text.ends_with('\n') && text.lines().rev().take(64).any(is_end) {
            break text;
        }
        assert!(Instant::now() < patience, "strace does not end");
        std::thread::yield_now();
    };
    let mut begun = HashMap::new();
    text.lines().filter_map(|line| read_line(line, &mut begun)).flatten().collect()
}

/// `begun` has the calls of threads that have not returned.
fn read_line(line: &str, begun: &mut HashMap<u32, bool>) -> Option<Vec<Done>> {
    let (thread, rest) = line.split_once(' ')?;
    let (at, rest) = rest.trim_start().split_once(' ')?;
    let thread = thread.parse().ok()?;
    let at = at.replace('.', "").parse().ok()?;
    let done = |what| Done { at, what };
    if rest.starts_with("<... ") {
        let is_sync = begun.remove(&thread)?;
        assert!(rest.ends_with(" = 0") || !is_sync, "a sync failed by itself: {line:.200}");
        return is_sync.then(|| vec![done(Event::Synced { thread })]);
    }
    let (call, rest) = rest.split_once('(')?;
    let returned = !rest.ends_with("<unfinished ...>");
    let is_sync = matches!(call, "fsync" | "fdatasync");
    if !returned {
        begun.insert(thread, is_sync);
    }
    let mut events = Vec::new();
    match call {
        "fsync" | "fdatasync" => {
            events.push(done(Event::SyncBegan { file: file_of(rest), thread }));
            if returned {
                assert!(rest.ends_with(" = 0"), "a sync failed by itself: {line:.200}");
                events.push(done(Event::Synced { thread }));
            }
        }
        "pwrite64" => {
            let (_, rest) = rest.split_once('"').unwrap();
            let (hex, rest) = rest.split_once('"').unwrap();
            let at = number_after(rest, rest.rfind(", ").unwrap() + 2);
            let file = file_of(line.split_once('(').unwrap().1);
            events.push(done(Event::Write { file, at, bytes: bytes(hex).into() }));
        }
        "ftruncate" => {
            let length = number_after(rest, rest.find(">, ").unwrap() + 3);
            events.push(done(Event::Resize { file: file_of(rest), length }));
        }
        "unlink" => {
            let path = rest.split('"').nth(1).unwrap();
            events.push(done(Event::Remove { file: name_of(path) }));
        }
        other => panic!("{other} is no call that is known: {line:.200}"),
    }
    Some(events)
}

/// The file of the descriptor `22<\x2f…>` at the beginning.
fn file_of(arguments: &str) -> String {
    let (_, rest) = arguments.split_once('<').unwrap();
    name_of(rest.split_once('>').unwrap().0)
}

fn name_of(path: &str) -> String {
    let path = String::from_utf8(bytes(path)).unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

fn number_after(text: &str, place: usize) -> usize {
    let digits = text[place..].split(|c: char| !c.is_ascii_digit()).next().unwrap();
    digits.parse().unwrap()
}

/// `\x2f\x00` …
fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| if byte <= b'9' { byte - b'0' } else { byte - b'a' + 10 };
    hex.as_bytes().chunks_exact(4).map(|it| digit(it[2]) << 4 | digit(it[3])).collect()
}
