//! How a recipe becomes a process.

use super::model::{Enough, Interrupts, Ix, Kind, Model, Repeat, Thrown, Trigger, When, While};
use super::recipe::{Edge, Handler, More, Part, Recipe};

/// Where a token leaves what was built so far.
#[derive(Clone, Copy, Debug)]
struct Exit {
    from: Ix,
    when: When,
}

impl Recipe {
    pub(super) fn build(&self) -> Model {
        let mut model = Model::default();
        scope(&mut model, None, (Trigger::None, Interrupts::Yes), &self.parts);
        handlers(&mut model, None, &self.handlers);
        model
    }
}

fn scope(model: &mut Model, around: Option<Ix>, start: (Trigger, Interrupts), parts: &[Part]) {
    let start = model.add(around, Kind::Start(start.0, start.1));
    let is_transaction = around.is_some_and(|ix| model.nodes[ix].transaction);
    // A way straight from the start to the end would be no process.
    let kind = if is_transaction { Kind::Parallel } else { Kind::Pass };
    let first = model.add(around, kind);
    model.connect(start, first, When::Always);
    if is_transaction {
        let work = node(model, around, Kind::Work, &on(first));
        let ask = node(model, around, Kind::Exclusive, &on(work));
        let given_up = Exit { from: ask, when: When::Above(0, 0) };
        node(model, around, Kind::End(Thrown::Cancel), &[given_up]);
        let goes_on = Exit { from: ask, when: When::Otherwise };
        node(model, around, Kind::End(Thrown::Nothing), &[goes_on]);
    }
    let exits = line(model, around, parts, vec![Exit { from: first, when: When::Always }]);
    if !exits.is_empty() {
        node(model, around, Kind::End(Thrown::Nothing), &exits);
    }
}

fn handlers(model: &mut Model, around: Option<Ix>, handlers: &[Handler]) {
    for handler in handlers {
        let is_sub =
            around.is_some_and(|ix| matches!(model.nodes[ix].kind, Kind::Sub | Kind::AdHoc(_)));
        let undoes = is_sub && around.is_none_or(|ix| model.undone_by(ix).is_none());
        let trigger = match handler.trigger {
            12.. if undoes => Trigger::Undo,
            other => trigger(other, handler.interrupts),
        };
        let others: Vec<Ix> = model.handler_starts(around).collect();
        if is_caught(model, &others, trigger) {
            continue;
        }
        let ix = model.add(around, Kind::Handler);
        let interrupts = interrupts(trigger, handler.interrupts);
        scope(model, Some(ix), (trigger, interrupts), &handler.inside);
    }
}

/// Whether one of `others` catches the same.
fn is_caught(model: &Model, others: &[Ix], trigger: Trigger) -> bool {
    !trigger.is_awaited() && others.iter().any(|other| model.trigger(*other).0 == trigger)
}

fn trigger(number: u8, interrupts: bool) -> Trigger {
    match number {
        0 | 1 if interrupts => Trigger::Timer(1),
        0 => Trigger::Timer(1),
        1 => Trigger::Timer(3),
        2 | 3 | 12 => Trigger::Message,
        4 | 5 => Trigger::Signal(number - 4),
        6 => Trigger::Error(None),
        7 | 8 => Trigger::Error(Some(number - 7)),
        9 => Trigger::Escalation(None),
        10 | 11 => Trigger::Escalation(Some(number - 10)),
        _ => Trigger::Signal(0),
    }
}

fn interrupts(trigger: Trigger, interrupts: bool) -> Interrupts {
    let always = matches!(trigger, Trigger::Error(_) | Trigger::Undo);
    if interrupts || always { Interrupts::Yes } else { Interrupts::No }
}

fn awaited(number: u8) -> Trigger {
    match number % 4 {
        0 => Trigger::Timer(1),
        1 => Trigger::Message,
        2 => Trigger::Signal(0),
        _ => Trigger::Signal(1),
    }
}

fn line(model: &mut Model, around: Option<Ix>, parts: &[Part], exits: Vec<Exit>) -> Vec<Exit> {
    let mut exits = exits;
    for one in parts {
        // What comes after an end is left out.
        if !exits.is_empty() {
            exits = part(model, around, one, &exits);
        }
    }
    exits
}

/// Adds a node behind `exits`.
fn node(model: &mut Model, around: Option<Ix>, kind: Kind, exits: &[Exit]) -> Ix {
    let to = model.add(around, kind);
    for exit in exits {
        link(model, around, *exit, to);
    }
    to
}

/// Connects two nodes; a second flow between the same goes by a node of its own.
fn link(model: &mut Model, around: Option<Ix>, exit: Exit, to: Ix) {
    let (mut from, mut to) = (exit, to);
    // An activity that is selected one at a time has one flow that leads to it.
    let is_led = model.entering(to).next().is_some() && model.nodes[to].kind.is_activity();
    if is_led && model.ad_hoc(around).is_some_and(|it| it.sequential) {
        to = model.add(around, Kind::Pass);
    }
    if model.leaving(exit.from).any(|(_, flow)| flow.to == to) {
        let between = model.add(around, Kind::Pass);
        model.connect(exit.from, between, exit.when);
        from = Exit { from: between, when: When::Always };
    }
    model.connect(from.from, to, from.when);
}

/// A link from each of `exits`; gives where all of them lead.
fn leap(model: &mut Model, around: Option<Ix>, exits: &[Exit]) -> Ix {
    let land = model.add(around, Kind::Land);
    for exit in exits {
        let leap = node(model, around, Kind::Leap, &[*exit]);
        model.connect(leap, land, When::Linked);
    }
    land
}

fn on(from: Ix) -> Vec<Exit> {
    vec![Exit { from, when: When::Always }]
}

fn part(model: &mut Model, around: Option<Ix>, part: &Part, exits: &[Exit]) -> Vec<Exit> {
    match part {
        Part::Task { kind, edges, more } => {
            let kind = match kind {
                6 => Kind::Pass,
                7 => Kind::Set(u8::from(more.undone), 1 + i64::from(more.own.is_some())),
                8 | 9 => Kind::Call { back: more.undone },
                _ => Kind::Work,
            };
            let task = node(model, around, kind, exits);
            activity(model, around, task, edges, more)
        }
        Part::Catch(number) => {
            let event = node(model, around, Kind::Catch(awaited(*number)), exits);
            model.nodes[event].leaves = (number / 4 % 4 == 0).then_some((number / 16 % 3, 1));
            on(event)
        }
        Part::Throw(number) => {
            let thrown = match number % 4 {
                0 => Thrown::Nothing,
                1 => Thrown::Escalation(number / 4 % 2),
                _ => undo(model, around, number / 4),
            };
            on(node(model, around, Kind::Throw(thrown), exits))
        }
        Part::End(number) => {
            let thrown = match number % 6 {
                0 => Thrown::Nothing,
                1 => Thrown::Terminate,
                2 | 3 => Thrown::Error(number / 6 % 2),
                4 => Thrown::Escalation(number / 6 % 2),
                _ => undo(model, around, number / 6),
            };
            stop(model, around, thrown, exits);
            Vec::new()
        }
        Part::Leap => on(leap(model, around, exits)),
        Part::Line(parts) => line(model, around, parts, exits.to_vec()),
        Part::Split { gate, ways, conditions, join } => {
            split(model, around, (*gate, *conditions, *join), ways, exits)
        }
        Part::Race(ways) => {
            let race = node(model, around, Kind::Race, exits);
            let mut open = Vec::new();
            for (number, way) in ways {
                let event = node(model, around, Kind::Catch(awaited(*number)), &on(race));
                open.extend(self::part(model, around, way, &on(event)));
            }
            open
        }
        Part::Again { inside, condition } => {
            let merge = node(model, around, Kind::Exclusive, exits);
            let exits = self::part(model, around, inside, &on(merge));
            if exits.is_empty() {
                return exits;
            }
            let work = node(model, around, Kind::Work, &exits);
            let ask = node(model, around, Kind::Exclusive, &on(work));
            let when = When::Above(condition % 3, i64::from(condition / 3 % 3));
            let again = Exit { from: ask, when };
            match condition / 9 % 2 {
                0 => link(model, around, again, merge),
                _ => {
                    let land = leap(model, around, &[again]);
                    link(model, around, on(land)[0], merge);
                }
            }
            vec![Exit { from: ask, when: When::Otherwise }]
        }
        Part::Sub { inside, edges, handlers, more } => {
            let sub = node(model, around, Kind::Sub, exits);
            let exits = activity(model, around, sub, edges, more);
            scope(model, Some(sub), (Trigger::None, Interrupts::Yes), inside);
            self::handlers(model, Some(sub), handlers);
            exits
        }
        Part::Transaction { inside, edges, more, way } => {
            let sub = node(model, around, Kind::Sub, exits);
            model.nodes[sub].transaction = true;
            let mut exits = activity(model, around, sub, edges, more);
            let kind =
                Kind::Boundary { on: sub, trigger: Trigger::Cancel, interrupts: Interrupts::Yes };
            let event = model.add(around, kind);
            exits.extend(aside(model, around, event, *way));
            scope(model, Some(sub), (Trigger::None, Interrupts::Yes), inside);
            exits
        }
        Part::Free { inside, edges, handlers, more, ad_hoc, first } => {
            let sub = node(model, around, Kind::AdHoc(*ad_hoc), exits);
            let exits = activity(model, around, sub, edges, more);
            free(model, sub, inside, *first);
            self::handlers(model, Some(sub), handlers);
            exits
        }
        Part::Web { nodes, links, conditions } => {
            web(model, around, nodes, links, *conditions, exits)
        }
    }
}

/// Undoes everything, or an activity that is there already.
fn undo(model: &Model, around: Option<Ix>, number: u8) -> Thrown {
    let known: Vec<Ix> = model.inside(around).filter(|ix| model.undone_by(*ix).is_some()).collect();
    Thrown::Undo(known.get(usize::from(number)).copied())
}

fn activity(
    model: &mut Model,
    around: Option<Ix>,
    of: Ix,
    edges: &[Edge],
    more: &More,
) -> Vec<Exit> {
    let kind = model.nodes[of].kind;
    model.nodes[of].repeat = more.repeat.map(|repeat| match repeat {
        // What nobody is waited for in is over some time.
        Repeat::While(again) if kind != Kind::Work || again.above.is_none() => {
            Repeat::While(While { most: Some(again.most.unwrap_or(3)), ..again })
        }
        other => other,
    });
    model.nodes[of].own = more.own;
    model.nodes[of].leaves = more.leaves;
    if more.undone || around.is_some_and(|ix| model.nodes[ix].transaction) {
        let undoes = model.add(around, Kind::Undoes(of));
        model.nodes[undoes].leaves = more.leaves;
    }
    let mut exits = on(of);
    for edge in edges {
        let trigger = trigger(edge.trigger, edge.interrupts);
        let others: Vec<Ix> = model.boundaries(of).collect();
        if is_caught(model, &others, trigger) {
            continue;
        }
        let interrupts = interrupts(trigger, edge.interrupts);
        let event = model.add(around, Kind::Boundary { on: of, trigger, interrupts });
        exits.extend(aside(model, around, event, edge.way));
    }
    exits
}

/// The path of a boundary event; gives where it goes on with that of the activity.
fn aside(model: &mut Model, around: Option<Ix>, event: Ix, way: u8) -> Vec<Exit> {
    let last = match way {
        0 => event,
        1 => node(model, around, Kind::Work, &on(event)),
        _ => return on(event),
    };
    stop(model, around, Thrown::Nothing, &on(last));
    Vec::new()
}

/// The end of a path. In an ad-hoc sub-process there are no end events.
fn stop(model: &mut Model, around: Option<Ix>, thrown: Thrown, exits: &[Exit]) {
    let kind = if model.ad_hoc(around).is_some() { Kind::Pass } else { Kind::End(thrown) };
    node(model, around, kind, exits);
}

/// What is in an ad-hoc sub-process: parts that begin when somebody says so.
fn free(model: &mut Model, ix: Ix, parts: &[Part], first: u8) {
    let around = Some(ix);
    for (nth, one) in parts.iter().enumerate() {
        let is_enabled = !matches!(
            one,
            Part::End(_) | Part::Line(_) | Part::Leap | Part::Again { .. } | Part::Web { .. }
        );
        let exits = match is_enabled && nth % 2 == 0 {
            true => Vec::new(),
            false => on(model.add(around, Kind::Work)),
        };
        let exits = part(model, around, one, &exits);
        // A gateway leads on.
        if exits.iter().any(|exit| !model.nodes[exit.from].kind.is_activity()) {
            node(model, around, Kind::Pass, &exits);
        }
    }
    let unled: Vec<Ix> = model.unled(ix).collect();
    let chosen = (0..first % 4).map(|nth| unled[usize::from(first / 4 + nth) % unled.len()]);
    model.nodes[ix].first = chosen.collect();
}

fn gateway(number: u8) -> Kind {
    match number % 4 {
        0 => Kind::Exclusive,
        1 => Kind::Parallel,
        2 => Kind::Inclusive,
        _ => Kind::Complex(match number / 4 % 5 {
            0 => Enough::Tokens(1),
            1 => Enough::Tokens(2),
            2 => Enough::Flows(2),
            3 => Enough::Flows(1),
            _ => Enough::Above(number / 20 % 3, 0),
        }),
    }
}

/// The condition of one of `count` ways.
fn condition(kind: Kind, nth: usize, count: usize, conditions: u16) -> When {
    let bits = conditions.rotate_right(u32::try_from(nth).unwrap() * 4);
    let is_default = nth + 1 == count && !conditions.is_multiple_of(8);
    match kind {
        _ if count == 1 => When::Always,
        Kind::Exclusive | Kind::Inclusive | Kind::Complex(_) if is_default => When::Otherwise,
        Kind::Complex(_) if bits.is_multiple_of(2) => When::Starting(!(bits / 2).is_multiple_of(4)),
        Kind::Complex(_) | Kind::Exclusive | Kind::Inclusive => {
            When::Above(u8::try_from(bits % 3).unwrap(), i64::from(bits / 4 % 3))
        }
        _ => When::Always,
    }
}

fn split(
    model: &mut Model,
    around: Option<Ix>,
    (gate, conditions, join): (u8, u16, u8),
    ways: &[Part],
    exits: &[Exit],
) -> Vec<Exit> {
    let kind = gateway(gate);
    let gate_ix = node(model, around, kind, exits);
    let mut open = Vec::new();
    for (nth, way) in ways.iter().enumerate() {
        let when = condition(kind, nth, ways.len(), conditions);
        open.extend(part(model, around, way, &[Exit { from: gate_ix, when }]));
    }
    let join = match join {
        0 => return open,
        1 | 2 => kind,
        other => gateway(other),
    };
    if open.is_empty() { open } else { on(node(model, around, join, &open)) }
}

/// An arbitrary graph, of which everything is reached from its first node.
fn web(
    model: &mut Model,
    around: Option<Ix>,
    nodes: &[u8],
    links: &[(u8, u8)],
    conditions: u16,
    exits: &[Exit],
) -> Vec<Exit> {
    let kind = |number: u8| match number % 8 {
        0 | 1 => Kind::Work,
        2 => Kind::Pass,
        _ => gateway(number.rotate_left(2)),
    };
    let first = node(model, around, kind(nodes[0]), exits);
    let mut all = vec![first];
    all.extend(nodes[1..].iter().map(|number| model.add(around, kind(*number))));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (to, number) in nodes.iter().enumerate().skip(1) {
        pairs.push((usize::from(number / 8) % to, to));
    }
    for (from, to) in links {
        let pair = (usize::from(*from) % all.len(), usize::from(*to) % all.len());
        if pair.0 != pair.1 && !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    let mut open = Vec::new();
    for (from, ix) in all.iter().enumerate() {
        let next: Vec<usize> =
            pairs.iter().filter(|(one, _)| *one == from).map(|(_, to)| *to).collect();
        if next.is_empty() {
            open.extend(on(*ix));
        }
        for (nth, to) in next.iter().enumerate() {
            let when = condition(model.nodes[*ix].kind, nth, next.len(), conditions);
            let exit = Exit { from: *ix, when };
            // The way back leads by a task.
            let exit = match *to < from {
                true => on(node(model, around, Kind::Work, &[exit]))[0],
                false => exit,
            };
            link(model, around, exit, all[*to]);
        }
    }
    open
}
