//! What the sources of a crate never say: clocks, randomness and the environment are arguments.

use super::rust_source::has_word;
use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "purity",
    remedy: "take time, ids and settings as arguments (Ctx, Env, Config), and keep what must be \
             deterministic in ordered collections",
    find,
};

/// Words, and the folders whose sources may not have them.
const RULES: &[(&[&str], &[&str])] = &[
    (&["HashMap", "HashSet", "async fn", ".await", "std::thread"], &["engine/src/"]),
    (&["std::fs", "std::net", "std::process"], &["kernel/src/", "engine/src/"]),
    (&["Instant::now"], &["kernel/src/", "engine/src/"]),
    (&["SystemTime"], &["engine/src/"]),
    (&["Timestamp::now", "Zoned::now"], &["engine/src/", "store/src/", "tools/"]),
    (
        &["std::env::", "env::var", "env::vars", "env::var_os"],
        &["kernel/src/", "engine/src/", "store/src/", "prompts/src/", "agents/src/", "tools/"],
    ),
];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.only_tests) {
        let here =
            RULES.iter().filter(|(_, places)| places.iter().any(|it| file.path.starts_with(it)));
        let banned: Vec<_> = here.flat_map(|(words, _)| *words).collect();
        for (number, line) in rust.lines().filter(|(number, _)| !rust.is_test(*number)) {
            for word in banned.iter().filter(|word| has_word(line, word)) {
                findings.push(Finding::new(&file.path, number, format!("says {word}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    #[test]
    fn pure_sources_say_no_impure_word() {
        check(&CHECK, &[("engine/src/a.rs", "//! A.\nuse x::HashMap;")], &["engine/src/a.rs:2"]);
        check(&CHECK, &[("engine/src/a.rs", "//! No HashMap.\n\"HashMap\"")], &[]);
        check(&CHECK, &[("engine/src/a.rs", "Instant::now()")], &["engine/src/a.rs:1"]);
        check(&CHECK, &[("kernel/src/a.rs", "use std::fs;")], &["kernel/src/a.rs:1"]);
        check(&CHECK, &[("store/src/a.rs", "use x::HashMap;\nx.await")], &[]);
        check(&CHECK, &[("tools/run/src/a.rs", "env::var(x)")], &["tools/run/src/a.rs:1"]);
        check(&CHECK, &[("tools/run/tests/a.rs", "env::var(x)")], &[]);
        check(&CHECK, &[("mcp-server/src/config.rs", "env::var(x)")], &[]);
        check(&CHECK, &[("engine/src/a.rs", "#[cfg(test)]\nmod t { use x::HashSet; }")], &[]);
    }
}
