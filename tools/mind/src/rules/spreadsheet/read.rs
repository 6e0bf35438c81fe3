//! Reading a workbook (ECMA-376 part 1, §18: SpreadsheetML), as far as tables need it: the names of
//! the sheets and the texts, numbers and booleans of their cells.

use std::io::{Cursor, Read as _};

use flowmaster_engine::dmn::sheet::{
    MAX_CELL, MAX_ROWS, MAX_SHEET_CELLS, MAX_SHEET_COLUMNS, Sheet, address, from_sheet,
};
use flowmaster_engine::dmn::table::DecisionTable;
use flowmaster_engine::finding::Finding;
use flowmaster_engine::xml::Element;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;
/// The most bytes that all parts of a file may have together when they are unpacked.
pub const MAX_UNPACKED: usize = 50 * 1024 * 1024;
/// The most sheets.
pub const MAX_SHEETS: usize = 50;
/// The most texts that the sheets of a file may share.
const MAX_TEXTS: usize = 2 * MAX_SHEET_CELLS;

/// The tables of a workbook, one for each sheet that has the layout of a table. Other sheets may hold
/// what people like.
///
/// # Errors
/// What is wrong with the file, by sheet and cell; or that it has no table.
pub fn read(bytes: &[u8]) -> Result<Vec<DecisionTable>, Vec<Finding>> {
    let sheets = Package::open(bytes).and_then(|mut package| package.sheets());
    let sheets = sheets.map_err(|finding| vec![finding])?;
    let (mut tables, mut findings) = (Vec::new(), Vec::new());
    for (name, sheet) in &sheets {
        let is_kind = |row: &Vec<String>| {
            row.first().is_some_and(|cell| cell.trim().eq_ignore_ascii_case("kind"))
        };
        if !sheet.iter().any(is_kind) {
            continue;
        }
        match from_sheet(sheet) {
            Ok(table) => tables.push(table),
            Err(wrong) => findings.extend(wrong.into_iter().map(|it| in_sheet(it, name))),
        }
    }
    if tables.is_empty() && findings.is_empty() {
        let what = "no sheet of the workbook is a decision table";
        let fix = "write \"kind\" into column A, and \"input\" or \"output\" above each column; an exported \
                   table shows the layout";
        findings.push(Finding::error("no_table", "", what, fix));
    }
    if findings.is_empty() { Ok(tables) } else { Err(findings) }
}

/// The finding with the name of its sheet, as formulas write it: `Rules!B7`.
fn in_sheet(finding: Finding, sheet: &str) -> Finding {
    Finding {
        element: finding.element.map(|cell| format!("{sheet}!{cell}")),
        what: format!("{sheet}!{}", finding.what),
        ..finding
    }
}

/// A workbook and how much of it may still be unpacked.
struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: usize,
}

impl<'a> Package<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_BYTES {
            return Err(too_large(format!("the file has more than {MAX_BYTES} bytes")));
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| not_xlsx(&error))?;
        Ok(Self { archive, left: MAX_UNPACKED })
    }

    /// A part of the file, unpacked; `None` when there is none of that name.
    fn part(&mut self, name: &str) -> Result<Option<String>, Finding> {
        if self.archive.index_for_name(name).is_none() {
            return Ok(None);
        }
        let part = self.archive.by_name(name).map_err(|error| not_xlsx(&error))?;
        let mut text = String::new();
        // What the file says about the size of the part may be wrong.
        let mut limited = part.take(self.left as u64 + 1);
        limited.read_to_string(&mut text).map_err(|error| not_xlsx(&error))?;
        if text.len() > self.left {
            return Err(too_large(format!("it has more than {MAX_UNPACKED} bytes unpacked")));
        }
        self.left -= text.len();
        Ok(Some(text))
    }

    fn required(&mut self, name: &str) -> Result<String, Finding> {
        let part = self.part(name)?;
        part.ok_or_else(|| not_xlsx(&format!("it has no part {name}")))
    }

    /// The names of the sheets, and their cells.
    fn sheets(&mut self) -> Result<Vec<(String, Sheet)>, Finding> {
        let tree = |text: &str| Element::parse(text.as_bytes()).map_err(|error| not_xlsx(&error));
        let workbook = tree(&self.required("xl/workbook.xml")?)?;
        let targets = tree(&self.required("xl/_rels/workbook.xml.rels")?)?;
        let texts = match self.part("xl/sharedStrings.xml")? {
            Some(part) => shared_texts(&part)?,
            None => Vec::new(),
        };
        let list = workbook.elements().find(|it| &*it.name == "sheets");
        let listed: Vec<&Element> = list.into_iter().flat_map(Element::elements).collect();
        if listed.len() > MAX_SHEETS {
            return Err(too_large(format!("it has more than {MAX_SHEETS} sheets")));
        }
        let mut sheets = Vec::with_capacity(listed.len());
        for sheet in listed {
            let name = sheet.attribute("name").unwrap_or_default();
            let id = sheet.attributes.iter().find(|it| it.prefix.is_some() && &*it.name == "id");
            let is_it = |it: &&Element| it.attribute("Id") == id.map(|id| id.value.as_str());
            let target = targets.elements().find(is_it).and_then(|it| it.attribute("Target"));
            let target =
                target.ok_or_else(|| not_xlsx(&format!("the sheet {name:?} is missing")))?;
            let path = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("xl/{target}"),
            };
            let part = self.required(&path)?;
            sheets.push((name.to_owned(), cells(&part, name, &texts)?));
        }
        Ok(sheets)
    }
}

/// The texts that cells refer to by number.
fn shared_texts(part: &str) -> Result<Vec<String>, Finding> {
    let mut texts = Vec::new();
    let mut reader = Parts::new(part);
    while let Some(found) = reader.next("si")? {
        if texts.len() >= MAX_TEXTS {
            return Err(too_large(format!("it has more than {MAX_TEXTS} texts")));
        }
        texts.push(unescaped(&found.text));
    }
    Ok(texts)
}

/// The cells of a sheet.
fn cells(part: &str, sheet: &str, texts: &[String]) -> Result<Sheet, Finding> {
    let (mut rows, mut count) = (Sheet::new(), 0);
    let mut reader = Parts::new(part);
    while let Some(cell) = reader.next("c")? {
        let (row, column) = (cell.row, cell.column);
        let place = format!("{sheet}!{}", address(row, column));
        let text = cell_text(&cell, texts, &place)?;
        if text.trim().is_empty() {
            continue;
        }
        count += 1;
        if row >= MAX_ROWS || column >= MAX_SHEET_COLUMNS || count > MAX_SHEET_CELLS {
            return Err(too_large(format!(
                "{place}: a sheet has at most {MAX_ROWS} rows, {MAX_SHEET_COLUMNS} columns and \
                 {MAX_SHEET_CELLS} cells"
            )));
        }
        if text.len() > MAX_CELL {
            let what = format!("{place}: the cell has more than {MAX_CELL} bytes");
            return Err(Finding::error("cell_too_long", &place, what, "shorten it"));
        }
        if rows.len() <= row {
            rows.resize(row + 1, Vec::new());
        }
        if let Some(cells) = rows.get_mut(row) {
            if cells.len() <= column {
                cells.resize(column + 1, String::new());
            }
            if let Some(place) = cells.get_mut(column) {
                *place = text;
            }
        }
    }
    Ok(rows)
}

/// The value of a cell as FEEL, as which also numbers and booleans are written (§18.18.11).
fn cell_text(cell: &Found, texts: &[String], place: &str) -> Result<String, Finding> {
    if cell.has_formula {
        let what = format!("{place}: the cell holds a formula");
        let fix = "write the FEEL itself, as text: format the cell as text first, or begin with an \
                   apostrophe";
        return Err(Finding::error("formula", place, what, fix));
    }
    match cell.kind.as_str() {
        "s" => {
            let number = cell.text.trim().parse::<usize>().ok();
            let text = number.and_then(|number| texts.get(number)).cloned();
            text.ok_or_else(|| not_xlsx(&format!("{place} refers to a text that is missing")))
        }
        "b" => Ok(if cell.text.trim() == "1" { "true" } else { "false" }.to_owned()),
        "e" => {
            let what = format!("{place}: the cell holds the error {}", cell.text);
            Err(Finding::error("cell_error", place, what, "write the FEEL itself"))
        }
        "str" | "inlineStr" => Ok(unescaped(&cell.text)),
        _ => Ok(cell.text.trim().to_owned()),
    }
}

/// A shared text or a cell.
struct Found {
    row: usize,
    column: usize,
    kind: String,
    text: String,
    has_formula: bool,
}

/// Goes through a part of a workbook.
struct Parts<'a> {
    reader: Reader<&'a [u8]>,
    /// The row and column that follow when a file does not say them.
    row: usize,
    column: usize,
}

impl<'a> Parts<'a> {
    fn new(part: &'a str) -> Self {
        let mut reader = Reader::from_str(part);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, row: 0, column: 0 }
    }

    /// The next element `wanted`, with the texts in it.
    fn next(&mut self, wanted: &str) -> Result<Option<Found>, Finding> {
        loop {
            match self.reader.read_event().map_err(|error| not_xlsx(&error))? {
                Event::Start(start) if start.local_name().as_ref() == "row" => {
                    self.column = 0;
                    if let Some(number) = attribute(&start, "r")? {
                        let number = number.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
                        self.row = number.ok_or_else(|| not_xlsx(&"a row has no number"))?;
                    }
                }
                Event::End(end) if end.local_name().as_ref() == "row" => {
                    self.row = self.row.saturating_add(1);
                }
                Event::Start(start) if start.local_name().as_ref() == wanted => {
                    let found = self.begin(&start)?;
                    return self.inside(found, wanted).map(Some);
                }
                Event::DocType(_) => return Err(not_xlsx(&"it has a DOCTYPE")),
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<Found, Finding> {
        let kind = attribute(start, "t")?.unwrap_or_default();
        if let Some(reference) = attribute(start, "r")? {
            let place = place(&reference);
            let place = place.ok_or_else(|| not_xlsx(&format!("{reference:?} is no cell")))?;
            (self.row, self.column) = place;
        }
        let (row, column) = (self.row, self.column);
        self.column = self.column.saturating_add(1);
        Ok(Found { row, column, kind, text: String::new(), has_formula: false })
    }

    /// Reads to the end of the element: values and texts, without the hints for reading them aloud.
    fn inside(&mut self, mut found: Found, wanted: &str) -> Result<Found, Finding> {
        let (mut is_text, mut hints) = (false, 0_usize);
        loop {
            match self.reader.read_event().map_err(|error| not_xlsx(&error))? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "v" | "t" => is_text = hints == 0,
                    "rPh" => hints += 1,
                    "f" => found.has_formula = true,
                    _ => {}
                },
                Event::End(end) => match end.local_name().as_ref() {
                    "v" | "t" => is_text = false,
                    "rPh" => hints = hints.saturating_sub(1),
                    name if name == wanted => return Ok(found),
                    _ => {}
                },
                Event::Text(text) if is_text => found.text.push_str(&text.xml10_content()),
                Event::CData(text) if is_text => found.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) if is_text => {
                    let letter = reference.resolve_char_ref().map_err(|error| not_xlsx(&error))?;
                    match letter {
                        Some(letter) => found.text.push(letter),
                        None => {
                            let name = reference.xml10_content();
                            let text = resolve_predefined_entity(&name);
                            let text = text.ok_or_else(|| not_xlsx(&"it has unknown entities"))?;
                            found.text.push_str(text);
                        }
                    }
                }
                Event::Eof => return Err(not_xlsx(&"it ends in the middle")),
                _ => {}
            }
        }
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Finding> {
    let found = start.try_get_attribute(name).map_err(|error| not_xlsx(&error))?;
    Ok(found.map(|attribute| attribute.value.into_owned()))
}

/// Row and column of a reference such as `B7`, from 0.
fn place(reference: &str) -> Option<(usize, usize)> {
    let digits = reference.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, digits) = reference.split_at(digits);
    let mut column = 0_usize;
    for letter in letters.bytes() {
        let value = usize::from(letter.to_ascii_uppercase().checked_sub(b'A')?) + 1;
        column = column.checked_mul(26)?.checked_add(value).filter(|_| value <= 26)?;
    }
    Some((digits.parse::<usize>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

/// The text with the characters that a workbook writes as `_x000D_` (§22.9.2.19).
fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let code = escape.get(2..6).filter(|_| escape.get(6..7) == Some("_"));
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let letter =
            code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        let (written, taken) = match letter {
            Some(letter) => (letter, 7),
            None => ('_', 1),
        };
        plain.push(written);
        rest = escape.get(taken..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

fn not_xlsx(reason: &dyn std::fmt::Display) -> Finding {
    let what = format!("the file is not a workbook that can be read: {reason}");
    Finding::error("not_xlsx", "", what, "save it as xlsx, without a password")
}

fn too_large(what: String) -> Finding {
    Finding::error("file_too_large", "", what, "leave out what is no table, or split the table")
}
