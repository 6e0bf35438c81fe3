//! The journal of a complex gateway, a loop and an ad-hoc sub-process, as it is stored for ever.

use serde_json::json;

use super::*;
use crate::scope::VariableMap;

const MODEL: &str = "
    start s
    parallel fork
    user a
    user b
    complex first activationCount >= 1
    script count n = n + loopCounter
    loop count while loopCounter < 2 max 3
    sub inner
    in inner adhoc turns begin [\"c\", \"d\"] sequential
    in turns user c
    in turns user d
    in inner adhoc checks until done keeping
    in checks user look
    in checks job ask
    in inner start is
    is -> turns -> checks
    end e
    end late
    s -> fork -> a -> first
    fork -> b -> first
    first -> count if waitingForStart
    first -> late default
    count -> inner -> e";

/// The journal, the state after some of its events, and how many that are.
fn journal() -> (Vec<Event>, Instance, usize) {
    let definition = definition(MODEL);
    let authority = Authority::default();
    let anna = person("anna");
    let env = Env { now: Timestamp::from_millis(0), actor: &anna, authority: &authority };
    let mut instance = Instance::new("ins_2");
    let mut journal: Vec<Event> = Vec::new();
    let mut tell = |command: &dyn Fn(&Instance) -> Command| {
        let decided = advance(&definition, &instance, command(&instance), &env).unwrap();
        instance = decided.instance;
        journal.extend(decided.events);
        (instance.clone(), journal.len())
    };
    let first = |instance: &Instance, element: &str| {
        instance.waits().find(|(_, wait)| &*wait.element == element).unwrap().0
    };
    let done = |element: &'static str, is_done: bool| {
        move |instance: &Instance| Command::CompleteWork {
            key: first(instance, element),
            variables: VariableMap::one("done", json!(is_done)),
        }
    };
    tell(&|_| start_with(json!({ "n": 0 })));
    tell(&done("b", false));
    let (early, before) = tell(&done("c", false));
    tell(&done("a", false));
    tell(&done("d", false));
    tell(&|instance| Command::SelectActivities {
        key: first(instance, "checks"),
        elements: vec!["look".into(), "ask".into()],
        variables: VariableMap::one("why", json!("both")),
    });
    tell(&done("look", true));
    let (ended, _) = tell(&done("ask", true));
    assert_eq!(ended.state, InstanceState::Completed);
    (journal, early, before)
}

#[test]
fn the_journal_of_what_is_selected() {
    let lines = include_str!("golden/journal-selection.jsonl");
    golden::check(journal(), lines, include_str!("golden/state-selection.json"));
}
