//! Ad-hoc sub-processes (BPMN 2.0.2 §10.3.5, §13.3.5): somebody says what begins in them.

use super::game::{Game, Id, Move, Values, Wait};
use super::model::{AdHoc, Ix, Kind, Model};

/// What is left of the wait for somebody who activates something: as often as one likes, and
/// something was activated already.
const FRESH: u32 = 1;
const STARTED: u32 = 2;

/// What the completion of something means for the ad-hoc sub-process around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    GoesOn,
    /// Nothing begins in it any more.
    Closed,
    /// Its completion condition holds.
    Fulfilled,
}

impl Model {
    pub(super) fn ad_hoc(&self, node: Option<Ix>) -> Option<AdHoc> {
        match self.nodes[node?].kind {
            Kind::AdHoc(ad_hoc) => Some(ad_hoc),
            _ => None,
        }
    }

    /// What no flow leads to inside `around`.
    pub(super) fn unled(&self, around: Ix) -> impl Iterator<Item = Ix> {
        let begins =
            |kind: Kind| !matches!(kind, Kind::Handler | Kind::Boundary { .. } | Kind::Undoes(_));
        self.inside(Some(around))
            .filter(move |ix| begins(self.nodes[*ix].kind) && self.entering(*ix).next().is_none())
    }
}

impl Game {
    pub(super) fn begin_ad_hoc(&mut self, model: &Model, id: Id, node: Ix, ad_hoc: AdHoc) {
        self.await_handlers(model, id, Some(node));
        let mut first = model.nodes[node].first.clone();
        let left = if first.is_empty() { FRESH } else { STARTED };
        self.at(id).waits.push(Wait { node, left });
        if ad_hoc.sequential && !first.is_empty() {
            self.at(id).queue = first.split_off(1);
        }
        for one in first {
            let id = self.activate(id, one);
            self.moving.push(Move::Begin(id));
        }
    }

    /// The ad-hoc sub-process that `id` is, and in which something can still begin.
    fn open_ad_hoc(&self, model: &Model, id: Id) -> Option<(Ix, AdHoc)> {
        let one = &self.running[&id];
        let ad_hoc = model.ad_hoc(one.node)?;
        one.waits.iter().any(|wait| Some(wait.node) == one.node).then_some((one.node?, ad_hoc))
    }

    /// Whether a token that comes to `to` waits there until somebody activates it.
    pub(super) fn is_selected(&self, model: &Model, scope: Id, to: Ix) -> bool {
        let ad_hoc = model.ad_hoc(self.running[&scope].node);
        ad_hoc.is_some_and(|it| it.sequential) && model.nodes[to].kind.is_activity()
    }

    /// What can be activated in `id`.
    pub(super) fn selectable(&self, model: &Model, id: Id) -> Vec<Ix> {
        let Some((node, ad_hoc)) = self.open_ad_hoc(model, id) else { return Vec::new() };
        if ad_hoc.sequential && self.is_busy(model, id) {
            return Vec::new();
        }
        let mut found: Vec<Ix> =
            model.unled(node).chain(self.waiting_activities(model, id)).collect();
        found.sort_unstable();
        found
    }

    fn is_busy(&self, model: &Model, id: Id) -> bool {
        let mut selected = self.children(id).filter(|(_, one)| one.undoes_for.is_none());
        selected.any(|(_, one)| one.node.is_some_and(|it| model.nodes[it].kind.is_activity()))
    }

    /// The activities that tokens wait for.
    fn waiting_activities(&self, model: &Model, id: Id) -> Vec<Ix> {
        let flows = self.resting.keys().filter(|(scope, _)| *scope == id);
        let places = flows.map(|(_, flow)| model.flows[*flow].to);
        places.filter(|to| model.nodes[*to].kind.is_activity()).collect()
    }

    pub(super) fn select(&mut self, model: &Model, id: Id, node: Ix, values: &Values) {
        let own = self.running[&id].node;
        let waits = self.at(id).waits.iter_mut();
        waits.filter(|wait| Some(wait.node) == own).for_each(|wait| wait.left = STARTED);
        if self.running[&id].queue.first() == Some(&node) {
            self.at(id).queue.remove(0);
        }
        if let Some((flow, _)) = model.entering(node).next() {
            self.take(id, flow);
        }
        let new = self.activate(id, node);
        self.at(new).values.clone_from(values);
        self.moving.push(Move::Begin(new));
    }

    /// What begins by itself, one after the other, with the sub-process in which it does.
    pub(super) fn queued(&self, model: &Model) -> Vec<(Id, Ix)> {
        let next = |id: Id| {
            let (node, ad_hoc) = self.open_ad_hoc(model, id)?;
            let is_given = ad_hoc.sequential && !model.nodes[node].first.is_empty();
            if !is_given || self.is_busy(model, id) {
                return None;
            }
            Some(match self.running[&id].queue.first() {
                Some(queued) => vec![(id, *queued)],
                None => self.waiting_activities(model, id).into_iter().map(|it| (id, it)).collect(),
            })
        };
        self.running.keys().filter_map(|id| next(*id)).flatten().collect()
    }

    /// What it means for the ad-hoc sub-process around it that `id` completes.
    pub(super) fn outcome(&self, model: &Model, id: Id) -> Outcome {
        let one = &self.running[&id];
        if one.undoes_for.is_some() || model.ad_hoc(self.running[&one.scope].node).is_none() {
            return Outcome::GoesOn;
        }
        let Some((_, ad_hoc)) = self.open_ad_hoc(model, one.scope) else { return Outcome::Closed };
        let is_activity = one.node.is_some_and(|node| model.nodes[node].kind.is_activity());
        let holds = |(variable, than)| self.value(one.scope, variable) > than;
        match ad_hoc.until.is_some_and(holds) && is_activity {
            true => Outcome::Fulfilled,
            false => Outcome::GoesOn,
        }
    }

    /// Ends the sub-process, or lets what runs in it come to its end.
    pub(super) fn fulfil(&mut self, model: &Model, id: Id) {
        let node = self.running[&id].node;
        if model.ad_hoc(node).is_some_and(|it| it.sequential || it.cancels) {
            self.kill_inside(id);
            return self.complete(model, id, &Values::new());
        }
        self.at(id).waits.retain(|wait| Some(wait.node) != node);
        self.forget_tokens(id);
        let kind = |ix: Option<Ix>| ix.map(|ix| model.nodes[ix].kind);
        let goes_on =
            |kind: Kind| kind.is_activity() || matches!(kind, Kind::Handler | Kind::Undoes(_));
        let inside = self.children(id);
        let over = inside.filter(|(_, one)| !kind(one.node).is_some_and(goes_on));
        let over: Vec<Id> = over.map(|(id, _)| id).collect();
        over.into_iter().for_each(|one| self.kill(one));
    }

    /// Whether `id`, which holds nothing, waits for somebody to activate something.
    pub(super) fn is_kept_open(&self, model: &Model, id: Id) -> bool {
        let Some((node, ad_hoc)) = self.open_ad_hoc(model, id) else { return false };
        let is_fresh = |wait: &Wait| wait.node == node && wait.left == FRESH;
        ad_hoc.until.is_some()
            || self.running[&id].waits.iter().any(is_fresh)
            || !self.running[&id].queue.is_empty()
    }
}
