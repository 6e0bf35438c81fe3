//! The repository speaks of the product alone: not of the machine on which it was written.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "words",
    remedy: "say it without naming a machine, an account or a registry",
    find,
};

/// Where programs write them.
const WRITTEN_BY_PROGRAMS: [&str; 3] = ["Cargo.lock", "package-lock.json", "pnpm-lock.yaml"];

/// The folders that hold people's home folders, without their slashes.
const HOMES: [&str; 3] = ["root", "home", "Users"];
/// Package registries, which their clients know: the name of the host and its domain.
const HOSTS: [(&str, &str); 5] = [
    ("index", "crates.io"),
    ("static", "crates.io"),
    ("registry", "npmjs.org"),
    ("files", "pythonhosted.org"),
    ("proxy", "golang.org"),
];
fn find(tree: &Tree) -> Vec<Finding> {
    let words = words();
    let mut findings = Vec::new();
    for file in &tree.files {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        if WRITTEN_BY_PROGRAMS.contains(&name) {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                findings.push(Finding::new(&file.path, index + 1, format!("says {word}")));
            }
        }
    }
    findings
}

/// The words, put together here so that this file does not say them.
fn words() -> Vec<String> {
    let homes = HOMES.map(|home| format!("/{home}/"));
    let hosts = HOSTS.map(|(host, domain)| format!("{host}.{domain}"));
    let conflicts = ["<", ">"].map(|mark| format!("{} ", mark.repeat(7)));
    homes.into_iter().chain(hosts).chain(conflicts).collect()
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    #[test]
    fn words_of_a_machine_are_found() {
        let home = format!("one\nsee /{}/x", "root");
        check(&CHECK, &[("a.md", &home)], &["a.md:2"]);
        check(&CHECK, &[("a.rs", "event.pointer(\"/task/kind\")")], &[]);
        let registry = format!("https://{}.{}", "index", "crates.io");
        check(&CHECK, &[("a.toml", &registry)], &["a.toml:1"]);
        check(&CHECK, &[("web/package-lock.json", &registry)], &[]);
    }
}
