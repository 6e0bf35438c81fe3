//! Every module says what it is for.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "module docs",
    remedy: "open the module with //!: what it is for and what always holds in it",
    find,
};

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        let exempt = file.path.ends_with("/tests.rs") || file.path.ends_with("/build.rs");
        // The cases of a test module say it by their names.
        let case = file.path.contains("/tests/") && file.path.contains("/src/");
        let opening =
            file.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!"));
        let says = opening.and_then(|line| line.strip_prefix("//!"));
        if !exempt && !case && says.is_none_or(|text| text.trim().is_empty()) {
            findings.push(Finding::new(&file.path, 1, "does not open with //!"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    #[test]
    fn modules_open_with_their_purpose() {
        check(&CHECK, &[("a/src/b.rs", "//! Sums.\n\nfn f() {}")], &[]);
        check(&CHECK, &[("a/src/b.rs", "//!\nfn f() {}")], &["a/src/b.rs:1"]);
        check(&CHECK, &[("a/src/b.rs", "use x;\n//! Late.")], &["a/src/b.rs:1"]);
        check(&CHECK, &[("a/src/b.rs", "")], &["a/src/b.rs:1"]);
        check(
            &CHECK,
            &[("a/src/tests.rs", ""), ("a/src/c/tests/d.rs", ""), ("a/build.rs", "")],
            &[],
        );
        check(&CHECK, &[("a/tests/b.rs", "fn f() {}")], &["a/tests/b.rs:1"]);
    }
}
