//! The power fails while the real program works: on every disk that it may leave behind, what was
//! acknowledged before is there once, and replaying the journals gives the stored states.
//!
//! `kill -9` shows nothing about syncs, since the kernel keeps what was written. So everything that
//! the program writes and syncs is recorded, and disks are made from any beginning of the recording.

mod disk;
mod recording;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flowmaster_kernel::{Clock as _, Timestamp};
use flowmaster_mcp_server::system::SystemClock;
use flowmaster_store::backup;
use tokio::task::JoinHandle;

use crate::crash::replays;
use crate::harness::{Caller, TestServer};
use crate::program::Running;
use crate::proof::{Dice, Proof};
use crate::told::{Flag, Told, publish};
use disk::Disk;
use recording::{Done, Event};

const CLIENTS: usize = 4;
/// So much work is done at least while the program is recorded.
const WORK: usize = 60;
/// The pages that SQLite copies out of its log into the database by itself.
const CHECKPOINT: usize = 4_000;
/// One in so many disks is given to the real program, and works on; the others are only read.
const RESTARTED: usize = 10;
/// The journals of so many instances are replayed on each disk.
const REPLAYED: usize = 4;

const DATABASE: &str = "flowmaster.db";
const RESERVE: &str = "reserve";

/// What the program did, and what clients were told meanwhile.
struct Recorded {
    done: Vec<Done>,
    told: Told,
    key: String,
    /// From then on there is the process that clients start.
    published: Timestamp,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_power_cut_leaves_has_everything_acknowledged_once() {
    let proof = Proof::of("R2 power cuts", 500, 20_000);
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let data = folder.path().join("data");
    let recorded = record(folder.path(), &data, &proof).await;
    let mut dice = Dice::new(proof.seed());
    let mut cuts: Vec<_> = (0..proof.size())
        .map(|number| {
            // The first start is short, and counts as well.
            let part = if number % RESTARTED == 5 { 8 } else { 1 };
            (dice.under(recorded.done.len() / part), number)
        })
        .collect();
    cuts.sort_unstable();
    let mut disk = Disk::default();
    let mut played = 0;
    for (cut, number) in cuts {
        for done in &recorded.done[played..cut] {
            disk.play(&done.what, "data");
        }
        played = cut;
        let mut dice = Dice::of(proof.seed(), number as u64);
        let left = folder.path().join(format!("disk-{number}"));
        std::fs::create_dir(&left).unwrap();
        // It takes time to write, and means nothing.
        std::fs::hard_link(data.join(RESERVE), left.join(RESERVE)).unwrap();
        let lost = disk.cut(&left, &mut dice);
        proof.faults(usize::from(lost > 0));
        println!("disk {number} of seed {}: cut at {cut}, {lost} sectors lost", proof.seed());
        recorded.holds(&left, cut, number % RESTARTED == 0).await;
        std::fs::remove_dir_all(&left).unwrap();
    }
    let size = proof.size();
    proof.ends(size / 4);
}

/// Two runs of the program: the first ends in order, the second in the middle of work and after a
/// checkpoint of its own.
async fn record(folder: &Path, data: &Path, proof: &Proof) -> Recorded {
    let start = |log: &str| {
        let log = folder.join(log);
        let server = Running::start_by(recording::recorded(&log), data);
        (server.unwrap_or_else(|status| panic!("strace cannot record: {status}")), log)
    };
    let (server, log) = start("first");
    let key = server.new_key.clone().unwrap();
    publish(&server.caller(&key)).await;
    let published = SystemClock.now();
    let mut told = load(&server, &key, "first", |work| work >= WORK, proof).await;
    let pid = server.pid();
    server.stop();
    let mut done = recording::read(&log, pid);

    let (server, log) = start("second");
    // The log is kept, so its size says nothing: only a checkpoint writes the database.
    let before = std::fs::metadata(data.join(DATABASE)).unwrap().modified().unwrap();
    let checkpointed =
        || std::fs::metadata(data.join(DATABASE)).unwrap().modified().unwrap() > before;
    told.add(load(&server, &key, "second", |_| checkpointed(), proof).await);
    told.add(load(&server, &key, "third", |work| work >= WORK, proof).await);
    let pid = server.pid();
    server.kill();
    let second = recording::read(&log, pid);
    let pages =
        |event: &Done| matches!(&event.what, Event::Write { bytes, .. } if bytes.len() == 4096);
    let pages = second.iter().filter(|event| pages(event)).count();
    assert!(pages > CHECKPOINT, "the program wrote only {pages} pages, and made no checkpoint");
    done.extend(second);
    Recorded { done, told, key, published }
}

/// Works by many clients until `enough` of the pieces done.
async fn load(
    server: &Running,
    key: &str,
    name: &str,
    enough: impl Fn(usize) -> bool,
    proof: &Proof,
) -> Told {
    let stop = Arc::new(Flag::default());
    let progress = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let (caller, name) = (server.caller(key), format!("{name}-{client}"));
        let (stop, progress) = (Arc::clone(&stop), Arc::clone(&progress));
        clients.push(tokio::spawn(async move {
            let (mut told, mut tried) = (Told::default(), 0);
            while !stop.is_set() {
                tried += 1;
                if told.work(&caller, &format!("{name}-{tried}")).await {
                    progress.fetch_add(1, Ordering::Relaxed);
                }
            }
            (told, tried)
        }));
    }
    while !enough(progress.load(Ordering::Relaxed)) {
        assert!(!clients.iter().all(JoinHandle::is_finished), "no client works");
        tokio::task::yield_now().await;
    }
    stop.set();
    let mut all = Told::default();
    for client in clients {
        let (told, tried) = client.await.unwrap();
        proof.operations(tried, told.completed.len() as u64);
        all.add(told);
    }
    all
}

impl Recorded {
    /// Checks the disk in `folder`, on which the first `cut` things were done.
    async fn holds(&self, folder: &Path, cut: usize, restarts: bool) {
        let moment = self.done[cut].at / 1_000;
        let moment = Timestamp::from_millis(moment);
        let told = self.told.before(moment);
        if restarts {
            let server = Running::start(folder, None);
            self.has(&server.caller(&self.key), told, moment).await;
            undamaged(folder);
            server.kill();
        } else {
            let server = TestServer::on(folder, None, Arc::new(SystemClock)).await;
            self.has(&server.with_key(&self.key), told, moment).await;
            undamaged(folder);
            let TestServer { server, .. } = server;
            server.background.stop().await;
            server.rooms.db.close().await;
        }
    }

    async fn has(&self, caller: &Caller, mut told: Told, moment: Timestamp) {
        if moment <= self.published {
            return;
        }
        let found = told.hold_together(caller).await;
        for instance in found.keys().rev().take(REPLAYED) {
            replays(caller, instance).await;
        }
        assert!(told.work(caller, "afterwards").await, "no work is taken");
    }
}

/// It can be looked at while a server has it.
fn undamaged(folder: &Path) {
    backup::check_data(&format!("sqlite:{}", folder.display())).unwrap();
}
