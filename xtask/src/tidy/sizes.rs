//! Files that can be read in one sitting.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check =
    Check { name: "sizes", remedy: "split the file along what it does", find };

const LIMIT: usize = 500;

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust() {
        let lines = file.text.lines().count();
        if lines > LIMIT {
            findings.push(Finding::new(&file.path, 0, format!("has {lines} lines of {LIMIT}")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{CHECK, LIMIT};
    use crate::tidy::tests::check;

    #[test]
    fn long_files_are_found() {
        check(&CHECK, &[("a/src/b.rs", &"x\n".repeat(LIMIT))], &[]);
        check(&CHECK, &[("a/src/b.rs", &"x\n".repeat(LIMIT + 1))], &["a/src/b.rs:0"]);
        check(&CHECK, &[("a/src/b.txt", &"x\n".repeat(LIMIT + 1))], &[]);
    }
}
