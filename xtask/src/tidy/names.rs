//! Names are the words of the field (BPMN, DMN, MCP …), not of programming in general.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check =
    Check { name: "names", remedy: "say what it does in the words of the field instead", find };

const MODULES: [&str; 8] =
    ["util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"];
const ENDINGS: [&str; 6] = ["Manager", "Helper", "Helpers", "Util", "Utils", "Impl"];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let stem = file.path.strip_suffix(".rs").unwrap_or(&file.path);
        if let Some(word) = stem.split('/').find(|part| MODULES.contains(part)) {
            findings.push(Finding::new(&file.path, 0, format!("is called {word}")));
        }
        for (number, line) in rust.lines() {
            if let Some(name) = defined(line).filter(|name| is_vague(name)) {
                findings.push(Finding::new(&file.path, number, format!("is called {name}")));
            }
        }
    }
    findings
}

/// The name of the function, type or trait that a line of code defines.
fn defined(line: &str) -> Option<&str> {
    const KEYWORDS: [&str; 4] = ["fn", "struct", "enum", "trait"];
    let mut words = line.split_whitespace().skip_while(|word| !KEYWORDS.contains(word)).skip(1);
    words.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn is_vague(name: &str) -> bool {
    name.starts_with("handle_") || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    #[test]
    fn vague_names_are_found() {
        check(
            &CHECK,
            &[("a/src/util.rs", ""), ("a/src/helpers/b.rs", "")],
            &["a/src/helpers/b.rs:0", "a/src/util.rs:0"],
        );
        let path = "a/src/b.rs";
        check(&CHECK, &[(path, "pub(crate) async fn handle_it(x: u8)")], &["a/src/b.rs:1"]);
        check(&CHECK, &[(path, "struct PoolManager<T> {")], &["a/src/b.rs:1"]);
        check(&CHECK, &[(path, "enum Role {\nManager,\n}\nself.handle_it()")], &[]);
        check(&CHECK, &[(path, "fn manages() {}\nstruct Managers;")], &[]);
    }
}
