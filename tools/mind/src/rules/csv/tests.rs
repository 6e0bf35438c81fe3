use flowmaster_engine::dmn::table::{HitPolicy, Input, Output, Rule};

use super::*;

/// A table with one condition a rule.
fn table(conditions: &[&str]) -> DecisionTable {
    let rule = |condition: &&str| Rule {
        id: None,
        inputs: vec![(*condition).to_owned()],
        outputs: vec!["\"a, \"\"b\"\"\"".to_owned()],
        annotations: vec!["=cmd()\n'two lines'".to_owned()],
    };
    DecisionTable {
        id: "d".to_owned(),
        name: "Name; with signs".to_owned(),
        hit_policy: HitPolicy::RuleOrder,
        inputs: vec![Input { expression: "amount".to_owned(), ..Input::default() }],
        outputs: vec![Output { default: Some("\"x\"".to_owned()), ..Output::default() }],
        annotations: vec!["@note".to_owned()],
        rules: conditions.iter().map(rule).collect(),
    }
}

#[test]
fn a_table_is_written_and_read_again() {
    let cells =
        ["-", "-5", "- 5", "-1.5", "= 5", "+5", "@\"2026-01-01\"", "-x", "'quoted", "''", "< 5"];
    let whole = table(&cells);
    let text = write(&whole).unwrap();
    assert_eq!(read(text.as_bytes()), Ok(whole), "{text}");
}

#[test]
fn no_cell_is_a_formula() {
    let text = write(&table(&["= HYPERLINK(\"x\")", "-2+3+cmd", "+1", "@x", "-5", "-"])).unwrap();
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.trim_start_matches(BYTE_ORDER_MARK).as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            let is_harmless = cell == "-" || cell.parse::<f64>().is_ok();
            assert!(is_harmless || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        }
    }
}

#[test]
fn what_programs_of_other_countries_write_is_read() {
    let rows = "decision,d\nkind,input,output\nname,a,\n,<5,\"\"\"x\"\"\"\n,-,null\n";
    let expected = read(rows.as_bytes()).unwrap();
    assert_eq!(expected.rules[0].outputs, ["\"x\""]);
    for (from, to) in [(",", ";"), (",", "\t"), ("\n", "\r\n")] {
        assert_eq!(read(rows.replace(from, to).as_bytes()), Ok(expected.clone()), "{to:?}");
    }
}

#[test]
fn a_hostile_file_is_refused() {
    for (bytes, code) in [
        (vec![b'x'; MAX_BYTES + 1], "file_too_large"),
        (vec![0xff, 0xfe], "not_csv"),
        ("x\n".repeat(MAX_ROWS + 1).into_bytes(), "table_too_large"),
        (",".repeat(MAX_SHEET_COLUMNS + 1).into_bytes(), "table_too_large"),
        ([",".repeat(200), "\n".to_owned()].concat().repeat(2_000).into_bytes(), "table_too_large"),
        (vec![b'x'; MAX_CELL + 1], "cell_too_long"),
        (b"\"never closed".to_vec(), "sheet_layout"),
        (Vec::new(), "sheet_layout"),
    ] {
        let findings = read(&bytes).unwrap_err();
        assert_eq!(findings[0].code, code, "{findings:?}");
    }
}
