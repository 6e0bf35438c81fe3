//! The journal of work that is proposed, proposed anew, confirmed and refused, as it is stored for ever.

use serde_json::{Value, json};

use super::*;

const MODEL: &str = "
    start s
    user check
    policy check named risk on complete condition attempt.risk = \"low\" otherwise second-person
    policy check named sum on complete condition attempt.sum < 100 otherwise board cara
    user sign
    policy sign named eyes on complete four-eyes check
    policy sign named never on complete condition actor.id != \"eve\"
    end e
    s -> check -> sign -> e";

/// The journal, the state with a proposal that one of two has confirmed, and how many events that are.
fn journal() -> (Vec<Event>, Instance, usize) {
    let definition = definition(MODEL);
    let authority = Authority::default();
    let mut instance = Instance::new("ins_3");
    let mut journal: Vec<Event> = Vec::new();
    let mut tell = |minute: i64, actor: &str, command: &dyn Fn(&Instance) -> Command| {
        let actor = person(actor);
        let now = Timestamp::from_millis(minute * 60_000);
        let env = Env { now, actor: &actor, authority: &authority };
        let decided = advance(&definition, &instance, command(&instance), &env).unwrap();
        instance = decided.instance;
        journal.extend(decided.events);
        (instance.clone(), journal.len())
    };
    let done = |element: &'static str, given: Value| {
        move |instance: &Instance| {
            let mut open = instance.waits().filter(|(_, wait)| &*wait.element == element);
            let variables = given.as_object().unwrap().clone().into();
            Command::CompleteWork { key: open.next().unwrap().0, variables }
        }
    };
    tell(0, "anna", &|_| start());
    tell(1, "anna", &done("check", json!({ "risk": "high", "sum": 500, "note": "a" })));
    tell(2, "anna", &done("check", json!({ "risk": "high", "sum": 500 })));
    let (half, before) = tell(3, "ben", &done("check", json!({})));
    tell(4, "cara", &done("check", json!({})));
    tell(5, "eve", &done("sign", json!({})));
    tell(6, "ben", &done("sign", json!({ "signed": true })));
    let (ended, _) = tell(7, "mia", &done("sign", json!({})));
    assert_eq!(ended.state, InstanceState::Completed);
    (journal, half, before)
}

#[test]
fn the_journal_of_proposals() {
    let lines = include_str!("golden/journal-proposals.jsonl");
    golden::check(journal(), lines, include_str!("golden/state-proposals.json"));
}
