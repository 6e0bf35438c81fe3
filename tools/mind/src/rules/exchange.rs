//! Decision tables between rule files and files of spreadsheet programs. Pure functions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowmaster_engine::dmn::compact::{CompactDecision, CompactInput, CompactRules, CompactTable};
use flowmaster_engine::dmn::table::DecisionTable;
use flowmaster_engine::finding::Finding;
use flowmaster_kernel::Result;

use super::error::RuleError;
use super::types::{ExportedRule, TableFormat};
use super::{csv, spreadsheet, tables};

/// The tables of a file that was given as CSV or as a workbook.
pub(super) fn read(csv: Option<String>, xlsx: Option<String>) -> Result<Vec<DecisionTable>> {
    let tables = match (csv, xlsx) {
        (Some(csv), None) => csv::read(csv.as_bytes()).map(|table| vec![table]),
        (None, Some(xlsx)) => decoded(&xlsx).and_then(|bytes| spreadsheet::read(&bytes)),
        _ => return Err(RuleError::NotOneSheet.into()),
    };
    Ok(tables.map_err(RuleError::Unreadable)?)
}

fn decoded(text: &str) -> std::result::Result<Vec<u8>, Vec<Finding>> {
    let finding = |code: &str, what: String, fix: &str| vec![Finding::error(code, "", what, fix)];
    if text.len() / 4 > spreadsheet::MAX_BYTES / 3 + 1 {
        let what = format!("the file has more than {} bytes", spreadsheet::MAX_BYTES);
        return Err(finding("file_too_large", what, "split the workbook"));
    }
    STANDARD.decode(text.trim()).map_err(|error| {
        finding("not_base64", format!("it is not Base64: {error}"), "encode the file in Base64")
    })
}

/// The tables of a rule file, or that of `decision`, in a file of a spreadsheet program.
pub(super) fn write(
    id: &str,
    dmn: &str,
    decision: Option<&str>,
    format: TableFormat,
) -> Result<ExportedRule> {
    let tables = tables::read(dmn).map_err(RuleError::Invalid)?;
    let wanted: Vec<&DecisionTable> =
        tables.iter().filter(|table| decision.is_none_or(|wanted| wanted == table.id)).collect();
    if wanted.is_empty() {
        let missing = decision.map(str::to_owned);
        return Err(missing.map_or(RuleError::NoTables, RuleError::NoTable).into());
    }
    let decisions: Vec<String> = wanted.iter().map(|table| table.id.clone()).collect();
    let (ending, media_type, text, base64) = match (format, wanted.as_slice()) {
        (TableFormat::Csv, [table]) => ("csv", "text/csv", Some(csv::write(table)?), None),
        (TableFormat::Csv, _) => return Err(RuleError::SeveralTables(decisions).into()),
        (TableFormat::Xlsx, tables) => {
            let bytes = spreadsheet::write(tables)?;
            let workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            ("xlsx", workbook, None, Some(STANDARD.encode(bytes)))
        }
    };
    let name = format!("{}.{ending}", decision.unwrap_or(id));
    Ok(ExportedRule { name, media_type: media_type.to_owned(), decisions, text, base64 })
}

/// The rule file `id` with `imported` in the place of its tables of the same decisions; what it says
/// besides stays as it is in `known`.
pub(super) fn merged(
    id: &str,
    known: Option<&str>,
    imported: &[DecisionTable],
) -> std::result::Result<CompactRules, RuleError> {
    let mut rules = match known {
        Some(dmn) => tables::compact(dmn).map_err(RuleError::NotCompact)?,
        None => CompactRules { id: id.to_owned(), ..CompactRules::default() },
    };
    for table in imported {
        let compact = Some(CompactTable::from(table));
        match rules.decisions.iter_mut().find(|decision| decision.id == table.id) {
            Some(decision) => {
                (decision.table, decision.literal) = (compact, None);
            }
            None => rules.decisions.push(CompactDecision {
                id: table.id.clone(),
                name: (table.name != table.id).then(|| table.name.clone()),
                table: compact,
                ..CompactDecision::default()
            }),
        }
    }
    for table in imported {
        for input in &table.inputs {
            let name = &input.expression;
            let is_known = rules.inputs.iter().any(|known| known.name == *name)
                || rules.decisions.iter().any(|it| it.name.as_ref().unwrap_or(&it.id) == name);
            if !is_known && is_name(name) {
                rules.inputs.push(CompactInput {
                    name: name.clone(),
                    type_name: input.type_name.clone(),
                    ..CompactInput::default()
                });
            }
        }
    }
    // In XML an id is one element's; the file is known by the id that it is saved under.
    if rules.decisions.iter().any(|decision| decision.id == rules.id) {
        rules.id += "-rules";
    }
    Ok(rules)
}

/// Whether the expression of a column can be the name of an input.
fn is_name(expression: &str) -> bool {
    expression.chars().next().is_some_and(char::is_alphabetic)
        && expression.chars().all(|it| it.is_alphanumeric() || it == '_' || it == ' ')
}
