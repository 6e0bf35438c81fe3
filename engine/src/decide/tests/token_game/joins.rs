//! Gateways at which tokens wait for others.

use std::collections::BTreeSet;

use super::game::{Game, Id, Move};
use super::model::{Enough, Ix, Kind, Model, When};

// Inclusive gateways (BPMN 2.0.2 §13.4.3).
impl Game {
    /// Those that can join.
    pub(super) fn inclusive_joins(&self, model: &Model) -> Vec<(Id, Ix)> {
        let waiting = self.waited_at(model).into_iter();
        let inclusive = waiting.filter(|(_, to)| model.nodes[*to].kind == Kind::Inclusive);
        let can_join = |(scope, gateway): &(Id, Ix)| {
            let filled = self.filled(model, *scope, *gateway);
            !self.others_may_come(model, (*scope, *gateway), &filled, &filled)
        };
        inclusive.filter(can_join).collect()
    }

    /// The gateways at which tokens wait.
    fn waited_at(&self, model: &Model) -> BTreeSet<(Id, Ix)> {
        self.resting.keys().map(|(scope, flow)| (*scope, model.flows[*flow].to)).collect()
    }

    /// The flows that lead to `gateway` and have a token.
    fn filled(&self, model: &Model, scope: Id, gateway: Ix) -> BTreeSet<usize> {
        let flows = model.entering(gateway).map(|(flow, _)| flow);
        flows.filter(|flow| self.resting.contains_key(&(scope, *flow))).collect()
    }

    /// Whether a token may come on a flow that is not of `here`: there is a way for it, not through
    /// the gateway, and none to a flow that is `served`.
    fn others_may_come(
        &self,
        model: &Model,
        (scope, gateway): (Id, Ix),
        here: &BTreeSet<usize>,
        served: &BTreeSet<usize>,
    ) -> bool {
        let running = self.children(scope).filter(|(_, one)| one.undoes_for.is_none());
        let places = running.filter_map(|(_, one)| one.node);
        let flows = self.resting.keys().filter(|(of, _)| *of == scope).map(|(_, flow)| *flow);
        let others = places.chain(flows.map(|flow| model.flows[flow].to));
        others.filter(|place| *place != gateway).any(|place| {
            let reached = reached(model, place, gateway);
            !reached.is_subset(here) && reached.is_disjoint(served)
        })
    }
}

// Complex gateways (BPMN 2.0.2 §13.4.5).
impl Game {
    /// Those that have enough tokens, and wait for their start.
    pub(super) fn complex_starts(&self, model: &Model) -> Vec<(Id, Ix)> {
        let can_start = |(scope, gateway): &(Id, Ix)| self.can_start(model, *scope, *gateway);
        self.waited_at(model).into_iter().filter(can_start).collect()
    }

    pub(super) fn can_start(&self, model: &Model, scope: Id, gateway: Ix) -> bool {
        let Kind::Complex(enough) = model.nodes[gateway].kind else { return false };
        let flows = self.filled(model, scope, gateway);
        let tokens: u32 = flows.iter().map(|flow| self.resting[&(scope, *flow)]).sum();
        let holds = match enough {
            Enough::Tokens(wanted) => tokens >= wanted,
            Enough::Flows(wanted) => flows.len() >= wanted,
            Enough::Above(variable, than) => self.value(scope, variable) > than,
        };
        holds && !flows.is_empty() && !self.resets.contains_key(&(scope, gateway))
    }

    pub(super) fn start_complex(&mut self, model: &Model, scope: Id, gateway: Ix) {
        let flows = self.filled(model, scope, gateway);
        for flow in &flows {
            self.take(scope, *flow);
        }
        if flows.len() < model.entering(gateway).count() {
            self.resets.insert((scope, gateway), flows);
        }
        let id = self.activate(scope, gateway);
        self.begin(model, id);
    }

    /// Those for which nothing more can come.
    pub(super) fn due_resets(&self, model: &Model) -> Vec<(Id, Ix)> {
        let is_due = |(place, taken): &(&(Id, Ix), &BTreeSet<usize>)| {
            let (scope, gateway) = **place;
            let here = &self.filled(model, scope, gateway) | taken;
            // It goes on only after an incident.
            let is_stuck = self.children(scope).any(|(_, one)| one.node == Some(gateway));
            !is_stuck && !self.others_may_come(model, (scope, gateway), &here, &here)
        };
        self.resets.iter().filter(is_due).map(|(place, _)| *place).collect()
    }

    pub(super) fn reset(&mut self, model: &Model, scope: Id, gateway: Ix) {
        let taken = self.resets.remove(&(scope, gateway)).unwrap();
        let late = &self.filled(model, scope, gateway) - &taken;
        for flow in &late {
            self.take(scope, *flow);
        }
        let leaving: Vec<(usize, When)> =
            model.leaving(gateway).map(|(flow, it)| (flow, it.when)).collect();
        let holds = |when: When| match when {
            When::Above(variable, than) => self.value(scope, variable) > than,
            When::Starting(wanted) => !wanted,
            When::Always | When::Linked | When::Otherwise => false,
        };
        let of = |wanted: &dyn Fn(When) -> bool| -> Vec<usize> {
            leaving.iter().filter(|(_, when)| wanted(*when)).map(|(flow, _)| *flow).collect()
        };
        let mut flows = of(&holds);
        if flows.is_empty() {
            flows = of(&|when| when == When::Otherwise);
        }
        if !late.is_empty() {
            self.moving.extend(flows.into_iter().map(|flow| Move::Token { scope, flow }));
        }
    }
}

/// The flows into `gateway` that a token at `place` can come to.
fn reached(model: &Model, place: Ix, gateway: Ix) -> BTreeSet<usize> {
    let (mut seen, mut open, mut found) = (BTreeSet::from([place]), vec![place], BTreeSet::new());
    while let Some(from) = open.pop() {
        let leaving = model.leaving(from).map(|(flow, to)| (Some(flow), to.to));
        let events = model.boundaries(from).map(|event| (None, event));
        for (flow, to) in leaving.chain(events) {
            if to == gateway {
                found.extend(flow);
            } else if seen.insert(to) {
                open.push(to);
            }
        }
    }
    found
}
