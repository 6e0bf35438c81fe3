//! Every crate takes its lints, versions and licence from the workspace.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "manifests",
    remedy: "a crate inherits from the workspace (see kernel/Cargo.toml)",
    find,
};

const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, manifest) in tree.packages() {
        let mut missing = |what: &str| {
            let problem = format!("does not have {what} = true");
            findings.push(Finding::new(&format!("{folder}/Cargo.toml"), 0, problem));
        };
        let inherits = |value: Option<&toml::Value>| {
            value.and_then(|it| it.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
        };
        if !inherits(manifest.get("lints")) {
            missing("lints.workspace");
        }
        let package = manifest.get("package");
        for key in INHERITED {
            if !inherits(package.and_then(|it| it.get(key))) {
                missing(&format!("package.{key}.workspace"));
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
    fn crates_inherit_from_the_workspace() {
        let good = "[package]\nversion.workspace = true\nedition.workspace = true\n\
                    rust-version.workspace = true\nlicense.workspace = true\n\
                    publish.workspace = true\n[lints]\nworkspace = true";
        check(&CHECK, &[("a/Cargo.toml", good)], &[]);
        let without_lints = good.replace("[lints]\nworkspace = true", "");
        check(&CHECK, &[("a/Cargo.toml", &without_lints)], &["a/Cargo.toml:0"]);
        let own_edition = good.replace("edition.workspace = true", "edition = \"2021\"");
        check(&CHECK, &[("a/Cargo.toml", &own_edition)], &["a/Cargo.toml:0"]);
    }
}
