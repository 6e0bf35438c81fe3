//! Parameters and answers of the agents operations.

mod recorded;
mod working;

use std::collections::BTreeSet;

use flowmaster_agents::Budgets;
use flowmaster_kernel::{Cursor, Kind, Page, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use recorded::{GetRun, Run, RunPage, RunState, RunSummary, SearchRuns, Step, StepKind};
pub use working::{
    Activate, Activity, ActivityResult, ClaimWork, ClaimedWork, FailWork, GivenBack, SubmitWork,
    SubmittedWork, Work, WorkContext,
};

/// Marks the id of a run.
#[derive(Debug)]
pub enum AgentRun {}

impl Kind for AgentRun {
    const PREFIX: &'static str = "run";
}

/// Who does an agent's work.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Runner {
    /// A connected client, through work_claim and work_submit. Needs no model key.
    #[default]
    Client,
    /// A model that the server is configured with.
    Server,
}

impl Runner {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// Defines an agent. Saving something new makes a new version; older ones stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Id: 1 to 58 lower-case letters, digits, or `- _ .`. What processes name.
    pub id: String,
    /// Human name. Default: the id.
    #[serde(default)]
    pub name: String,
    /// Who it is and how it works; the model reads it first.
    #[serde(default)]
    pub persona: String,
    /// Id of the prompt that describes its work.
    pub prompt: String,
    /// Version of the prompt. Default: the newest when a run begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_version: Option<i64>,
    /// Names of the operations it may call. With `client`, the client's own key decides.
    #[serde(default)]
    pub tools: BTreeSet<String>,
    /// Who does the work.
    #[serde(default)]
    pub runner: Runner,
    /// The model route, for `server`. Default: that of the prompt, else `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// From 0 to 1: runs that are less sure are marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence_threshold: Option<f64>,
    /// What a run may use up.
    #[serde(default)]
    pub budgets: Budgets,
    /// Business groups of its principal `agent:<id>`: what mandates are given to.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Code of a BPMN error thrown when a policy refuses the answer of a `server` run. Default: an
    /// incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_error_code: Option<String>,
}

/// A version of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Number of the version, from 1.
    pub version: i64,
    /// What it is.
    pub definition: Definition,
    /// Who saved it.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
}

/// What saving did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedAgent {
    /// Id of the agent.
    pub id: String,
    /// The version that now holds the definition.
    pub version: i64,
    /// Whether the definition was new.
    pub is_new: bool,
}

/// Reads an agent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAgent {
    /// Id of the agent.
    pub id: String,
    /// Its version. Default: the newest.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Finds agents, by id.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchAgents {
    /// Only those done by clients or by the server.
    #[serde(default)]
    pub runner: Option<Runner>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// The newest versions of agents, by id.
pub type AgentPage = Page<AgentSummary>;

/// An agent in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentSummary {
    /// Id of the agent.
    pub id: String,
    /// Human name.
    pub name: String,
    /// The newest version.
    pub version: i64,
    /// Who does its work.
    pub runner: Runner,
    /// The prompt that describes its work.
    pub prompt: String,
}
