//! Pure rules: what a definition may hold, who acts, which variables a prompt sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_agents::{Budgets, digest};
use flowmaster_kernel::{Ctx, Idempotency, Principal, PrincipalKind, Role, Scopes};
use flowmaster_prompts::{FrontMatter, Message, PromptFile, Role as Speaker};
use serde_json::{Map, Value};

use super::error::AgentsError;
use super::types::Definition;

/// The longest persona, in characters.
const MAX_PERSONA: usize = 8_000;
/// The most tools or groups.
const MAX_NAMES: usize = 64;
/// The route of those who name none.
pub(super) const DEFAULT_ROUTE: &str = "default";

/// Completes a definition and checks everything that needs no look-up.
pub(super) fn checked(mut definition: Definition) -> Result<Definition, AgentsError> {
    let id = &definition.id;
    let well_formed = (1..=58).contains(&id.len())
        && id
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_.".contains(&it));
    if !well_formed {
        return Err(AgentsError::BadId(id.chars().take(80).collect()));
    }
    if definition.name.is_empty() {
        definition.name.clone_from(id);
    }
    let bad = |field: &'static str, problem: &str| {
        Err(AgentsError::BadField { field, problem: problem.to_owned() })
    };
    if definition.name.chars().count() > 200 {
        return bad("name", "it has more than 200 characters");
    }
    if definition.persona.chars().count() > MAX_PERSONA {
        return bad("persona", &format!("it has more than {MAX_PERSONA} characters"));
    }
    for (field, names) in [("tools", &definition.tools), ("groups", &definition.groups)] {
        if names.len() > MAX_NAMES || names.iter().any(|name| name.is_empty() || name.len() > 100) {
            return bad(field, &format!("at most {MAX_NAMES} names of 1 to 100 bytes"));
        }
    }
    if definition.confidence_threshold.is_some_and(|it| !(0.0..=1.0).contains(&it)) {
        return bad("confidence_threshold", "it is not from 0 to 1");
    }
    let Budgets { max_steps, max_tokens, max_tool_calls, max_seconds } = definition.budgets;
    let within = (1..=100).contains(&max_steps)
        && (1_000..=10_000_000).contains(&max_tokens)
        && max_tool_calls <= 200
        && (1..=86_400).contains(&max_seconds);
    if !within {
        return bad(
            "budgets",
            "max_steps 1 to 100, max_tokens 1000 to 10000000, max_tool_calls up to 200, \
             max_seconds 1 to 86400",
        );
    }
    Ok(definition)
}

/// What a definition is recognised by.
pub(super) fn hash(definition: &Definition) -> String {
    let value = serde_json::to_value(definition).unwrap_or_default();
    digest(&[&flowmaster_agents::canonical(&value)])
}

/// The model route of an agent.
pub(super) fn route<'a>(definition: &'a Definition, prompt: &'a FrontMatter) -> &'a str {
    definition.route.as_deref().or(prompt.route.as_deref()).unwrap_or(DEFAULT_ROUTE)
}

/// The tools of a run: those of the agent, and of these only what the prompt names if it names any.
pub(super) fn tools(definition: &Definition, prompt: &FrontMatter) -> Vec<String> {
    let named = |tool: &&String| prompt.tools.is_empty() || prompt.tools.contains(tool);
    definition.tools.iter().filter(named).cloned().collect()
}

/// The principal that stands for an agent.
pub(super) fn principal(definition: &Definition) -> Principal {
    Principal {
        id: format!("agent:{}", definition.id),
        kind: PrincipalKind::Agent,
        roles: BTreeSet::from([Role::Agent]),
        groups: definition.groups.clone(),
    }
}

/// The context in which the outcome of the work is handed in: the caller's own if it is an agent,
/// else that of the agent it works for, which may touch executions and nothing else.
pub(super) fn acting(ctx: &Ctx, definition: &Definition) -> Ctx {
    if ctx.principal.kind == PrincipalKind::Agent {
        return Ctx { idempotency: None, ..ctx.clone() };
    }
    on_behalf(ctx, principal(definition), "execution:write")
}

/// The context of `principal` with one scope.
pub(super) fn on_behalf(ctx: &Ctx, principal: Principal, scope: &str) -> Ctx {
    Ctx {
        principal: Arc::new(principal),
        scopes: Arc::new([scope.to_owned()].into_iter().collect::<Scopes>()),
        idempotency: None,
        // Nobody but the agent answers for it.
        exchange: None,
        ..ctx.clone()
    }
}

/// The same context for one call under `key`. The dispatcher computes the hash of the arguments.
pub(super) fn keyed(ctx: &Ctx, operation: &str, key: String) -> Ctx {
    let call = Idempotency { key, operation: operation.to_owned(), body_hash: String::new() };
    Ctx { idempotency: Some(Arc::new(call)), ..ctx.clone() }
}

/// The messages of a run: the persona, then the prompt, which sees the variables that its input
/// schema names and no others.
pub(super) fn messages(
    definition: &Definition,
    prompt: &PromptFile,
    variables: &Map<String, Value>,
) -> Result<Vec<Message>, AgentsError> {
    let schema = prompt.front.input.schema.as_ref();
    let named = schema.and_then(|schema| schema.get("properties")?.as_object());
    let seen: Map<String, Value> = variables
        .iter()
        .filter(|(name, _)| named.is_some_and(|named| named.contains_key(*name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let rendered = prompt
        .render(&Value::Object(seen))
        .map_err(|error| AgentsError::Unrenderable(error.to_string()))?;
    let persona = Message { role: Speaker::System, content: definition.persona.clone() };
    let persona = Some(persona).filter(|persona| !persona.content.is_empty());
    Ok(persona.into_iter().chain(rendered.messages).collect())
}

/// How sure the agent is: what it says beside the answer, or in it.
pub(super) fn confidence(said: Option<f64>, output: &Map<String, Value>) -> Option<f64> {
    let in_output = || output.get("confidence").and_then(Value::as_f64);
    said.or_else(in_output).filter(|it| (0.0..=1.0).contains(it))
}

/// Whether the agent is less sure than it should be. Who does not say is not sure.
pub(super) fn is_below(threshold: Option<f64>, confidence: Option<f64>) -> bool {
    threshold.is_some_and(|threshold| confidence.is_none_or(|it| it < threshold))
}
