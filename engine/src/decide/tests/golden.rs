//! Journals of earlier releases: they must be read, and give the same state, for ever. A new
//! release adds a file; an old file is never changed.

use serde_json::json;

use super::*;
use crate::modification::{Instruction, Which};
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
    let authority = Authority::default();
    let mut instance = Instance::new("ins_1");
    let mut journal: Vec<Event> = Vec::new();
    let mut paused = None;
    let variables = json!({ "amount": 21, "id": "A", "pages": ["p1", "p2"] });
    let mut tell = |minute: i64, actor: &str, command: &dyn Fn(&Instance) -> Command| {
        let actor = person(actor);
        let now = Timestamp::from_millis(minute * 60_000);
        let env = Env { now, actor: &actor, authority: &authority };
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

const MODIFIED: &str = "
    start s
    parallel fork
    user a
    user b
    parallel sync
    sub part
    each part items as item
    on part late timer PT1H
    in part start ps
    in part user one
    in part end pe
    ps -> one -> pe
    end e
    s -> fork
    fork -> a -> sync
    fork -> b -> sync
    sync -> part -> e
    late -> e";

/// Modification: tokens at joins, missing scopes, repetitions that end, an instance left empty.
fn modified() -> Vec<Vec<Event>> {
    let definition = definition(MODIFIED);
    let (actor, authority) = (person("anna"), Authority::default());
    let env = Env { now: Timestamp::from_millis(0), actor: &actor, authority: &authority };
    let mut instance = Instance::new("ins_2");
    let every = |element: &str| Which::Every(element.into());
    let relocate = |element: &str, to: &str| Instruction::Move {
        which: every(element),
        to: to.into(),
        within: None,
        variables: VariableMap::one("why", json!("moved")),
    };
    let modify = |instructions: Vec<Instruction>| Command::Modify {
        instructions,
        reason: Some("stuck".to_owned()),
    };
    let join = Instruction::activate("sync", VariableMap::new());
    let end = |element: &str| Instruction::Terminate { which: every(element) };
    let mut journal = Vec::new();
    for command in [
        start_with(json!({ "items": [1, 2] })),
        modify(vec![end("a"), join.clone()]),
        modify(vec![end("sync"), join]),
        modify(vec![relocate("b", "part")]),
        modify(vec![Instruction::Terminate { which: Which::One(Key(13)) }]),
        modify(vec![end("sync"), end("part")]),
    ] {
        let decided = advance(&definition, &instance, command, &env).unwrap();
        instance = decided.instance;
        journal.push(decided.events);
    }
    assert_eq!(instance.state, InstanceState::Cancelled);
    journal
}

#[test]
fn the_journal_of_modifications() {
    let lines: String = modified()
        .iter()
        .flatten()
        .map(|event| serde_json::to_string(event).unwrap() + "\n")
        .collect();
    assert_eq!(lines, include_str!("golden/modification.jsonl"));
    let stored: Vec<Event> = include_str!("golden/modification.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut count = 0;
    for events in modified() {
        count += events.len();
        let so_far = replay("ins_2", &stored[..count]);
        assert_sound(&definition(MODIFIED), &so_far);
    }
}
