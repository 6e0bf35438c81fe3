//! What must hold for every process and every order of commands.

mod bed;
mod elements;
mod golden;
mod golden_proposals;
mod golden_selection;
mod modify;
mod performer;
mod random;
mod rejected;
mod terminated;
mod token_game;

use flowmaster_kernel::PrincipalKind;

use super::*;
use crate::command::StartedBy;
use crate::instance::{InstanceState, Key};

/// A person without groups.
fn person(id: &str) -> Principal {
    Principal::new(id, PrincipalKind::Person, &[], &[])
}

fn definition(notation: &str) -> Definition {
    Definition::new(crate::testing::model(notation), Arc::new(Decisions::default()))
}

fn start() -> Command {
    start_with(serde_json::json!({}))
}

fn start_with(variables: serde_json::Value) -> Command {
    let serde_json::Value::Object(variables) = variables else { panic!("not an object") };
    Command::Start {
        variables: variables.into(),
        business_key: None,
        at: None,
        by: StartedBy::Command,
        caller: None,
    }
}

/// Tokens are never lost and nothing outlives what it belongs to.
fn assert_sound(definition: &Definition, instance: &Instance) {
    for (key, element) in instance.elements() {
        assert!(element.scope < key, "{key} is in a younger scope");
        assert!(instance.has_scope(element.scope), "the scope of {key} is gone");
        let waits = instance.waits().any(|(_, wait)| wait.owner == key);
        let holds = instance.elements().any(|(_, inner)| inner.scope == key)
            || instance.tokens().any(|token| token.scope == key);
        let stopped = instance.incident_of(key).is_some();
        assert!(waits || holds || stopped, "{} neither waits nor holds anything", element.element);
    }
    for (key, wait) in instance.waits() {
        assert!(instance.has_scope(wait.owner), "the owner of wait {key} is gone");
        assert!(definition.process().find(&wait.element).is_some());
    }
    for reset in instance.resets() {
        assert!(instance.has_scope(reset.scope), "a reset is awaited in a scope that is gone");
    }
    for (key, incident) in instance.incidents() {
        assert!(instance.has_scope(incident.owner), "incident {key} has no owner");
    }
    for one in instance.completed().iter() {
        let is_held =
            instance.has_scope(one.scope) || instance.completed().get(one.scope).is_some();
        assert!(is_held, "the completed activity {} lies in a scope that is gone", one.key);
    }
    for (key, element) in instance.elements() {
        let Some(thrown) = element.compensates else { continue };
        assert!(instance.wait(thrown).is_some(), "nothing waits for the handler {key}");
    }
    for token in instance.tokens() {
        assert!(instance.has_scope(token.scope), "a token lies in a scope that is gone");
    }
    let empty = instance.elements().next().is_none() && instance.tokens().next().is_none();
    match instance.state {
        InstanceState::Active => assert!(!empty, "every token is gone, and it is not over"),
        _ => {
            assert!(empty && instance.waits().next().is_none());
            assert!(instance.incidents().next().is_none() && instance.resets().next().is_none());
            assert!(instance.completed().is_empty());
        }
    }
    assert!(instance.elements().all(|(key, _)| key != Key::PROCESS));
}
