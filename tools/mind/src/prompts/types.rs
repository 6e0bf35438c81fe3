//! Parameters and answers of the prompt operations.

use flowmaster_kernel::{Cursor, Page, PageRequest};
use flowmaster_prompts::{Message, VersionInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Finds prompts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchPrompts {
    /// Part of the id or the description, upper or lower case.
    #[serde(default)]
    pub text: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

impl SearchPrompts {
    pub(super) fn page(&self) -> PageRequest {
        PageRequest { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// The newest version of each prompt, by id.
pub type FoundPrompts = Page<VersionInfo>;

/// Reads a prompt.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetPrompt {
    /// Id of the prompt, e.g. `invoice/extract`.
    pub id: String,
    /// Number of the version. Default: the newest.
    #[serde(default)]
    pub version: Option<i64>,
}

/// A version of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Prompt {
    /// What is known of it.
    #[serde(flatten)]
    pub info: VersionInfo,
    /// The `*.prompt.md` file, ready to be changed and given to `prompt_save`.
    pub text: String,
    /// What `prompt_render` needs.
    pub variables: Vec<Variable>,
}

/// A variable of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Saves a prompt file: a new version if its content is new.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavePrompt {
    /// A `*.prompt.md` file: YAML front matter (id, description, input.schema, output.schema)
    /// between two lines of ---, then the template with `## system` and `## user` lines.
    pub text: String,
}

/// Renders a prompt. Nothing is sent to a model.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderPrompt {
    /// Id of the prompt, e.g. `invoice/extract`.
    pub id: String,
    /// Number of the version. Default: the newest.
    #[serde(default)]
    pub version: Option<i64>,
    /// The variables by name, as `prompt_get` lists them.
    #[serde(default)]
    pub variables: Map<String, Value>,
}

/// A prompt, ready for a model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RenderedPrompt {
    /// Id of the prompt.
    pub id: String,
    /// The version that was rendered.
    pub version: i64,
    /// SHA-256 of its content, in hexadecimal.
    pub hash: String,
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// JSON Schema of the answer that the prompt asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}
