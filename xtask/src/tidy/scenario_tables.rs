//! Tables of the documentation that are made from scenarios: what they say is what is shown to work.
//!
//! A page has a line `<!-- cargo xtask docs: FOLDER: COLUMN, COLUMN -->`. The table behind it has a row
//! for each scenario of that folder that has a `row`, with its columns and a link to the scenario. A
//! scenario without one is a further case of the scenario whose name its own begins with. Invariants:
//! each page is as it is made, and each scenario in a folder is in a table.

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "scenario tables",
    remedy: "say it in the scenario, and run cargo xtask docs",
    find,
};

const SCENARIOS: &str = "tests/scenarios/";
const BEGIN: &str = "<!-- cargo xtask docs: ";
const END: &str = " -->";

/// The pages with tables, as they should be.
pub(crate) fn pages(tree: &Tree) -> Vec<(&str, String)> {
    let pages = tree.files.iter().filter(|file| is_page(&file.path) && file.text.contains(BEGIN));
    pages.map(|page| (page.path.as_str(), made(tree, &page.text))).collect()
}

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tables = Vec::new();
    for (path, text) in pages(tree) {
        if tree.file(path).is_none_or(|page| page.text != text) {
            findings.push(Finding::new(path, 0, "is not what the scenarios say"));
        }
        tables.extend(text.lines().filter_map(Table::of).map(|table| table.folder.to_owned()));
    }
    for file in &tree.files {
        let Some((folder, name)) = scenario(&file.path) else { continue };
        let mut wrong = |what: &str| findings.push(Finding::new(&file.path, 0, what));
        let is_further = || {
            tree.files.iter().any(|other| {
                let known = scenario(&other.path).filter(|(around, _)| *around == folder);
                known.is_some_and(|(_, known)| name.starts_with(&format!("{known}-")))
                    && !row(&other.text).is_empty()
            })
        };
        if !tables.iter().any(|table| table == folder) {
            wrong("lies in a folder of which no page has a table");
        } else if row(&file.text).is_empty() && !is_further() {
            wrong("has no row, and no scenario beside it that its name begins with has one");
        }
        if row(&file.text).iter().any(|(_, text)| text.contains('|')) {
            wrong("has a `|` in its row");
        }
    }
    findings
}

fn is_page(path: &str) -> bool {
    path.starts_with("docs/") && path.ends_with(".md")
}

/// The folder of the scenario at `path`, and its name, if it is one that tables are made from.
fn scenario(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.strip_suffix(".yaml")?.rsplit_once('/')?;
    folder.starts_with(SCENARIOS).then_some((folder, name))
}

struct Table<'a> {
    folder: &'a str,
    columns: Vec<&'a str>,
}

impl<'a> Table<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (folder, columns) = line.strip_prefix(BEGIN)?.strip_suffix(END)?.split_once(": ")?;
        Some(Self { folder, columns: columns.split(", ").collect() })
    }

    fn lines(&self, tree: &Tree) -> Vec<String> {
        let heads = self.columns.join(" | ");
        let mut lines = vec![
            format!("| {heads} | scenario |"),
            format!("|{}", "---|".repeat(self.columns.len() + 1)),
        ];
        for file in &tree.files {
            let row = row(&file.text);
            let Some((folder, name)) = scenario(&file.path) else { continue };
            if folder != self.folder || row.is_empty() {
                continue;
            }
            let cells = self.columns.iter().map(|column| {
                let cell = row.iter().find(|(key, _)| key == column);
                cell.map_or("|".to_owned(), |(_, text)| format!("| {text}"))
            });
            let cells: Vec<String> = cells.collect();
            lines.push(format!("{} | [{name}](../{}) |", cells.join(" "), file.path));
        }
        lines
    }
}

/// The page `text` with its tables made anew.
fn made(tree: &Tree, text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_old = false;
    for line in text.lines() {
        is_old = is_old && line.starts_with('|');
        if is_old {
            continue;
        }
        lines.push(line.to_owned());
        if let Some(table) = Table::of(line) {
            lines.extend(table.lines(tree));
            is_old = true;
        }
    }
    lines.join("\n") + "\n"
}

/// The row of a scenario: keys and texts.
fn row(scenario: &str) -> Vec<(&str, String)> {
    let lines = scenario.lines().skip_while(|line| *line != "row:").skip(1);
    let lines = lines.map_while(|line| line.strip_prefix("  ")?.split_once(": "));
    lines.map(|(key, text)| (key, plain(text))).collect()
}

/// The value of a YAML scalar on one line.
fn plain(text: &str) -> String {
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    quoted.map_or_else(|| text.to_owned(), |text| text.replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::{CHECK, pages};
    use crate::tidy::Tree;
    use crate::tidy::tests::check;

    const PAGE: &str = "docs/a.md";
    const EMPTY: &str = "# A\n\n<!-- cargo xtask docs: tests/scenarios/a: what, how -->\n\nend\n";
    const ONE: (&str, &str) =
        ("tests/scenarios/a/one.yaml", "name: x\nrow:\n  what: \"`a`\"\n  how: so\nmodels: []\n");
    const MORE: (&str, &str) = ("tests/scenarios/a/one-more.yaml", "name: y\n");

    #[test]
    fn a_page_and_its_scenarios_agree() {
        let tree = Tree::of(&[(PAGE, EMPTY), ONE, MORE]);
        let made = pages(&tree).remove(0).1;
        let row = "| what | how | scenario |\n|---|---|---|\n\
                   | `a` | so | [one](../tests/scenarios/a/one.yaml) |\n\nend\n";
        assert!(made.ends_with(row), "{made}");
        check(&CHECK, &[(PAGE, &made), ONE, MORE], &[]);
        check(&CHECK, &[(PAGE, EMPTY), ONE, MORE], &["docs/a.md:0"]);
        let other = ("tests/scenarios/a/two.yaml", "name: z\n");
        check(&CHECK, &[(PAGE, &made), ONE, other], &["tests/scenarios/a/two.yaml:0"]);
        let elsewhere = ("tests/scenarios/b/one.yaml", ONE.1);
        check(&CHECK, &[(PAGE, &made), ONE, elsewhere], &["tests/scenarios/b/one.yaml:0"]);
        check(&CHECK, &[(PAGE, &made), ONE, ("tests/scenarios/one.yaml", "name: x")], &[]);
    }

    #[test]
    fn a_cell_has_no_bar() {
        let bad = ("tests/scenarios/a/one.yaml", "row:\n  what: a | b\n");
        let tree = Tree::of(&[(PAGE, EMPTY), bad]);
        let made = pages(&tree).remove(0).1;
        check(&CHECK, &[(PAGE, &made), bad], &["tests/scenarios/a/one.yaml:0"]);
    }
}
