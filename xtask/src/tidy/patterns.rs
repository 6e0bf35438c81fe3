//! The page of the workflow patterns says what the scenarios show: a row a pattern, a scenario for
//! each that is supported, no scenario that no row knows, and a sum that is right.

use std::collections::BTreeMap;

use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "patterns",
    remedy: "keep docs/workflow-patterns.md in step with the scenarios of the patterns",
    find,
};

const PAGE: &str = "docs/workflow-patterns.md";
const SCENARIOS: &str = "tests/scenarios/patterns/";
/// What a pattern can be, in the order of the sum.
const SUPPORT: [&str; 3] = ["full", "partial", "not yet"];
/// The last number of the catalogue.
const LAST: usize = 43;

fn find(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.file(PAGE) else {
        return vec![Finding::new(PAGE, 0, "is missing")];
    };
    let mut findings = Vec::new();
    let mut rows: BTreeMap<usize, Row<'_>> = BTreeMap::new();
    for (index, line) in page.text.lines().enumerate() {
        let Some(row) = Row::of(line) else { continue };
        let mut wrong = |what: String| findings.push(Finding::new(PAGE, index + 1, what));
        if !SUPPORT.contains(&row.support) {
            wrong(format!("{:?} is none of {SUPPORT:?}", row.support));
        }
        let named = format!("{SCENARIOS}{}.yaml", row.scenario);
        if row.is_shown() && !(row.scenario.starts_with(&row.prefix()) && tree.has(&named)) {
            wrong(format!("WCP-{} has no scenario {:?}", row.number, row.scenario));
        }
        if let Some(twice) = rows.insert(row.number, row) {
            wrong(format!("WCP-{} is there twice", twice.number));
        }
    }
    for number in (1..=LAST).filter(|number| !rows.contains_key(number)) {
        findings.push(Finding::new(PAGE, 0, format!("WCP-{number} is missing")));
    }
    let parts = SUPPORT.map(|support| {
        let count = rows.values().filter(|row| row.support == support).count();
        format!("{count} {support}")
    });
    let sum = format!("Sum: {}.", parts.join(", "));
    if !page.text.lines().any(|line| line == sum) {
        findings.push(Finding::new(PAGE, 0, format!("does not say {sum:?}")));
    }
    for file in &tree.files {
        let Some(scenario) = file.path.strip_prefix(SCENARIOS) else { continue };
        let shown = rows.values().any(|row| {
            let about = format!("\nabout: WCP-{} {}. ", row.number, row.name);
            row.is_shown() && scenario.starts_with(&row.prefix()) && file.text.contains(&about)
        });
        if scenario.ends_with(".yaml") && !shown {
            let what = format!("is not about the pattern that its name and {PAGE} say");
            findings.push(Finding::new(&file.path, 0, what));
        }
    }
    findings
}

struct Row<'a> {
    number: usize,
    name: &'a str,
    support: &'a str,
    /// Its file without the ending; empty for none.
    scenario: &'a str,
}

impl<'a> Row<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let number = cells.next()?.parse().ok()?;
        let (name, support) = (cells.next()?, cells.next()?);
        let link = cells.nth(1).unwrap_or_default();
        let scenario = link.strip_prefix('[').and_then(|link| link.split(']').next());
        Some(Self { number, name, support, scenario: scenario.unwrap_or_default() })
    }

    fn is_shown(&self) -> bool {
        self.support != "not yet"
    }

    fn prefix(&self) -> String {
        format!("wcp-{:02}-", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHECK, LAST, PAGE};
    use crate::tidy::tests::check;

    const SCENARIO: &str = "tests/scenarios/patterns/wcp-01-a.yaml";
    const ABOUT: &str = "name: x\nabout: WCP-1 A. It works.\n";

    /// A page with this first row, on its first line.
    fn page(first: &str, sum: &str) -> String {
        let rest = (2..=LAST).map(|number| format!("| {number} | B | not yet | needs it | |\n"));
        format!("{first}\n{}\nSum: {sum}.\n", rest.collect::<String>())
    }

    #[test]
    fn the_page_and_the_scenarios_agree() {
        let row = "| 1 | A | full | so | [wcp-01-a](x) |";
        let good = page(row, "1 full, 0 partial, 42 not yet");
        let line = format!("{PAGE}:1");
        let whole = format!("{PAGE}:0");
        check(&CHECK, &[(PAGE, &good), (SCENARIO, ABOUT)], &[]);
        check(&CHECK, &[(SCENARIO, ABOUT)], &[&whole]);
        check(&CHECK, &[(PAGE, &good)], &[&line]);
        let other = good.replace("[wcp-01-a]", "[wcp-02-a]");
        let second = "tests/scenarios/patterns/wcp-02-a.yaml";
        check(
            &CHECK,
            &[(PAGE, &other), (SCENARIO, ABOUT), (second, ABOUT)],
            &[&line, &format!("{second}:0")],
        );
        check(
            &CHECK,
            &[(PAGE, &good), (SCENARIO, "name: x\nabout: WCP-1 B. \n")],
            &[&format!("{SCENARIO}:0")],
        );
        let none = page("| 1 | A | not yet | so | |", "0 full, 0 partial, 43 not yet");
        check(&CHECK, &[(PAGE, &none), (SCENARIO, ABOUT)], &[&format!("{SCENARIO}:0")]);
        check(&CHECK, &[(PAGE, &none)], &[]);
        check(&CHECK, &[(PAGE, &none.replace("43 not", "42 not"))], &[&whole]);
        let unknown =
            page("| 1 | A | mostly | so | [wcp-01-a](x) |", "0 full, 0 partial, 42 not yet");
        check(&CHECK, &[(PAGE, &unknown), (SCENARIO, ABOUT)], &[&line]);
        let missing = good.replace("| 43 |", "| 42 |").replace("42 not", "41 not");
        check(&CHECK, &[(PAGE, &missing), (SCENARIO, ABOUT)], &[&whole, &format!("{PAGE}:43")]);
    }
}
