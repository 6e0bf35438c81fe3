use super::{CHECKS, Check, Finding, Tree};

/// The check finds exactly `expected` (as `path:line`) in a tree of these files.
pub(super) fn check(check: &Check, files: &[(&str, &str)], expected: &[&str]) {
    let mut findings = (check.find)(&Tree::of(files));
    findings.sort();
    let places: Vec<_> = findings.iter().map(|it| format!("{}:{}", it.path, it.line)).collect();
    assert_eq!(places, expected, "{}: {findings:?}", check.name);
}

#[test]
fn the_tree_is_tidy() {
    let tree = Tree::read(&crate::root().unwrap()).unwrap();
    let reports: Vec<_> = CHECKS.iter().map(|it| it.report(&tree)).collect();
    assert!(reports.concat().is_empty(), "\n{}", reports.join("\n"));
}

#[test]
fn a_finding_says_where() {
    assert_eq!(Finding::new("a.rs", 3, "is odd").to_string(), "a.rs:3: is odd");
    assert_eq!(Finding::new("a.rs", 0, "is odd").to_string(), "a.rs: is odd");
}
