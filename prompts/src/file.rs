//! The prompt file: reading, checking, hashing.

use std::collections::BTreeSet;

use flowmaster_kernel::{Error, hex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::render;

/// The largest prompt file, in bytes.
pub(crate) const MAX_BYTES: usize = 128 * 1024;

/// A prompt as its author wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptFile {
    /// What is known of the prompt.
    pub front: FrontMatter,
    /// The template, with `## system`, `## user` and `## assistant` lines between messages.
    pub body: String,
    /// SHA-256 over front matter and body, in hexadecimal: the identity of a version.
    pub hash: String,
}

/// The front matter of a prompt file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// Id, e.g. `invoice/extract`.
    pub id: String,
    /// What the prompt is for.
    pub description: String,
    /// The model route, a logical name, never a vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// JSON Schema of the variables.
    #[serde(default)]
    pub input: Schemas,
    /// JSON Schema of the answer.
    #[serde(default)]
    pub output: Schemas,
    /// The operations an agent may call while it works on this prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Worked examples, shown before the task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demos: Vec<Demo>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A place for a JSON Schema.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schemas {
    /// JSON Schema 2020-12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

/// A worked example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    /// What was given.
    pub input: Value,
    /// The right answer.
    pub output: Value,
}

/// What can be wrong with a prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// No front matter.
    #[error("the file does not begin with front matter between two lines of ---")]
    NoFrontMatter,
    /// Front matter that is not readable.
    #[error("the front matter is not readable: {0}")]
    FrontMatter(String),
    /// Too large.
    #[error("the prompt has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// An id that cannot be used.
    #[error("{0:?} is not a prompt id")]
    BadId(String),
    /// A template that is not readable.
    #[error("the template is not readable: {0}")]
    Template(String),
    /// A schema that is not one.
    #[error("{place} is not a JSON Schema: {reason}")]
    Schema {
        /// Where.
        place: &'static str,
        /// Why.
        reason: String,
    },
    /// A variable that the template uses and the schema does not name.
    #[error("the template uses {0}, which input.schema does not name")]
    Undeclared(String),
    /// Variables that do not fit the schema.
    #[error("the variables do not fit the prompt: {0}")]
    Variables(String),
    /// A template that cannot be rendered with these variables.
    #[error("the prompt cannot be rendered: {0}")]
    Render(String),
    /// No such prompt.
    #[error("no prompt {0:?}")]
    NotFound(String),
}

impl From<PromptError> for Error {
    fn from(error: PromptError) -> Self {
        let what = error.to_string();
        match error {
            PromptError::NotFound(id) => Self::not_found("prompt", &id).next("prompt_search"),
            PromptError::Variables(_) => Self::invalid("prompt_variables", what)
                .fix("send variables that match the input schema of the prompt")
                .next("prompt_get"),
            PromptError::Render(_) => Self::invalid("prompt_render", what)
                .fix("set every variable that the template uses"),
            _ => Self::invalid("prompt_invalid", what).fix(
                "write YAML front matter (id, description, input.schema, output.schema) between \
                 --- lines, then the template with ## system and ## user lines",
            ),
        }
    }
}

impl PromptFile {
    /// Reads a prompt file and checks that it can be rendered.
    ///
    /// # Errors
    /// Everything that would only be noticed when the prompt is used.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        if text.len() > MAX_BYTES {
            return Err(PromptError::TooLarge);
        }
        let text = text.replace("\r\n", "\n");
        let rest = text.strip_prefix("---\n").ok_or(PromptError::NoFrontMatter)?;
        let (front, body) = rest.split_once("\n---\n").ok_or(PromptError::NoFrontMatter)?;
        let front: FrontMatter = serde_saphyr::from_str(front)
            .map_err(|error| PromptError::FrontMatter(error.to_string()))?;
        let body = body.trim().to_owned();
        check(&front, &body)?;
        let hash = hash(&front, &body)?;
        Ok(Self { front, body, hash })
    }

    /// The file as text.
    ///
    /// # Errors
    /// Front matter that cannot be written as YAML.
    pub fn to_text(&self) -> Result<String, PromptError> {
        let front = serde_saphyr::to_string(&self.front)
            .map_err(|error| PromptError::FrontMatter(error.to_string()))?;
        Ok(format!("---\n{}\n---\n{}\n", front.trim_end(), self.body))
    }
}

fn check(front: &FrontMatter, body: &str) -> Result<(), PromptError> {
    let well_formed = (1..=100).contains(&front.id.len())
        && front
            .id
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "/-_".contains(it));
    if !well_formed {
        return Err(PromptError::BadId(front.id.clone()));
    }
    for (place, schema) in
        [("input.schema", &front.input.schema), ("output.schema", &front.output.schema)]
    {
        if let Some(schema) = schema {
            jsonschema::validator_for(schema)
                .map_err(|error| PromptError::Schema { place, reason: error.to_string() })?;
        }
    }
    let used = render::variables(body)?;
    let named: Option<BTreeSet<&str>> = front
        .input
        .schema
        .as_ref()
        .and_then(|schema| schema.get("properties")?.as_object())
        .map(|properties| properties.keys().map(String::as_str).collect());
    let named = named.unwrap_or_default();
    match used.into_iter().find(|name| !named.contains(name.as_str())) {
        Some(name) => Err(PromptError::Undeclared(name)),
        None => Ok(()),
    }
}

fn hash(front: &FrontMatter, body: &str) -> Result<String, PromptError> {
    let front =
        serde_json::to_vec(front).map_err(|error| PromptError::FrontMatter(error.to_string()))?;
    let mut hasher = Sha256::new();
    hasher.update(&front);
    hasher.update([0]);
    hasher.update(body.as_bytes());
    Ok(hex(&hasher.finalize()))
}

#[cfg(test)]
mod tests;
