mod models;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::command::{Activation, ChildOutcome, StartedBy};
use crate::model::ElementId;
use crate::modification::{Instruction, Which};
use crate::scope::VariableMap;
use crate::wait::WaitKind;
use models::MODELS;

#[derive(Clone, Copy, Debug)]
struct Move {
    pick: usize,
    action: u8,
    value: u8,
}

/// A command for what is open, mostly.
fn command(definition: &Definition, instance: &Instance, step: Move) -> Command {
    let keys: Vec<Key> = instance.waits().map(|(key, _)| key).collect();
    let elements: Vec<Key> = instance.elements().map(|(key, _)| key).collect();
    let incidents: Vec<Key> = instance.incidents().map(|(key, _)| key).collect();
    let any = |keys: &[Key]| keys.get(step.pick % keys.len().max(1)).copied().unwrap_or(Key(7));
    let key = any(&keys);
    let variables: VariableMap = [
        ("n".to_owned(), json!(step.value % 3)),
        ("again".to_owned(), json!(step.value.is_multiple_of(2))),
        ("r".to_owned(), json!(step.value)),
    ]
    .into_iter()
    .collect();
    match step.action {
        0..=8 => match instance.wait(key).map(|wait| wait.kind.clone()) {
            Some(WaitKind::Human { .. } | WaitKind::Job { .. } | WaitKind::Agent { .. }) => {
                match performed(definition, instance, key, step) {
                    Some(activate) => Command::Perform { key, activate, variables },
                    None => Command::CompleteWork { key, variables },
                }
            }
            Some(WaitKind::Timer { .. }) => Command::FireTimer { key },
            Some(WaitKind::Message { .. }) => {
                Command::CorrelateMessage { key, variables, message_id: None }
            }
            Some(WaitKind::Signal { name }) => Command::BroadcastSignal { name, variables },
            Some(WaitKind::Child { .. }) => {
                Command::ChildEnded { key, outcome: ChildOutcome::Completed { variables } }
            }
            Some(WaitKind::Activation { .. }) => {
                let inside: &[&str] = match &*instance.wait(key).unwrap().element {
                    "checks" => &["a", "b", "note", "c"],
                    "turns" => &["d", "f", "g"],
                    _ => &["h", "i"],
                };
                let elements = vec![inside[step.pick % inside.len()].into()];
                Command::SelectActivities { key, elements, variables }
            }
            Some(
                WaitKind::Condition { .. }
                | WaitKind::Compensation { .. }
                | WaitKind::Arrived { .. },
            ) => Command::SetVariables { scope: Key::PROCESS, variables },
            None => {
                let starts: Vec<ElementId> = definition
                    .process()
                    .starts()
                    .map(|(_, node)| ElementId::clone(&node.id))
                    .collect();
                let at = starts.get(step.pick % starts.len()).cloned();
                let variables = json!({ "n": 1, "again": false, "r": 0, "items": ["b", "a"] });
                let variables = variables.as_object().unwrap().clone().into();
                Command::Start {
                    variables,
                    business_key: None,
                    at,
                    by: StartedBy::Command,
                    caller: None,
                }
            }
        },
        10 => Command::ThrowError { key, code: "E".to_owned(), message: None, variables },
        11 => Command::Escalate { key, code: "L".to_owned(), variables },
        12 => Command::FailWork {
            key,
            message: "no".to_owned(),
            retries: u32::from(step.value % 2),
            back_off: None,
        },
        13 => Command::ResolveIncident { key: any(&incidents), variables },
        14 => Command::ResolveIncidents { keys: incidents, variables },
        15 => Command::SetVariables { scope: any(&elements), variables },
        9 | 16 | 17 => {
            let count = 1 + step.pick % 3;
            let instructions =
                (0..count).map(|nth| instruction(definition, instance, step, nth)).collect();
            Command::Modify { instructions, reason: None }
        }
        18 if step.value.is_multiple_of(2) => Command::Pause,
        18 => Command::Resume,
        19 => {
            let code = "E".to_owned();
            let outcome = ChildOutcome::Failed { code, message: None, variables };
            Command::ChildEnded { key, outcome }
        }
        20 => Command::ChildEnded { key, outcome: ChildOutcome::Missing },
        21 => Command::ToolCall { key, tool: "pay".to_owned(), arguments: json!({ "sum": 1 }) },
        _ => Command::Cancel { reason: None },
    }
}

/// What whoever has the work `key` lets begin, if that is to perform an ad-hoc sub-process.
fn performed(
    definition: &Definition,
    instance: &Instance,
    key: Key,
    step: Move,
) -> Option<Vec<Activation>> {
    let process = definition.process();
    let (place, node) = instance.place(process, instance.wait(key)?.owner)?;
    node.ad_hoc().filter(|_| !step.value.is_multiple_of(3))?;
    let inside: Vec<_> = process.unled(place).map(|(_, node)| ElementId::clone(&node.id)).collect();
    let nth = |nth: usize| Activation {
        element: inside[(step.pick + nth) % inside.len()].clone(),
        variables: VariableMap::one("toolCall", json!(nth)),
    };
    Some((0..1 + step.pick % 3).map(nth).collect())
}

/// A change of anything to anything, which may make no sense.
fn instruction(
    definition: &Definition,
    instance: &Instance,
    step: Move,
    nth: usize,
) -> Instruction {
    let seed = step.pick * 31 + usize::from(step.value) * 7 + nth * 101;
    let nodes: Vec<ElementId> =
        definition.process().nodes().map(|(_, node)| ElementId::clone(&node.id)).collect();
    let running: Vec<Key> = instance.elements().map(|(key, _)| key).collect();
    let element = |at: usize| ElementId::clone(&nodes[at % nodes.len()]);
    let key = |at: usize| running.get(at % running.len().max(1)).copied().unwrap_or(Key::PROCESS);
    let variables = match seed % 3 {
        0 => VariableMap::one("n", json!(step.value)),
        _ => VariableMap::new(),
    };
    let which = match seed % 4 {
        0 => Which::Every(element(seed / 4)),
        _ => Which::One(key(seed / 4)),
    };
    let within = seed.is_multiple_of(5).then(|| key(seed / 5));
    match (seed / 3) % 6 {
        0 | 1 => Instruction::Activate { element: element(seed / 7), within, variables },
        2 => Instruction::Terminate { which },
        3 => Instruction::SetVariables { scope: key(seed), variables },
        _ => Instruction::Move { which, to: element(seed / 7), within, variables },
    }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let step = (0_usize..20, 0_u8..23, any::<u8>());
    // A cancel ends it all, so it is rare.
    let step = step.prop_map(|(pick, action, value)| {
        let action = if action == 22 && value > 20 { 0 } else { action };
        Move { pick, action, value }
    });
    prop::collection::vec(step, 1..60)
}

fn drive(notation: &str, moves: &[Move]) {
    let definition = definition(notation);
    let authority = Authority::default();
    let (anna, eve) = (person("anna"), person("eve"));
    let mut instance = Instance::new("i");
    let mut journal = Vec::new();
    let mut now = Timestamp::from_millis(0);
    let first = Move { pick: moves.len(), action: 0, value: 0 };
    for step in std::iter::once(&first).chain(moves) {
        now = now.plus_millis(i64::from(step.value) * 60_000);
        let actor = if step.value % 7 == 0 { &eve } else { &anna };
        let env = Env { now, actor, authority: &authority };
        let command = command(&definition, &instance, *step);
        let Ok(decided) = advance(&definition, &instance, command.clone(), &env) else { continue };
        assert_eq!(decide(&definition, &instance, command, &env).as_ref(), Ok(&decided.events));
        if crate::event::refusal(&decided.events).is_some() {
            assert_eq!((decided.events.len(), &decided.instance), (1, &instance));
        }
        // What is stored is what comes back.
        let stored = serde_json::to_string(&decided.events).unwrap();
        let events: Vec<Event> = serde_json::from_str(&stored).unwrap();
        assert_eq!(events, decided.events);
        for event in &events {
            crate::apply::apply(&mut instance, event);
        }
        assert_eq!(instance, decided.instance);
        let stored = serde_json::to_string(&instance).unwrap();
        instance = serde_json::from_str(&stored).unwrap();
        assert_eq!(instance, decided.instance);
        if instance.state != InstanceState::Created {
            assert_sound(&definition, &instance);
        }
        journal.extend(events);
    }
    assert_eq!(replay("i", &journal), instance);
}

proptest! {
    // 256 cases; a night sets PROPTEST_CASES.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn replay_gives_the_state_and_no_token_is_lost(
        model in 0_usize..MODELS.len(),
        moves in moves(),
    ) {
        drive(MODELS[model], &moves);
    }
}
