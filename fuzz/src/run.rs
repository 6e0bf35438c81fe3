//! One target in this process: its seeds as they are, then what is near them.
//!
//! Invariant: the input under way is in a file before it is taken, so that it can be looked at
//! whatever becomes of this process.

use std::panic;
use std::path::PathBuf;
use std::process::exit;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::bail;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::mutate;
use crate::targets::{Target, Verdict};

/// How many inputs are taken between two looks at the clock.
const BATCH: u32 = 16;
/// How long one input may take, in a build without optimisation.
const LONGEST: Duration = Duration::from_secs(10);

/// Takes inputs for `span`, and `most` of them at most; gives how many.
pub(crate) fn run(
    target: &'static Target,
    seed: u64,
    span: Duration,
    most: u64,
) -> anyhow::Result<u64> {
    let desk = Arc::new(Desk::new(target)?);
    desk.watch();
    let seeds = target.seeds()?;
    for bytes in &seeds {
        if let Err(broken) = desk.take(bytes) {
            bail!("{broken}\non the seed in {}", desk.input.display());
        }
    }
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: BATCH,
        failure_persistence: None,
        max_shrink_iters: 4_096,
        max_shrink_time: 30_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let strategy = mutate::near(seeds);
    let (started, mut inputs) = (Instant::now(), 0);
    while started.elapsed() < span && inputs < most {
        // A runner is done for good after one batch.
        runner = TestRunner::new_with_rng(config.clone(), runner.new_rng());
        match runner.run(&strategy, |bytes| desk.take(&bytes)) {
            Ok(()) => inputs += u64::from(BATCH),
            Err(TestError::Fail(why, smallest)) => {
                std::fs::write(&desk.input, smallest)?;
                let at = desk.panicked_at();
                bail!("{why}{at}\nthe input is in {}: a seed, once fixed", desk.input.display());
            }
            Err(TestError::Abort(why)) => bail!("gave up: {why}"),
        }
    }
    Ok(inputs)
}

/// Where inputs are taken.
struct Desk {
    target: &'static Target,
    /// The file that holds the input under way.
    input: PathBuf,
    since: Mutex<Option<Instant>>,
    panicked_at: Arc<Mutex<String>>,
}

impl Desk {
    fn new(target: &'static Target) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join("flowmaster-fuzz");
        std::fs::create_dir_all(&folder)?;
        let panicked_at = Arc::new(Mutex::new(String::new()));
        let place = Arc::clone(&panicked_at);
        // Only the last one is shown, that of the smallest input.
        panic::set_hook(Box::new(move |info| {
            if let (Ok(mut place), Some(at)) = (place.lock(), info.location()) {
                *place = format!(" at {at}");
            }
        }));
        Ok(Self { target, input: folder.join(target.name), since: Mutex::new(None), panicked_at })
    }

    fn take(&self, bytes: &[u8]) -> Verdict {
        std::fs::write(&self.input, bytes)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        self.begin(Some(Instant::now()));
        let verdict = (self.target.take)(bytes);
        self.begin(None);
        verdict
    }

    fn begin(&self, now: Option<Instant>) {
        if let Ok(mut since) = self.since.lock() {
            *since = now;
        }
    }

    fn panicked_at(&self) -> String {
        self.panicked_at.lock().map(|at| at.clone()).unwrap_or_default()
    }

    /// Ends the process when an input takes too long: nothing else can stop it.
    fn watch(self: &Arc<Self>) {
        let desk = Arc::clone(self);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(500));
                let since = desk.since.lock().ok().and_then(|since| *since);
                if since.is_some_and(|since| since.elapsed() > LONGEST) {
                    println!("{}: takes too long on {}", desk.target.name, desk.input.display());
                    exit(2);
                }
            }
        });
    }
}
