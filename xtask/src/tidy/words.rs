//! The repository speaks of the product alone: not of the machine on which it was written.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "words",
    remedy: "say it without naming a machine, an account or a registry",
    find,
};

/// Where the words are named, and where programs write them.
const EXEMPT: [&str; 1] = ["xtask/src/tidy/words.rs"];
const WRITTEN_BY_PROGRAMS: [&str; 3] = ["Cargo.lock", "package-lock.json", "pnpm-lock.yaml"];

/// Folders of a machine.
const PATHS: [&str; 7] =
    ["/work/main", "/work/shared", "/work/wt-", "/root/", "/home/", "/Users/", "C:\\Users"];
/// Package registries: their clients know them.
const HOSTS: [&str; 5] = [
    "index.crates.io",
    "static.crates.io",
    "registry.npmjs.org",
    "files.pythonhosted.org",
    "proxy.golang.org",
];
/// Leftovers.
const OTHER: [&str; 4] = ["git worktree", "<<<<<<< ", ">>>>>>> ", "DO NOT SUBMIT"];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        if EXEMPT.contains(&file.path.as_str()) || WRITTEN_BY_PROGRAMS.contains(&name) {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            let words = PATHS.iter().chain(&HOSTS).chain(&OTHER);
            for word in words.filter(|word| line.contains(**word)) {
                findings.push(Finding::new(&file.path, index + 1, format!("says {word}")));
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
    fn words_of_a_machine_are_found() {
        check(&CHECK, &[("a.md", "one\nsee /root/x")], &["a.md:2"]);
        check(&CHECK, &[("a.md", "see /work/shared/x")], &["a.md:1"]);
        check(&CHECK, &[("a.rs", "event.pointer(\"/work/kind\")")], &[]);
        check(&CHECK, &[("a.toml", "https://index.crates.io")], &["a.toml:1"]);
        check(&CHECK, &[("web/package-lock.json", "https://registry.npmjs.org")], &[]);
    }
}
