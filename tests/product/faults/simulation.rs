//! The whole below the wire in one thread: dispatch, rooms, engine and store, on a clock that moves
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

use crate::proof::{Dice, Proof};
use clients::Clients;
use models::MODELS;
use node::{Origin, World};

/// One in so many seeds is run twice.
const TWICE: usize = 100;
/// How many things clients do in a run, at least and at most.
const STEPS: (usize, usize) = (10, 40);

#[test]
fn whatever_fails_under_dispatch_nothing_is_lost_or_done_twice() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let proof = Proof::of("R5 simulations", 200, 200_000);
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let origin = Origin::prepare(&folder.path().join("origin"), MODELS).await;
        for number in 0..proof.size() {
            let seed = proof.seed().wrapping_add(number as u64);
            let trace = simulate(&origin, folder.path(), seed, &proof).await;
            if number % TWICE == 0 {
                let again = simulate(&origin, folder.path(), seed, &proof).await;
                assert_eq!(trace, again, "seed {seed} does not do the same again");
            }
        }
        let size = proof.size();
        proof.ends(size / 2);
    });
}

/// Runs one seed to its end; gives everything that was asked and answered.
async fn simulate(origin: &Origin, folder: &Path, seed: u64, proof: &Proof) -> String {
    // Printed when it fails, and then it is the seed to repeat: FLOWMASTER_TEST_SEED.
    println!("seed {seed}");
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
