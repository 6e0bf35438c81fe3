//! What can go wrong with agents and their work.

use flowmaster_agents::Finding;
use flowmaster_kernel::{Error, ErrorKind};
use serde_json::json;

use super::types::RunState;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum AgentsError {
    #[error("no agent {0:?}")]
    UnknownAgent(String),
    #[error("{0:?} is not an agent id")]
    BadId(String),
    #[error("{field} is not right: {problem}")]
    BadField { field: &'static str, problem: String },
    #[error("no operation {0:?} that an agent could call")]
    UnknownTool(String),
    #[error("no model is configured for the route {0:?}")]
    NoRoute(String),
    #[error("the work of the agent {0:?} is done by the server")]
    DoneByServer(String),
    #[error("no run {0:?}")]
    UnknownRun(String),
    #[error("no work {0:?}")]
    UnknownWork(String),
    #[error("the work {0:?} was not claimed")]
    NotClaimed(String),
    #[error("the work {0:?} is not yours")]
    NotYours(String),
    #[error("the run is {}", .0.as_str())]
    RunOver(RunState),
    #[error("the output does not fit the output schema")]
    InvalidOutput(Vec<Finding>),
    #[error("the run has used up its {0} answers")]
    TooManyAnswers(u32),
    #[error("the prompt cannot be rendered for this work")]
    Unrenderable(String),
    #[error("the answer of the run {0:?} is being handed in")]
    Submitting(String),
    #[error("an instance has too many runs to be archived")]
    TooManyRuns,
}

impl From<AgentsError> for Error {
    fn from(error: AgentsError) -> Self {
        let what = error.to_string();
        match error {
            AgentsError::UnknownAgent(id) => Self::not_found("agent", &id).next("agent_search"),
            AgentsError::BadId(_) => Self::invalid("invalid_agent_id", what)
                .fix("use 1 to 58 lower-case letters, digits, or - _ ."),
            AgentsError::BadField { .. } => {
                Self::invalid("invalid_agent", what).fix("correct the field and save again")
            }
            AgentsError::UnknownTool(_) => Self::invalid("unknown_tool", what)
                .why("an agent calls operations with the role agent, and only those open to it")
                .fix("name operations from capability_search, or leave the tool out")
                .next("capability_search"),
            AgentsError::NoRoute(_) => Self::invalid("no_model_configured", what)
                .why("with the runner server, a model of this server does the work")
                .fix("configure a model for the route, or save the agent with the runner client"),
            AgentsError::DoneByServer(_) => Self::conflict("done_by_server", what)
                .fix("save the agent with the runner client to do its work yourself")
                .next("agent_get"),
            AgentsError::UnknownRun(id) => Self::not_found("run", &id).next("run_search"),
            AgentsError::UnknownWork(id) => Self::not_found("work", &id)
                .fix("claim work, and hand it in under the id that it came with")
                .next("work_claim"),
            AgentsError::NotClaimed(_) => Self::conflict("work_not_claimed", what)
                .why("nobody works on it")
                .fix("claim work first")
                .next("work_claim"),
            AgentsError::NotYours(_) => Self::new(ErrorKind::Forbidden, "work_not_yours", what)
                .why("another client claimed it")
                .fix("claim work of your own")
                .next("work_claim"),
            AgentsError::RunOver(_) => Self::conflict("run_over", what)
                .fix("claim the next piece of work")
                .next("work_claim"),
            AgentsError::InvalidOutput(findings) => {
                let why = findings.iter().take(3).map(|finding| {
                    let path = if finding.path.is_empty() { "/" } else { &finding.path };
                    format!("{path}: {}", finding.problem)
                });
                Self::invalid("invalid_output", what)
                    .why(why.collect::<Vec<_>>().join("; "))
                    .fix("correct the output and submit it again; the work is still yours")
                    .next("work_submit")
                    .details(json!({ "findings": findings }))
            }
            AgentsError::TooManyAnswers(_) => {
                Self::new(ErrorKind::Exhausted, "budget_exceeded", what)
                    .why("max_steps of the agent limits how often an answer may be handed in")
                    .fix("give the work back; a person can look at the run")
                    .next("work_fail")
            }
            AgentsError::Unrenderable(why) => Self::invalid("prompt_variables", what)
                .why(why)
                .fix("let the process give the variables that the prompt's input schema asks for")
                .next("prompt_get"),
            AgentsError::Submitting(_) => Self::conflict("run_submitting", what)
                .fix("wait until it is known what became of the answer")
                .next("run_get"),
            AgentsError::TooManyRuns => Self::conflict("too_many_runs", what),
        }
    }
}
