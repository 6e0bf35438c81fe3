//! How tokens move (BPMN 2.0.2 §13.3, §13.4).

use std::collections::BTreeSet;

use super::ad_hoc::Outcome;
use super::game::{Done, Game, Id, Move, Running, Stuck, Values, Wait};
use super::model::{Flow, Ix, Kind, Model, Node, Repeat, Thrown, Trigger, When};

impl Game {
    /// The states that may come next; none if everything rests. Where the order of two moves cannot
    /// matter, there is one.
    pub(super) fn successors(&self, model: &Model) -> Vec<Self> {
        if self.over.is_some() {
            return Vec::new();
        }
        if let Some(event) = self.cancelling {
            return self.given_up(model, event);
        }
        // Work completes before tokens move.
        let writes = |node: &Node| match node.kind {
            Kind::Work | Kind::Call { .. } | Kind::Undoes(_) => false,
            kind => node.leaves.is_some() || matches!(kind, Kind::Set(..)),
        };
        let writes = model.nodes.iter().any(writes);
        if let Some(one) = self.moving.iter().position(|it| self.is_plain(model, it, writes)) {
            return vec![self.after(|game| game.step(model, one))];
        }
        let empty = self.empty_scopes(model);
        let completed = |id: Id| self.after(|game| game.complete(model, id, &Values::new()));
        if !self.moving.is_empty() {
            let moved = (0..self.moving.len()).map(|one| self.after(|game| game.step(model, one)));
            let empty = empty.into_iter().filter(|id| self.is_ordered(model, *id));
            return moved.chain(empty.map(completed)).collect();
        }
        let joins = self.inclusive_joins(model);
        let (starts, resets) = (self.complex_starts(model), self.due_resets(model));
        let undoers = self.undoers();
        let queued = self.queued(model);
        let is_alone = joins.is_empty() && starts.is_empty() && resets.is_empty();
        let is_alone = is_alone && queued.is_empty();
        if is_alone && undoers.is_empty() {
            let mut empty = empty.iter().filter(|id| !self.is_ordered(model, **id));
            if let Some(one) = empty.next() {
                return vec![completed(*one)];
            }
        }
        let undone =
            undoers.into_iter().map(|thrower| self.after(|game| game.undo_next(model, thrower)));
        let started = starts
            .into_iter()
            .map(|(scope, gateway)| self.after(|game| game.start_complex(model, scope, gateway)));
        let reset = resets
            .into_iter()
            .map(|(scope, gateway)| self.after(|game| game.reset(model, scope, gateway)));
        let joined = joins.iter().map(|(scope, gateway)| {
            self.after(|game| {
                for (flow, _) in model.entering(*gateway) {
                    game.take(*scope, flow);
                }
                let id = game.activate(*scope, *gateway);
                game.begin(model, id);
            })
        });
        let selected = queued
            .iter()
            .map(|(id, node)| self.after(|game| game.select(model, *id, *node, &Values::new())));
        let gone_on = selected.chain(undone).chain(started).chain(reset).chain(joined);
        let next: Vec<Self> = gone_on.chain(empty.into_iter().map(completed)).collect();
        if next.is_empty() && self.running.len() == 1 && self.resting.is_empty() {
            return vec![self.after(|game| game.end("completed"))];
        }
        next
    }

    pub(super) fn after(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut game = self.clone();
        change(&mut game);
        game
    }

    /// Whether it makes no difference when the move is made.
    fn is_plain(&self, model: &Model, it: &Move, writes: bool) -> bool {
        let node = match it {
            Move::Token { flow, .. } => model.flows[*flow].to,
            Move::Begin(id) => self.running[id].node.unwrap(),
            Move::Hear { .. } => return false,
        };
        let place = &model.nodes[node];
        let begins = matches!(it, Move::Begin(_)) || is_cancelled(model, place);
        let reads = place.own.is_some() || matches!(place.repeat, Some(Repeat::While(_)));
        let leaves = place.leaves.is_some() || model.undone_by(node).is_some();
        (!writes || !reads)
            && (!leaves || place.kind.waits())
            && (!is_conditional(model, place) || begins && place.kind.waits())
            && match place.kind {
                Kind::Exclusive | Kind::Inclusive => !writes,
                Kind::Set(..) | Kind::Complex(_) => false,
                Kind::End(thrown) | Kind::Throw(thrown) => thrown == Thrown::Nothing,
                _ => true,
            }
    }

    /// Whether it matters when the sub-process `id` completes: to those that undo, and for what it
    /// leaves.
    fn is_ordered(&self, model: &Model, id: Id) -> bool {
        let place = &model.nodes[self.running[&id].node.unwrap()];
        let is_loop = matches!(place.repeat, Some(Repeat::While(_)));
        self.keeps(model, id) || place.leaves.is_some() || is_loop || is_conditional(model, place)
    }

    fn step(&mut self, model: &Model, nth: usize) {
        match self.moving.remove(nth) {
            Move::Token { scope, flow } => self.arrive(model, scope, flow),
            Move::Begin(id) => self.begin(model, id),
            Move::Hear { owner, node, values } => {
                let one = self.running.get(&owner);
                if one.is_some_and(|one| one.waits.iter().any(|wait| wait.node == node)) {
                    self.happen(model, owner, node, &values);
                }
            }
        }
    }

    fn arrive(&mut self, model: &Model, scope: Id, flow: usize) {
        let to = model.flows[flow].to;
        if self.is_selected(model, scope, to) {
            *self.resting.entry((scope, flow)).or_default() += 1;
            return;
        }
        let joins = model.entering(to).count() > 1;
        match model.nodes[to].kind {
            Kind::Inclusive if joins => *self.resting.entry((scope, flow)).or_default() += 1,
            Kind::Complex(_) => {
                *self.resting.entry((scope, flow)).or_default() += 1;
                if self.can_start(model, scope, to) {
                    self.start_complex(model, scope, to);
                }
            }
            Kind::Parallel if joins => {
                *self.resting.entry((scope, flow)).or_default() += 1;
                if !model.entering(to).all(|(flow, _)| self.resting.contains_key(&(scope, flow))) {
                    return;
                }
                for (flow, _) in model.entering(to) {
                    self.take(scope, flow);
                }
                let id = self.activate(scope, to);
                self.begin(model, id);
            }
            _ => {
                let id = self.activate(scope, to);
                self.begin(model, id);
            }
        }
    }

    /// Takes one token from a flow, if there is one.
    pub(super) fn take(&mut self, scope: Id, flow: usize) {
        if let Some(tokens) = self.resting.get_mut(&(scope, flow)) {
            *tokens -= 1;
            if *tokens == 0 {
                self.resting.remove(&(scope, flow));
            }
        }
    }

    pub(super) fn activate(&mut self, scope: Id, node: Ix) -> Id {
        let id = self.next;
        self.next += 1;
        self.running.insert(id, Running { node: Some(node), scope, ..Running::default() });
        id
    }

    pub(super) fn activate_start(&mut self, model: &Model, scope: Id, around: Option<Ix>) {
        let id = self.activate(scope, model.start(around).unwrap());
        self.moving.push(Move::Begin(id));
    }

    /// The event sub-processes of a scope begin to wait.
    pub(super) fn await_handlers(&mut self, model: &Model, scope: Id, around: Option<Ix>) {
        self.await_all(model, scope, model.handler_starts(around));
    }

    fn await_all(&mut self, model: &Model, owner: Id, nodes: impl Iterator<Item = Ix>) {
        for node in nodes {
            let trigger = model.trigger(node).0;
            if trigger.is_awaited() {
                let left = if let Trigger::Timer(times) = trigger { times } else { 1 };
                self.at(owner).waits.push(Wait { node, left });
            }
        }
    }

    pub(super) fn begin(&mut self, model: &Model, id: Id) {
        let (node, scope, turn) = {
            let one = &self.running[&id];
            (one.node.unwrap(), one.scope, one.turn)
        };
        let repeats = model.nodes[node].repeat.is_some() && turn.is_none();
        if let (Some((own, from)), false) = (model.nodes[node].own, repeats) {
            let value = self.value(id, from) + 1;
            self.at(id).values.insert(own, value);
        }
        if turn.is_none() {
            self.await_all(model, id, model.boundaries(node));
        }
        if repeats {
            return self.begin_turns(model, id, node);
        }
        let wait = Wait { node, left: 1 };
        match model.nodes[node].kind {
            Kind::Work | Kind::Call { .. } | Kind::Undoes(_) | Kind::Catch(_) => {
                self.at(id).waits.push(wait);
            }
            Kind::Race => {
                let events: Vec<Ix> = model.leaving(node).map(|(_, flow)| flow.to).collect();
                self.await_all(model, id, events.into_iter());
            }
            Kind::Sub => {
                self.await_handlers(model, id, Some(node));
                self.activate_start(model, id, Some(node));
            }
            Kind::AdHoc(ad_hoc) => self.begin_ad_hoc(model, id, node, ad_hoc),
            Kind::Set(variable, value) => {
                self.complete(model, id, &Values::from([(variable, value)]));
            }
            Kind::End(thrown) | Kind::Throw(thrown) => self.throw(model, id, scope, thrown),
            _ => self.complete(model, id, &Values::new()),
        }
    }

    fn throw(&mut self, model: &Model, id: Id, scope: Id, thrown: Thrown) {
        let nothing = Values::new();
        match thrown {
            Thrown::Nothing => self.complete(model, id, &nothing),
            Thrown::Terminate => {
                self.complete(model, id, &nothing);
                self.kill_inside(scope);
            }
            Thrown::Error(_) => match self.catcher(model, id, thrown) {
                Some((owner, target)) => self.happen(model, owner, target, &nothing),
                None => self.at(id).stuck = Some(Stuck::Beginning),
            },
            Thrown::Escalation(_) => {
                let catcher = self.catcher(model, id, thrown);
                // It brings what the event was given.
                let brought = self.running[&id].values.clone();
                self.complete(model, id, &nothing);
                if let Some((owner, target)) = catcher {
                    self.happen(model, owner, target, &brought);
                }
            }
            Thrown::Undo(activity) => self.undo(model, id, activity),
            Thrown::Cancel => self.cancelling = Some(id),
        }
    }

    pub(super) fn complete(&mut self, model: &Model, id: Id, values: &Values) {
        let one = &self.running[&id];
        let (node, scope, turn) = (one.node.unwrap(), one.scope, one.turn);
        let replica = self.is_replica(model, id);
        if one.turns.is_none() && !replica {
            self.leave_values(model, id, node, values);
        }
        if turn.is_some() {
            return self.complete_turn(model, id, node, scope);
        }
        let outcome = self.outcome(model, id);
        let flows = match self.leaves_by(model, id, node) {
            _ if replica || outcome != Outcome::GoesOn => Vec::new(),
            Some(flows) => flows,
            None => return self.at(id).stuck = Some(Stuck::Ending),
        };
        self.remove(model, id);
        self.moving.extend(flows.into_iter().map(|flow| Move::Token { scope, flow }));
        if outcome == Outcome::Fulfilled {
            self.fulfil(model, scope);
        }
    }

    /// What `id` brings goes into the scopes around it, or what it says that it leaves.
    fn leave_values(&mut self, model: &Model, id: Id, node: Ix, values: &Values) {
        let Some((to, from)) = model.nodes[node].leaves else { return self.write(id, values) };
        self.at(id).values.extend(values);
        let left = Values::from([(to, self.value(id, from) + 1)]);
        self.write(self.running[&id].scope, &left);
    }

    /// What completed is no more; it is kept where it can be undone.
    pub(super) fn remove(&mut self, model: &Model, id: Id) {
        let keeps = self.keeps(model, id);
        let gone = self.running.remove(&id).unwrap();
        self.resets.retain(|(scope, _), _| *scope != id);
        let at = self.next;
        self.next += 1;
        if let (true, Some(node)) = (keeps, gone.node) {
            let done =
                Done { id, at, node, partial: false, values: gone.values, inside: gone.done };
            self.at(gone.scope).done.push(done);
        } else if gone.turns.is_some() {
            self.at(gone.scope).done.extend(gone.done);
        }
        self.running.get_mut(&gone.scope).unwrap().done.sort_by_key(|done| done.at);
        self.moving.retain(|it| !matches!(it, Move::Hear { owner, .. } if *owner == id));
    }

    /// The flows that a token leaves by; `None` if no condition holds.
    fn leaves_by(&self, model: &Model, id: Id, node: Ix) -> Option<Vec<usize>> {
        let all: Vec<(usize, &Flow)> = model.leaving(node).collect();
        let kind = model.nodes[node].kind;
        let decides = matches!(kind, Kind::Exclusive | Kind::Inclusive | Kind::Complex(_));
        if !decides || all.is_empty() {
            let goes_on = !matches!(model.nodes[node].kind, Kind::Race);
            return Some(all.iter().filter(|_| goes_on).map(|(flow, _)| *flow).collect());
        }
        let holds = |flow: &Flow| match flow.when {
            When::Always | When::Linked | When::Starting(true) => true,
            When::Above(variable, than) => self.value(id, variable) > than,
            When::Otherwise | When::Starting(false) => false,
        };
        let mut true_ones = all.iter().filter(|(_, flow)| holds(flow)).map(|(flow, _)| *flow);
        let taken: Vec<usize> = match model.nodes[node].kind {
            Kind::Exclusive => true_ones.next().into_iter().collect(),
            _ => true_ones.collect(),
        };
        if !taken.is_empty() {
            return Some(taken);
        }
        all.iter().find(|(_, flow)| flow.when == When::Otherwise).map(|(flow, _)| vec![*flow])
    }

    /// Sub-processes that hold no token any more (BPMN 2.0.2 §13.3.4).
    fn empty_scopes(&self, model: &Model) -> Vec<Id> {
        let mut held: BTreeSet<Id> = self.running.values().map(|one| one.scope).collect();
        held.extend(self.resting.keys().map(|(scope, _)| *scope));
        held.extend(self.moving.iter().map(|it| match it {
            Move::Token { scope: id, .. } | Move::Begin(id) | Move::Hear { owner: id, .. } => *id,
        }));
        let is_scope = |one: &Running| {
            let kind = one.node.map(|node| model.nodes[node].kind);
            matches!(kind, Some(Kind::Sub | Kind::Handler | Kind::AdHoc(_))) && one.turns.is_none()
        };
        let empty = |(id, one): &(&Id, &Running)| {
            is_scope(one)
                && !held.contains(id)
                && one.undoing.is_none()
                && !self.is_kept_open(model, **id)
        };
        self.running.iter().filter(empty).map(|(id, _)| *id).collect()
    }
}

/// Whether it can end the ad-hoc sub-process around it that `node` completes.
fn is_conditional(model: &Model, node: &Node) -> bool {
    model.ad_hoc(node.parent).is_some_and(|it| it.until.is_some())
}

/// Whether it makes no difference to the ad-hoc sub-process around it when `node` begins.
fn is_cancelled(model: &Model, node: &Node) -> bool {
    model.ad_hoc(node.parent).is_some_and(|it| it.cancels && !it.sequential)
}
