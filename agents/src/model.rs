//! A conversation with a model, in words that do not depend on a provider.

mod openai;
mod routes;
mod transport;

use flowmaster_prompts::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use openai::{Endpoint, OpenAi, Secret, Structured, TokenLimit};
pub use routes::Routes;

/// One message of the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum Message {
    /// The rules of the game.
    System {
        /// What is said.
        content: String,
    },
    /// The task, and what the machine says about an answer.
    User {
        /// What is said.
        content: String,
    },
    /// What the model said.
    Assistant {
        /// The words, if there are any.
        content: Option<String>,
        /// The tools it wants called.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<RawToolCall>,
    },
    /// What a tool answered.
    Tool {
        /// The provider's id of the call.
        call: String,
        /// The answer.
        content: String,
    },
}

impl From<flowmaster_prompts::Message> for Message {
    fn from(message: flowmaster_prompts::Message) -> Self {
        let content = message.content;
        match message.role {
            Role::System => Self::System { content },
            Role::User => Self::User { content },
            Role::Assistant => Self::Assistant { content: Some(content), tool_calls: Vec::new() },
        }
    }
}

/// A tool call as the model wrote it: nothing about it is checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawToolCall {
    /// The provider's id of the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What should be a JSON object.
    pub arguments: String,
}

/// A tool that a model may ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name of the operation.
    pub name: String,
    /// When to use it.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input: Value,
}

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The tools it may ask for.
    pub tools: Vec<ToolSpec>,
    /// JSON Schema of the final answer.
    pub output_schema: Option<Value>,
    /// The most tokens the reply may have.
    pub max_output_tokens: u32,
}

impl Request {
    /// What this very request is recognised by.
    #[must_use]
    pub fn hash(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        crate::digest(&[&crate::canonical(&value)])
    }
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The tools it wants called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<RawToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// What it used, if the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The model that answered.
    pub model: String,
}

/// Why a reply ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model was done.
    Stop,
    /// It waits for tools.
    ToolCalls,
    /// It was cut off at the limit of tokens.
    Length,
    /// The provider kept it back.
    ContentFilter,
    /// Something else, in the provider's word.
    Other(String),
    /// The provider did not say: the reply may be incomplete.
    #[default]
    Missing,
}

impl Finish {
    /// Whether the reply is whole, so that it may be acted upon.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Stop | Self::ToolCalls)
    }
}

/// The tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Sent.
    pub input: u64,
    /// Received, reasoning included.
    pub output: u64,
    /// Of those sent, how many the provider had cached.
    #[serde(default)]
    pub cached: u64,
    /// Of those received, how many were reasoning.
    #[serde(default)]
    pub reasoning: u64,
}

impl Usage {
    /// All tokens.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Why a model did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such route is configured.
    #[error("no model is configured for the route {0:?}")]
    NoRoute(String),
    /// The endpoint does not answer.
    #[error("the model endpoint does not answer: {0}")]
    Unreachable(String),
    /// Too many requests, even after waiting.
    #[error("the model endpoint is busy (HTTP {status}): {message}")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// What the endpoint says.
        message: String,
        /// How many seconds it wants us to wait.
        retry_after_s: Option<u64>,
    },
    /// The account has nothing left.
    #[error("the account of the model endpoint is used up: {0}")]
    Quota(String),
    /// The endpoint refuses the request.
    #[error("the model endpoint refuses the request (HTTP {status}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the endpoint says.
        message: String,
    },
    /// What came is not a chat completion.
    #[error("the model endpoint answered something that is not a chat completion: {0}")]
    Malformed(String),
    /// The configuration cannot be used.
    #[error("the model endpoint is not configured well: {0}")]
    Configuration(String),
}

impl ModelError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy { .. } | Self::Malformed(_))
    }
}
