//! A process instance: the whole state, and nothing of the past.
//!
//! The state is stored on every transition, so it holds no history: what happened is in the
//! journal of [`Event`](crate::event::Event)s, and replaying the journal gives the same state.
//!
//! Invariants: a scope is older than what it holds (its key is smaller); every wait, token and
//! incident belongs to a scope that exists, and so does every completed activity that can be undone;
//! an ended instance has none of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_kernel::{Principal, PrincipalKind};
use serde::{Deserialize, Serialize};

use crate::completed::CompletedActivities;
use crate::element::multi_instance::Repetition;
use crate::incident::Incident;
use crate::model::{ElementId, Node, NodeIx, Process};
use crate::scope::{ScopeView, VariableMap};
use crate::wait::Wait;

/// Names an element instance, a wait or an incident within its process instance. Keys are given
/// in the order of creation and never again.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Key(pub u64);

impl Key {
    /// The process itself, as a scope.
    pub const PROCESS: Self = Self(0);

    pub(crate) const fn is_process(&self) -> bool {
        self.0 == 0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Not started.
    #[default]
    Created,
    /// Running, or waiting, or stopped by an incident.
    Active,
    /// Every path reached its end.
    Completed,
    /// Ended from outside.
    Cancelled,
    /// Ended by a BPMN error that nothing in the instance caught; its caller may.
    Failed,
}

impl InstanceState {
    /// The name in stored and sent data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing can happen any more.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }
}

/// Who did something, as far as it matters later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActorRef {
    /// Id of the principal.
    pub id: String,
    /// Person, agent or system.
    pub kind: PrincipalKind,
}

impl From<&Principal> for ActorRef {
    fn from(principal: &Principal) -> Self {
        Self { id: principal.id.clone(), kind: principal.kind }
    }
}

impl ActorRef {
    /// Somebody of whom only the id is known: an agent where it begins with `agent:`.
    #[must_use]
    pub fn named(id: String) -> Self {
        let is_agent = id.starts_with("agent:");
        let kind = if is_agent { PrincipalKind::Agent } else { PrincipalKind::Person };
        Self { id, kind }
    }
}

/// The call activity that an instance answers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The calling instance.
    pub instance: Arc<str>,
    /// Its wait for this one.
    pub key: Key,
    /// Who started it, and with it the case that this one is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starter: Option<ActorRef>,
}

/// An element that is being executed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElementInstance {
    /// BPMN id.
    pub element: ElementId,
    /// The scope it runs in: a sub-process, the body of a multi-instance activity, the process.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub scope: Key,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Stage::is_active")]
    pub stage: Stage,
    /// Its own variables.
    #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
    pub variables: VariableMap,
    /// Its 0-based place among the repetitions of an activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// For the activity around repetitions, its body: how they go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repetition: Option<Repetition>,
    /// The wait of the compensation that it is part of: it undoes a completed activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensates: Option<Key>,
}

/// How far an element instance is; where an incident stopped it, what is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It could not start.
    Activating,
    /// It runs or waits.
    #[default]
    Active,
    /// It could not end.
    Completing,
}

impl Stage {
    fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// A token that waits at the end of a sequence flow: for the others of a joining gateway, or for
/// the activity there to be selected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The scope the flow lies in.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub scope: Key,
    /// Id of the sequence flow.
    pub flow: ElementId,
}

/// A complex gateway that went on before each of its flows brought a token (BPMN 2.0.2 §13.4.5:
/// waiting for reset).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedReset {
    /// The scope the gateway lies in.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub scope: Key,
    /// Id of the gateway.
    pub gateway: ElementId,
    /// The flows whose tokens let it go on.
    pub flows: Vec<ElementId>,
}

/// The state of a process instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Unique id.
    pub id: Arc<str>,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Whether it is held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// What the business calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_key: Option<String>,
    /// Who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starter: Option<ActorRef>,
    /// Who called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<Caller>,
    pub(crate) next_key: u64,
    #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
    pub(crate) variables: VariableMap,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) elements: BTreeMap<Key, ElementInstance>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) waits: BTreeMap<Key, Wait>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tokens: Vec<Token>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) resets: Vec<AwaitedReset>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) incidents: BTreeMap<Key, Incident>,
    /// Who completed each element: what four eyes look at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) actors: BTreeMap<String, Vec<ActorRef>>,
    #[serde(default, skip_serializing_if = "CompletedActivities::is_empty")]
    pub(crate) completed: CompletedActivities,
}

impl Instance {
    /// An instance that is not started.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self {
            id: id.into(),
            state: InstanceState::Created,
            paused: false,
            business_key: None,
            starter: None,
            caller: None,
            next_key: 1,
            variables: VariableMap::new(),
            elements: BTreeMap::new(),
            waits: BTreeMap::new(),
            tokens: Vec::new(),
            resets: Vec::new(),
            incidents: BTreeMap::new(),
            actors: BTreeMap::new(),
            completed: CompletedActivities::default(),
        }
    }

    /// The element instance `key`.
    #[must_use]
    pub fn element(&self, key: Key) -> Option<&ElementInstance> {
        self.elements.get(&key)
    }

    /// All element instances, oldest first.
    pub fn elements(&self) -> impl Iterator<Item = (Key, &ElementInstance)> {
        self.elements.iter().map(|(key, element)| (*key, element))
    }

    /// The open wait `key`.
    #[must_use]
    pub fn wait(&self, key: Key) -> Option<&Wait> {
        self.waits.get(&key)
    }

    /// Everything the instance waits for, oldest first.
    pub fn waits(&self) -> impl Iterator<Item = (Key, &Wait)> {
        self.waits.iter().map(|(key, wait)| (*key, wait))
    }

    /// The open incidents, oldest first.
    pub fn incidents(&self) -> impl Iterator<Item = (Key, &Incident)> {
        self.incidents.iter().map(|(key, incident)| (*key, incident))
    }

    /// The open incident of the element instance `owner`.
    #[must_use]
    pub fn incident_of(&self, owner: Key) -> Option<(Key, &Incident)> {
        self.incidents().find(|(_, incident)| incident.owner == owner)
    }

    /// The tokens that wait at joins.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter()
    }

    /// The complex gateways that wait to be reset.
    pub fn resets(&self) -> impl Iterator<Item = &AwaitedReset> {
        self.resets.iter()
    }

    /// The variables at process level.
    #[must_use]
    pub fn variables(&self) -> &VariableMap {
        &self.variables
    }

    /// The variables that `scope` sees.
    #[must_use]
    pub fn view(&self, scope: Key) -> ScopeView<'_> {
        ScopeView::new(self, scope)
    }

    /// Who completed `element`, in the order in which they first did.
    #[must_use]
    pub fn actors_of(&self, element: &str) -> &[ActorRef] {
        self.actors.get(element).map_or(&[], Vec::as_slice)
    }

    /// The completed activities that can still be undone.
    #[must_use]
    pub fn completed(&self) -> &CompletedActivities {
        &self.completed
    }

    /// Whether `scope` is the running process or an element instance that exists.
    pub(crate) fn has_scope(&self, scope: Key) -> bool {
        match scope {
            Key::PROCESS => self.state == InstanceState::Active,
            key => self.elements.contains_key(&key),
        }
    }

    /// The element instances inside `scope` at any depth, oldest first.
    pub(crate) fn inside(&self, scope: Key) -> Vec<Key> {
        let mut found: Vec<Key> = Vec::new();
        for (key, element) in &self.elements {
            // A scope is older than what it holds, so it was seen before.
            if element.scope == scope || found.binary_search(&element.scope).is_ok() {
                found.push(*key);
            }
        }
        found
    }

    /// The model's element of the element instance `key`.
    pub(crate) fn place<'p>(&self, process: &'p Process, key: Key) -> Option<(NodeIx, &'p Node)> {
        let ix = process.find(&self.element(key)?.element)?;
        Some((ix, process.node(ix)))
    }
}
