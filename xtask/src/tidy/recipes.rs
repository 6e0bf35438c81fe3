//! The recipes are there, and what they point at is there.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "recipes",
    remedy: "keep the recipes in step with the tree: they are how it grows",
    find,
};

const RECIPES: [&str; 3] = [
    "docs/recipes/add-a-tool.md",
    "docs/recipes/add-a-room.md",
    "docs/recipes/add-a-bpmn-element.md",
];
/// Other pages whose paths must lead somewhere.
const PAGES: [&str; 2] = ["CONTRIBUTING.md", "SECURITY.md"];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in RECIPES.into_iter().chain(PAGES) {
        let Some(file) = tree.file(path) else {
            findings.push(Finding::new(path, 0, "is missing"));
            continue;
        };
        for (index, line) in file.text.lines().enumerate() {
            for path in paths(line).filter(|path| !tree.has(path)) {
                findings.push(Finding::new(
                    &file.path,
                    index + 1,
                    format!("{path} does not exist"),
                ));
            }
        }
    }
    findings
}

/// The paths between backticks: they have a slash, and no word in capitals to be filled in.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|it| {
        let plain = it.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        let to_fill_in = |part: &str| part.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let rooted = it.split('/').next().is_some_and(|it| !it.is_empty() && it != "..");
        let stems = it.split(['/', '.']).filter(|part| !part.is_empty());
        plain && it.contains('/') && rooted && !stems.into_iter().any(to_fill_in)
    })
}

#[cfg(test)]
mod tests {
    use super::{CHECK, PAGES, RECIPES};
    use crate::tidy::tests::check;

    fn pages(text: &str) -> Vec<(&'static str, &str)> {
        RECIPES.into_iter().chain(PAGES).map(|path| (path, text)).collect()
    }

    #[test]
    fn recipes_exist_and_point_somewhere() {
        check(&CHECK, &pages("see `docs/recipes/add-a-tool.md` and `docs/recipes`"), &[]);
        check(&CHECK, &pages("`tools/WING/src/ROOM/mod.rs` or `cargo xtask` or `/api/v1`"), &[]);
        check(&CHECK, &pages("ok")[1..], &["docs/recipes/add-a-tool.md:0"]);
        let mut wrong = pages("ok");
        wrong[0].1 = "\nsee `docs/nowhere.md`";
        check(&CHECK, &wrong, &["docs/recipes/add-a-tool.md:2"]);
    }
}
