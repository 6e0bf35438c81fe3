//! Which crate may depend on which. A new arrow is a decision: it has a page in `docs/adr/`.

use std::collections::BTreeSet;

use super::tree::short_name;
use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "arrows",
    remedy: "depend on what is below only; a new arrow is a line of the table in \
             xtask/src/tidy/arrows.rs and a page in docs/adr/",
    find,
};

/// What each crate rests on directly; it may use all that those rest on, too.
const ARROWS: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("engine", &["kernel"]),
    ("store", &["kernel"]),
    ("prompts", &["store"]),
    ("knowledge", &["store"]),
    ("agents", &["prompts", "knowledge"]),
    ("evals", &["agents", "prompts"]),
    ("data", &["knowledge", "store", "engine"]),
    ("mind", &["data", "engine", "agents", "prompts", "evals"]),
    ("run", &["mind", "engine"]),
    ("people", &["run"]),
    ("reach", &["run", "mind", "data"]),
    ("trust", &["store"]),
    ("mcp-server", &["people", "reach", "trust"]),
    ("tests", &["mcp-server"]),
    ("benches", &["mcp-server"]),
    ("fuzz", &["mcp-server"]),
    ("xtask", &["mcp-server"]),
];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, manifest) in tree.packages() {
        let path = format!("{folder}/Cargo.toml");
        let Some(name) = short_name(&manifest) else {
            findings.push(Finding::new(&path, 0, "its package is not named flowmaster-…"));
            continue;
        };
        let Some(below) = below(name) else {
            findings.push(Finding::new(&path, 0, format!("{name} has no place in the table")));
            continue;
        };
        for used in super::dependencies::names(&manifest) {
            let Some(other) = used.strip_prefix("flowmaster-") else { continue };
            if !below.contains(other) && other != name {
                findings.push(Finding::new(&path, 0, format!("{name} may not depend on {other}")));
            }
        }
    }
    findings
}

/// All crates below `name`.
fn below(name: &str) -> Option<BTreeSet<&'static str>> {
    let direct = |name: &str| ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let mut waiting = direct(name)?.to_vec();
    let mut below = BTreeSet::new();
    while let Some(next) = waiting.pop() {
        if below.insert(next) {
            waiting.extend(direct(next).unwrap_or_default());
        }
    }
    Some(below)
}

#[cfg(test)]
mod tests {
    use super::{ARROWS, CHECK, below};
    use crate::tidy::tests::check;

    fn depends(name: &str, section: &str, other: &str, allowed: bool) {
        let manifest = format!(
            "[package]\nname = \"flowmaster-{name}\"\n[{section}]\nflowmaster-{other}.workspace = true"
        );
        let expected: &[&str] = if allowed { &[] } else { &["x/Cargo.toml:0"] };
        check(&CHECK, &[("x/Cargo.toml", &manifest)], expected);
    }

    #[test]
    fn arrows_point_down() {
        depends("people", "dependencies", "run", true);
        depends("people", "dependencies", "kernel", true);
        depends("run", "dependencies", "people", false);
        depends("run", "dev-dependencies", "people", false);
        depends("trust", "dependencies", "data", false);
        depends("trust", "dependencies", "store", true);
        depends("agents", "dependencies", "mind", false);
        depends("engine", "build-dependencies", "store", false);
        depends("engine", "target.'cfg(unix)'.dependencies", "store", false);
        depends("store", "dependencies", "mcp-server", false);
        depends("tests", "dependencies", "mcp-server", true);
        depends("newcomer", "dependencies", "kernel", false);
    }

    #[test]
    fn no_arrow_leads_back() {
        for (name, _) in ARROWS {
            assert!(!below(name).unwrap().contains(name), "{name} rests on itself");
        }
    }
}
