//! The invariants of the tree that the compiler does not check.
//!
//! One file a check: a pure function from the [`Tree`] to what it finds, with tests on small trees
//! that show it failing. The same checks run on the real tree as tests of this crate.
//!
//! Not here: anything that clippy or cargo-deny can check.

mod arrows;
mod dependencies;
mod doors;
mod exceptions;
mod manifests;
mod module_docs;
mod names;
mod patterns;
mod purity;
mod recipes;
mod rust_source;
mod scenario_tables;
mod sizes;
mod system_access;
mod tables;
mod test_habits;
mod tree;
mod words;

use std::fmt;
use std::path::Path;

pub(crate) use self::scenario_tables::pages;
pub(crate) use self::tree::Tree;
use crate::tally::Tally;

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

struct Check {
    name: &'static str,
    /// What to do about a finding.
    remedy: &'static str,
    find: fn(&Tree) -> Vec<Finding>,
}

const CHECKS: [Check; 16] = [
    arrows::CHECK,
    dependencies::CHECK,
    manifests::CHECK,
    purity::CHECK,
    tables::CHECK,
    system_access::CHECK,
    sizes::CHECK,
    doors::CHECK,
    module_docs::CHECK,
    names::CHECK,
    exceptions::CHECK,
    test_habits::CHECK,
    words::CHECK,
    recipes::CHECK,
    patterns::CHECK,
    scenario_tables::CHECK,
];

/// Checks the tree at `root`: one result per check.
pub(crate) fn run(root: &Path) -> anyhow::Result<Tally> {
    let tree = Tree::read(root)?;
    let mut tally = Tally::default();
    for check in CHECKS {
        let findings = check.report(&tree);
        tally += Tally::of(findings.is_empty());
        if !findings.is_empty() {
            println!("{findings}");
        }
    }
    println!("tidy: {tally}");
    Ok(tally)
}

impl Check {
    /// What it finds, for people; nothing when all is well.
    fn report(&self, tree: &Tree) -> String {
        let mut findings = (self.find)(tree);
        if findings.is_empty() {
            return String::new();
        }
        findings.sort();
        findings.dedup();
        let lines: Vec<_> = findings.iter().map(|it| format!("  {it}")).collect();
        format!("{}: {}\n{}", self.name, self.remedy, lines.join("\n"))
    }
}

#[cfg(test)]
mod tests;
