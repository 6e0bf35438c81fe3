//! Who performs an ad-hoc sub-process (BPMN 2.0.2 §10.3.5) when the model says so: a worker, or an
//! agent whose tools the elements are. It is asked by a job of the sub-process when that begins, and
//! again whenever all that was activated is over. Its answer is what begins next, or that nothing
//! does: then the sub-process is over.
//!
//! The results of what was activated last are in the variable [`RESULTS`] of the sub-process, in order
//! of completion, whatever the model itself collects. What can be activated is in [`ELEMENTS`], as workers
//! made for Camunda 8 expect it.

use serde_json::{Value, json};

use super::{ad_hoc, agent_task, job_task};
use crate::feel::Variables as _;
use crate::incident::Failure;
use crate::instance::{Key, Stage};
use crate::model::{Node, NodeIx, Performer, Text};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::wait::{Wait, WaitKind};

/// The variable with the results: `{tool, call, result}` for each.
const RESULTS: &str = "toolResults";

/// The variable with the elements that can be activated: `{elementId, elementName, documentation,
/// properties, parameters}` for each, without what is empty.
const ELEMENTS: &str = "adHocSubProcessElements";

/// The variable of an activated element that marks the result: what the performer called it.
pub const CALL: &str = "toolCall";

/// Tells the performer of the sub-process `owner` at `place` what can be activated in it.
pub(super) fn tell(t: &mut Transition<'_>, owner: Key, place: NodeIx) {
    let elements = t.process().unled(place).map(|(_, node)| described(node)).collect();
    t.set_variables(owner, &VariableMap::one(ELEMENTS, Value::Array(elements)));
}

fn described(node: &Node) -> Value {
    let inputs = node.inputs.iter().filter_map(|mapping| match &mapping.source {
        Text::Feel(program) => Some(program.agent_parameters()),
        Text::Literal(_) => None,
    });
    let parameters: Vec<Value> = inputs.flatten().collect();
    let mut described = json!({
        "elementId": &*node.id,
        "elementName": node.name,
        "documentation": node.documentation,
        "properties": node.headers,
        "parameters": parameters,
    });
    let is_empty = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        other => other.is_null(),
    };
    if let Value::Object(fields) = &mut described {
        fields.retain(|_, value| !is_empty(value));
    }
    described
}

/// Asks a performer who has nothing to wait for. Whether there was one.
pub(crate) fn ask(t: &mut Transition<'_>) -> bool {
    let idle = t.instance.waits().find_map(|(_, wait)| idle(t, wait));
    let Some((owner, node, performer)) = idle else { return false };
    let asked = match performer {
        Performer::Worker(job) => job_task::enter(t, owner, node, job),
        Performer::Agent { agent, job } => agent_task::enter(t, owner, node, agent, job),
    };
    if let Err(failure) = asked {
        t.raise(owner, Stage::Active, &failure);
    }
    true
}

/// The sub-process that has `wait`, and who performs it, if nothing runs in it and nobody is asked.
fn idle<'a>(t: &Transition<'a>, wait: &Wait) -> Option<(Key, &'a Node, &'a Performer)> {
    let WaitKind::Activation { .. } = wait.kind else { return None };
    let owner = wait.owner;
    let (_, node) = t.place(owner)?;
    let performer = node.ad_hoc()?.performer.as_ref()?;
    let is_stopped = t.element(owner)?.stage != Stage::Active
        || t.instance.incidents().any(|(_, it)| it.owner == owner && it.element == node.id);
    let is_busy = t.instance.elements().any(|(_, element)| element.scope == owner)
        || t.instance.waits().any(|(_, wait)| wait.owner == owner && wait.kind.is_work());
    (!is_stopped && !is_busy).then_some((owner, node, performer))
}

/// Lets begin in the sub-process `owner` what its performer says.
pub(crate) fn perform(
    t: &mut Transition<'_>,
    owner: Key,
    activate: &[(NodeIx, VariableMap)],
    variables: &VariableMap,
) {
    let Some((wait, _)) = ad_hoc::wait_of(&t.instance, owner) else { return };
    t.set_variables(owner, &VariableMap::one(RESULTS, Value::Array(Vec::new())));
    t.set_variables(owner, variables);
    for (place, variables) in activate {
        ad_hoc::begin(t, wait, owner, &[*place], variables);
    }
}

/// Keeps the result of the path that ends with the element `key` for the performer of `scope`.
pub(crate) fn keep(
    t: &mut Transition<'_>,
    key: Key,
    scope: Key,
    node: &Node,
    results: &VariableMap,
) -> Result<(), Failure> {
    let Some(element) = t.element(key) else { return Ok(()) };
    let call = element.variables.get(CALL).cloned();
    let result: VariableMap = if node.outputs.is_empty() {
        results.clone()
    } else {
        let roots = node.outputs.iter().filter_map(|mapping| mapping.target.split('.').next());
        let view = t.view(scope);
        roots.filter_map(|root| Some((root.to_owned(), view.variable(root)?.clone()))).collect()
    };
    let result = json!({ "tool": &*node.id, "call": call, "result": result });
    let own = t.element(scope).and_then(|element| element.variables.get(RESULTS));
    let mut kept = own.and_then(Value::as_array).cloned().unwrap_or_default();
    kept.push(result);
    let kept = VariableMap::one(RESULTS, Value::Array(kept));
    t.charge(&kept)?;
    t.set_variables(scope, &kept);
    Ok(())
}

/// Takes back what the performer of `owner` was asked.
pub(crate) fn dismiss(t: &mut Transition<'_>, owner: Key) {
    let asked = t.instance.waits().find(|(_, wait)| wait.owner == owner && wait.kind.is_work());
    if let Some((key, _)) = asked {
        t.close(key);
    }
}
