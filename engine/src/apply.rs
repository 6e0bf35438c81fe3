//! An event onto the state. Total: any event can be applied to any state, and the same events
//! always give the same state, whatever the model says by then.

use std::collections::BTreeMap;

use crate::completed::CompletedActivity;
use crate::element::multi_instance::Repetition;
use crate::event::{
    ActivationWait, Activities, CompensationEnabled, CompensationEnded, CompensationStarted,
    CompensationThrown, Event, GatewayTokens, PartArrived, PartUsed, Proposed, Subscription, Work,
};
use crate::incident::Incident;
use crate::instance::{
    ActorRef, AwaitedReset, ElementInstance, Instance, InstanceState, Key, Stage, Token,
};
use crate::model::ElementId;
use crate::scope::VariableMap;
use crate::wait::{Wait, WaitKind};

/// Applies `event` to `instance`.
pub fn apply(instance: &mut Instance, event: &Event) {
    match event {
        Event::InstanceStarted { business_key, starter, caller, .. } => {
            instance.state = InstanceState::Active;
            instance.business_key.clone_from(business_key);
            instance.starter = Some(starter.clone());
            instance.caller.clone_from(caller);
        }
        Event::ElementActivated { key, element, scope, joined, index } => {
            for flow in joined {
                instance.consume(*scope, flow);
            }
            instance.taken(*key);
            let element = ElementInstance {
                element: ElementId::clone(element),
                scope: *scope,
                stage: Stage::Active,
                variables: VariableMap::new(),
                index: *index,
                repetition: None,
                compensates: None,
            };
            if let Some(body) = element.index.and_then(|_| instance.repetition(*scope)) {
                body.begin();
            }
            instance.elements.insert(*key, element);
        }
        Event::ElementCompleted { key, .. } => {
            if let Some(body) = instance.body_of(*key) {
                body.completed += 1;
            }
            instance.unfold(*key);
            instance.forget(*key);
        }
        Event::ElementTerminated { key, .. } => {
            if let Some(body) = instance.body_of(*key) {
                body.terminated += 1;
            }
            instance.forget(*key);
        }
        Event::FlowTaken { scope, flow, waits } => {
            if *waits {
                instance.tokens.push(Token { scope: *scope, flow: ElementId::clone(flow) });
            }
        }
        Event::TokenDropped { scope, flow } => instance.consume(*scope, flow),
        Event::ResetAwaited(GatewayTokens { scope, element, flows }) => {
            let (gateway, flows) = (ElementId::clone(element), flows.clone());
            instance.resets.push(AwaitedReset { scope: *scope, gateway, flows });
        }
        Event::GatewayReset(GatewayTokens { scope, element, flows }) => {
            for flow in flows {
                instance.consume(*scope, flow);
            }
            let ended = |it: &AwaitedReset| it.scope == *scope && it.gateway == *element;
            instance.resets.retain(|reset| !ended(reset));
        }
        Event::ActivationOpened(ActivationWait { key, owner, element, queue }) => {
            let kind = WaitKind::Activation { started: false, queue: queue.clone() };
            instance.open(*key, *owner, element, kind);
        }
        Event::ActivitiesActivated(Activities { key, selected, .. }) => {
            if let Some(WaitKind::Activation { started, queue }) =
                instance.waits.get_mut(key).map(|wait| &mut wait.kind)
            {
                *started = true;
                if let Some(after) = queue.strip_prefix(selected.as_slice()) {
                    *queue = after.to_vec();
                }
            }
        }
        Event::RepetitionStarted { key, total, items } => {
            if let Some(element) = instance.elements.get_mut(key) {
                element.repetition = Some(Repetition::new(*total, items.clone()));
            }
        }
        Event::RepetitionResult { key, index, value } => {
            if let Some(body) = instance.repetition(*key) {
                body.results.insert(*index, value.clone());
            }
        }
        Event::VariablesSet { scope, variables } => match instance.elements.get_mut(scope) {
            Some(element) => element.variables.merge(variables),
            None => instance.variables.merge(variables),
        },
        Event::WorkRequested { key, owner, element, work } => {
            let kind = match work {
                Work::Human(human) => WaitKind::Human {
                    assignee: human.assignee.clone(),
                    candidate_groups: human.candidate_groups.clone(),
                    candidate_users: human.candidate_users.clone(),
                    proposal: None,
                },
                Work::Job { retries, .. } => WaitKind::Job { retries: *retries },
                Work::Agent { retries, .. } => WaitKind::Agent { retries: *retries },
            };
            instance.open(*key, *owner, element, kind);
        }
        Event::WorkCompleted { key, element, actor } => {
            let wait = instance.waits.remove(key);
            // Who proposed what another confirms took part as well.
            if let Some(by) = wait.as_ref().and_then(|wait| Some(&wait.kind.proposal()?.by)) {
                instance.note_actor(element, by);
            }
            instance.note_actor(element, actor);
        }
        Event::WorkProposed(Proposed { key, element, proposal: proposed }) => {
            if let Some(WaitKind::Human { proposal, .. }) =
                instance.waits.get_mut(key).map(|wait| &mut wait.kind)
            {
                let before = proposal.replace(Box::new(proposed.clone()));
                if let Some(before) = before.filter(|before| before.by.id != proposed.by.id) {
                    instance.note_actor(element, &before.by);
                }
            }
        }
        Event::WorkFailed { key, retries: left, .. }
        | Event::WorkRetried { key, retries: left, .. } => {
            if let Some(WaitKind::Job { retries } | WaitKind::Agent { retries }) =
                instance.waits.get_mut(key).map(|wait| &mut wait.kind)
            {
                *retries = *left;
            }
        }
        Event::TimerStarted { key, owner, element, due_at, repeat } => {
            let kind = WaitKind::Timer { due_at: *due_at, repeat: repeat.clone() };
            instance.open(*key, *owner, element, kind);
        }
        Event::SubscriptionOpened { key, owner, element, subscription } => {
            let kind = match subscription.clone() {
                Subscription::Message { name, correlation } => {
                    WaitKind::Message { name, correlation }
                }
                Subscription::Signal { name } => WaitKind::Signal { name },
            };
            instance.open(*key, *owner, element, kind);
        }
        Event::ConditionOpened { key, owner, element, part } => {
            let kind = WaitKind::Condition { holds: false, part: *part };
            instance.open(*key, *owner, element, kind);
        }
        Event::ConditionChanged { key, holds: now, .. } => {
            if let Some(WaitKind::Condition { holds, .. }) =
                instance.waits.get_mut(key).map(|wait| &mut wait.kind)
            {
                *holds = *now;
            }
        }
        Event::ConditionClosed { key, .. } => {
            if let Some(wait) = instance.waits.remove(key) {
                let about = |it: &Incident| it.owner == wait.owner && it.element == wait.element;
                instance.incidents.retain(|_, incident| !about(incident));
            }
        }
        Event::PartArrived(PartArrived { key, owner, element, variables, part }) => {
            let kind = WaitKind::Arrived { variables: variables.clone(), part: *part };
            instance.open(*key, *owner, element, kind);
        }
        Event::PartUsed(PartUsed { key, .. }) => {
            instance.waits.remove(key);
        }
        Event::CompensationEnabled(enabled) => instance.keep(enabled),
        Event::CompensationThrown(CompensationThrown { key, owner, element, activities }) => {
            let kind = WaitKind::Compensation { left: activities.clone() };
            instance.open(*key, *owner, element, kind);
        }
        Event::CompensationStarted(started) => instance.restore(started),
        Event::CompensationEnded(CompensationEnded { key, .. }) => {
            instance.waits.remove(key);
        }
        Event::ChildRequested { key, owner, element, process, instance: child } => {
            let kind = WaitKind::Child { process: process.clone(), instance: child.clone() };
            instance.open(*key, *owner, element, kind);
        }
        Event::WorkCancelled { key, .. }
        | Event::TimerFired { key, .. }
        | Event::TimerCancelled { key, .. }
        | Event::SubscriptionClosed { key, .. }
        | Event::ActivationClosed { key, .. }
        | Event::ChildEnded { key, .. }
        | Event::ChildCancelled { key, .. } => {
            instance.waits.remove(key);
        }
        Event::IncidentRaised { key, incident, stage } => {
            instance.taken(*key);
            if let Some(element) = instance.elements.get_mut(&incident.owner) {
                element.stage = *stage;
            }
            instance.incidents.insert(*key, incident.clone());
        }
        Event::IncidentResolved { key, .. } => {
            if let Some(incident) = instance.incidents.remove(key)
                && let Some(element) = instance.elements.get_mut(&incident.owner)
            {
                element.stage = Stage::Active;
            }
        }
        Event::InstancePaused { .. } => instance.paused = true,
        Event::InstanceResumed { .. } => instance.paused = false,
        Event::InstanceCompleted => instance.end(InstanceState::Completed),
        Event::InstanceCancelled { .. } => instance.end(InstanceState::Cancelled),
        Event::InstanceFailed { .. } => instance.end(InstanceState::Failed),
        Event::DecisionEvaluated { .. }
        | Event::SubscriptionTriggered { .. }
        | Event::MessageThrown { .. }
        | Event::SignalThrown { .. }
        | Event::ErrorThrown { .. }
        | Event::EscalationThrown { .. }
        | Event::ActionRefused(_)
        | Event::ActionAllowed { .. }
        | Event::InstanceModified(_) => {}
    }
}

impl Instance {
    fn note_actor(&mut self, element: &ElementId, actor: &ActorRef) {
        let actors = self.actors.entry(element.as_ref().to_owned()).or_default();
        if !actors.contains(actor) {
            actors.push(actor.clone());
        }
    }

    fn taken(&mut self, key: Key) {
        self.next_key = self.next_key.max(key.0.saturating_add(1));
    }

    fn open(&mut self, key: Key, owner: Key, element: &ElementId, kind: WaitKind) {
        self.taken(key);
        self.waits.insert(key, Wait { owner, element: ElementId::clone(element), kind });
    }

    /// Takes the oldest token from `flow`.
    fn consume(&mut self, scope: Key, flow: &ElementId) {
        let waits = |token: &Token| token.scope == scope && token.flow == *flow;
        if let Some(at) = self.tokens.iter().position(waits) {
            self.tokens.remove(at);
        }
    }

    /// Keeps what is needed to undo an activity that ends now.
    fn keep(&mut self, enabled: &CompensationEnabled) {
        let Some(ended) = self.elements.get(&enabled.key) else { return };
        self.completed.push(CompletedActivity {
            key: enabled.key,
            element: ElementId::clone(&enabled.element),
            scope: ended.scope,
            variables: ended.variables.clone(),
            partial: enabled.partial,
        });
    }

    /// Gives what undoes a completed activity the variables of that activity.
    fn restore(&mut self, started: &CompensationStarted) {
        let CompensationStarted { key, activity, thrown, .. } = *started;
        if let Some(WaitKind::Compensation { left }) =
            self.waits.get_mut(&thrown).map(|wait| &mut wait.kind)
        {
            left.retain(|one| *one != activity);
        }
        let Some(completed) = self.completed.take(activity) else { return };
        let Some(element) = self.elements.get_mut(&key) else { return };
        element.variables = completed.variables;
        element.compensates = Some(thrown);
        // A handler undoes the activity as a whole; its likeness undoes what completed inside it.
        if element.element == completed.element {
            self.completed.move_inside(activity, key);
        } else {
            self.completed.forget_inside(activity);
        }
    }

    /// The inner instances of a multi-instance activity that completes are undone one by one.
    fn unfold(&mut self, body: Key) {
        let Some(element) = self.elements.get(&body) else { return };
        if element.repetition.is_some() {
            self.completed.move_inside(body, element.scope);
        }
    }

    fn repetition(&mut self, body: Key) -> Option<&mut Repetition> {
        self.elements.get_mut(&body)?.repetition.as_mut()
    }

    /// The repetition that the inner instance `key` belongs to.
    fn body_of(&mut self, key: Key) -> Option<&mut Repetition> {
        let element = self.elements.get(&key)?;
        element.index?;
        let body = element.scope;
        self.repetition(body)
    }

    /// Removes an element instance with everything that hangs on it.
    fn forget(&mut self, key: Key) {
        self.elements.remove(&key);
        self.waits.retain(|_, wait| wait.owner != key);
        self.incidents.retain(|_, incident| incident.owner != key);
        self.tokens.retain(|token| token.scope != key);
        self.completed.forget_inside(key);
        self.resets.retain(|reset| reset.scope != key);
    }

    fn end(&mut self, state: InstanceState) {
        self.state = state;
        self.paused = false;
        self.elements = BTreeMap::new();
        self.waits = BTreeMap::new();
        self.incidents = BTreeMap::new();
        self.tokens = Vec::new();
        self.completed.clear();
        self.resets = Vec::new();
    }
}
