use serde_json::{Value, json};

use super::*;
use crate::command::{ChildOutcome, StartedBy};
use crate::modification::Instruction;
use crate::scope::VariableMap;

const MODEL: &str = "
    start s
    user approve
    on approve late timer PT1H
    undo approve user disapprove
    sub inner
    in inner start is
    in inner agent think
    is -> think
    end e
    s -> approve -> e
    s -> inner -> e
    late -> e";

fn started() -> (Definition, Instance) {
    let definition = definition(MODEL);
    let instance = told(&definition, &Instance::new("i"), start()).unwrap();
    (definition, instance)
}

pub(super) fn told(
    definition: &Definition,
    instance: &Instance,
    command: Command,
) -> Result<Instance, Rejected> {
    let (actor, authority) = (person("anna"), Authority::default());
    let env = Env { now: Timestamp::from_millis(0), actor: &actor, authority: &authority };
    advance(definition, instance, command, &env).map(|decided| decided.instance)
}

/// Every command that names something by `key`.
fn by_key(key: Key) -> Vec<Command> {
    let none = VariableMap::new;
    vec![
        Command::CompleteWork { key, variables: none() },
        Command::ThrowError { key, code: String::new(), message: None, variables: none() },
        Command::Escalate { key, code: String::new(), variables: none() },
        Command::FailWork { key, message: String::new(), retries: 0, back_off: None },
        Command::ResolveIncident { key, variables: none() },
        Command::ResolveIncidents { keys: vec![key], variables: none() },
        Command::FireTimer { key },
        Command::CorrelateMessage { key, variables: none(), message_id: None },
        Command::ChildEnded { key, outcome: ChildOutcome::Cancelled },
        Command::SetVariables { scope: key, variables: none() },
        Command::SelectActivities { key, elements: vec!["approve".into()], variables: none() },
        Command::ToolCall { key, tool: String::new(), arguments: Value::Null },
    ]
}

#[test]
fn what_is_not_there_is_rejected() {
    let (definition, instance) = started();
    for command in by_key(Key(999)) {
        let rejected = told(&definition, &instance, command.clone()).unwrap_err();
        assert!(matches!(rejected, Rejected::NotWaiting { .. }), "{command:?}: {rejected}");
    }
}

#[test]
fn an_instance_that_is_not_running_takes_nothing() {
    let (definition, instance) = started();
    let ended = told(&definition, &instance, Command::Cancel { reason: None }).unwrap();
    let modify = Command::Modify { instructions: Vec::new(), reason: None };
    let others = [Command::Pause, Command::Resume, Command::Cancel { reason: None }, modify];
    for command in by_key(Key(1)).into_iter().chain(others) {
        for (instance, state) in
            [(&ended, InstanceState::Cancelled), (&Instance::new("new"), InstanceState::Created)]
        {
            let rejected = told(&definition, instance, command.clone()).unwrap_err();
            assert_eq!(rejected, Rejected::WrongState { state }, "{command:?}");
        }
    }
    let rejected = told(&definition, &instance, start()).unwrap_err();
    assert_eq!(rejected, Rejected::WrongState { state: InstanceState::Active });
}

#[test]
fn a_paused_instance_waits_for_resume() {
    let (definition, instance) = started();
    let paused = told(&definition, &instance, Command::Pause).unwrap();
    assert!(paused.paused);
    let (key, _) = paused.waits().next().unwrap();
    let work = Command::CompleteWork { key, variables: VariableMap::new() };
    assert_eq!(told(&definition, &paused, work.clone()), Err(Rejected::Paused));
    assert_eq!(told(&definition, &instance, Command::Resume), Err(Rejected::NotPaused));
    let resumed = told(&definition, &paused, Command::Resume).unwrap();
    assert!(told(&definition, &resumed, work).is_ok());
}

#[test]
fn an_ad_hoc_sub_process_takes_what_is_enabled() {
    let definition = definition(
        "
        start s
        adhoc some
        in some user a
        in some user b
        a -> b
        end e
        s -> some -> e",
    );
    let instance = told(&definition, &Instance::new("i"), start()).unwrap();
    let (key, _) = instance.waits().next().unwrap();
    let select = |key, elements: &[&str]| Command::SelectActivities {
        key,
        elements: elements.iter().map(|&id| id.into()).collect(),
        variables: VariableMap::new(),
    };
    for elements in [&[][..], &["b"], &["a", "b"], &["s"], &["some"], &["nobody"]] {
        let rejected = told(&definition, &instance, select(key, elements)).unwrap_err();
        assert!(matches!(rejected, Rejected::NotSelectable(_)), "{elements:?}: {rejected}");
        assert_eq!(flowmaster_kernel::Error::from(rejected).code(), "not_selectable");
    }
    let rejected = told(&definition, &instance, select(key, &["a"; 101])).unwrap_err();
    assert!(matches!(rejected, Rejected::TooLarge { limit: 100, .. }), "{rejected}");
    let running = told(&definition, &instance, select(key, &["a"; 100])).unwrap();
    assert_eq!(running.elements().count(), 101);
    let (work, _) = running.waits().nth(1).unwrap();
    let rejected = told(&definition, &running, select(work, &["a"])).unwrap_err();
    assert!(matches!(rejected, Rejected::NotWaiting { .. }), "{rejected}");
}

#[test]
fn timers_do_not_fire_early() {
    let (definition, instance) = started();
    let (key, _) = instance.waits().find(|(_, wait)| &*wait.element == "late").unwrap();
    let rejected = told(&definition, &instance, Command::FireTimer { key }).unwrap_err();
    assert_eq!(rejected, Rejected::NotDue { due_at: Timestamp::from_millis(3_600_000) });
}

#[test]
fn data_over_the_limits_is_rejected() {
    let (definition, _) = started();
    let deep = (0..100).fold(Value::Null, |inner, _| json!([inner]));
    let long = Value::String("x".repeat(5 * 1024 * 1024));
    for value in [deep, long] {
        let command = start_with(json!({ "value": value }));
        let rejected = told(&definition, &Instance::new("i"), command).unwrap_err();
        assert!(matches!(rejected, Rejected::TooLarge { .. }), "{rejected}");
        assert_eq!(flowmaster_kernel::Error::from(rejected).code(), "variables_too_large");
    }
}

#[test]
fn start_events_are_chosen() {
    let with = |at: &str| Command::Start {
        variables: VariableMap::new(),
        business_key: None,
        at: Some(at.into()),
        by: StartedBy::Command,
        caller: None,
    };
    let two = definition("start a message x\nstart b signal y\nend e\na -> e\nb -> e");
    let new = Instance::new("i");
    assert!(matches!(told(&two, &new, start()), Err(Rejected::NoStartEvent(_))));
    assert!(matches!(told(&two, &new, with("e")), Err(Rejected::NoStartEvent(_))));
    assert_eq!(told(&two, &new, with("b")).unwrap().state, InstanceState::Completed);
}

#[test]
fn a_tool_call_leaves_a_record_and_nothing_else() {
    let guarded = MODEL.to_owned()
        + "\npolicy think on tool_call condition attempt.tool != \"pay\" or attempt.arguments.sum < 100";
    let definition = definition(&guarded);
    let instance = told(&definition, &Instance::new("i"), start()).unwrap();
    let (key, _) = instance.waits().find(|(_, wait)| &*wait.element == "think").unwrap();
    let (actor, authority) = (person("anna"), Authority::default());
    let env = Env { now: Timestamp::from_millis(0), actor: &actor, authority: &authority };
    for (tool, sum, allowed) in [("pay", 99, true), ("pay", 100, false), ("read", 100, true)] {
        let arguments = json!({ "sum": sum });
        let command = Command::ToolCall { key, tool: tool.to_owned(), arguments };
        let decided = advance(&definition, &instance, command, &env).unwrap();
        assert_eq!(decided.instance, instance);
        assert_eq!(decided.events.len(), 1);
        let refusal = crate::event::refusal(&decided.events);
        assert_eq!(refusal.is_none(), allowed, "{tool} {sum}");
        assert!(refusal.is_none_or(|refusal| refusal.tool.as_deref() == Some(tool)));
    }
}

#[test]
fn nothing_begins_in_what_is_undone() {
    let definition = definition(
        "
        start s
        sub inner
        in inner start is
        in inner user work
        undo work user unwork
        is -> work
        end e undo
        s -> inner -> e",
    );
    let waiting = |instance: &Instance| instance.waits().last().unwrap().0;
    let working = told(&definition, &Instance::new("i"), start()).unwrap();
    let done = Command::CompleteWork { key: waiting(&working), variables: VariableMap::new() };
    let undoing = told(&definition, &working, done).unwrap();
    let handler = undoing.wait(waiting(&undoing)).unwrap().owner;
    let undone = undoing.element(handler).unwrap().scope;
    let activate = |within| Command::Modify {
        instructions: vec![Instruction::Activate {
            element: "work".into(),
            within,
            variables: VariableMap::new(),
        }],
        reason: None,
    };
    let rejected = told(&definition, &undoing, activate(Some(undone))).unwrap_err();
    assert!(format!("{rejected:?}").contains("scope_is_undone"), "{rejected:?}");
    let again = told(&definition, &undoing, activate(None)).unwrap();
    let begun = again.wait(waiting(&again)).unwrap().owner;
    assert_ne!(again.element(begun).unwrap().scope, undone);
}
