//! What can go wrong with rules.

use std::time::Duration;

use flowmaster_engine::dmn::DecisionError;
use flowmaster_engine::dmn::explain::Explanation;
use flowmaster_engine::finding::Finding;
use flowmaster_kernel::{Error, ErrorKind};
use serde_json::json;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum RuleError {
    #[error("the DMN file cannot be kept: {}", first(.0))]
    Invalid(Vec<Finding>),
    #[error("no rule {0:?}")]
    UnknownFile(String),
    #[error("no version {version} of the rule {file:?}")]
    UnknownVersion { file: String, version: i64 },
    #[error("no decision {0:?}")]
    UnknownDecision(String),
    #[error("version {version} of the rule {file:?} has no decision {decision:?}")]
    NotInVersion { decision: String, file: String, version: i64 },
    #[error("the decision {decision:?} belongs to the rule {file:?} already")]
    Taken { decision: String, file: String },
    #[error("{error}")]
    NoValue { error: DecisionError, explanation: Option<Box<Explanation>> },
    #[error("{what} was not done after {limit:?}")]
    TooSlow { what: String, limit: Duration },
    #[error("not exactly one rule file is given")]
    NotOneFile,
    #[error("the file has no table for a decision {0:?}")]
    NoTable(String),
}

fn first(findings: &[Finding]) -> String {
    let what = findings.first().map_or("", |finding| &finding.what);
    match findings.len() {
        0 | 1 => what.to_owned(),
        many => format!("{what} (and {} more)", many - 1),
    }
}

impl From<RuleError> for Error {
    fn from(error: RuleError) -> Self {
        let what = error.to_string();
        match error {
            RuleError::Invalid(findings) => Self::invalid("rule_invalid", what)
                .fix("mend what the findings say; nothing was saved")
                .details(json!({ "findings": findings })),
            RuleError::UnknownFile(file) => Self::not_found("rule", &file).next("rule_search"),
            RuleError::UnknownVersion { .. } => {
                Self::new(ErrorKind::NotFound, "rule_version_not_found", what)
                    .fix("leave out the version for the active one")
                    .next("rule_get")
            }
            RuleError::UnknownDecision(id) => Self::not_found("decision", &id)
                .fix("save the DMN file that defines it first, or use the id of an active decision")
                .next("rule_search"),
            RuleError::NotInVersion { .. } => {
                Self::new(ErrorKind::NotFound, "decision_not_found", what)
                    .fix("use a decision id that this version has")
                    .next("rule_get")
            }
            RuleError::Taken { .. } => Self::conflict("decision_id_taken", what)
                .why("a decision id belongs to one rule, so that a process finds exactly one")
                .fix("save it as a new version of that rule (id), or rename the decision"),
            RuleError::NoValue { error: DecisionError::TooMuchWork { .. }, .. } => {
                Self::invalid("decision_too_much_work", what)
                    .why("its work is estimated before it begins, so that it cannot stop others")
                    .fix("give shorter lists or smaller ranges, or change the expressions that loop over them")
                    .next("rule_get")
            }
            RuleError::NoValue { explanation, .. } => {
                let error = Self::invalid("decision_without_value", what)
                    .fix("send every input of the decision, in the type that it expects")
                    .next("rule_get");
                match explanation {
                    Some(explanation) => error.details(json!({ "explanation": explanation })),
                    None => error,
                }
            }
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
