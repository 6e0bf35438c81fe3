use super::*;
use crate::dmn::table::{Input, Output, Rule};

/// A decision over `columns`, with the rules `cells => answer`, that gives the output `name`.
fn table(id: &str, name: &str, columns: &[&str], rules: &[&str]) -> DecisionTable {
    let cells = |text: &str| text.split('|').map(|cell| cell.trim().to_owned()).collect();
    let input = |name: &&str| Input { expression: (*name).to_owned(), ..Input::default() };
    DecisionTable {
        id: id.to_owned(),
        name: id.to_owned(),
        inputs: columns.iter().map(input).collect(),
        outputs: vec![Output { name: Some(name.to_owned()), ..Output::default() }],
        rules: rules
            .iter()
            .map(|rule| {
                let (inputs, output) = rule.split_once("=>").unwrap();
                Rule { inputs: cells(inputs), outputs: cells(output), ..Rule::default() }
            })
            .collect(),
        ..DecisionTable::default()
    }
}

fn check(one: &DecisionTable, other: &DecisionTable, expected: &[&str]) {
    let found = similar(&[one, other], &[]);
    let short = |it: &SimilarRules| {
        format!(
            "{} {}.{} {}.{} at {}",
            it.kind.name(),
            it.one.decision,
            it.one.rule,
            it.other.decision,
            it.other.rule,
            in_words(&it.example)
        )
    };
    assert_eq!(found.pairs.iter().map(short).collect::<Vec<_>>(), expected);
    assert_eq!(found.counts.values().sum::<usize>(), expected.len());
}

#[test]
fn rules_over_the_same_inputs_are_compared() {
    let columns = &["age", "country"][..];
    let one = table(
        "a",
        "fee",
        columns,
        &["< 18 | \"DE\" => 1", "[18..30) | - => 2", ">= 30 | not(\"DE\") => 3"],
    );
    for (name, columns, rules, expected) in [
        (
            "fee",
            columns,
            &["< 10 | \"DE\", \"FR\" => 5"][..],
            &["conflict a.1 b.1 at age = 9, country = \"DE\""][..],
        ),
        (
            "fee",
            columns,
            &["< 18 | \"DE\" => 1.0"],
            &["duplicate a.1 b.1 at age = 17, country = \"DE\""],
        ),
        (
            "fee",
            columns,
            &["< 20 | \"DE\" => 1"],
            &[
                "conflict a.2 b.1 at age = 18, country = \"DE\"",
                "near_duplicate a.1 b.1 at age = 17, country = \"DE\"",
            ],
        ),
        // Columns are matched by name, not by place.
        (
            "fee",
            &["country", "age"],
            &["\"US\" | > 30 => 4"],
            &["conflict a.3 b.1 at age = 31, country = \"US\""],
        ),
        // Nothing in common, another output, other columns, an answer that depends on the inputs.
        ("fee", columns, &["< 18 | \"FR\" => 9"], &[]),
        ("discount", columns, &["- | - => 9"], &[]),
        ("fee", &["age", "city"], &["- | - => 9"], &[]),
        ("fee", columns, &["< 18 | \"DE\" => age * 2"], &[]),
    ] {
        check(&one, &table("b", name, columns, rules), expected);
    }
    // A decision is not compared with itself, such as another version of it.
    check(&one, &table("a", "fee", columns, &["- | - => 9"]), &[]);
}

#[test]
fn contradictions_come_first_and_the_list_ends() {
    let columns = &["n"][..];
    let rules: Vec<String> = (0..150).map(|n| format!("{n} => {}", n % 2)).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let constant: Vec<String> = (0..150).map(|n| format!("{n} => 1")).collect();
    let constant: Vec<&str> = constant.iter().map(String::as_str).collect();
    let (one, other) = (table("a", "x", columns, &rules), table("b", "x", columns, &constant));
    let found = similar(&[&one, &other], &[]);
    assert_eq!(found.counts, [("conflict".to_owned(), 75), ("duplicate".to_owned(), 75)].into());
    let conflicts = found.pairs.iter().filter(|it| it.kind == SimilarKind::Conflict).count();
    assert_eq!((found.pairs.len(), conflicts), (MAX_SIMILAR, 75));
    assert!(found.is_complete);
    let calculated = table("c", "x", columns, &["< m => 1"]);
    assert!(!similar(&[&one, &calculated], &[]).is_complete);
}

#[test]
fn other_tables_are_compared_with_ours_and_not_among_themselves() {
    let [ours, theirs, apart] = [("ours", "1"), ("theirs", "2"), ("apart", "3")]
        .map(|(id, answer)| table(id, "fee", &["age"], &[&format!("< 10 => {answer}")]));
    let found = similar(&[&ours], &[&theirs, &apart]);
    let pairs: Vec<_> =
        found.pairs.iter().map(|it| (&*it.one.decision, &*it.other.decision)).collect();
    assert_eq!(pairs, [("ours", "theirs"), ("ours", "apart")]);
    assert_eq!(similar(&[], &[&theirs, &apart]).pairs, []);
}
