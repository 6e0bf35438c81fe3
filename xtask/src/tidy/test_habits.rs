//! Tests run, always and without waiting; what is not built is not in the tree.

use super::rust_source::has_word;
use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "test habits",
    remedy: "finish it or leave it out; in tests, move the ManualClock or wait for the event itself",
    find,
};

/// Nowhere.
const UNFINISHED: [&str; 4] = ["todo!", "unimplemented!", "#[ignore]", "#[ignore ="];
/// Not in tests.
const WAITING: [&str; 2] = ["sleep(", "sleep_until("];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for (number, line) in rust.lines() {
            let waiting = if file.only_tests || rust.is_test(number) { &WAITING[..] } else { &[] };
            let banned = UNFINISHED.iter().chain(waiting);
            for word in banned.filter(|word| has_word(line, word)) {
                findings.push(Finding::new(&file.path, number, format!("has {word}")));
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
    fn unfinished_and_waiting_code_is_found() {
        let path = "a/src/b.rs";
        check(&CHECK, &[(path, "fn f() { todo!() }")], &["a/src/b.rs:1"]);
        check(&CHECK, &[(path, "#[test]\n#[ignore = \"slow\"]\nfn t() {}")], &["a/src/b.rs:2"]);
        check(&CHECK, &[(path, "fn f() { sleep(x) }")], &[]);
        check(&CHECK, &[(path, "#[test]\nfn t() {\n thread::sleep(x);\n}")], &["a/src/b.rs:3"]);
        check(&CHECK, &[(path, "#[test]\nfn t() {\n x(\"pg_sleep(1)\");\n}")], &[]);
        check(&CHECK, &[("a/tests/b.rs", "sleep(x)")], &["a/tests/b.rs:1"]);
    }
}
