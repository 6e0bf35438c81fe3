//! Mutated input for everything that reads what others wrote (`fuzz/`).

use std::ffi::OsStr;
use std::path::Path;

use crate::program::{self, Reports};
use crate::steps::cargo;
use crate::tally::Tally;

/// The same inputs every time: a new bug is found by longer runs, and not by somebody's change.
pub(crate) const SHORT: &[&str] = &["--seed", "1", "--inputs", "1500"];

/// One result for each target.
pub(crate) fn run(root: &Path, arguments: &[impl AsRef<OsStr>]) -> anyhow::Result<Tally> {
    let mut fuzzer = cargo(root);
    fuzzer.args(["run", "--quiet", "--locked", "--package", "flowmaster-fuzz", "--"]);
    program::counted(fuzzer.args(arguments), Reports::Closing)
}
