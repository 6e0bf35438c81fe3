//! Renders a prompt into messages.

use minijinja::{Environment, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::file::{PromptError, PromptFile};

/// Bounds the work of one rendering: about one unit a template instruction.
const FUEL: u64 = 100_000;
/// The largest rendered message, in bytes.
const MAX_MESSAGE: usize = 256 * 1024;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Role {
    /// The rules of the game.
    System,
    /// The task.
    User,
    /// What the model answered, in examples.
    Assistant,
}

/// A message for a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// A prompt, ready for a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rendered {
    /// The messages, in order.
    pub messages: Vec<Message>,
}

impl PromptFile {
    /// Renders the prompt with `variables`, an object.
    ///
    /// # Errors
    /// Variables that do not fit the schema, or a template that fails with them.
    pub fn render(&self, variables: &Value) -> Result<Rendered, PromptError> {
        if let Some(schema) = &self.front.input.schema {
            let validator = jsonschema::validator_for(schema).map_err(|error| {
                PromptError::Schema { place: "input.schema", reason: error.to_string() }
            })?;
            let problems: Vec<String> = validator
                .iter_errors(variables)
                .take(5)
                .map(|error| format!("{} at {}", error, error.instance_path()))
                .collect();
            if !problems.is_empty() {
                return Err(PromptError::Variables(problems.join("; ")));
            }
        }
        let environment = environment();
        let variables = minijinja::Value::from(minijinja::value::Serde(variables));
        let mut messages = Vec::new();
        for (role, template) in sections(&self.body) {
            if role == Role::User {
                messages.extend(self.demos());
            }
            let content = environment
                .render_str(template, &variables)
                .map_err(|error| PromptError::Render(error.to_string()))?;
            if content.len() > MAX_MESSAGE {
                return Err(PromptError::Render(format!(
                    "a message has more than {MAX_MESSAGE} bytes"
                )));
            }
            messages.push(Message { role, content: content.trim().to_owned() });
        }
        Ok(Rendered { messages })
    }

    fn demos(&self) -> impl Iterator<Item = Message> {
        self.front.demos.iter().flat_map(|demo| {
            [
                Message { role: Role::User, content: demo.input.to_string() },
                Message { role: Role::Assistant, content: demo.output.to_string() },
            ]
        })
    }
}

/// The variables that the template needs from outside, in alphabetical order.
pub(crate) fn variables(body: &str) -> Result<Vec<String>, PromptError> {
    let environment = environment();
    let mut names = Vec::new();
    for (_, template) in sections(body) {
        let template = environment
            .template_from_str(template)
            .map_err(|error| PromptError::Template(error.to_string()))?;
        names.extend(template.undeclared_variables(false));
    }
    names.sort_unstable();
    names.dedup();
    names.retain(|name| environment.globals().all(|(global, _)| global != name));
    Ok(names)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

/// Splits the template at its role lines. Text before the first one is the system message.
fn sections(body: &str) -> Vec<(Role, &str)> {
    let mut sections = Vec::new();
    let (mut role, mut start, mut at) = (Role::System, 0, 0);
    for line in body.split_inclusive('\n') {
        let next = match line.trim_end() {
            "## system" => Some(Role::System),
            "## user" => Some(Role::User),
            "## assistant" => Some(Role::Assistant),
            _ => None,
        };
        if let Some(next) = next {
            sections.push((role, body.get(start..at).unwrap_or_default()));
            role = next;
            start = at + line.len();
        }
        at += line.len();
    }
    sections.push((role, body.get(start..).unwrap_or_default()));
    sections.retain(|(_, text)| !text.trim().is_empty());
    sections
}
