//! What can go wrong with process definitions.

use flowmaster_engine::finding::Finding;
use flowmaster_engine::graph::ImportReport;
use flowmaster_kernel::{Error, ErrorKind};

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProcessError {
    #[error("no process {0:?}")]
    NotFound(String),
    #[error("the process {id:?} has no version {version}")]
    NoVersion { id: String, version: i64 },
    #[error("the process {0:?} is not published")]
    NotPublished(String),
    #[error("the process {0:?} has no draft")]
    NoDraft(String),
    #[error("a process is given as compact, as xml or as graph, one of them")]
    NotOneModel,
    #[error("the file is not BPMN: {0}")]
    NotBpmn(String),
    #[error("there are {0} processes in it")]
    SeveralProcesses(usize),
    #[error("the process has errors and cannot be {verb}")]
    Findings { verb: &'static str, findings: Vec<Finding> },
    #[error("graph is no definition of a process")]
    NotADefinition,
    #[error("the definition cannot be executed, and what is wrong with it cannot be repaired")]
    Rejected { report: ImportReport, findings: Vec<Finding> },
    #[error("the draft was changed since you read it")]
    DraftChanged { current: String },
    #[error("the tool name {name:?} is taken by the process {by:?}")]
    ToolNameTaken { name: String, by: String },
    #[error("the input schema of the stored process is not readable: {0}")]
    InputSchema(String),
    #[error("the model {0:?} is not there")]
    NoModel(String),
    #[error("the model {path:?} cannot be read")]
    UnreadableModel { path: String, why: String },
    #[error("the process {0:?} is in two models")]
    Twice(String),
    #[error("{what} are over the limit of {limit}")]
    TooMuch { what: &'static str, limit: usize },
    #[error("the file has more than {0} executable processes")]
    TooManyProcesses(usize),
    #[error("the scenario took longer than {0} seconds")]
    TooSlow(u64),
    #[error("too many scenarios are running")]
    Busy,
}

impl From<ProcessError> for Error {
    fn from(error: ProcessError) -> Self {
        let what = error.to_string();
        match error {
            ProcessError::NotFound(id) => Self::not_found("process", &id).next("process_search"),
            ProcessError::NoVersion { id, version } => {
                Self::not_found("process", &format!("{id} v{version}")).next("process_get")
            }
            ProcessError::NotPublished(_) => Self::conflict("process_not_published", what)
                .fix("publish it first")
                .next("process_publish"),
            ProcessError::NoDraft(_) => Self::conflict("no_draft", what)
                .why("the newest version is published and nothing was saved since")
                .fix("save a changed model first")
                .next("process_save"),
            ProcessError::NotOneModel => Self::invalid("model_missing", what)
                .fix("send the model in exactly one of the three fields"),
            ProcessError::NotBpmn(reason) => {
                Self::invalid("model_unreadable", "the model is not BPMN 2.0")
                    .why(reason)
                    .fix("send a BPMN 2.0 XML file, or the compact form")
            }
            ProcessError::SeveralProcesses(_) => Self::invalid("several_processes", what)
                .fix("send the definition of each process by itself"),
            ProcessError::Findings { findings, .. } => {
                let details = serde_json::json!({ "findings": findings });
                Self::invalid("process_invalid", what)
                    .why(first(&findings))
                    .fix("mend the findings in details and try again")
                    .next("process_validate")
                    .details(details)
            }
            ProcessError::NotADefinition => Self::invalid("model_unreadable", what).fix(
                "send a process_def with its nodes and edges, or the snapshot of a version of it",
            ),
            ProcessError::Rejected { report, findings } => {
                let details = serde_json::json!({ "findings": findings, "import": report });
                Self::invalid("process_invalid", what)
                    .why(first(&findings))
                    .fix("mend the findings in details and import it again")
                    .details(details)
            }
            ProcessError::DraftChanged { current } => Self::conflict("draft_changed", what)
                .fix("read the draft again, merge your change and save with its hash")
                .next("process_get")
                .details(serde_json::json!({ "current_hash": current })),
            ProcessError::ToolNameTaken { .. } => Self::conflict("tool_name_taken", what)
                .fix("choose another tool name in the contract of the process"),
            ProcessError::InputSchema(_) => Self::internal("stored_schema_unreadable", what),
            ProcessError::NoModel(_) => Self::invalid("model_missing", what)
                .why("the scenario names it among its models")
                .fix(
                    "send its text under that name in models, or name a stored process in process",
                ),
            ProcessError::UnreadableModel { why, .. } => {
                Self::invalid("model_unreadable", what).why(why).fix("correct the model")
            }
            ProcessError::Twice(_) => Self::invalid("process_twice", what)
                .fix("give each process of the models an id of its own"),
            ProcessError::TooMuch { .. } => {
                Self::new(ErrorKind::TooLarge, "scenario_too_large", what)
                    .fix("split it into several calls")
            }
            ProcessError::TooManyProcesses(_) => {
                Self::new(ErrorKind::TooLarge, "file_too_large", what)
                    .fix("save them in several files")
            }
            ProcessError::TooSlow(_) => Self::new(ErrorKind::Timeout, "scenario_too_slow", what)
                .fix("look for a loop, or take fewer steps at once"),
            ProcessError::Busy => Self::new(ErrorKind::Exhausted, "scenarios_exhausted", what)
                .fix("wait a moment and call again"),
        }
    }
}

fn first(findings: &[Finding]) -> String {
    findings.first().map(|finding| finding.what.clone()).unwrap_or_default()
}
