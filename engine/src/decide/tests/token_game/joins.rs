//! Gateways at which tokens wait for others.

use std::collections::BTreeSet;

use super::game::{Game, Id};
use super::model::{Ix, Kind, Model};

impl Game {
    /// The inclusive gateways that can join (BPMN 2.0.2 §13.4.3): for each way from a token to a
    /// flow without one, not through the gateway, there is a way to a flow with one.
    pub(super) fn inclusive_joins(&self, model: &Model) -> Vec<(Id, Ix)> {
        let waiting: BTreeSet<(Id, Ix)> = self
            .resting
            .keys()
            .map(|(scope, flow)| (*scope, model.flows[*flow].to))
            .filter(|(_, to)| model.nodes[*to].kind == Kind::Inclusive)
            .collect();
        let can_join = |(scope, gateway): &(Id, Ix)| {
            let filled: BTreeSet<usize> = model
                .entering(*gateway)
                .map(|(flow, _)| flow)
                .filter(|flow| self.resting.contains_key(&(*scope, *flow)))
                .collect();
            let places = self
                .children(*scope)
                .filter(|(_, one)| one.undoes_for.is_none())
                .filter_map(|(_, one)| one.node);
            let flows = self.resting.keys().filter(|(of, _)| of == scope).map(|(_, flow)| *flow);
            let others = places.chain(flows.map(|flow| model.flows[flow].to));
            others.filter(|place| place != gateway).all(|place| {
                let reached = reached(model, place, *gateway);
                reached.is_subset(&filled) || !reached.is_disjoint(&filled)
            })
        };
        waiting.into_iter().filter(can_join).collect()
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
