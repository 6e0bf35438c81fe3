mod brute_force;

use super::*;
use crate::dmn::table::{HitPolicy, Input, Output, Rule};

/// A table of columns such as `amount: number` or `region: string = "EU", "US"`, and rules such as
/// `< 10 | "EU" => "auto"`.
fn table(hit_policy: HitPolicy, columns: &[&str], rules: &[&str]) -> DecisionTable {
    let owned = |text: &str| text.trim().to_owned();
    let inputs = columns.iter().map(|column| {
        let (head, allowed) = column
            .split_once(" = ")
            .map_or((*column, None), |(head, allowed)| (head, Some(owned(allowed))));
        let (name, kind) =
            head.split_once(": ").map_or((head, None), |(name, kind)| (name, Some(owned(kind))));
        Input { expression: owned(name), label: None, type_name: kind, allowed }
    });
    let cells = |text: &str| text.split('|').map(owned).filter(|cell| !cell.is_empty()).collect();
    let rules: Vec<Rule> = rules
        .iter()
        .map(|rule| {
            let (inputs, outputs) = rule.split_once("=>").unwrap();
            Rule { inputs: cells(inputs), outputs: cells(outputs), ..Rule::default() }
        })
        .collect();
    let outputs = rules.first().map_or(1, |rule| rule.outputs.len());
    DecisionTable {
        id: "d".to_owned(),
        name: "D".to_owned(),
        hit_policy,
        inputs: inputs.collect(),
        outputs: vec![Output::default(); outputs],
        annotations: Vec::new(),
        rules,
    }
}

/// A finding in short: its code, its rules, and its example or the cells of a gap.
fn short(finding: &TableFinding) -> String {
    let rules: Vec<String> = finding.rules.iter().map(ToString::to_string).collect();
    let mut text = format!("{} {}", finding.code, rules.join(","));
    if !finding.cells.is_empty() {
        text = format!("{} {}", finding.code, finding.cells.join(" | "));
    } else if !finding.example.is_empty() {
        text.push_str(&format!(" at {}", in_words(&finding.example)));
    }
    text.trim().to_owned()
}

fn check(table: &DecisionTable, expected: &[&str]) {
    let found: Vec<String> = analyze(table).findings.iter().map(short).collect();
    assert_eq!(found, expected, "{table:?}");
}

use HitPolicy::{Any, Collect, First, Priority, Unique};

#[test]
fn gaps_are_told_as_the_cells_of_a_rule() {
    for (columns, rules, expected) in [
        (&["a: number"][..], &["< 10 => 1", ">= 10 => 2"][..], &[][..]),
        (&["a: number"], &["< 10 => 1", "> 10 => 2"], &["gap 10"]),
        (&["a: number"], &["[0..10) => 1", "[20..30] => 2"], &["gap < 0, [10..20), > 30"]),
        (
            &["a: number"],
            &["0.1 => 1", "0.10 => 1"],
            &["overlap 1,2 at a = 0.1", "gap < 0.1, > 0.1"],
        ),
        (&["a: number = [0..100]"], &["<= 50 => 1", "(50..100] => 2"], &[]),
        (&["a: number = [0..100]"], &["<= 50 => 1"], &["gap (50..100]"]),
        (&["s: string"], &["\"x\" => 1", "\"y\" => 2"], &["gap not(\"x\", \"y\")"]),
        (&["s: string"], &["\"x\" => 1", "not(\"x\") => 2"], &[]),
        (&["s: string = \"x\", \"y\""], &["\"x\" => 1"], &["gap \"y\""]),
        (&["s: string"], &["< \"m\" => 1", ">= \"m\" => 1"], &[]),
        (&["s: string"], &["!= \"x\", != \"y\" => 1"], &["gap \"x\", \"y\""]),
        (&["b: boolean"], &["true => 1"], &["gap false"]),
        (&["b: boolean"], &["true => 1", "false => 2"], &[]),
        (&["s: string"], &["null => 1", "not(null) => 2"], &[]),
        (&["s: string"], &["null => 1", "\"x\" => 2"], &["gap not(\"x\", null)"]),
        (&["a: number"], &["null => 1", "<= 3 => 2", "> 3 => 3"], &[]),
        (&["a: number"], &["not(null) => 1"], &["gap null"]),
        // Days, months and seconds follow each other.
        (
            &["d: date"],
            &["<= date(\"2024-02-28\") => 1", ">= date(\"2024-03-01\") => 2"],
            &["gap (date(\"2024-02-28\")..date(\"2024-03-01\"))"],
        ),
        (&["d: date"], &["<= date(\"2023-02-28\") => 1", ">= @\"2023-03-01\" => 2"], &[]),
        (
            &["t: time"],
            &["< time(\"12:00:00\") => 1", "[time(\"12:00:00\")..time(\"23:59:59\")] => 2"],
            &[],
        ),
        (
            &["d: yearMonthDuration"],
            &["< duration(\"P1Y\") => 1", "> duration(\"P11M\") => 2"],
            &[],
        ),
        (
            &["d: dayTimeDuration"],
            &["<= duration(\"PT1S\") => 1", ">= duration(\"PT2S\") => 2"],
            &["gap (duration(\"PT1S\")..duration(\"PT2S\"))"],
        ),
        (
            &["m: dateTime"],
            &["< date and time(\"2024-01-01T00:00:00Z\") => 1", "> @\"2024-01-01T00:00:00Z\" => 2"],
            &["gap date and time(\"2024-01-01T00:00:00Z\")"],
        ),
        // Two columns: what is left of one where the other is met.
        (
            &["a: number", "s: string = \"EU\", \"US\""],
            &["< 10 | - => 1", ">= 10 | \"EU\" => 2"],
            &["gap >= 10 | \"US\""],
        ),
        (&["a: number", "b: number"], &["- | - => 1"], &["unused_input", "unused_input"]),
        (&["a: number"], &[], &["gap -"]),
    ] {
        check(&table(Unique, columns, rules), expected);
    }
}

#[test]
fn what_rules_do_together_depends_on_the_hit_policy() {
    let overlapping = &["< 10 => \"a\"", "> 5 => \"b\"", "- => \"c\""][..];
    let shadowed = &["< 10 => \"a\"", ">= 10 => \"b\"", "[0..20] => \"c\""][..];
    for (policy, rules, expected) in [
        (
            Unique,
            overlapping,
            &["overlap 1,2 at a = 6", "overlap 1,3 at a = 4", "overlap 2,3 at a = 6"][..],
        ),
        (
            Any,
            overlapping,
            &["conflict 1,2 at a = 6", "conflict 1,3 at a = 4", "conflict 2,3 at a = 6"],
        ),
        (Any, &["< 10 => \"a\"", "> 5 => \"a\""], &[]),
        (Any, &["< 10 => 1.0", "> 5 => 1"], &[]),
        (Any, &["< 10 => a", "> 5 => 1"], &["conflict 1,2 at a = 6"]),
        (First, overlapping, &["unreachable_rule 3"]),
        (First, shadowed, &["unreachable_rule 3"]),
        (Collect, overlapping, &[]),
        (Collect, &["- => 1", "- => 1"], &["unused_input", "duplicate_rule 1,2"]),
        (Unique, &["[10..5] => 1", "- => 2"], &["never_matches 1"]),
    ] {
        check(&table(policy, &["a: number"], rules), expected);
    }
}

#[test]
fn priority_is_the_order_of_the_output_values() {
    let mut whole = table(Priority, &["a: number"], &["< 10 => \"low\"", "- => \"high\""]);
    check(&whole, &["no_output_order"]);
    for (allowed, expected) in [
        ("\"high\", \"low\"", &["unreachable_rule 1"][..]),
        ("\"low\", \"high\"", &[]),
        ("\"high\"", &["outside_allowed 1", "unreachable_rule 1"]),
    ] {
        whole.outputs[0].allowed = Some(allowed.to_owned());
        check(&whole, expected);
    }
}

#[test]
fn cells_that_cannot_be_meant_are_found() {
    for (columns, rules, expected) in [
        (&["a"][..], &["< 10 => 1", ">= 10 => 2"][..], &["missing_type"][..]),
        (&["a: number"], &["\"x\" => 1", "not(\"x\") => 2"], &["wrong_type 1", "wrong_type 2"]),
        (
            &["s: string = \"x\", \"y\""],
            &["\"x\", \"z\" => 1", "\"y\" => 2", "\"w\" => 3"],
            &["never_matches 3", "outside_allowed 1"],
        ),
        // What is calculated is not guessed at: neither gaps nor overlaps come from it.
        (&["a: number"], &["< b => 1", "> 5 => 2"], &["not_analysed 1"]),
        (&["a: number"], &["> 5 => 1", "> count([1,2]) => 2", "< 0 => 3"], &["not_analysed 2"]),
        (&["a: number = [0..b]"], &["<= 5 => 1", "> 5 => 2"], &["not_analysed"]),
        (
            &["t: time"],
            &["< time(\"10:00:00Z\") => 1", ">= time(\"10:00:00+01:00\") => 2"],
            &["not_analysed 1,2"],
        ),
    ] {
        check(&table(Unique, columns, rules), expected);
    }
    assert!(!analyze(&table(Unique, &["a"], &["< b => 1"])).is_complete);
}

#[test]
fn a_default_leaves_no_gap_and_collecting_nothing_is_no_error() {
    let mut whole = table(Unique, &["a: number"], &["< 10 => 1"]);
    assert_eq!(analyze(&whole).findings[0].severity, Severity::Warning);
    whole.hit_policy = Collect;
    assert_eq!(analyze(&whole).findings[0].severity, Severity::Info);
    whole.outputs[0].default = Some("0".to_owned());
    check(&whole, &[]);
}

#[test]
fn many_findings_are_counted_and_some_listed() {
    let rules: Vec<String> = (0..100).map(|number| format!("< {number} => {number}")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let found = analyze(&table(Unique, &["a: number"], &rules));
    assert_eq!(found.counts.get("overlap"), Some(&(100 * 99 / 2)));
    let listed = found.findings.iter().filter(|finding| finding.code == "overlap").count();
    assert_eq!(listed, MAX_OF_A_CODE);
    assert!(found.is_complete);
}

/// Every column different in every rule, and nothing decided by one column alone.
fn tangled(rules: usize, columns: usize) -> DecisionTable {
    let names: Vec<String> = (0..columns).map(|column| format!("c{column}: number")).collect();
    let rules: Vec<String> = (0..rules)
        .map(|rule| {
            let cells: Vec<String> = (0..columns)
                .map(|column| {
                    let low = (rule * 7919 + column * 104_729) % 10_007;
                    format!("[{low}..{}]", low + 5_000)
                })
                .collect();
            format!("{} => {rule}", cells.join(" | "))
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    table(Unique, &names, &rules)
}

#[test]
fn too_much_work_is_told_and_not_done() {
    let found = analyze(&tangled(300, 12));
    assert!(!found.is_complete);
    let codes: Vec<&str> = found.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert!(codes.contains(&"too_much_work"), "{codes:?}");
}
