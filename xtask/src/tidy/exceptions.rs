//! An exception from a lint has a reason, and ends when the lint no longer fires.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "exceptions",
    remedy: "write #[expect(lint, reason = \"…\")], never #[allow(…)]",
    find,
};

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let code = rust.code.join("\n");
        for (kind, needs_reason) in [("expect(", true), ("allow(", false)] {
            for (at, open) in code.match_indices(kind) {
                let (before, attribute) = code.split_at(at);
                if !before.ends_with("#[") && !before.ends_with("#![") {
                    continue;
                }
                let attribute = attribute.split(']').next().unwrap_or(attribute);
                if needs_reason && attribute.contains("reason") {
                    continue;
                }
                let line = before.matches('\n').count() + 1;
                let what =
                    if needs_reason { "has no reason" } else { "is for ever: use #[expect]" };
                findings.push(Finding::new(&file.path, line, format!("#[{open}…)] {what}")));
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
    fn exceptions_have_reasons() {
        let path = "a/src/b.rs";
        check(&CHECK, &[(path, "#[expect(clippy::x, reason = \"because\")]")], &[]);
        check(&CHECK, &[(path, "#![expect(\n    clippy::x,\n    reason = \"because\"\n)]")], &[]);
        check(&CHECK, &[(path, "\n#[expect(clippy::x)]")], &["a/src/b.rs:2"]);
        check(&CHECK, &[(path, "#[allow(clippy::x, reason = \"because\")]")], &["a/src/b.rs:1"]);
        check(&CHECK, &[(path, "#![allow(dead_code)]")], &["a/src/b.rs:1"]);
        check(&CHECK, &[(path, "x.expect(1); // #[allow(dead_code)]")], &[]);
    }
}
