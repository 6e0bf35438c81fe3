//! How much of a proof is run, and whether the run shows anything.
//!
//! A change runs the small size with the same seed each time; a night runs the large one with another
//! (`cargo xtask night`, which also reads the line that a proof ends with). A run counts only if most
//! of its operations succeeded and its faults really happened.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many of the operations have to succeed, in percent.
const ENOUGH: u64 = 80;

/// A run of one row of the scorecard.
pub(crate) struct Proof {
    row: &'static str,
    size: usize,
    seed: u64,
    tried: AtomicU64,
    succeeded: AtomicU64,
    faults: AtomicU64,
}

impl Proof {
    /// The run of `row`, as large as is asked for.
    pub(crate) fn of(row: &'static str, a_change: usize, a_night: usize) -> Self {
        let size = match told("FLOWMASTER_TEST_NIGHT") {
            Some(percent) => a_change.max(a_night * usize::try_from(percent).unwrap() / 100),
            None => a_change,
        };
        let seed = told("FLOWMASTER_TEST_SEED").unwrap_or(1);
        let (tried, succeeded, faults) = Default::default();
        Self { row, size, seed, tried, succeeded, faults }
    }

    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    /// The seed of the whole run, which repeats it.
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Something was asked for, and done or refused.
    pub(crate) fn operation(&self, succeeded: bool) {
        self.operations(1, u64::from(succeeded));
    }

    pub(crate) fn operations(&self, tried: u64, succeeded: u64) {
        self.tried.fetch_add(tried, Ordering::Relaxed);
        self.succeeded.fetch_add(succeeded, Ordering::Relaxed);
    }

    /// Something that must do no harm was done.
    pub(crate) fn faults(&self, happened: usize) {
        self.faults.fetch_add(happened as u64, Ordering::Relaxed);
    }

    /// Says what was reached, and that it counts: at least `faults` of them happened.
    pub(crate) fn ends(self, faults: usize) {
        let [tried, succeeded, happened] =
            [self.tried, self.succeeded, self.faults].map(AtomicU64::into_inner);
        let percent = succeeded * 100 / tried.max(1);
        println!(
            "proof: {} | {} | {percent} % of {tried} | {happened} faults | seed {}",
            self.row, self.size, self.seed
        );
        assert!(percent >= ENOUGH, "only {succeeded} of {tried} operations succeeded");
        assert!(happened >= faults as u64, "only {happened} faults happened");
    }
}

fn told(variable: &str) -> Option<u64> {
    let value = std::env::var_os(variable)?;
    let number = value.to_str().and_then(|value| value.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is no number: {}", value.display())))
}

/// Chance that a seed repeats (SplitMix64, Steele et al. 2014).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Those of one of many runs, which is repeated without the others.
    pub(crate) const fn of(seed: u64, run: u64) -> Self {
        Self(Self(seed ^ run.wrapping_mul(0xA076_1D64_78BD_642F)).draw())
    }

    pub(crate) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number under `end`.
    pub(crate) fn under(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() % end.max(1) as u64).unwrap()
    }

    /// True in so many of a hundred.
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.under(100) < chance
    }

    pub(crate) fn one_of<'a, T: Debug>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.under(of.len())]
    }
}
