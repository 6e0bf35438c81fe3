//! Parameters and answers of the exchange of decision tables with spreadsheets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SavedRule;

/// A format of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TableFormat {
    /// CSV (RFC 4180) in UTF-8: one table.
    #[default]
    Csv,
    /// A workbook of spreadsheet programs: a sheet for each table.
    Xlsx,
}

/// Gives decision tables as a file of a spreadsheet program.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRule {
    /// Id of the rule file.
    pub id: String,
    /// Number of the version. Default: the active one, or the draft while nothing is published.
    #[serde(default)]
    pub version: Option<i64>,
    /// Set to export the draft.
    #[serde(default)]
    pub draft: bool,
    /// `csv` (the default) or `xlsx`.
    #[serde(default)]
    pub format: TableFormat,
    /// Only the table of the decision with this id; needed for `csv` where the file has several.
    #[serde(default)]
    pub decision: Option<String>,
}

/// A file with decision tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportedRule {
    /// A name for it, e.g. `shipping.csv`.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The decisions whose tables it holds.
    pub decisions: Vec<String>,
    /// Its content, of a text file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its content in Base64, of any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// Takes decision tables from a file of a spreadsheet program into the draft of a rule file: either
/// `csv` or `xlsx`. The layout is that of `rule_export`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRule {
    /// Id of the rule file, which need not exist. Its tables of the same decisions are replaced, everything
    /// else in it stays.
    pub id: String,
    /// A table as CSV (RFC 4180), at most 5 MB.
    #[serde(default)]
    pub csv: Option<String>,
    /// Tables as a workbook (xlsx) in Base64, at most 5 MB unencoded.
    #[serde(default)]
    pub xlsx: Option<String>,
    /// Hash of what this change is based on, to notice that somebody else changed it.
    #[serde(default)]
    pub based_on: Option<String>,
}

/// A saved draft with tables that were imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportedRule {
    /// The draft.
    #[serde(flatten)]
    pub saved: SavedRule,
    /// The decisions whose tables were imported.
    pub imported: Vec<String>,
}
