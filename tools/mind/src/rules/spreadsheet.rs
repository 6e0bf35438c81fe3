//! Decision tables as a workbook of spreadsheet programs (xlsx): a sheet for each table, in the layout
//! of [`flowmaster_engine::dmn::sheet`]. Pure functions.
//!
//! Cells are written as text, so that no program takes one for a formula or a date. What is read is
//! bounded before it takes memory: the file, each part of it unpacked, sheets, rows, columns and cells.
//! The reader is our own: the libraries for it take memory for as much as a file says it holds, and
//! make binary floating point of numbers, which rules must not be.

mod read;

use std::collections::BTreeSet;

use flowmaster_engine::dmn::sheet::to_sheet;
use flowmaster_engine::dmn::table::DecisionTable;
use flowmaster_kernel::{Error, Result};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

pub use read::{MAX_BYTES, MAX_SHEETS, MAX_UNPACKED, read};

/// The longest name of a sheet, in characters.
const MAX_SHEET_NAME: usize = 31;
/// The widest that a column is made, in pixels.
const MAX_WIDTH: u32 = 400;
/// How many rows stand above the rules, as [`to_sheet`] writes them.
const ROWS_ABOVE: u32 = 9;

/// The workbook of these tables: the same bytes for the same tables.
///
/// # Errors
/// A cell that is too long for a spreadsheet (32,767 characters).
pub fn write(tables: &[&DecisionTable]) -> Result<Vec<u8>> {
    workbook(tables).map_err(|source| Error::internal("workbook_not_written", source))
}

fn workbook(tables: &[&DecisionTable]) -> std::result::Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The moment of writing would make each file another one.
    let created = ExcelDateTime::from_ymd(2026, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let mut names = BTreeSet::new();
    for table in tables {
        let sheet = workbook.add_worksheet();
        sheet.set_name(sheet_name(&table.id, &mut names))?;
        fill(sheet, table)?;
    }
    workbook.save_to_buffer()
}

fn fill(sheet: &mut Worksheet, table: &DecisionTable) -> std::result::Result<(), XlsxError> {
    let text = Format::new().set_num_format("@").set_align(FormatAlign::Top);
    let heading = text.clone().set_bold();
    let rows = to_sheet(table);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    for column in (0..).take(width) {
        // Also what people add later is text.
        sheet.set_column_format(column, &text)?;
    }
    for (row, cells) in (0..).zip(&rows) {
        for (column, cell) in (0..).zip(cells) {
            let format = if row < ROWS_ABOVE || column == 0 { &heading } else { &text };
            if !cell.is_empty() {
                sheet.write_string_with_format(row, column, cell.as_str(), format)?;
            }
        }
    }
    sheet.set_freeze_panes(ROWS_ABOVE, 1)?;
    sheet.set_autofit_max_width(MAX_WIDTH).autofit();
    Ok(())
}

/// A name for a sheet that spreadsheet programs accept and that no other has, upper or lower case.
fn sheet_name(id: &str, taken: &mut BTreeSet<String>) -> String {
    let allowed = |letter: char| if "[]:*?/\\'".contains(letter) { '_' } else { letter };
    let whole: String = id.chars().map(allowed).collect();
    let shortened = |length: usize| whole.chars().take(length).collect::<String>();
    let mut name = shortened(MAX_SHEET_NAME);
    let mut number = 1;
    // A sheet may be called neither nothing nor History.
    while name.is_empty()
        || name.to_lowercase() == "history"
        || taken.contains(&name.to_lowercase())
    {
        number += 1;
        let ending = format!("_{number}");
        name = format!("{}{ending}", shortened(MAX_SHEET_NAME - ending.len()));
    }
    taken.insert(name.to_lowercase());
    name
}

#[cfg(test)]
mod tests;
