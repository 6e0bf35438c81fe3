//! A decision table as a sheet of cells, as people edit it in a spreadsheet: the one layout of all
//! formats of spreadsheets.
//!
//! ```text
//!   | A              | B         | C               | D          |
//! 1 | decision       | discount  |                 |            |
//! 2 | name           | Discount  |                 |            |
//! 3 | hit policy     | UNIQUE    |                 |            |
//! 4 | kind           | input     | output          | annotation |
//! 5 | name           | amount    | rate            | Why        |
//! 6 | label          | Amount    |                 |            |
//! 7 | type           | number    | number          |            |
//! 8 | allowed values | [0..1000] |                 |            |
//! 9 | default        |           | 0               |            |
//! 10| rule 1         | < 100     | 5               | as agreed  |
//! ```
//!
//! The first column says what a row is: first what holds for the table, in any order, then `kind` and
//! the headings of its columns, of which only `name` is needed, and then the rules. The first column
//! of a rule is its id. Rows without a cell, and columns without a kind, are left alone.

use crate::dmn::table::{
    DecisionTable, HitPolicy, Input, MAX_CELLS, MAX_COLUMNS, MAX_RULES, Output, Rule, misshapen,
};
use crate::feel::MAX_TEXT;
use crate::finding::Finding;

/// The most rows of a sheet: the rules, and what stands above them.
pub const MAX_ROWS: usize = MAX_RULES + 100;
/// The most columns of a sheet: those of the table, and the first.
pub const MAX_SHEET_COLUMNS: usize = MAX_COLUMNS + 1;
/// The most cells of a sheet that hold something: those of a table, and what stands above and before
/// them.
pub const MAX_SHEET_CELLS: usize = MAX_CELLS + MAX_ROWS + 10 * MAX_SHEET_COLUMNS;
/// The longest text of a cell, in bytes.
pub const MAX_CELL: usize = MAX_TEXT;

const DECISION: &str = "decision";
const NAME: &str = "name";
const HIT_POLICY: &str = "hit policy";
const KIND: &str = "kind";
const LABEL: &str = "label";
const TYPE: &str = "type";
const ALLOWED: &str = "allowed values";
const DEFAULT: &str = "default";
/// What the rows between `kind` and the rules begin with.
const HEADINGS: [&str; 5] = [NAME, LABEL, TYPE, ALLOWED, DEFAULT];
const INPUT: &str = "input";
const OUTPUT: &str = "output";
const ANNOTATION: &str = "annotation";
/// How the first cell of a rule without an id begins.
const RULE: &str = "rule ";

/// A sheet: rows of cells. Rows may be of different lengths.
pub type Sheet = Vec<Vec<String>>;

/// The sheet of a table.
#[must_use]
pub fn to_sheet(table: &DecisionTable) -> Sheet {
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let mut sheet: Sheet = vec![
        texts(&[DECISION, &table.id]),
        texts(&[NAME, &table.name]),
        texts(&[HIT_POLICY, table.hit_policy.name()]),
    ];
    let row = |title: &str,
               input: fn(&Input) -> &str,
               output: fn(&Output) -> &str,
               note: fn(&String) -> &str| {
        let inputs = table.inputs.iter().map(input);
        let cells = inputs.chain(table.outputs.iter().map(output));
        let cells = cells.chain(table.annotations.iter().map(note));
        std::iter::once(title).chain(cells).map(str::to_owned).collect::<Vec<String>>()
    };
    fn some(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }
    sheet.push(row(KIND, |_| INPUT, |_| OUTPUT, |_| ANNOTATION));
    sheet.push(row(NAME, |it| &it.expression, |it| some(&it.name), |it| it));
    sheet.push(row(LABEL, |it| some(&it.label), |it| some(&it.label), |_| ""));
    sheet.push(row(TYPE, |it| some(&it.type_name), |it| some(&it.type_name), |_| ""));
    sheet.push(row(ALLOWED, |it| some(&it.allowed), |it| some(&it.allowed), |_| ""));
    sheet.push(row(DEFAULT, |_| "", |it| some(&it.default), |_| ""));
    for (number, rule) in (1..).zip(&table.rules) {
        let title = rule.id.clone().unwrap_or_else(|| format!("{RULE}{number}"));
        let cells = [&[title], &*rule.inputs, &*rule.outputs, &*rule.annotations];
        sheet.push(cells.concat());
    }
    sheet
}

/// The table of a sheet.
///
/// # Errors
/// What is wrong with it, by cell: `B7` is the second cell of the seventh row.
pub fn from_sheet(sheet: &[Vec<String>]) -> Result<DecisionTable, Vec<Finding>> {
    let mut reader = Reader { sheet, findings: Vec::new() };
    let table = reader.table();
    match table {
        Some(table) if reader.findings.is_empty() => {
            let findings = misshapen(&table);
            if findings.is_empty() { Ok(table) } else { Err(findings) }
        }
        _ => Err(reader.findings),
    }
}

/// The name of a cell, both counted from 0: `B7` for row 6 and column 1.
#[must_use]
pub fn address(row: usize, column: usize) -> String {
    let (mut letters, mut left) = (Vec::new(), column + 1);
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or_default()));
        left /= 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", row + 1)
}

struct Reader<'a> {
    sheet: &'a [Vec<String>],
    findings: Vec<Finding>,
}

/// What a column is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Output,
    Annotation,
}

impl<'a> Reader<'a> {
    fn table(&mut self) -> Option<DecisionTable> {
        if !self.is_within_limits() {
            return None;
        }
        let Some(kinds_row) = self.row(KIND, 0) else {
            let what = format!("no row begins with {KIND:?}");
            let fix = format!(
                "write {KIND:?} into column A, and {INPUT:?}, {OUTPUT:?} or {ANNOTATION:?} above each column"
            );
            self.error("sheet_layout", (0, 0), &what, &fix);
            return None;
        };
        let columns = self.columns(kinds_row);
        let of = |kind: Kind| -> Vec<usize> {
            columns.iter().filter(|(it, _)| *it == kind).map(|(_, column)| *column).collect()
        };
        let (inputs, outputs, notes) = (of(Kind::Input), of(Kind::Output), of(Kind::Annotation));
        let id = self.above(DECISION, kinds_row);
        let rules_row = self.rules_row(kinds_row);
        let [names, labels, types, allowed, defaults] =
            HEADINGS.map(|title| self.row(title, kinds_row).filter(|row| *row < rules_row));
        let Some(names) = names else {
            let what = format!("no row below {KIND:?} begins with {NAME:?}");
            let fix = "write the FEEL expression of each input and the name of each output there";
            self.error("sheet_layout", (kinds_row, 0), &what, fix);
            return None;
        };
        let some = |row: Option<usize>, column: usize| {
            row.map(|row| self.cell(row, column)).filter(|it| !it.is_empty()).map(str::to_owned)
        };
        let mut table = DecisionTable {
            name: self.above(NAME, kinds_row).unwrap_or(id.unwrap_or_default()).to_owned(),
            id: id.unwrap_or_default().to_owned(),
            inputs: inputs
                .iter()
                .map(|column| Input {
                    expression: self.cell(names, *column).to_owned(),
                    label: some(labels, *column),
                    type_name: some(types, *column),
                    allowed: some(allowed, *column),
                })
                .collect(),
            outputs: outputs
                .iter()
                .map(|column| Output {
                    name: some(Some(names), *column),
                    label: some(labels, *column),
                    type_name: some(types, *column),
                    allowed: some(allowed, *column),
                    default: some(defaults, *column),
                })
                .collect(),
            annotations: notes.iter().map(|it| self.cell(names, *it).to_owned()).collect(),
            ..DecisionTable::default()
        };
        if table.id.is_empty() {
            let what = format!("no row above {KIND:?} begins with {DECISION:?}");
            self.error("sheet_layout", (0, 0), &what, "write the id of the decision there");
        }
        table.hit_policy = self.hit_policy(kinds_row);
        for (column, input) in inputs.iter().zip(&table.inputs) {
            if input.expression.is_empty() {
                let what = "the input has no expression";
                let fix = "write the name of an input or another FEEL expression";
                self.error("no_expression", (names, *column), what, fix);
            }
        }
        for (column, output) in outputs.iter().zip(&table.outputs) {
            if outputs.len() > 1 && output.name.is_none() {
                let what = "the output has no name";
                let fix = "name each output of a table with several";
                self.error("no_output_name", (names, *column), what, fix);
            }
        }
        for row in rules_row..self.sheet.len() {
            self.rule(row, &inputs, &outputs, &notes, &mut table);
        }
        Some(table)
    }

    fn is_within_limits(&mut self) -> bool {
        let widest = self.sheet.iter().map(Vec::len).max().unwrap_or(0);
        let cells: usize = self.sheet.iter().map(Vec::len).sum();
        if self.sheet.len() > MAX_ROWS || widest > MAX_SHEET_COLUMNS || cells > MAX_SHEET_CELLS {
            let what = format!("the sheet has {} rows and {widest} columns", self.sheet.len());
            let fix = format!(
                "split it into tables of at most {MAX_RULES} rules, {MAX_COLUMNS} columns and {MAX_CELLS} \
                 cells"
            );
            self.error("table_too_large", (self.sheet.len(), widest), &what, &fix);
            return false;
        }
        for (row, cells) in self.sheet.iter().enumerate() {
            if let Some(column) = cells.iter().position(|cell| cell.len() > MAX_CELL) {
                let what = format!("the cell has more than {MAX_CELL} bytes");
                self.error("cell_too_long", (row, column), &what, "shorten it");
                return false;
            }
        }
        true
    }

    /// The columns by what they are. Columns without a kind are left alone.
    fn columns(&mut self, row: usize) -> Vec<(Kind, usize)> {
        let mut columns = Vec::new();
        let width = self.sheet.get(row).map_or(0, Vec::len);
        for column in 1..width {
            match self.cell(row, column).to_lowercase().as_str() {
                INPUT => columns.push((Kind::Input, column)),
                OUTPUT => columns.push((Kind::Output, column)),
                ANNOTATION => columns.push((Kind::Annotation, column)),
                "" => {}
                other => {
                    let what = format!("{other:?} is no kind of column");
                    let fix = format!("write {INPUT:?}, {OUTPUT:?} or {ANNOTATION:?}");
                    self.error("column_kind", (row, column), &what, &fix);
                }
            }
        }
        if !columns.iter().any(|(kind, _)| *kind == Kind::Output) {
            let what = "the table has no output column";
            let fix = format!("write {OUTPUT:?} above what the decision answers");
            self.error("no_output", (row, 0), what, &fix);
        }
        columns
    }

    fn hit_policy(&mut self, kinds_row: usize) -> HitPolicy {
        let Some(text) = self.above(HIT_POLICY, kinds_row) else { return HitPolicy::default() };
        HitPolicy::parse(text).unwrap_or_else(|| {
            let row = self.row(HIT_POLICY, 0).unwrap_or_default();
            let what = format!("{text:?} is no hit policy");
            let fix = "write UNIQUE, ANY, PRIORITY, FIRST, RULE ORDER, OUTPUT ORDER, COLLECT, or COLLECT \
                       with SUM, MIN, MAX or COUNT";
            self.error("hit_policy", (row, 1), &what, fix);
            HitPolicy::default()
        })
    }

    fn rule(
        &mut self,
        row: usize,
        inputs: &[usize],
        outputs: &[usize],
        notes: &[usize],
        table: &mut DecisionTable,
    ) {
        let is_empty = |columns: &[usize]| columns.iter().all(|it| self.cell(row, *it).is_empty());
        if is_empty(inputs) && is_empty(outputs) && is_empty(notes) {
            return;
        }
        for column in outputs {
            if self.cell(row, *column).is_empty() {
                let what = "the rule has no answer here";
                let fix = "write a FEEL value, such as \"yes\", 5 or null";
                self.error("empty_cell", (row, *column), what, fix);
            }
        }
        let title = self.cell(row, 0);
        let is_number = title.strip_prefix(RULE).is_some_and(|it| it.parse::<usize>().is_ok());
        let texts = |columns: &[usize]| -> Vec<String> {
            columns.iter().map(|column| self.cell(row, *column).to_owned()).collect()
        };
        let mut cells = texts(inputs);
        // People leave a condition empty that does not matter.
        for cell in cells.iter_mut().filter(|cell| cell.is_empty()) {
            "-".clone_into(cell);
        }
        table.rules.push(Rule {
            id: Some(title).filter(|it| !it.is_empty() && !is_number).map(str::to_owned),
            inputs: cells,
            outputs: texts(outputs),
            annotations: texts(notes),
        });
    }

    /// The second cell of the row above the columns that begins with `title`.
    fn above(&self, title: &str, kinds_row: usize) -> Option<&'a str> {
        let row = self.row(title, 0).filter(|row| *row < kinds_row)?;
        Some(self.cell(row, 1)).filter(|text| !text.is_empty())
    }

    /// The first row behind the headings: each stands there once, without a row between them.
    fn rules_row(&self, kinds_row: usize) -> usize {
        let mut left = HEADINGS.to_vec();
        let mut row = kinds_row + 1;
        while let Some(at) = left.iter().position(|it| self.cell(row, 0).eq_ignore_ascii_case(it)) {
            left.remove(at);
            row += 1;
        }
        row
    }

    /// The first row from `from` on that begins with `title`.
    fn row(&self, title: &str, from: usize) -> Option<usize> {
        let is_it = |row: &usize| self.cell(*row, 0).eq_ignore_ascii_case(title);
        (from..self.sheet.len()).find(is_it)
    }

    fn cell(&self, row: usize, column: usize) -> &'a str {
        self.sheet.get(row).and_then(|cells| cells.get(column)).map_or("", |cell| cell.trim())
    }

    /// Adds a finding about the cell at a row and a column, from 0.
    fn error(&mut self, code: &str, (row, column): (usize, usize), what: &str, fix: &str) {
        let cell = address(row, column);
        let what = format!("{cell}: {what}");
        self.findings.push(Finding::error(code, &cell, what, fix));
    }
}

#[cfg(test)]
mod tests;
