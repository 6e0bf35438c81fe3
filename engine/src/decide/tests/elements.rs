//! Journals of the elements that came later, as golden as the first one: a new element adds a row
//! and its two files, and an old file is never changed.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::command::StartedBy;
use crate::instance::Caller;
use crate::scope::VariableMap;
use crate::wait::WaitKind;

/// What happens to the instance from outside.
enum Move {
    Complete(&'static str, Value),
    Error(&'static str),
    Set(Value),
    Receive(&'static str, Value),
    Signal(&'static str),
}
use Move::{Complete, Error, Receive, Set, Signal};

fn moved(instance: &Instance, step: &Move) -> Command {
    let waits = |element: &str| {
        let mut all = instance.waits();
        all.find(|(_, wait)| &*wait.element == element).unwrap().0
    };
    let subscribed = |element: &str| {
        let mut all = instance.waits().filter(|(_, wait)| &*wait.element == element);
        all.find(|(_, wait)| matches!(wait.kind, WaitKind::Message { .. })).unwrap().0
    };
    let map = |variables: &Value| variables.as_object().unwrap().clone().into();
    match step {
        Complete(element, results) => {
            Command::CompleteWork { key: waits(element), variables: map(results) }
        }
        Error(element) => Command::ThrowError {
            key: waits(element),
            code: "E".to_owned(),
            message: None,
            variables: map(&json!({})),
        },
        Receive(element, variables) => Command::CorrelateMessage {
            key: subscribed(element),
            variables: map(variables),
            message_id: Some("m-1".to_owned()),
        },
        Signal(name) => {
            Command::BroadcastSignal { name: (*name).to_owned(), variables: map(&json!({})) }
        }
        Set(variables) => Command::SetVariables { scope: Key::PROCESS, variables: map(variables) },
    }
}

/// The journal in `golden/NAME.jsonl` and, before the last move, the state in `golden/NAME.json`.
fn check(name: &str, notation: &str, start: &Command, moves: &[Move]) {
    let definition = definition(notation);
    let (actor, authority) = (person("anna"), Authority::default());
    let mut instance = Instance::new("ins_1");
    let mut journal: Vec<Event> = Vec::new();
    let mut before = None;
    let mut tell = |minute: i64, command: &dyn Fn(&Instance) -> Command| {
        before = Some((instance.clone(), journal.len()));
        let now = Timestamp::from_millis(minute * 60_000);
        let env = Env { now, actor: &actor, authority: &authority };
        let decided = advance(&definition, &instance, command(&instance), &env).unwrap();
        instance = decided.instance;
        journal.extend(decided.events);
    };
    tell(0, &|_| start.clone());
    for (step, minute) in moves.iter().zip(1..) {
        tell(minute * 60, &|instance| moved(instance, step));
    }
    assert_eq!(instance.state, InstanceState::Completed, "{name}");
    let (before, seen) = before.unwrap();
    let lines: String =
        journal.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    let state = serde_json::to_string_pretty(&before).unwrap() + "\n";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/decide/tests/golden");
    let stored = |ending: &str| {
        let path = folder.join(format!("{name}.{ending}"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    assert_eq!(lines, stored("jsonl"), "{name}");
    assert_eq!(state, stored("json"), "{name}");
    let events: Vec<Event> =
        stored("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(replay("ins_1", &events[..seen]), before, "{name}");
    assert_eq!(replay("ins_1", &events), instance, "{name}");
    assert_eq!(serde_json::from_str::<Instance>(&state).unwrap(), before, "{name}");
}

#[test]
fn journals_of_later_elements() {
    check(
        "link",
        "
        start s
        user work
        throw go link far
        catch come link far
        user last
        end e
        s -> work -> go
        come -> last -> e",
        &start(),
        &[Complete("work", json!({})), Complete("last", json!({}))],
    );
    check(
        "send",
        "
        start s
        send ask request key id
        user work
        end e
        s -> ask -> work -> e",
        &start_with(json!({ "id": 7 })),
        &[Complete("work", json!({}))],
    );
    check(
        "condition",
        "
        start s
        user work
        on work ~warm when n > 1
        catch hot when n > 2
        end w
        end e
        s -> work -> hot -> e
        warm -> w",
        &start_with(json!({ "n": 1 })),
        &[
            Set(json!({ "n": 2 })),
            Set(json!({ "n": 0 })),
            Complete("work", json!({})),
            Set(json!({ "n": 3 })),
        ],
    );
    check(
        "compensation",
        "
        start s
        sub trip
        each trip items as item sequential
        in trip start ts
        in trip job flight
        undo flight user refund
        ts -> flight
        job hotel
        undo hotel job free
        throw back undo hotel &
        sub deep
        input deep n = 1
        in deep start ds
        in deep handler again
        in again start as undo
        in again user look
        in deep pass rest
        ds -> rest
        as -> look
        end e undo
        s -> trip -> hotel -> back -> deep -> e",
        &start_with(json!({ "items": ["a", "b"] })),
        &[
            Complete("flight", json!({})),
            Complete("flight", json!({})),
            Complete("hotel", json!({})),
            Complete("look", json!({})),
            Complete("free", json!({})),
            Complete("refund", json!({ "back": 1 })),
            Complete("refund", json!({})),
        ],
    );
    check(
        "transaction",
        "
        start s
        transaction book
        on book off cancel
        on book broken error *
        in book start bs
        in book job pay
        undo pay job refund
        in book sub seat
        in seat start ss
        in seat job hold
        undo hold job release
        in seat user confirm
        ss -> hold -> confirm
        in book end no cancel
        bs -> seat
        bs -> pay -> no
        end e
        end f
        s -> book -> e
        off -> e
        broken -> f",
        &start(),
        &[
            Complete("hold", json!({})),
            Complete("pay", json!({})),
            Complete("release", json!({})),
            Error("refund"),
        ],
    );
    check(
        "multiple",
        "
        start s
        user work
        on work ~both signal a & signal b
        throw all signal c | message paid key 1
        catch any signal a | when n > 1 | timer PT9H
        end h
        end e
        s -> work -> all -> any -> e
        both -> h",
        &start_with(json!({ "n": 1 })),
        &[
            Signal("b"),
            Signal("a"),
            Signal("b"),
            Complete("work", json!({})),
            Set(json!({ "n": 2 })),
        ],
    );
    check(
        "instantiation",
        "
        instantiate events g all
        catch order message order key id
        receive payment paid key id
        catch stock signal stock
        parallel join
        end e
        g -> order -> join
        g -> payment -> join
        g -> stock -> join
        join -> e",
        &Command::Start {
            variables: VariableMap::one("id", json!(7)),
            business_key: None,
            at: Some("payment".into()),
            by: StartedBy::Command,
            caller: None,
        },
        &[Receive("order", json!({ "item": "x" })), Signal("stock")],
    );
    check(
        "start",
        "
        start all message order key id & message paid key id & signal go
        user work
        end e
        all -> work -> e",
        &Command::Start {
            variables: VariableMap::one("id", json!(7)),
            business_key: None,
            at: Some("all".into()),
            by: StartedBy::Message("paid".to_owned()),
            caller: None,
        },
        &[Receive("all", json!({ "item": "x" })), Signal("go"), Complete("work", json!({}))],
    );
    check(
        "behavior",
        "
        start s
        user vote
        each vote 3 times
        behavior vote complex numberOfCompletedInstances = 1 => escalation FIRST; loopCounter = 2 => signal second
        on vote ~first escalation FIRST
        on vote over signal second
        completes over
        user after
        quantity after 2 1
        end e
        s -> vote -> after -> e
        first -> after",
        &start(),
        &[Complete("vote", json!({})), Complete("vote", json!({})), Complete("after", json!({}))],
    );
    check(
        "sections",
        "
        start s
        user a
        section a desk
        user b
        section b desk
        user stop
        cancels stop c join
        user c
        parallel join
        end e
        s -> a -> join
        s -> b -> e
        s -> c -> join
        s -> stop -> e
        join -> e",
        &start(),
        &[Complete("a", json!({})), Complete("stop", json!({})), Complete("b", json!({}))],
    );
    check(
        "called",
        "
        start s
        user work
        end e
        s -> work -> e",
        &Command::Start {
            variables: VariableMap::new(),
            business_key: None,
            at: None,
            by: StartedBy::Command,
            caller: Some(Caller {
                instance: "ins_0".into(),
                key: Key(9),
                starter: Some((&person("bea")).into()),
            }),
        },
        &[Complete("work", json!({}))],
    );
}
