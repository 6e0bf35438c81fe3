//! Input and output mappings (`zeebe:ioMapping`): what an activity sees, and what it leaves.

use flowmaster_kernel::Timestamp;
use serde_json::{Map, Value};

use crate::expression::value_of;
use crate::feel::Variables;
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::model::{Mapping, Node};
use crate::scope::{Overlay, ScopeView, VariableMap};
use crate::transition::Transition;

/// Makes the local variables of an activity before it starts.
pub(crate) fn inputs(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    if node.inputs.is_empty() {
        return Ok(());
    }
    let made = evaluate(&t.view(key), &VariableMap::new(), &node.inputs, t.now())?;
    t.charge(&made)?;
    t.set_variables(key, &made);
    Ok(())
}

/// Takes the results of an activity: through its output mappings into the scope around it, or as
/// they are where there are none.
pub(crate) fn outputs(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    results: &VariableMap,
) -> Result<(), Failure> {
    t.charge(results)?;
    if node.outputs.is_empty() {
        t.propagate(key, results);
        return Ok(());
    }
    t.set_variables(key, results);
    let scope = t.element(key).map_or(Key::PROCESS, |element| element.scope);
    let base = present(&t.view(scope), &node.outputs);
    let made = evaluate(&t.view(key), &base, &node.outputs, t.now())?;
    t.charge(&made)?;
    t.propagate(scope, &made);
    Ok(())
}

/// What an element that sees `view` would leave behind if it ended with `results`. Nothing is set.
pub(crate) fn left_by(
    view: &ScopeView<'_>,
    node: &Node,
    results: &VariableMap,
    now: Timestamp,
) -> Result<VariableMap, Failure> {
    if node.outputs.is_empty() {
        return Ok(results.clone());
    }
    let known = Overlay { top: results, below: view };
    evaluate(&known, &present(view, &node.outputs), &node.outputs, now)
}

/// The variables of which the mappings change a part.
fn present(view: &ScopeView<'_>, mappings: &[Mapping]) -> VariableMap {
    roots(mappings)
        .filter_map(|root| Some((root.to_owned(), view.variable(root)?.clone())))
        .collect()
}

/// The variables that paths such as `a.b` change a part of.
fn roots(mappings: &[Mapping]) -> impl Iterator<Item = &str> {
    mappings.iter().filter_map(|mapping| Some(mapping.target.split_once('.')?.0))
}

fn evaluate(
    view: &dyn Variables,
    base: &VariableMap,
    mappings: &[Mapping],
    now: Timestamp,
) -> Result<VariableMap, Failure> {
    let mut made = VariableMap::new();
    for mapping in mappings {
        let known = Overlay { top: &made, below: view };
        let value = value_of(&mapping.source, &known, now).map_err(|error| {
            let message = format!("the mapping to {:?} has no value: {error}", mapping.target);
            Failure::new(IncidentKind::MappingFailed, message)
        })?;
        match mapping.target.split_once('.') {
            None => made.set(&mapping.target, value),
            Some((root, path)) => {
                let whole = made.get(root).or_else(|| base.get(root)).cloned();
                made.set(root, put(whole.unwrap_or(Value::Null), path, value));
            }
        }
    }
    Ok(made)
}

/// `whole` with `value` at `path`; what is no object on the way becomes one.
fn put(whole: Value, path: &str, value: Value) -> Value {
    let mut entries = match whole {
        Value::Object(entries) => entries,
        _ => Map::new(),
    };
    let (name, value) = match path.split_once('.') {
        None => (path, value),
        Some((name, rest)) => {
            let inner = entries.get(name).cloned().unwrap_or(Value::Null);
            (name, put(inner, rest, value))
        }
    };
    entries.insert(name.to_owned(), value);
    Value::Object(entries)
}
