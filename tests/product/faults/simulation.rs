//! The whole below the wire, each seed in one thread: dispatch, rooms, engine and store, on a clock that moves
//! when told to. What clients do, what becomes of each commit and when the process dies is drawn
//! from a seed; the same seed does the same again.
//!
//! Invariants at the end of each run: what was acknowledged happened once; the journals lead to the
//! stored states; ended instances left nothing behind; no timer fired early, and each once; each job
//! has one completion; nothing of one tenant is seen by another; everything that can end, ended.

mod checks;
mod clients;
mod models;
mod node;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::proof::{Dice, Proof};
use clients::Clients;
use node::{Origin, World};

/// Seeds at the same time.
const THREADS: usize = 2;
/// One in so many seeds is run twice.
const TWICE: usize = 100;
/// How many things clients do in a run, at least and at most.
const STEPS: (usize, usize) = (10, 40);

#[test]
fn whatever_fails_under_dispatch_nothing_is_lost_or_done_twice() {
    let proof = Proof::of("R5 simulations", 2_000, 200_000);
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let origin = runtime().block_on(Origin::prepare(&folder.path().join("origin"), models::MODELS));
    let numbers = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                let runtime = runtime();
                loop {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    if number >= proof.size() {
                        return;
                    }
                    let seed = proof.seed().wrapping_add(number as u64);
                    let _told = Told { seed, numbers: &numbers };
                    let run = || runtime.block_on(simulate(&origin, folder.path(), seed, &proof));
                    let trace = run();
                    if number.is_multiple_of(TWICE) {
                        assert_eq!(trace, run(), "seed {seed} does not do the same again");
                    }
                }
            });
        }
    });
    let size = proof.size();
    proof.ends(size / 2);
}

/// Each seed has one thread and one runtime to itself.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Tells which seed failed, and lets no other begin.
struct Told<'a> {
    seed: u64,
    numbers: &'a AtomicUsize,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("to repeat it: FLOWMASTER_TEST_SEED={}", self.seed);
            self.numbers.store(usize::MAX / 2, Ordering::Relaxed);
        }
    }
}

/// Runs one seed to its end; gives everything that was asked and answered.
async fn simulate(origin: &Origin, folder: &Path, seed: u64, proof: &Proof) -> String {
    let place: PathBuf = folder.join(format!("seed-{seed}"));
    let mut dice = Dice::of(seed, 0);
    let world = World::begin(origin, &place, &mut dice).await;
    let mut clients = Clients::new(world, dice);
    let steps = clients.dice.under(STEPS.1 - STEPS.0) + STEPS.0;
    for _ in 0..steps {
        clients.step().await;
    }
    clients.world.heal().await;
    clients.finish().await;
    checks::hold(&mut clients).await;
    let trace = clients.world.end(proof).await;
    std::fs::remove_dir_all(&place).unwrap();
    trace
}
