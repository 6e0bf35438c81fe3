//! What a crate never contains, by its dependencies.

use super::tree::short_name;
use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "dependencies",
    remedy: "each foreign crate has its home (xtask/src/tidy/dependencies.rs): use it through that",
    find,
};

/// Foreign crates, by the start of their names, and the only crates that may name them.
const HOMES: &[(&str, &[&str])] = &[
    // The benchmarks compare with servers that do nothing but speak the protocol.
    ("rmcp", &["mcp-server", "benches"]),
    // The agents' tests speak to a model of scripted replies, on a socket.
    ("axum", &["mcp-server", "benches", "agents"]),
    ("tower", &["mcp-server", "agents"]),
    ("hyper", &["mcp-server"]),
    ("clap", &["mcp-server", "xtask", "benches", "fuzz"]),
    // The benchmarks compare with a bare loop, too.
    ("rusqlite", &["store", "benches"]),
    ("flate2", &["store"]),
    // The product tests make a database each.
    ("tokio-postgres", &["store", "tests"]),
    ("deadpool", &["store"]),
    ("async-openai", &["agents"]),
    ("minijinja", &["prompts"]),
    // The benchmarks compare with the evaluator alone.
    ("dsntk", &["engine", "benches"]),
    ("anyhow", &["mcp-server", "tests", "benches", "fuzz", "xtask"]),
];

/// What neither the kernel nor the engine contains: asynchrony, I/O, clocks, randomness.
const IMPURE: &[&str] = &[
    "tokio",
    "futures",
    "async",
    "reqwest",
    "rand",
    "getrandom",
    "uuid",
    "chrono",
    "time",
    "tempfile",
    "tracing",
    "metrics",
    "parking_lot",
    "rayon",
];

/// Never, nowhere.
const NEVER: &[(&str, &str)] = &[
    ("sqlx", "the store speaks to its databases itself (docs/adr/0001)"),
    ("async-std", "one asynchronous runtime: tokio"),
    ("smol", "one asynchronous runtime: tokio"),
    ("openssl", "one TLS: rustls"),
    ("native-tls", "one TLS: rustls"),
    ("mockall", "no mocks of our own code"),
];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, manifest) in tree.packages() {
        let Some(name) = short_name(&manifest) else { continue };
        for used in names(&manifest) {
            if let Some(problem) = problem(name, &used) {
                findings.push(Finding::new(&format!("{folder}/Cargo.toml"), 0, problem));
            }
        }
    }
    findings
}

fn problem(name: &str, used: &str) -> Option<String> {
    let is = |start: &str| {
        used.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    };
    if let Some((_, why)) = NEVER.iter().find(|(start, _)| is(start)) {
        return Some(format!("{name} uses {used}: {why}"));
    }
    if matches!(name, "kernel" | "engine") && IMPURE.iter().any(|start| is(start)) {
        return Some(format!("{name} is pure, it may not use {used}"));
    }
    let (_, homes) = HOMES.iter().find(|(start, _)| is(start))?;
    (!homes.contains(&name))
        .then(|| format!("{name} uses {used}, the home of which is {}", homes.join(", ")))
}

/// The names of all dependencies of a manifest, of every kind and target.
pub(super) fn names(manifest: &toml::Table) -> Vec<String> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(|it| it.values()).filter_map(toml::Value::as_table);
    let mut names = Vec::new();
    for table in std::iter::once(manifest).chain(targets) {
        let kinds = KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table());
        for (name, detail) in kinds.flatten() {
            // A renamed dependency is still what it is.
            let package = detail.get("package").and_then(toml::Value::as_str);
            names.push(package.unwrap_or(name).to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    fn uses(name: &str, line: &str, allowed: bool) {
        let manifest =
            format!("[package]\nname = \"flowmaster-{name}\"\n[dev-dependencies]\n{line}\n");
        let expected: &[&str] = if allowed { &[] } else { &["x/Cargo.toml:0"] };
        check(&CHECK, &[("x/Cargo.toml", &manifest)], expected);
    }

    #[test]
    fn foreign_crates_have_a_home() {
        uses("mcp-server", "rmcp.workspace = true", true);
        uses("people", "rmcp.workspace = true", false);
        uses("people", "axum = \"0.8\"", false);
        uses("people", "web = { package = \"axum\", version = \"0.8\" }", false);
        uses("data", "tower-http.workspace = true", false);
        uses("run", "rusqlite.workspace = true", false);
        uses("store", "rusqlite.workspace = true", true);
        uses("store", "sqlx = \"0.9\"", false);
    }

    #[test]
    fn pure_crates_stay_pure() {
        uses("kernel", "tokio.workspace = true", false);
        uses("engine", "tokio-util.workspace = true", false);
        uses("engine", "quick-xml.workspace = true", true);
        uses("run", "tokio.workspace = true", true);
    }
}
