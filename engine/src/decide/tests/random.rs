use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::command::ChildOutcome;
use crate::modification::{Instruction, Which};
use crate::scope::VariableMap;
use crate::wait::WaitKind;

const MODELS: &[&str] = &[
    "
    start s
    script calc total = n * 2
    user approve
    on approve ~remind timer R3/PT1H
    on approve late timer PT5H
    policy approve on complete condition actor.id != \"eve\"
    exclusive x
    end e
    end r
    s -> calc -> approve -> x
    x -> calc if again
    x -> e default
    remind -> r
    late -> r",
    "
    start s
    inclusive split
    user a
    job b
    on b failed error *
    receive c note
    inclusive join
    parallel fork
    user d
    user f
    parallel sync
    end e
    s -> split
    split -> a if n > 0
    split -> b if n > 1
    split -> c default
    a -> join
    b -> join
    c -> join
    failed -> join
    join -> fork
    fork -> d -> sync -> e
    fork -> f -> sync",
    "
    start s
    sub inner
    each inner items as item into out from r
    on inner stop signal stop
    on inner ~up escalation *
    in inner start is
    in inner events g
    in inner catch t timer PT2H
    in inner catch m message note
    in inner job work
    in inner end ie
    is -> g -> t -> work -> ie
    g -> m -> work
    call child other
    on child lost error *
    end e
    end stopped
    end heard
    s -> inner -> child -> e
    stop -> stopped
    up -> heard
    lost -> stopped
    handler watch
    in watch ~start ws message note
    in watch user look
    ws -> look
    handler halt
    in halt start hs error *
    in halt user clean
    hs -> clean",
    "
    start s
    user many
    each many items as item into out from answer until numberOfCompletedInstances >= 2 sequential
    sub scope
    in scope start ss
    in scope parallel f
    in scope user p
    in scope end quit terminate
    in scope job q
    ss -> f -> p -> quit
    f -> q
    end e error BOOM
    s -> many -> scope -> e",
    "
    start s
    catch again link again
    user work
    exclusive x
    throw back link again
    sub inner
    in inner start is
    in inner throw go link again
    in inner catch come link again
    in inner job last
    on inner stop signal stop
    end e
    end stopped
    is -> go
    come -> last
    s -> work
    again -> work -> x
    x -> back if again
    x -> inner default
    inner -> e
    stop -> stopped",
    "
    start s
    sub inner
    each inner items as item
    on inner ~low when n < 1
    output low n = 2
    on inner high when again
    in inner start is
    in inner events g
    in inner catch one when n = 1
    in inner catch late timer PT1H
    in inner user work
    in inner end ie
    is -> g -> one -> work -> ie
    g -> late -> work
    catch odd when r
    end e
    s -> inner -> odd -> e
    low -> e
    high -> e
    handler watch
    in watch ~start two when n = 2
    in watch user look
    two -> look
    handler halt
    in halt start three when r > 200
    in halt job clean
    three -> clean",
    "
    start s
    inclusive split
    user a
    on a ~nudge timer PT1H
    job b
    on b failed error *
    user c
    complex join activationCount >= n
    exclusive more
    user late
    user last
    end e
    s -> split
    split -> a if n > 0
    split -> b if n > 1
    split -> c default
    nudge -> join
    failed -> join
    a -> join
    b -> join
    c -> join
    join -> more if waitingForStart
    join -> late if r > 100
    late -> e
    more -> split if again
    more -> last default
    last -> e",
    "
    start s
    user work
    loop work while again max 4
    on work late timer PT3H
    sub inner
    loop inner before while loopCounter < n
    in inner start is
    in inner script calc r = loopCounter
    loop calc max 3
    in inner job step
    is -> calc -> step
    end e
    s -> work -> inner -> e
    late -> e",
    "
    start s
    adhoc checks begin items until again into out from r keeping
    on checks stop signal stop
    in checks user a
    each a [1, 2] as item
    in checks job b
    in checks parallel sync
    in checks user c
    in checks catch note message note
    in checks handler watch
    in watch ~start ws message note
    in watch user look
    ws -> look
    a -> sync
    b -> sync
    sync -> c
    note -> c
    adhoc turns begin [\"d\"] until r > 200 sequential
    in turns user d
    in turns user f
    in turns sub g
    in g start gs
    in g job gj
    gs -> gj
    d -> f
    d -> g
    adhoc free sequential
    loop free while again
    in free user h
    in free user i
    h -> i
    end e
    s -> checks -> turns -> free -> e
    stop -> turns",
];

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
                Command::CompleteWork { key, variables }
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
            Some(WaitKind::Condition { .. }) => {
                Command::SetVariables { scope: Key::PROCESS, variables }
            }
            None => start_with(json!({ "n": 1, "again": false, "r": 0, "items": ["b", "a"] })),
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
    let mandates = Mandates::default();
    let (anna, eve) = (person("anna"), person("eve"));
    let mut instance = Instance::new("i");
    let mut journal = Vec::new();
    let mut now = Timestamp::from_millis(0);
    let first = Move { pick: 0, action: 0, value: 0 };
    for step in std::iter::once(&first).chain(moves) {
        now = now.plus_millis(i64::from(step.value) * 60_000);
        let actor = if step.value % 7 == 0 { &eve } else { &anna };
        let env = Env { now, actor, mandates: &mandates };
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
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn replay_gives_the_state_and_no_token_is_lost(
        model in 0_usize..MODELS.len(),
        moves in moves(),
    ) {
        drive(MODELS[model], &moves);
    }
}
