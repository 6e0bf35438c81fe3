//! What was done is undone (BPMN 2.0.2 §13.5.5).

use std::collections::BTreeSet;

use super::game::{Done, Game, Id, Move, Values};
use super::model::{Ix, Kind, Model, Thrown, Trigger};

impl Game {
    /// Whether `id` stands for a sub-process that completed and is undone in its likeness.
    pub(super) fn is_replica(&self, model: &Model, id: Id) -> bool {
        let one = &self.running[&id];
        let undoes = one.node.is_some_and(|node| matches!(model.nodes[node].kind, Kind::Undoes(_)));
        one.undoes_for.is_some() && !undoes
    }

    /// Whether what completes now is kept to be undone.
    pub(super) fn keeps(&self, model: &Model, id: Id) -> bool {
        let one = &self.running[&id];
        let Some(node) = one.node.filter(|_| one.undoes_for.is_none() && one.turns.is_none())
        else {
            return false;
        };
        if model.undone_by(node).is_some() {
            return true;
        }
        match model.nodes[node].kind {
            Kind::Sub | Kind::AdHoc(_) => undo_start(model, node).is_some() || !one.done.is_empty(),
            Kind::Handler => {
                let start = model.start(Some(node)).unwrap();
                model.trigger(start).0 != Trigger::Undo && !one.done.is_empty()
            }
            _ => false,
        }
    }

    /// The event `id` undoes what completed in its scope; from an event sub-process also in the
    /// scopes that it belongs to.
    pub(super) fn undo(&mut self, model: &Model, id: Id, activity: Option<Ix>) {
        let mut scopes = vec![self.running[&id].scope];
        while let Some(node) = self.running[&scopes[scopes.len() - 1]].node {
            if model.nodes[node].kind != Kind::Handler {
                break;
            }
            scopes.push(self.running[&scopes[scopes.len() - 1]].scope);
        }
        let taken: BTreeSet<Id> =
            self.running.values().filter_map(|one| one.undoing.clone()).flatten().collect();
        let all = scopes.iter().flat_map(|scope| &self.running[scope].done);
        let wanted = all.filter(|done| activity.is_none_or(|wanted| wanted == done.node));
        let mut wanted: Vec<&Done> = wanted.filter(|done| !taken.contains(&done.id)).collect();
        wanted.sort_by_key(|done| done.at);
        let wanted = wanted.into_iter().map(|done| done.id).collect();
        self.at(id).undoing = Some(wanted);
    }

    /// Who can go on with undoing.
    pub(super) fn undoers(&self) -> Vec<Id> {
        let is_idle = |id: &Id| !self.running.values().any(|one| one.undoes_for == Some(*id));
        let undoing = self.running.iter().filter(|(_, one)| one.undoing.is_some());
        undoing.map(|(id, _)| *id).filter(is_idle).collect()
    }

    /// The latest that is left is undone next; without any, the thrower goes on.
    pub(super) fn undo_next(&mut self, model: &Model, thrower: Id) {
        let left = self.at(thrower).undoing.as_mut().unwrap();
        let Some(latest) = left.pop() else {
            self.at(thrower).undoing = None;
            let node = self.running[&thrower].node.unwrap();
            return match model.nodes[node].kind {
                Kind::End(Thrown::Cancel) => self.leave_transaction(model, thrower),
                _ => self.complete(model, thrower, &Values::new()),
            };
        };
        let found = self.running.iter_mut().find_map(|(scope, one)| {
            let at = one.done.iter().position(|done| done.id == latest)?;
            Some((*scope, one.done.remove(at)))
        });
        // What lay in a scope that is gone is gone too.
        let Some((scope, done)) = found else { return };
        let handler = model.undone_by(done.node).filter(|_| !done.partial);
        let id = self.activate(scope, handler.unwrap_or(done.node));
        let one = self.at(id);
        one.values = done.values;
        one.undoes_for = Some(thrower);
        if handler.is_some() {
            return self.moving.push(Move::Begin(id));
        }
        one.done = done.inside;
        match undo_start(model, done.node).filter(|_| !done.partial) {
            Some(start) => self.happen(model, id, start, &Values::new()),
            None => {
                let inside = self.running[&id].done.iter().map(|done| done.id).collect();
                self.at(id).undoing = Some(inside);
            }
        }
    }
}

// Transactions (BPMN 2.0.2 §10.7, §13.3.4).
impl Game {
    /// What gives up the transaction of the end event `event` leads to. What completed inside of
    /// something that is ended on its way is undone too; what of several is kept first is open.
    pub(super) fn given_up(&self, model: &Model, event: Id) -> Vec<Self> {
        let scope = self.running[&event].scope;
        let inside = self.inside(scope);
        let has_part = |id: &Id| !self.running[id].done.is_empty();
        let is_innermost = |id: &Id| !self.inside(*id).iter().any(has_part);
        let parts: Vec<Id> = inside.into_iter().filter(has_part).filter(is_innermost).collect();
        if parts.is_empty() {
            return vec![self.after(|game| game.give_up(model, event))];
        }
        parts.into_iter().map(|part| self.after(|game| game.keep_part(part))).collect()
    }

    /// Everything that runs inside `scope`.
    fn inside(&self, scope: Id) -> Vec<Id> {
        let children = self.children(scope).map(|(id, _)| id);
        children.flat_map(|id| [vec![id], self.inside(id)].concat()).collect()
    }

    fn keep_part(&mut self, id: Id) {
        let at = self.next;
        self.next += 1;
        let one = self.at(id);
        let inside = std::mem::take(&mut one.done);
        let (node, values, scope) = (one.node.unwrap(), one.values.clone(), one.scope);
        self.at(scope).done.push(Done { id, at, node, partial: true, values, inside });
    }

    fn give_up(&mut self, model: &Model, event: Id) {
        self.cancelling = None;
        let scope = self.running[&event].scope;
        let others = self.children(scope).map(|(id, _)| id).filter(|id| *id != event);
        for other in others.collect::<Vec<Id>>() {
            self.kill(other);
        }
        self.forget_tokens(scope);
        self.at(scope).waits.retain(|wait| !matches!(model.nodes[wait.node].kind, Kind::Start(..)));
        self.undo(model, event, None);
    }

    /// Everything is undone. Events on a repeated activity are about all its turns.
    fn leave_transaction(&mut self, model: &Model, event: Id) {
        let transaction = self.running[&event].scope;
        let one = &self.running[&transaction];
        let (owner, node) =
            (if one.turn.is_some() { one.scope } else { transaction }, one.node.unwrap());
        let exit = model.boundaries(node).find(|it| model.trigger(*it).0 == Trigger::Cancel);
        self.complete(model, event, &Values::new());
        self.happen(model, owner, exit.unwrap(), &Values::new());
    }
}

/// The start event of the event sub-process that undoes `sub_process`.
fn undo_start(model: &Model, sub_process: Ix) -> Option<Ix> {
    model.handler_starts(Some(sub_process)).find(|start| model.trigger(*start).0 == Trigger::Undo)
}
