//! What can go wrong with rules.

use std::time::Duration;

use flowmaster_engine::dmn::DecisionError;
use flowmaster_engine::finding::Finding;
use flowmaster_kernel::{Error, ErrorKind};
use serde_json::json;

use super::cases::MAX_TESTS;
use super::types::{Explained, RuleFinding, RuleTestReport};

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum RuleError {
    #[error("it is no rule file that can be evaluated: {}", first(.0.iter().map(|finding| &*finding.what)))]
    Invalid(Vec<Finding>),
    #[error("the draft cannot be published: {}", first(errors(.0)))]
    Findings(Vec<RuleFinding>),
    #[error("the draft fails {} of its {} tests", .0.failed, .0.failed + .0.passed)]
    TestsFailed(Box<RuleTestReport>),
    #[error("the tests are more than a file can have")]
    TooManyTests,
    #[error("the rule {0:?} has no draft")]
    NoDraft(String),
    #[error("the draft was changed since you read it")]
    DraftChanged { current: String },
    #[error("no rule {0:?}")]
    UnknownFile(String),
    #[error("no version {version} of the rule {file:?}")]
    UnknownVersion { file: String, version: i64 },
    #[error("no decision {0:?}")]
    UnknownDecision(String),
    #[error("{} of the rule {file:?} has no decision {decision:?}", named(*version))]
    NotInVersion { decision: String, file: String, version: Option<i64> },
    #[error("the decision {decision:?} belongs to the rule {file:?} already")]
    Taken { decision: String, file: String },
    #[error("{}", .0.error)]
    NoValue(Box<Unanswered>),
    #[error("{what} was not done after {limit:?}")]
    TooSlow { what: String, limit: Duration },
    #[error("not exactly one rule file is given")]
    NotOneFile,
    #[error("the file has no table for a decision {0:?}")]
    NoTable(String),
    #[error("the file has no decision table")]
    NoTables,
    #[error("the file has {} tables, and CSV holds one", .0.len())]
    SeveralTables(Vec<String>),
    #[error("not exactly one file of a spreadsheet is given")]
    NotOneSheet,
    #[error("the spreadsheet cannot be read: {}", first(.0.iter().map(|finding| &*finding.what)))]
    Unreadable(Vec<Finding>),
    #[error(
        "tables cannot be imported into this file, which has more than the compact form can say"
    )]
    NotCompact(Vec<Finding>),
}

fn named(version: Option<i64>) -> String {
    version.map_or_else(|| "the draft".to_owned(), |version| format!("version {version}"))
}

fn errors(findings: &[RuleFinding]) -> impl Iterator<Item = &str> {
    findings.iter().filter(|found| found.is_error()).map(|found| &*found.finding.what)
}

fn first<'a>(mut findings: impl Iterator<Item = &'a str>) -> String {
    let first = findings.next().unwrap_or_default();
    match findings.count() {
        0 => first.to_owned(),
        more => format!("{first} (and {more} more)"),
    }
}

/// What a decision does not answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: DecisionError,
    pub(super) why: Explained,
}

impl Unanswered {
    fn told(self, what: String) -> Error {
        let error = match self.error {
            DecisionError::TooMuchWork { .. } => Error::invalid("decision_too_much_work", what)
                .why("its work is estimated before it begins, so that it cannot stop others")
                .fix("give shorter lists or smaller ranges, or change the expressions that loop over them"),
            DecisionError::Input { .. } | DecisionError::NotAllowed { .. } => {
                Error::invalid("decision_input_invalid", what)
                    .why("a decision is asked only with values that its inputs may have")
                    .fix("send a value of the type of the input, one of those that are allowed")
            }
            _ => Error::invalid("decision_without_value", what)
                .fix("send every input of the decision, in the type that it expects"),
        };
        let error = error.next("rule_get");
        match self.why == Explained::default() {
            true => error,
            false => error.details(json!(self.why)),
        }
    }
}

impl From<RuleError> for Error {
    fn from(error: RuleError) -> Self {
        let what = error.to_string();
        match error {
            RuleError::Invalid(findings) => Self::invalid("rule_invalid", what)
                .fix("mend what the findings say; nothing was saved")
                .details(json!({ "findings": findings })),
            RuleError::Findings(findings) => Self::invalid("rule_invalid", what)
                .fix("mend what the findings say, save the draft and publish it again")
                .next("rule_save")
                .details(json!({ "findings": findings })),
            RuleError::TestsFailed(report) => Self::invalid("rule_tests_failed", what)
                .why("a version is published only if its decisions answer what its tests expect")
                .fix("mend the decisions, or the tests where they expect the wrong answer")
                .next("rule_save")
                .details(json!({ "report": report })),
            RuleError::TooManyTests => Self::new(ErrorKind::TooLarge, "too_many_tests", what)
                .why(format!("a file has at most {MAX_TESTS} tests, of 1 MB together"))
                .fix("keep the cases at the boundaries of the rules"),
            RuleError::NoDraft(_) => Self::conflict("no_draft", what)
                .why("the newest version is published and nothing was saved since")
                .fix("save a changed file first")
                .next("rule_save"),
            RuleError::DraftChanged { current } => Self::conflict("draft_changed", what)
                .fix("read the draft again, merge your change and save with its hash")
                .next("rule_get")
                .details(json!({ "current_hash": current })),
            RuleError::UnknownFile(file) => Self::not_found("rule", &file).next("rule_search"),
            RuleError::UnknownVersion { .. } => {
                Self::new(ErrorKind::NotFound, "rule_version_not_found", what)
                    .fix("leave out the version for the active one")
                    .next("rule_get")
            }
            RuleError::UnknownDecision(id) => Self::not_found("decision", &id)
                .fix("publish the rule file that defines it first, or use the id of a published decision")
                .next("rule_search"),
            RuleError::NoTables => Self::new(ErrorKind::NotFound, "table_not_found", what)
                .fix("export another file, or read its expressions")
                .next("rule_get"),
            RuleError::SeveralTables(decisions) => Self::invalid("several_tables", what)
                .fix("name the decision, or take xlsx")
                .details(json!({ "decisions": decisions })),
            RuleError::NotOneSheet => Self::invalid("not_one_spreadsheet", what)
                .fix("give exactly one of csv and xlsx"),
            RuleError::Unreadable(findings) => Self::invalid("spreadsheet_invalid", what)
                .fix("mend the cells that the findings name; rule_export shows the layout")
                .next("rule_export")
                .details(json!({ "findings": findings })),
            RuleError::NotCompact(findings) => Self::conflict("rule_not_compact", what)
                .fix("import them into a file of their own, or change this one as DMN XML")
                .next("rule_save")
                .details(json!({ "findings": findings })),
            RuleError::NotInVersion { .. } => {
                Self::new(ErrorKind::NotFound, "decision_not_found", what)
                    .fix("use a decision id that this version has")
                    .next("rule_get")
            }
            RuleError::Taken { .. } => Self::conflict("decision_id_taken", what)
                .why("a decision id belongs to one rule, so that a process finds exactly one")
                .fix("save it as a new version of that rule (id), or rename the decision"),
            RuleError::NoValue(unanswered) => unanswered.told(what),
            RuleError::NotOneFile => Self::invalid("not_one_rule_file", what)
                .why("a rule file has one source: the compact form, DMN XML, or one that is saved")
                .fix("give exactly one of rules, dmn and id, where the operation has them"),
            RuleError::NoTable(_) => Self::new(ErrorKind::NotFound, "table_not_found", what)
                .fix("leave out the decision to see the tables that the file has")
                .next("rule_get"),
            RuleError::TooSlow { .. } => Self::new(ErrorKind::Timeout, "decision_too_slow", what)
                .why("an expression loops over too much")
                .fix("make the lists that its expressions go through shorter"),
        }
    }
}
