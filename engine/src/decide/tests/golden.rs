//! Journals of earlier releases: they must be read, and give the same state, for ever. A new
//! release adds a file; an old file is never changed.

use serde_json::json;

use super::*;
use crate::scope::VariableMap;

const MODEL: &str = "
    start s
    script calc total = amount * 2
    job extract
    each extract pages as page into texts from text
    user approve
    on approve ~remind timer R3/PT1H
    on approve gone message gone key id
    policy approve on complete four-eyes extract
    policy approve on complete condition actor.id != \"eve\"
    input approve sum = total
    exclusive x
    end e
    end r
    s -> calc -> extract -> approve -> x
    x -> e if approved
    x -> calc default
    remind -> r
    gone -> r";

/// The journal, the state after some of its events, and how many that are.
fn journal() -> (Vec<Event>, Instance, usize) {
    let definition = definition(MODEL);
    let mandates = Mandates::default();
    let mut instance = Instance::new("ins_1");
    let mut journal: Vec<Event> = Vec::new();
    let mut paused = None;
    let variables = json!({ "amount": 21, "id": "A", "pages": ["p1", "p2"] });
    let mut tell = |minute: i64, actor: &str, command: &dyn Fn(&Instance) -> Command| {
        let actor = person(actor);
        let now = Timestamp::from_millis(minute * 60_000);
        let env = Env { now, actor: &actor, mandates: &mandates };
        let decided = advance(&definition, &instance, command(&instance), &env).unwrap();
        instance = decided.instance;
        journal.extend(decided.events);
        if instance.paused {
            paused = Some((instance.clone(), journal.len()));
        }
    };
    let first = |instance: &Instance, element: &str| {
        instance.waits().find(|(_, wait)| &*wait.element == element).unwrap().0
    };
    let result = |name: &str, value: serde_json::Value| VariableMap::one(name, value);
    tell(0, "anna", &|_| start_with(variables.clone()));
    tell(1, "worker", &|i| Command::CompleteWork {
        key: first(i, "extract"),
        variables: result("text", json!("one")),
    });
    tell(2, "worker", &|i| Command::FailWork {
        key: first(i, "extract"),
        message: "503".to_owned(),
        retries: 0,
        back_off: None,
    });
    tell(3, "anna", &|i| Command::ResolveIncident {
        key: i.incidents().next().unwrap().0,
        variables: VariableMap::new(),
    });
    tell(4, "worker", &|i| Command::CompleteWork {
        key: first(i, "extract"),
        variables: result("text", json!("two")),
    });
    tell(5, "eve", &|i| Command::CompleteWork {
        key: first(i, "approve"),
        variables: VariableMap::new(),
    });
    tell(70, "timers", &|i| Command::FireTimer { key: first(i, "remind") });
    tell(71, "anna", &|_| Command::Pause);
    tell(72, "anna", &|_| Command::Resume);
    tell(73, "anna", &|i| Command::CompleteWork {
        key: first(i, "approve"),
        variables: result("approved", json!(true)),
    });
    assert_eq!(instance.state, InstanceState::Completed);
    let (paused, events) = paused.unwrap();
    (journal, paused, events)
}

/// Compares `journal`, made now, with the one that is stored: its `lines` and the `state` on the way.
pub(super) fn check(journal: (Vec<Event>, Instance, usize), lines: &str, state: &str) {
    let (events, instance, before) = journal;
    let made: String =
        events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    assert_eq!(made, lines);
    assert_eq!(serde_json::to_string_pretty(&instance).unwrap() + "\n", state);
    let stored: Vec<Event> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(replay(&instance.id, &stored[..before]), instance);
    assert_eq!(replay(&instance.id, &stored).state, InstanceState::Completed);
    assert_eq!(serde_json::from_str::<Instance>(state).unwrap(), instance);
}

#[test]
fn the_first_journal() {
    let (lines, state) =
        (include_str!("golden/journal-1.jsonl"), include_str!("golden/state-1.json"));
    check(journal(), lines, state);
}
