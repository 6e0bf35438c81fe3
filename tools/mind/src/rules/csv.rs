//! Decision tables as CSV (RFC 4180), in the layout of [`flowmaster_engine::dmn::sheet`]. Pure functions.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and runs it when
//! somebody opens the file. Such cells get an apostrophe in front when they are written, and lose it
//! when they are read; `-` alone and numbers stay as they are, for they do nothing.

use ::csv::{ReaderBuilder, Terminator, WriterBuilder};
use flowmaster_engine::dmn::sheet::{
    MAX_CELL, MAX_ROWS, MAX_SHEET_CELLS, MAX_SHEET_COLUMNS, Sheet, address, from_sheet, to_sheet,
};
use flowmaster_engine::dmn::table::DecisionTable;
use flowmaster_engine::finding::Finding;
use flowmaster_kernel::{Error, Result};

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;
/// What tells spreadsheets that the text is UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// What programs of different countries put between cells.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// The table as CSV: UTF-8 with a byte order mark, and commas.
///
/// # Errors
/// None that depends on the table.
pub fn write(table: &DecisionTable) -> Result<String> {
    let unwritten =
        |source: String| Error::internal("csv_not_written", std::io::Error::other(source));
    let mut writer = WriterBuilder::new()
        .flexible(true)
        .terminator(Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.to_string().into_bytes());
    for row in to_sheet(table) {
        let cells = row.iter().map(|cell| guarded(cell));
        writer.write_record(cells).map_err(|error| unwritten(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| unwritten(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| unwritten(error.to_string()))
}

/// The table of a CSV file. Cells are separated by what stands behind its first cell: a comma, a
/// semicolon or a tab.
///
/// # Errors
/// What is wrong with the file, by cell.
pub fn read(bytes: &[u8]) -> std::result::Result<DecisionTable, Vec<Finding>> {
    from_sheet(&sheet(bytes).map_err(|finding| vec![finding])?)
}

fn sheet(bytes: &[u8]) -> std::result::Result<Sheet, Finding> {
    if bytes.len() > MAX_BYTES {
        let what = format!("the file has more than {MAX_BYTES} bytes");
        return Err(Finding::error("file_too_large", "", what, "split the table"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let what = format!("the file is not UTF-8 text: {error}");
        Finding::error("not_csv", "", what, "save it as CSV in UTF-8")
    })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let delimiter = text.chars().find(|letter| DELIMITERS.contains(letter));
    let delimiter = delimiter.and_then(|it| u8::try_from(it).ok()).unwrap_or(b',');
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let (mut sheet, mut cells) = (Sheet::new(), 0);
    for record in reader.records() {
        let record = record.map_err(|error| {
            let what = format!("row {} is not CSV: {error}", sheet.len() + 1);
            Finding::error("not_csv", "", what, "save the table as CSV anew")
        })?;
        cells += record.len();
        check(&record, sheet.len(), cells)?;
        sheet.push(record.iter().map(unguarded).map(str::to_owned).collect());
    }
    Ok(sheet)
}

/// Refuses what no table can be, before it takes memory.
fn check(
    record: &::csv::StringRecord,
    row: usize,
    cells: usize,
) -> std::result::Result<(), Finding> {
    if row >= MAX_ROWS || record.len() > MAX_SHEET_COLUMNS || cells > MAX_SHEET_CELLS {
        let what = format!(
            "{}: the file has more than {MAX_ROWS} rows, {MAX_SHEET_COLUMNS} columns or \
             {MAX_SHEET_CELLS} cells",
            address(row, record.len())
        );
        return Err(Finding::error("table_too_large", "", what, "split the table"));
    }
    if let Some(column) = record.iter().position(|cell| cell.len() > MAX_CELL) {
        let cell = address(row, column);
        let what = format!("{cell}: the cell has more than {MAX_CELL} bytes");
        return Err(Finding::error("cell_too_long", &cell, what, "shorten it"));
    }
    Ok(())
}

/// The cell as no spreadsheet takes it for a formula.
fn guarded(cell: &str) -> String {
    if is_risky(cell) || cell.starts_with('\'') { format!("'{cell}") } else { cell.to_owned() }
}

/// The cell as it was before it was guarded. Text that begins with an apostrophe of its own keeps it.
fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_risky(rest) || rest.starts_with('\'') => rest,
        _ => cell,
    }
}

fn is_risky(cell: &str) -> bool {
    match cell.chars().next() {
        Some('=' | '+' | '@' | '\t' | '\r' | '\n') => true,
        Some('-') => !is_number(cell.trim_start_matches('-')),
        _ => false,
    }
}

/// Whether it is nothing or digits with a point: no name, no function, no operator.
fn is_number(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
}

#[cfg(test)]
mod tests;
