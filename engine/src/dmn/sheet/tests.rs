use super::*;

fn sheet(text: &str) -> Sheet {
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect();
    text.lines().filter(|row| !row.trim().is_empty()).map(cells).collect()
}

const WHOLE: &str = r#"
    decision       | discount
    name           | Discount of it
    hit policy     | COLLECT SUM
    kind           | input     | input        | output | annotation | annotation
    name           | amount    | order.region | rate   | Why        |
    label          | Amount    |              |        |            |
    type           | number    | string       | number |            |
    allowed values | [0..1000] |              | 1, 2   |            |
    default        |           |              | 0      |            |
    r-1            | < 100     | "EU"         | 1      | as agreed  |
    rule 2         | -         | -            | 2      |            | see law
"#;

#[test]
fn a_table_is_a_sheet_and_the_same_table_again() {
    let table = from_sheet(&sheet(WHOLE)).unwrap();
    assert_eq!(table.hit_policy, HitPolicy::CollectSum);
    assert_eq!(table.rules[0].id.as_deref(), Some("r-1"));
    assert_eq!((&table.rules[1].id, &*table.rules[1].annotations[1]), (&None, "see law"));
    assert_eq!(table.outputs[0].default.as_deref(), Some("0"));
    assert_eq!(from_sheet(&to_sheet(&table)), Ok(table));
}

#[test]
fn what_people_leave_out_is_understood() {
    let short = r#"
        Decision | d
        KIND     | Output | input |        | input
        name     |        | a     | of us  | b
        | 1      | < 5    | x     |
        |        |        |       |
        default  | 2      |       | x      | 7
    "#;
    let table = from_sheet(&sheet(short)).unwrap();
    assert_eq!((&*table.name, table.hit_policy), ("d", HitPolicy::Unique));
    let inputs: Vec<&[String]> = table.rules.iter().map(|rule| rule.inputs.as_slice()).collect();
    assert_eq!(inputs, [["< 5", "-"], ["-", "7"]]);
    // Behind the headings it is a rule, whatever its id.
    assert_eq!(table.rules[1].id.as_deref(), Some("default"));
    assert_eq!(table.outputs[0].default, None);
}

#[test]
fn a_mistake_is_told_by_its_cell() {
    let changed = |from: &str, to: &str| WHOLE.replace(from, to);
    for (text, code, cell) in [
        (changed("kind ", "sort "), "sheet_layout", "A1"),
        (changed("decision ", "decided "), "sheet_layout", "A1"),
        (changed("| output | annotation", "| answer | annotation"), "column_kind", "D4"),
        (changed("output", ""), "no_output", "A4"),
        (changed("COLLECT SUM", "COLLECT ALL"), "hit_policy", "B3"),
        (changed("| order.region", "|"), "no_expression", "C5"),
        (
            changed("output | annotation | annotation", "output | output | output")
                .replace("Why ", "    "),
            "no_output_name",
            "E5",
        ),
        (changed("\"EU\"         | 1 ", "\"EU\"         |   "), "empty_cell", "D10"),
        (
            changed("    name           | amount", "    names          | amount"),
            "sheet_layout",
            "A4",
        ),
    ] {
        let findings = from_sheet(&sheet(&text)).unwrap_err();
        let found = (findings[0].code.as_str(), findings[0].element.as_deref());
        assert_eq!(found, (code, Some(cell)), "{findings:?}");
        assert!(findings[0].what.starts_with(&format!("{cell}: ")), "{findings:?}");
    }
}

#[test]
fn a_sheet_over_a_limit_is_refused() {
    let rows = vec![vec!["x".to_owned()]; MAX_ROWS + 1];
    let wide = vec![vec![String::new(); MAX_SHEET_COLUMNS + 1]];
    let long = vec![vec!["x".repeat(MAX_CELL + 1)]];
    let full = vec![vec![String::new(); MAX_SHEET_COLUMNS]; MAX_ROWS];
    for (sheet, code, cell) in [
        (rows, "table_too_large", "B10102"),
        (wide, "table_too_large", "GU2"),
        (full, "table_too_large", "GT10101"),
        (long, "cell_too_long", "A1"),
    ] {
        let findings = from_sheet(&sheet).unwrap_err();
        let found = (findings[0].code.as_str(), findings[0].element.as_deref());
        assert_eq!(found, (code, Some(cell)));
    }
}

#[test]
fn cells_are_named_as_spreadsheets_do() {
    for (row, column, expected) in [
        (0, 0, "A1"),
        (6, 1, "B7"),
        (9, 25, "Z10"),
        (0, 26, "AA1"),
        (0, 701, "ZZ1"),
        (0, 702, "AAA1"),
    ] {
        assert_eq!(address(row, column), expected);
    }
}
