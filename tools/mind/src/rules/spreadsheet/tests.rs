use std::io::{Cursor, Write as _};

use flowmaster_engine::dmn::sheet::{MAX_CELL, MAX_ROWS};
use flowmaster_engine::dmn::table::{HitPolicy, Input, Output, Rule};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn table(id: &str) -> DecisionTable {
    let text = |text: &str| text.to_owned();
    let rule = |id: Option<&str>, cell: &str, note: &str| Rule {
        id: id.map(text),
        inputs: vec![text(cell), text("-")],
        outputs: vec![text("\"a & <b>\""), text("0.10000000000000000000000001")],
        annotations: vec![text(note)],
    };
    DecisionTable {
        id: text(id),
        name: text("Ä name"),
        hit_policy: HitPolicy::CollectSum,
        inputs: vec![
            Input {
                expression: text("amount"),
                label: Some(text("Amount")),
                type_name: Some(text("number")),
                allowed: Some(text("[0..10]")),
            },
            Input { expression: text("date(day)"), ..Input::default() },
        ],
        outputs: vec![
            Output { name: Some(text("who")), default: Some(text("null")), ..Output::default() },
            Output { name: Some(text("much")), ..Output::default() },
        ],
        annotations: vec![text("Why")],
        rules: vec![
            rule(Some("r-1"), "= 5", "=SUM(A1)\nin two lines"),
            rule(None, "-5", "_x0041_ stays"),
            rule(None, "1000", "2026-01-05"),
        ],
    }
}

#[test]
fn tables_are_written_and_read_again() {
    let long = "a/very:long*id?of[a]decision'that\\goes on";
    let tables = [table("d"), table(long), table(&long.to_uppercase()), table("History")];
    let borrowed: Vec<&DecisionTable> = tables.iter().collect();
    let bytes = write(&borrowed).unwrap();
    assert_eq!(read(&bytes), Ok(tables.to_vec()));
    assert_eq!(write(&borrowed).unwrap(), bytes, "the same tables are the same file");
    assert_eq!(read(&write(&[]).unwrap()).unwrap_err()[0].code, "no_table");
}

/// A workbook of one sheet called `S` with these rows, and these shared texts.
fn workbook(rows: &str, texts: &str) -> Vec<u8> {
    let names = "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' xmlns:r='urn:r'";
    packed(&[
        (
            "xl/workbook.xml",
            format!(
                "<workbook {names}><sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id='r1' Target='worksheets/s.xml'/></Relationships>"
                .to_owned(),
        ),
        (
            "xl/sharedStrings.xml",
            format!("<sst {names} uniqueCount='99999999999999'>{texts}</sst>"),
        ),
        (
            "xl/worksheets/s.xml",
            format!("<worksheet {names}><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ])
}

fn packed(parts: &[(&str, String)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The rows of a small table whose rule begins with `cell`.
fn rows(cell: &str) -> String {
    let text = |text: &str| format!("<c t='inlineStr'><is><t>{text}</t></is></c>");
    let row = |texts: &[&str]| {
        format!("<row>{}</row>", texts.iter().map(|it| text(it)).collect::<String>())
    };
    [
        row(&["decision", "d"]),
        row(&["kind", "input", "output"]),
        row(&["name", "a", ""]),
        format!("<row>{}{cell}{}</row>", text(""), text("1")),
    ]
    .concat()
}

#[test]
fn cells_of_each_type_are_read() {
    let texts = "<si><t>&lt; </t><rPh><t>no</t></rPh><r><t>5&#x20;</t></r></si>";
    for (cell, expected) in [
        ("<c><v>0.1</v></c>", "0.1"),
        ("<c r='B4' s='3'><v>12345678901234567890.5</v></c>", "12345678901234567890.5"),
        ("<c t='s'><v>0</v></c>", "< 5"),
        ("<c t='b'><v>1</v></c>", "true"),
        ("<c t='str'><v>&quot;x_x0021_&quot;</v></c>", "\"x!\""),
        ("<c t='inlineStr'><is><r><t>[1</t></r><r><t>..2]</t></r></is></c>", "[1..2]"),
        ("<c/>", "-"),
    ] {
        let tables = read(&workbook(&rows(cell), texts)).unwrap();
        assert_eq!(tables[0].rules[0].inputs, [expected], "{cell}");
    }
}

#[test]
fn a_hostile_workbook_is_refused() {
    let inline = |text: &str| format!("<c t='inlineStr'><is><t>{text}</t></is></c>");
    let whole = workbook(&rows("<c/>"), "");
    let sheets = "<sheet name='x' r:id='r'/>".repeat(MAX_SHEETS + 1);
    let far = "<c r='XFD1048576' t='inlineStr'><is><t>x</t></is></c>";
    let many = workbook(&"<row><c><v>1</v></c></row>".repeat(MAX_ROWS + 1), "");
    // A few thousand bytes that are fifty million when they are unpacked.
    let bomb = workbook("", &" ".repeat(MAX_UNPACKED + 1));
    assert!(bomb.len() < MAX_BYTES);
    for (bytes, code, place) in [
        (vec![0; MAX_BYTES + 1], "file_too_large", None),
        (b"PK\x03\x04 no zip".to_vec(), "not_xlsx", None),
        (whole[..whole.len() / 2].to_vec(), "not_xlsx", None),
        (bomb, "file_too_large", None),
        (many, "file_too_large", None),
        (workbook(&rows(far), ""), "file_too_large", None),
        (workbook(&rows(&inline(&"x".repeat(MAX_CELL + 1))), ""), "cell_too_long", Some("S!B4")),
        (workbook(&rows("<c r='B4'><f>1+1</f><v>2</v></c>"), ""), "formula", Some("S!B4")),
        (workbook(&rows("<c t='e'><v>#REF!</v></c>"), ""), "cell_error", Some("S!B4")),
        (workbook(&rows("<c t='s'><v>7</v></c>"), ""), "not_xlsx", None),
        (workbook(&rows("<c r='4B'><v>7</v></c>"), ""), "not_xlsx", None),
        (workbook(&rows(&inline("&unknown;")), ""), "not_xlsx", None),
        (workbook("<row><c>", ""), "not_xlsx", None),
        (workbook("<!DOCTYPE x>", ""), "not_xlsx", None),
        (
            packed(&[
                ("xl/workbook.xml", format!("<w xmlns:r='urn:r'><sheets>{sheets}</sheets></w>")),
                ("xl/_rels/workbook.xml.rels", "<r/>".to_owned()),
            ]),
            "file_too_large",
            None,
        ),
        (packed(&[("xl/workbook.xml", "<w/>".to_owned())]), "not_xlsx", None),
        (workbook("<row><c><v>1</v></c></row>", ""), "no_table", None),
        (
            workbook(&rows(&inline("1")).replace("output", "result"), ""),
            "column_kind",
            Some("S!C2"),
        ),
    ] {
        let findings = read(&bytes).unwrap_err();
        let found = (findings[0].code.as_str(), findings[0].element.as_deref());
        assert_eq!(found, (code, place), "{findings:?}");
    }
}
