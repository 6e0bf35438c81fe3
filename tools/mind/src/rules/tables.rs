//! Rule files as they are given, and what is found in their tables. Pure functions.

use flowmaster_engine::dmn::analyze::analyze;
use flowmaster_engine::dmn::compact::CompactRules;
use flowmaster_engine::dmn::similar::similar;
use flowmaster_engine::dmn::table::{self, DecisionTable};
use flowmaster_engine::finding::{Finding, Severity};
use flowmaster_engine::xml::Element;

use super::dmn;
use super::error::RuleError;
use super::types::{AnalyzedRule, AnalyzedTable, RuleFinding};

/// A rule file in one of its forms.
pub(super) enum Content {
    Compact(Box<CompactRules>),
    Dmn(String),
}

impl Content {
    /// The one form that was given.
    pub(super) fn of(rules: Option<CompactRules>, dmn: Option<String>) -> Result<Self, RuleError> {
        match (rules, dmn) {
            (Some(rules), None) => Ok(Self::Compact(Box::new(rules))),
            (None, Some(dmn)) => Ok(Self::Dmn(dmn)),
            _ => Err(RuleError::NotOneFile),
        }
    }

    /// The file as DMN.
    pub(super) fn into_dmn(self) -> Result<String, Vec<Finding>> {
        match self {
            Self::Compact(rules) => rules.to_dmn(),
            Self::Dmn(dmn) => Ok(dmn),
        }
    }
}

/// What is found in the tables of a file, or in that of `decision`.
pub(super) fn analyzed(dmn: &str, decision: Option<&str>) -> Result<AnalyzedRule, Vec<Finding>> {
    let root = dmn::parse(dmn)?;
    let table::Read { tables, findings } = table::read(&root);
    let is_wanted = |id: &str| decision.is_none_or(|wanted| wanted == id);
    let all: Vec<&DecisionTable> = tables.iter().collect();
    let analyzed = tables.iter().filter(|table| is_wanted(&table.id)).map(|table| AnalyzedTable {
        decision: table.id.clone(),
        rules: table.rules.len(),
        analysis: analyze(table),
    });
    Ok(AnalyzedRule {
        tables: analyzed.collect(),
        similar: similar(&all),
        unread: findings
            .into_iter()
            .filter(|finding| finding.element.as_deref().is_none_or(is_wanted))
            .collect(),
    })
}

/// What is found in the tables of a file that is more than information.
pub(super) fn doubts(root: &Element) -> Vec<RuleFinding> {
    let mut doubts = Vec::new();
    for table in table::read(root).tables {
        let found = analyze(&table).findings.into_iter();
        let found = found.filter(|finding| finding.severity != Severity::Info);
        let element = Some(table.id);
        doubts.extend(found.map(|finding| RuleFinding { element: element.clone(), finding }));
    }
    doubts
}
