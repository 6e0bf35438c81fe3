//! The state of a token game (BPMN 2.0.2 §13), and what can be told to it.
//!
//! Tokens lie on places: activities that run, flows that end at a join. Concurrent tokens move in
//! any order, so that a command may have several outcomes: all of them are found.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Interrupts, Ix, Kind, Model, Thrown, Trigger};

/// Names something that runs; the process is [`PROCESS`].
pub(super) type Id = u32;
pub(super) const PROCESS: Id = 0;

pub(super) type Values = BTreeMap<u8, i64>;

/// The most that is looked at to follow all orders: what runs, in each state with a choice.
const MAX_LOOKED_AT: usize = 4_000;

#[derive(Clone, Debug)]
pub(super) struct Game {
    /// How it ended.
    pub(super) over: Option<&'static str>,
    pub(super) running: BTreeMap<Id, Running>,
    /// How many tokens wait at the end of a flow in a scope.
    pub(super) resting: BTreeMap<(Id, usize), u32>,
    /// The complex gateways that wait for their reset, with the flows that let them start.
    pub(super) resets: BTreeMap<(Id, Ix), BTreeSet<usize>>,
    pub(super) moving: Vec<Move>,
    /// The cancel end event that gives up its transaction now.
    pub(super) cancelling: Option<Id>,
    pub(super) next: Id,
}

/// An activity, event or gateway that holds a token; or the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    pub(super) node: Option<Ix>,
    pub(super) scope: Id,
    pub(super) values: Values,
    pub(super) waits: Vec<Wait>,
    /// What begins by itself later in an ad-hoc sub-process.
    pub(super) queue: Vec<Ix>,
    /// Which turn of a repeated activity it is.
    pub(super) turn: Option<u32>,
    /// For what is around the turns: how many began, and how many completed.
    pub(super) turns: Option<(u32, u32)>,
    pub(super) stuck: Option<Stuck>,
    /// What completed inside and can be undone.
    pub(super) done: Vec<Done>,
    /// What it still has to undo, the oldest first.
    pub(super) undoing: Option<Vec<Id>>,
    /// Who waits for it, if it undoes something.
    pub(super) undoes_for: Option<Id>,
}

/// Where an incident stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    Beginning,
    Working,
    Ending,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// What goes on.
    pub(super) node: Ix,
    /// How often a timer still comes.
    pub(super) left: u32,
}

/// An activity that completed and can be undone, with what completed inside it.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) id: Id,
    /// When it completed.
    pub(super) at: Id,
    pub(super) node: Ix,
    /// Whether it was ended on its way.
    pub(super) partial: bool,
    pub(super) values: Values,
    pub(super) inside: Vec<Done>,
}

#[derive(Clone, Debug)]
pub(super) enum Move {
    /// A token goes along a flow.
    Token {
        scope: Id,
        flow: usize,
    },
    Begin(Id),
    /// A signal reaches what waits for it.
    Hear {
        owner: Id,
        node: Ix,
        values: Values,
    },
}

/// What a client does. Who it is about was found before.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Complete(Id, Values),
    Activate(Id, Ix, Values),
    Throw(Id, u8),
    Escalate(Id, u8),
    Fail(Id),
    Resolve(Id, Values),
    Fire(Id, Ix),
    Message(Id, Ix, Values),
    Signal(u8, Values),
    Set(Values),
    Cancel,
}

impl Game {
    pub(super) fn start(model: &Model, values: Values) -> Self {
        let process = Running { values, ..Running::default() };
        let mut game = Self {
            over: None,
            running: BTreeMap::from([(PROCESS, process)]),
            resting: BTreeMap::new(),
            resets: BTreeMap::new(),
            moving: Vec::new(),
            cancelling: None,
            next: 1,
        };
        game.await_handlers(model, PROCESS, None);
        game.activate_start(model, PROCESS, None);
        game
    }

    /// Does what it is told, up to where tokens begin to move.
    pub(super) fn tell(&mut self, model: &Model, told: &Told) {
        match told {
            Told::Complete(id, values) => match self.is_kept_back(model, *id) {
                true => self.complete(model, *id, &Values::new()),
                false => self.complete(model, *id, values),
            },
            Told::Activate(id, node, values) => self.select(model, *id, *node, values),
            Told::Throw(id, code) => {
                if let Some((owner, target)) = self.catcher(model, *id, Thrown::Error(*code)) {
                    self.happen(model, owner, target, &Values::new());
                } else if let Some(Kind::Call { .. }) = self.kind(model, *id) {
                    // It is called anew.
                    let own = self.running[id].node;
                    self.at(*id).waits.retain(|wait| Some(wait.node) != own);
                    self.at(*id).stuck = Some(Stuck::Beginning);
                } else {
                    self.at(*id).stuck = Some(Stuck::Working);
                }
            }
            Told::Escalate(id, code) => {
                if let Some((owner, target)) = self.catcher(model, *id, Thrown::Escalation(*code)) {
                    self.happen(model, owner, target, &Values::new());
                }
            }
            Told::Fail(id) => self.at(*id).stuck = Some(Stuck::Working),
            Told::Resolve(id, values) => {
                let stuck = self.at(*id).stuck.take();
                self.write(*id, values);
                match stuck {
                    Some(Stuck::Beginning) => {
                        self.at(*id).waits.clear();
                        self.begin(model, *id);
                    }
                    Some(Stuck::Ending) => self.complete(model, *id, &Values::new()),
                    Some(Stuck::Working) | None => {}
                }
            }
            Told::Fire(owner, node) => {
                let waits = &mut self.at(*owner).waits;
                let at = waits.iter().position(|wait| wait.node == *node).unwrap();
                waits[at].left -= 1;
                if waits[at].left == 0 {
                    waits.remove(at);
                }
                self.happen(model, *owner, *node, &Values::new());
            }
            Told::Message(owner, node, values) => self.happen(model, *owner, *node, values),
            Told::Signal(name, values) => {
                for (owner, running) in &self.running {
                    for wait in &running.waits {
                        if model.trigger(wait.node).0 == Trigger::Signal(*name) {
                            let (owner, node, values) = (*owner, wait.node, values.clone());
                            self.moving.push(Move::Hear { owner, node, values });
                        }
                    }
                }
            }
            Told::Set(values) => self.at(PROCESS).values.extend(values),
            Told::Cancel => self.end("cancelled"),
        }
    }

    pub(super) fn kind(&self, model: &Model, id: Id) -> Option<Kind> {
        self.running[&id].node.map(|node| model.nodes[node].kind)
    }

    /// Whether nothing of what a called process gives comes back.
    fn is_kept_back(&self, model: &Model, id: Id) -> bool {
        let leaves = self.running[&id].node.and_then(|node| model.nodes[node].leaves);
        self.kind(model, id) == Some(Kind::Call { back: false }) && leaves.is_none()
    }

    /// What a called process is given: everything, or what the call says.
    pub(super) fn handed_over(&self, model: &Model, id: Id) -> Values {
        let one = &self.running[&id];
        match one.node.and_then(|node| model.nodes[node].own) {
            Some(_) => one.values.clone(),
            None => (0..3).map(|variable| (variable, self.value(id, variable))).collect(),
        }
    }

    /// Every state in which everything rests, by its picture. `None` if there are too many orders.
    pub(super) fn outcomes(self, model: &Model) -> Option<BTreeMap<String, Self>> {
        let (mut open, mut found) = (vec![self], BTreeMap::new());
        let mut seen = BTreeSet::new();
        let mut looked_at = 0;
        while let Some(game) = open.pop() {
            let mut next = game.successors(model);
            match next.len() {
                0 => drop(found.insert(game.picture(model), game)),
                1 => open.extend(next.pop()),
                _ => {
                    looked_at += game.running.len();
                    if looked_at > MAX_LOOKED_AT {
                        return None;
                    }
                    if seen.insert(game.picture(model)) {
                        open.extend(next);
                    }
                }
            }
        }
        Some(found)
    }

    pub(super) fn at(&mut self, id: Id) -> &mut Running {
        self.running.get_mut(&id).unwrap()
    }

    pub(super) fn children(&self, scope: Id) -> impl Iterator<Item = (Id, &Running)> {
        let inside = move |(id, one): &(&Id, &Running)| one.scope == scope && **id != PROCESS;
        self.running.iter().filter(inside).map(|(id, one)| (*id, one))
    }

    /// Where `variable` is defined as seen from `from`.
    fn home(&self, mut from: Id, variable: u8) -> Id {
        while from != PROCESS && !self.running[&from].values.contains_key(&variable) {
            from = self.running[&from].scope;
        }
        from
    }

    pub(super) fn value(&self, from: Id, variable: u8) -> i64 {
        self.running[&self.home(from, variable)].values[&variable]
    }

    pub(super) fn write(&mut self, from: Id, values: &Values) {
        for (variable, value) in values {
            let home = self.home(from, *variable);
            self.at(home).values.insert(*variable, *value);
        }
    }

    pub(super) fn end(&mut self, how: &'static str) {
        self.over = Some(how);
        self.running.retain(|id, _| *id == PROCESS);
        let values = std::mem::take(&mut self.at(PROCESS).values);
        *self.at(PROCESS) = Running { values, ..Running::default() };
        self.resting.clear();
        self.resets.clear();
        self.moving.clear();
    }

    /// Ends `id` with everything inside.
    pub(super) fn kill(&mut self, id: Id) {
        self.kill_inside(id);
        if self.running.remove(&id).is_some_and(|gone| gone.undoing.is_some()) {
            let undoing = self.running.iter().filter(|(_, one)| one.undoes_for == Some(id));
            let undoing: Vec<Id> = undoing.map(|(id, _)| *id).collect();
            undoing.into_iter().for_each(|one| self.kill(one));
        }
        self.moving.retain(|it| match it {
            Move::Begin(one) | Move::Hear { owner: one, .. } => *one != id,
            Move::Token { .. } => true,
        });
    }

    pub(super) fn kill_inside(&mut self, scope: Id) {
        let inside: Vec<Id> = self.children(scope).map(|(id, _)| id).collect();
        inside.into_iter().for_each(|one| self.kill(one));
        self.forget_tokens(scope);
    }

    /// Takes the tokens that wait in `scope`, or are on their way.
    pub(super) fn forget_tokens(&mut self, scope: Id) {
        self.resting.retain(|(of, _), _| *of != scope);
        self.resets.retain(|(of, _), _| *of != scope);
        self.moving.retain(|it| !matches!(it, Move::Token { scope: of, .. } if *of == scope));
    }

    /// The nearest that catches `thrown`: on what threw it or a scope around it, or an event
    /// sub-process of such a scope (BPMN 2.0.2 §10.5.6). One for this code goes before one for any.
    pub(super) fn catcher(&self, model: &Model, id: Id, thrown: Thrown) -> Option<(Id, Ix)> {
        let fits = |node: &Ix| match (model.trigger(*node).0, thrown) {
            (Trigger::Error(wanted), Thrown::Error(code))
            | (Trigger::Escalation(wanted), Thrown::Escalation(code)) => match wanted {
                Some(wanted) => (wanted == code).then_some(2),
                None => Some(1),
            },
            _ => None,
        };
        let best = |nodes: &mut dyn Iterator<Item = Ix>| {
            nodes.filter_map(|node| Some((fits(&node)?, node))).max_by_key(|(rank, _)| *rank)
        };
        let mut from = id;
        while from != PROCESS {
            let one = &self.running[&from];
            let node = one.node?;
            // Events on a repeated activity are about all its turns.
            if one.turn.is_none()
                && !self.is_replica(model, from)
                && let Some((_, target)) = best(&mut model.boundaries(node))
            {
                return Some((from, target));
            }
            let around = &self.running[&one.scope];
            if around.turns.is_none() && !self.is_replica(model, one.scope) {
                let others = model.handler_starts(around.node);
                let mut others = others.filter(|start| model.nodes[*start].parent != Some(node));
                if let Some((_, target)) = best(&mut others) {
                    return Some((one.scope, target));
                }
            }
            from = one.scope;
        }
        None
    }

    /// The event `target` happens, for which `owner` waits or which catches what was thrown.
    pub(super) fn happen(&mut self, model: &Model, owner: Id, target: Ix, values: &Values) {
        let (trigger, interrupts) = model.trigger(target);
        let interrupts = interrupts == Interrupts::Yes || matches!(trigger, Trigger::Error(_));
        match model.nodes[target].kind {
            Kind::Boundary { .. } => {
                let scope = self.running[&owner].scope;
                if interrupts {
                    self.kill(owner);
                }
                let event = self.activate(scope, target);
                self.complete(model, event, values);
            }
            Kind::Start(..) => {
                if interrupts {
                    self.kill_inside(owner);
                    // Nothing else begins here any more.
                    let begins = |wait: &Wait| {
                        matches!(model.nodes[wait.node].kind, Kind::Start(..) | Kind::AdHoc(_))
                    };
                    self.at(owner).waits.retain(|wait| !begins(wait));
                    self.at(owner).queue.clear();
                }
                let handler = model.nodes[target].parent.unwrap();
                let inside = self.activate(owner, handler);
                self.await_handlers(model, inside, Some(handler));
                let event = self.activate(inside, target);
                self.complete(model, event, values);
            }
            _ if self.running[&owner].node == Some(target) => self.complete(model, owner, values),
            // It comes first after an event-based gateway.
            _ => {
                let scope = self.running[&owner].scope;
                self.kill(owner);
                let event = self.activate(scope, target);
                self.complete(model, event, values);
            }
        }
    }
}
