//! All small processes, and all paths through each up to a length: nothing is lost or doubled, and
//! where nothing can happen any more, the process is over or says what it waits for.

use super::client::{Client, Move};
use super::game::Game;
use super::model::{Interrupts, Ix, Kind, Model, Thrown, Trigger, When};
use super::*;

/// What a process is put together from.
const ALPHABET: [Kind; 8] = [
    Kind::Work,
    Kind::Catch(Trigger::Message),
    Kind::Exclusive,
    Kind::Parallel,
    Kind::Inclusive,
    Kind::Sub,
    Kind::End(Thrown::Terminate),
    Kind::Throw(Thrown::Escalation(0)),
];
/// The most elements between start and end.
const ELEMENTS: usize = 3;
/// The most commands of a path after the start.
const LENGTH: usize = 4;
/// The values that a variable is given: which conditions hold.
const VALUES: [u16; 2] = [0x100, 0x102];

#[test]
fn every_small_process_is_sound_on_every_path() {
    let (mut models, mut reached) = (0_u32, Reached::default());
    for count in 1..=ELEMENTS {
        for kinds in 0..ALPHABET.len().pow(u32::try_from(count).unwrap()) {
            for flows in 0..1_usize << (count * (count - 1) / 2) {
                if let Some(model) = small(count, kinds, flows) {
                    models += 1;
                    walk_all(&model, &mut reached);
                }
            }
        }
    }
    println!("{models} processes, {} commands", reached.commands);
    assert!(models > 1_000 && reached.commands > 10_000, "{models} {}", reached.commands);
}

/// The process with these elements, and with those of all flows forward that the bits name; `None`
/// where an element is not reached or an end is left.
fn small(count: usize, mut kinds: usize, mut flows: usize) -> Option<Model> {
    let mut model = Model::default();
    let start = model.add(None, Kind::Start(Trigger::None, Interrupts::Yes));
    let mut all: Vec<Ix> = vec![model.add(None, Kind::Pass)];
    model.connect(start, all[0], When::Always);
    for _ in 0..count {
        all.push(element(&mut model, ALPHABET[kinds % ALPHABET.len()]));
        kinds /= ALPHABET.len();
    }
    model.connect(all[0], all[1], When::Always);
    let mut pairs = Vec::new();
    for to in 2..=count {
        for from in 1..to {
            if flows % 2 == 1 {
                pairs.push((all[from], all[to]));
            }
            flows /= 2;
        }
    }
    let is_end = |model: &Model, ix: Ix| matches!(model.nodes[ix].kind, Kind::End(_));
    let is_reached = |to: &Ix| pairs.iter().any(|(_, one)| one == to);
    if !all[2..].iter().all(is_reached) || pairs.iter().any(|(from, _)| is_end(&model, *from)) {
        return None;
    }
    for (from, to) in &pairs {
        let ways = pairs.iter().filter(|(one, _)| one == from).count();
        let nth = model.leaving(*from).count();
        let when = match model.nodes[*from].kind {
            Kind::Exclusive | Kind::Inclusive if ways > 1 && nth + 1 == ways => When::Otherwise,
            Kind::Exclusive | Kind::Inclusive if ways > 1 => When::Above(0, 1),
            _ => When::Always,
        };
        model.connect(*from, *to, when);
    }
    let open: Vec<Ix> = all[1..]
        .iter()
        .copied()
        .filter(|ix| model.leaving(*ix).next().is_none() && !is_end(&model, *ix))
        .collect();
    if !open.is_empty() {
        let end = model.add(None, Kind::End(Thrown::Nothing));
        open.into_iter().for_each(|ix| model.connect(ix, end, When::Always));
    }
    Some(model)
}

/// A sub-process has work in it, and an escalation that may interrupt it.
fn element(model: &mut Model, kind: Kind) -> Ix {
    let ix = model.add(None, kind);
    if kind == Kind::Sub {
        let around = Some(ix);
        let start = model.add(around, Kind::Start(Trigger::None, Interrupts::Yes));
        let work = model.add(around, Kind::Work);
        let throw = model.add(around, Kind::Throw(Thrown::Escalation(0)));
        let last = model.add(around, Kind::Work);
        for (from, to) in [(start, work), (work, throw), (throw, last)] {
            model.connect(from, to, When::Always);
        }
        let trigger = Trigger::Escalation(None);
        let late = Kind::Boundary { on: ix, trigger, interrupts: Interrupts::No };
        let event = model.add(None, late);
        let end = model.add(None, Kind::End(Thrown::Nothing));
        model.connect(event, end, When::Always);
    }
    ix
}

fn walk_all(model: &Model, reached: &mut Reached) {
    let definition = read(model);
    let client = Client::start(model, &definition, None);
    let outcomes = Game::start(model, client.started_with()).outcomes(model).unwrap();
    let mut open = vec![(client, outcomes, 0)];
    while let Some((client, outcomes, length)) = open.pop() {
        let game =
            compare(model, &definition, &client, outcomes).unwrap_or_else(|why| panic!("{why}"));
        reached.commands += 1;
        if game.over.is_some() || length == LENGTH {
            assert_eq!(replay("i", &client.journal), client.instance);
            continue;
        }
        for pick in 0..client.choices(definition.process()) {
            for values in VALUES {
                let mut next = client.clone();
                let step = Move::complete(pick, values);
                let told = next.step(&definition, model, &game, step).unwrap();
                let mut game = game.clone();
                game.tell(model, &told);
                let outcomes = game.outcomes(model).unwrap();
                open.push((next, outcomes, length + 1));
            }
        }
    }
}
