//! What a state looks like, whatever its keys are: the same text for a state of the engine and one
//! of the token game if and only if nothing tells them apart, now or later.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::game::{Done, Game, Id, Move, PROCESS, Running, Stuck, Values};
use super::model::{Kind, Model};
use crate::instance::{Instance, Key, Stage};
use crate::scope::VariableMap;
use crate::wait::WaitKind;

/// The ids of the variables that are looked at.
pub(super) const VARIABLES: u8 = 3;

/// Whether a picture says for whom something undoes. Who that is, is told by what it looks like
/// without that, with everything around it.
#[derive(Clone, Copy)]
enum Marks {
    Shown,
    Hidden,
}

/// The parts of a picture. What has no order is sorted.
#[derive(Default)]
struct Parts {
    head: String,
    unordered: Vec<String>,
    ordered: Vec<String>,
}

impl Parts {
    fn into_text(mut self) -> String {
        self.unordered.sort();
        self.unordered.extend(self.ordered);
        format!("{}({})", self.head, self.unordered.join(" "))
    }
}

fn head(
    name: &str,
    turn: Option<u32>,
    turns: Option<(u32, u32)>,
    undoes: &str,
    values: &Values,
) -> String {
    let turn = turn.map(|turn| format!("#{turn}")).unwrap_or_default();
    let turns = turns.map(|(began, ended)| format!("@{began}/{ended}")).unwrap_or_default();
    let values: String = values.iter().map(|(of, value)| format!(" v{of}={value}")).collect();
    format!("{name}{turn}{turns}{undoes}{values}")
}

impl Game {
    pub(super) fn picture(&self, model: &Model) -> String {
        let over = self.over.unwrap_or("active");
        format!("{over} {}", self.picture_of(model, PROCESS, Marks::Shown))
    }

    fn picture_of(&self, model: &Model, id: Id, marks: Marks) -> String {
        let one = &self.running[&id];
        let name = one.node.map_or("", |node| &model.nodes[node].id);
        let undoes = match (one.undoes_for, marks) {
            (None, _) => String::new(),
            (Some(_), Marks::Hidden) => "^".to_owned(),
            (Some(thrower), Marks::Shown) => {
                let mut links = Vec::new();
                let mut at = thrower;
                while at != PROCESS {
                    links.push(self.picture_of(model, at, Marks::Hidden));
                    at = self.running[&at].scope;
                }
                undoes_for(&links, &self.left_by(model, thrower))
            }
        };
        let mut parts = Parts {
            head: head(name, one.turn, one.turns, &undoes, &one.values),
            ..Parts::default()
        };
        let stuck = one.stuck.map(|stuck| match stuck {
            Stuck::Beginning => "!b",
            Stuck::Working => "!w",
            Stuck::Ending => "!e",
        });
        parts.unordered.extend(stuck.map(str::to_owned));
        parts
            .unordered
            .extend(self.children(id).map(|(child, _)| self.picture_of(model, child, marks)));
        let waits = one.waits.iter();
        parts.unordered.extend(waits.map(|it| format!("?{}*{}", model.nodes[it.node].id, it.left)));
        for ((_, flow), tokens) in self.resting.range((id, 0)..=(id, usize::MAX)) {
            parts.unordered.extend((0..*tokens).map(|_| model.flow_name(*flow)));
        }
        parts.unordered.extend(self.moving.iter().filter_map(|it| match it {
            Move::Token { scope, flow } if *scope == id => {
                Some(format!(">{}", model.flow_name(*flow)))
            }
            Move::Begin(one) if *one == id => Some("<".to_owned()),
            Move::Hear { owner, node, values } if *owner == id => {
                Some(format!("<{}{values:?}", model.nodes[*node].id))
            }
            _ => None,
        }));
        parts.unordered.extend(self.cancelling.filter(|it| *it == id).map(|_| "x".to_owned()));
        for ((_, gateway), flows) in self.resets.range((id, 0)..=(id, usize::MAX)) {
            let flows = flows.iter().map(|flow| model.flow_name(*flow)).collect();
            parts.unordered.push(reset(&model.nodes[*gateway].id, flows));
        }
        let rank = |done: &Done| self.rank(model, id, done);
        let done = one.done.iter();
        parts
            .ordered
            .extend(done.map(|done| format!("{}{}", rank(done), done_picture(model, done))));
        parts.ordered.extend(one.queue.iter().map(|node| format!("+{}", model.nodes[*node].id)));
        if one.undoing.is_some() {
            parts.ordered.push(self.left_by(model, id));
        }
        parts.into_text()
    }

    /// What `thrower` still has to undo.
    fn left_by(&self, model: &Model, thrower: Id) -> String {
        let all = self.running.values().flat_map(|one: &Running| &one.done);
        let names: BTreeMap<Id, &str> =
            all.map(|done| (done.id, model.nodes[done.node].id.as_str())).collect();
        let left = self.running[&thrower].undoing.iter().flatten();
        let left: Vec<&str> = left.filter_map(|id| names.get(id).copied()).collect();
        format!("&[{}]", left.join(" "))
    }

    /// Whether what completed in `id` is undone together with what completed around it.
    fn is_shared(&self, model: &Model, id: Id) -> bool {
        let one = &self.running[&id];
        let is_handler = one.node.is_some_and(|node| model.nodes[node].kind == Kind::Handler);
        one.turns.is_some() || is_handler
    }

    /// When `done` completed in `scope`, counted by what is undone together with it.
    fn rank(&self, model: &Model, scope: Id, done: &Done) -> String {
        if !self.is_shared(model, scope) {
            return String::new();
        }
        let around = self.shared_by(model, scope);
        let together = self.running.iter().filter(|(id, _)| self.shared_by(model, **id) == around);
        let all = together.flat_map(|(_, one)| &one.done);
        all.filter(|one| one.at < done.at).count().to_string()
    }

    /// The scope that `id` shares with others what completed in it.
    fn shared_by(&self, model: &Model, mut id: Id) -> Id {
        while self.is_shared(model, id) {
            id = self.running[&id].scope;
        }
        id
    }

    /// What is reached from the process by what looks like the links of `chain`.
    pub(super) fn find(&self, model: &Model, chain: &[String]) -> Id {
        let mut at = PROCESS;
        for link in chain {
            let mut children = self.children(at).map(|(id, _)| id);
            at = children.find(|id| self.picture_of(model, *id, Marks::Shown) == *link).unwrap();
        }
        at
    }
}

fn done_picture(model: &Model, done: &Done) -> String {
    let ordered = done.inside.iter().map(|inner| done_picture(model, inner)).collect();
    let head = head(&model.nodes[done.node].id, None, None, "", &done.values);
    let part = if done.partial { "-" } else { "" };
    Parts { head: format!("~{part}{head}"), ordered, ..Parts::default() }.into_text()
}

pub(super) fn values(map: &VariableMap) -> Values {
    let known = (0..VARIABLES).filter_map(|id| Some((id, map.get(&format!("v{id}"))?.as_i64()?)));
    known.collect()
}

/// The picture of a state of the engine.
pub(super) fn picture(instance: &Instance) -> String {
    format!("{} {}", instance.state.as_str(), picture_of(instance, Key::PROCESS, Marks::Shown))
}

/// What leads from the process to the element instance `key`.
pub(super) fn chain(instance: &Instance, key: Key) -> Vec<String> {
    let mut links = links(instance, key, Marks::Shown);
    links.reverse();
    links
}

/// What is around `key`, from itself outwards.
fn links(instance: &Instance, mut key: Key, marks: Marks) -> Vec<String> {
    let mut links = Vec::new();
    while let Some(element) = instance.element(key) {
        links.push(picture_of(instance, key, marks));
        key = element.scope;
    }
    links
}

fn reset(gateway: &str, mut flows: Vec<String>) -> String {
    flows.sort();
    format!("%{gateway}[{}]", flows.join(" "))
}

/// The mark of what undoes something for a thrower that looks like `links`.
fn undoes_for(links: &[String], left: &str) -> String {
    let mut hasher = DefaultHasher::new();
    links.hash(&mut hasher);
    format!("^{left}{:x}", hasher.finish())
}

fn picture_of(instance: &Instance, key: Key, marks: Marks) -> String {
    let head = match instance.element(key) {
        None => head("", None, None, "", &values(instance.variables())),
        Some(one) => {
            let turns = one.repetition.as_ref().map(|it| (it.started, it.completed));
            let thrown = one.compensates.and_then(|thrown| instance.wait(thrown));
            let undoes = match (thrown, marks) {
                (None, _) => String::new(),
                (Some(_), Marks::Hidden) => "^".to_owned(),
                (Some(thrown), Marks::Shown) => {
                    let links = links(instance, thrown.owner, Marks::Hidden);
                    undoes_for(&links, &left_by(instance, &thrown.kind))
                }
            };
            head(&one.element, one.index, turns, &undoes, &values(&one.variables))
        }
    };
    let mut parts = Parts { head, ..Parts::default() };
    if let (Some(element), Some(_)) = (instance.element(key), instance.incident_of(key)) {
        parts.unordered.push(match element.stage {
            Stage::Activating => "!b".to_owned(),
            Stage::Active => "!w".to_owned(),
            Stage::Completing => "!e".to_owned(),
        });
    }
    let inside = instance.elements().filter(|(_, one)| one.scope == key);
    parts.unordered.extend(inside.map(|(child, _)| picture_of(instance, child, marks)));
    for (_, wait) in instance.waits().filter(|(_, wait)| wait.owner == key) {
        let left = match &wait.kind {
            WaitKind::Compensation { .. } => {
                parts.ordered.push(left_by(instance, &wait.kind));
                continue;
            }
            WaitKind::Activation { started, queue } => {
                parts.ordered.extend(queue.iter().map(|id| format!("+{id}")));
                1 + u32::from(*started)
            }
            WaitKind::Timer { repeat: Some(repeat), .. } => repeat.left.unwrap_or_default() + 1,
            _ => 1,
        };
        parts.unordered.push(format!("?{}*{left}", wait.element));
    }
    let tokens = instance.tokens().filter(|token| token.scope == key);
    parts.unordered.extend(tokens.map(|token| token.flow.to_string()));
    for it in instance.resets().filter(|reset| reset.scope == key) {
        let flows = it.flows.iter().map(ToString::to_string).collect();
        parts.unordered.push(reset(&it.gateway, flows));
    }
    let mut done: Vec<String> = completed(instance, key);
    if is_shared(instance, key) {
        for (text, rank) in done.iter_mut().zip(ranks(instance, key)) {
            *text = format!("{rank}{text}");
        }
    }
    // What is still to be undone comes after what can be.
    done.append(&mut parts.ordered);
    parts.ordered = done;
    parts.into_text()
}

fn left_by(instance: &Instance, thrown: &WaitKind) -> String {
    let WaitKind::Compensation { left } = thrown else { return String::new() };
    let done = left.iter().filter_map(|one| instance.completed().get(*one));
    let names: Vec<&str> = done.map(|one| &*one.element).collect();
    format!("&[{}]", names.join(" "))
}

fn is_shared(instance: &Instance, key: Key) -> bool {
    let is_handler = |id: &str| id.starts_with("handler");
    let element = instance.element(key);
    element.is_some_and(|one| one.repetition.is_some() || is_handler(&one.element))
}

fn shared_by(instance: &Instance, mut key: Key) -> Key {
    while let Some(element) = instance.element(key).filter(|_| is_shared(instance, key)) {
        key = element.scope;
    }
    key
}

/// When what completed in `scope` did, counted by what is undone together with it.
fn ranks(instance: &Instance, scope: Key) -> Vec<usize> {
    let around = shared_by(instance, scope);
    let all = instance.completed().iter();
    let together = all.filter(|one| shared_by(instance, one.scope) == around);
    let ranked = together.enumerate().filter(|(_, one)| one.scope == scope);
    ranked.map(|(rank, _)| rank).collect()
}

fn completed(instance: &Instance, scope: Key) -> Vec<String> {
    let inside = instance.completed().inside(scope).map(|one| {
        let head = head(&one.element, None, None, "", &values(&one.variables));
        let ordered = completed(instance, one.key);
        let part = if one.partial { "-" } else { "" };
        Parts { head: format!("~{part}{head}"), ordered, ..Parts::default() }.into_text()
    });
    inside.collect()
}
