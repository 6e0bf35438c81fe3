//! One transition: from a command to the next state in which everything waits.
//!
//! Events are applied to a working copy as they are made, so that what follows sees them. The copy
//! is cheap, because variables are shared. Tokens on their way are steps of a queue, which makes
//! deep models and long loops a matter of time and not of stack; time is bounded by a budget of
//! steps, and what is left when it is spent becomes incidents that keep every token.

use std::collections::{BTreeSet, VecDeque};

use flowmaster_kernel::Timestamp;

use crate::decide::{Definition, Env};
use crate::element::{self, conditional_event};
use crate::evaluation::Evaluation;
use crate::event::{CompensationEnded, Event, GatewayTokens, PartUsed};
use crate::flow;
use crate::incident::{Failure, Incident, IncidentKind};
use crate::instance::{ElementInstance, Instance, InstanceState, Key, Stage};
use crate::limits;
use crate::model::{ElementId, FlowIx, Node, NodeIx, NodeKind, Process, SubProcess};
use crate::scope::{ScopeView, VariableMap};
use crate::wait::WaitKind;

/// The most steps of one transition.
pub(crate) const MAX_STEPS: usize = 10_000;

/// The most data that the elements of one transition may make, in bytes.
const MAX_MADE: usize = 32 * 1024 * 1024;

/// The longest message of an incident, in characters.
const MAX_MESSAGE: usize = 1_000;

/// Something that is still to happen in the transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A token goes along a flow.
    Take { scope: Key, flow: FlowIx },
    /// An activated element begins.
    Enter(Key),
}

pub(crate) struct Transition<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) env: &'a Env<'a>,
    pub(crate) instance: Instance,
    events: Vec<Event>,
    evaluations: Vec<Evaluation>,
    queue: VecDeque<Step>,
    steps_left: usize,
    bytes_left: usize,
    /// Whether some condition is waited for.
    watches: bool,
    /// Whether conditions may have changed since they were last looked at.
    changed: bool,
    /// The same for conditions that see which elements are active.
    moved: bool,
}

/// What a transition comes to.
pub(crate) struct Finished {
    pub(crate) events: Vec<Event>,
    /// The state that the events lead to.
    pub(crate) instance: Instance,
    pub(crate) evaluations: Vec<Evaluation>,
}

impl<'a> Transition<'a> {
    pub(crate) fn new(definition: &'a Definition, instance: &Instance, env: &'a Env<'a>) -> Self {
        Self {
            definition,
            env,
            instance: instance.clone(),
            events: Vec::new(),
            evaluations: Vec::new(),
            queue: VecDeque::new(),
            steps_left: MAX_STEPS,
            bytes_left: MAX_MADE,
            watches: instance.waits().any(|(_, w)| matches!(w.kind, WaitKind::Condition { .. })),
            changed: false,
            moved: false,
        }
    }

    /// What came of it.
    pub(crate) fn finish(self) -> Finished {
        let Self { events, instance, evaluations, .. } = self;
        Finished { events, instance, evaluations }
    }

    /// Notes what a decision was asked and answered.
    pub(crate) fn note(&mut self, evaluation: Evaluation) {
        self.evaluations.push(evaluation);
    }

    pub(crate) fn process(&self) -> &'a Process {
        self.definition.process()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.env.now
    }

    pub(crate) fn view(&self, scope: Key) -> ScopeView<'_> {
        self.instance.view(scope)
    }

    pub(crate) fn element(&self, key: Key) -> Option<&ElementInstance> {
        self.instance.element(key)
    }

    pub(crate) fn place(&self, key: Key) -> Option<(NodeIx, &'a Node)> {
        self.instance.place(self.process(), key)
    }

    pub(crate) fn emit(&mut self, event: Event) {
        crate::apply::apply(&mut self.instance, &event);
        self.watches |= matches!(event, Event::ConditionOpened { .. });
        let changed = matches!(
            event,
            Event::VariablesSet { .. }
                | Event::ConditionOpened { .. }
                | Event::IncidentResolved { .. }
                | Event::InstanceResumed { .. }
        );
        let moved = matches!(
            event,
            Event::ElementActivated { .. }
                | Event::ElementCompleted { .. }
                | Event::ElementTerminated { .. }
        );
        self.changed |= changed;
        self.moved |= changed || moved;
        self.events.push(event);
    }

    /// The key for the next thing that is made.
    pub(crate) fn next_key(&self) -> Key {
        Key(self.instance.next_key)
    }

    /// Runs until everything waits.
    pub(crate) fn run(&mut self) {
        loop {
            conditional_event::look(self);
            match self.queue.pop_front() {
                Some(step) => {
                    self.spend_step();
                    match step {
                        Step::Take { scope, flow } => flow::take(self, scope, flow),
                        Step::Enter(key) => self.enter(key),
                    }
                }
                None if self.settle() || conditional_event::look_at_elements(self) => {}
                None => return,
            }
        }
    }

    pub(crate) fn spend_step(&mut self) {
        self.steps_left = self.steps_left.saturating_sub(1);
    }

    /// Whether tokens are on their way.
    pub(crate) fn is_under_way(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether conditions have to be looked at; they count as looked at from now on.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed) && self.watches
    }

    /// The same for conditions that see which elements are active.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved) && self.watches
    }

    /// What can only be known when no token is on its way: joins of inclusive gateways, and
    /// scopes that hold nothing any more. Whether anything happened.
    fn settle(&mut self) -> bool {
        if self.instance.state != InstanceState::Active {
            return false;
        }
        if let Some((scope, gateway, joined)) = flow::inclusive_join(&self.instance, self.process())
        {
            let key = self.activate(scope, gateway, None, joined);
            self.enter(key);
            return true;
        }
        if flow::activity_start::settle(self)
            || element::complex_gateway::settle(self)
            || element::ad_hoc::settle(self)
            || element::performer::ask(self)
            || element::compensation::go_on(self)
        {
            return true;
        }
        let finished = self.finished_sub_processes();
        if !finished.is_empty() {
            for key in finished {
                self.pass(key);
            }
            return true;
        }
        if self.instance.elements.is_empty() && self.instance.tokens.is_empty() {
            self.close_waits(Key::PROCESS);
            self.emit(Event::InstanceCompleted);
        }
        false
    }

    fn finished_sub_processes(&self) -> Vec<Key> {
        let mut held: BTreeSet<Key> =
            self.instance.elements().map(|(_, inner)| inner.scope).collect();
        held.extend(self.instance.tokens().map(|token| token.scope));
        let finished = |(key, element): &(Key, &ElementInstance)| {
            element.stage == Stage::Active
                && element.repetition.is_none()
                && !held.contains(key)
                && self.place(*key).is_some_and(|(_, node)| match &node.kind {
                    NodeKind::SubProcess(SubProcess::AdHoc(ad_hoc)) => {
                        element::ad_hoc::is_over(&self.instance, *key, ad_hoc)
                    }
                    NodeKind::SubProcess(_) => true,
                    _ => false,
                })
        };
        self.instance.elements().filter(finished).map(|(key, _)| key).collect()
    }

    /// Sends a token along `flow`.
    pub(crate) fn send(&mut self, scope: Key, flow: FlowIx) {
        self.queue.push_back(Step::Take { scope, flow });
    }

    /// Sends so many tokens along `flow`; each costs a step, or they could be without end.
    pub(crate) fn send_all(&mut self, scope: Key, flow: FlowIx, quantity: u32) {
        for nth in 0..quantity {
            if nth > 0 {
                self.spend_step();
            }
            self.send(scope, flow);
        }
    }

    /// Lets an activated element begin when its turn comes.
    pub(crate) fn begin(&mut self, key: Key) {
        self.queue.push_back(Step::Enter(key));
    }

    /// Makes an instance of an element, which does nothing yet.
    pub(crate) fn activate(
        &mut self,
        scope: Key,
        ix: NodeIx,
        index: Option<u32>,
        joined: Vec<ElementId>,
    ) -> Key {
        let key = self.next_key();
        let element = ElementId::clone(&self.process().node(ix).id);
        self.emit(Event::ElementActivated { key, element, scope, joined, index });
        key
    }

    /// Lets an activated element begin.
    pub(crate) fn enter(&mut self, key: Key) {
        let Some((_, node)) = self.place(key) else { return };
        let outcome = match self.steps_left {
            0 => Err(too_many_steps()),
            _ => element::start(self, key, node),
        };
        if let Err(failure) = outcome {
            self.raise(key, Stage::Activating, &failure);
        }
    }

    /// Ends an element that has no results, and goes on from it.
    pub(crate) fn pass(&mut self, key: Key) {
        self.complete(key, &VariableMap::new());
    }

    /// Ends an element with its results and goes on from it.
    pub(crate) fn complete(&mut self, key: Key, results: &VariableMap) {
        let Some((_, node)) = self.place(key) else { return };
        if let Err(failure) = element::finish(self, key, node, results) {
            self.raise(key, Stage::Completing, &failure);
        }
    }

    /// Lets an event that happened go on with what it brings.
    pub(crate) fn arrive(&mut self, key: Key, results: &VariableMap) {
        match self.steps_left {
            0 => self.raise(key, Stage::Completing, &too_many_steps()),
            _ => self.complete(key, results),
        }
    }

    /// Accounts for data that an element made.
    pub(crate) fn charge(&mut self, made: &VariableMap) -> Result<(), Failure> {
        let over = |what: &str, limit: usize| {
            let message = format!("the variables are too large: {what} is limited to {limit}");
            Failure::new(IncidentKind::LimitExceeded, message)
        };
        let bytes = limits::measure(made).map_err(|limit| over(limit.what, limit.limit))?;
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or_else(|| over("what one transition makes", MAX_MADE))?;
        Ok(())
    }

    /// Stops an element until somebody resolves what is wrong.
    pub(crate) fn raise(&mut self, owner: Key, stage: Stage, failure: &Failure) {
        let Some(element) = self.element(owner) else { return };
        let element = ElementId::clone(&element.element);
        self.raise_incident(owner, element, stage, failure);
    }

    /// Stops the event `element`, for which `owner` waits and which may be another's; `owner` itself
    /// goes on.
    pub(crate) fn raise_at(&mut self, owner: Key, element: &ElementId, failure: &Failure) {
        self.raise_incident(owner, ElementId::clone(element), Stage::Active, failure);
    }

    fn raise_incident(&mut self, owner: Key, element: ElementId, stage: Stage, failure: &Failure) {
        let incident = Incident {
            owner,
            element,
            kind: failure.kind,
            message: failure.message.chars().take(MAX_MESSAGE).collect(),
        };
        let key = self.next_key();
        self.emit(Event::IncidentRaised { key, incident, stage });
    }

    /// Sets variables of one scope, as far as they change.
    pub(crate) fn set_variables(&mut self, scope: Key, variables: &VariableMap) {
        let own = match self.element(scope) {
            Some(element) => &element.variables,
            None => self.instance.variables(),
        };
        let changed = variables.entries().filter(|(name, value)| own.get(name) != Some(&***value));
        let variables: VariableMap =
            changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        if !variables.is_empty() {
            self.emit(Event::VariablesSet { scope, variables });
        }
    }

    /// Sets each variable where it is defined as seen from `scope`, else at process level.
    pub(crate) fn propagate(&mut self, scope: Key, variables: &VariableMap) {
        let mut homes: Vec<(Key, VariableMap)> = Vec::new();
        for (name, value) in variables.entries() {
            let home = self.view(scope).home(name);
            let at = homes.iter().position(|(key, _)| *key == home).unwrap_or_else(|| {
                homes.push((home, VariableMap::new()));
                homes.len() - 1
            });
            if let Some((_, map)) = homes.get_mut(at) {
                map.insert(name.clone(), value.clone());
            }
        }
        for (home, variables) in homes {
            self.set_variables(home, &variables);
        }
    }

    /// Stops waiting for everything that `owner` waits for.
    pub(crate) fn close_waits(&mut self, owner: Key) {
        self.close_waits_where(owner, |_| true);
    }

    pub(crate) fn close_waits_where(&mut self, owner: Key, which: impl Fn(&ElementId) -> bool) {
        let mine = self.instance.waits().filter(|(_, wait)| wait.owner == owner);
        let keys: Vec<Key> =
            mine.filter(|(_, wait)| which(&wait.element)).map(|(key, _)| key).collect();
        for key in keys {
            self.close(key);
        }
    }

    pub(crate) fn close(&mut self, key: Key) {
        let Some(wait) = self.instance.wait(key) else { return };
        let element = ElementId::clone(&wait.element);
        let event = match &wait.kind {
            WaitKind::Arrived { .. } => Event::PartUsed(PartUsed { key, element }),
            WaitKind::Compensation { .. } => {
                Event::CompensationEnded(CompensationEnded { key, element })
            }
            WaitKind::Human { .. } | WaitKind::Job { .. } | WaitKind::Agent { .. } => {
                Event::WorkCancelled { key, element }
            }
            WaitKind::Timer { .. } => Event::TimerCancelled { key, element },
            WaitKind::Message { .. } | WaitKind::Signal { .. } => {
                Event::SubscriptionClosed { key, element }
            }
            WaitKind::Condition { .. } => Event::ConditionClosed { key, element },
            WaitKind::Activation { .. } => Event::ActivationClosed { key, element },
            WaitKind::Child { instance, .. } => {
                Event::ChildCancelled { key, element, instance: instance.clone() }
            }
        };
        let is_compensation = matches!(wait.kind, WaitKind::Compensation { .. });
        self.emit(event);
        // Handlers do not outlive whoever waits for them.
        if is_compensation {
            let handlers = self.instance.elements();
            let handlers: Vec<Key> = handlers
                .filter(|(_, one)| one.compensates == Some(key))
                .map(|(key, _)| key)
                .collect();
            for handler in handlers {
                self.terminate(handler);
            }
        }
    }

    /// Ends an element instance, and everything inside it, without going on from it.
    pub(crate) fn terminate(&mut self, key: Key) {
        self.terminate_inside(key);
        self.terminate_one(key);
    }

    /// Ends everything inside `scope`, tokens on their way included; the scope itself stays.
    pub(crate) fn terminate_inside(&mut self, scope: Key) {
        self.terminate_inside_but(scope, None);
    }

    /// The same, except for `spared`, which lies directly inside and holds nothing.
    pub(crate) fn terminate_inside_but(&mut self, scope: Key, spared: Option<Key>) {
        for inner in self.instance.inside(scope).into_iter().rev() {
            if Some(inner) != spared {
                self.terminate_one(inner);
            }
        }
        self.take_back_tokens(scope);
    }

    /// Takes the tokens of `scope` from `flows`, those on their way included.
    pub(crate) fn take_tokens_from(&mut self, scope: Key, flows: &BTreeSet<FlowIx>) {
        self.queue.retain(
            |step| !matches!(step, Step::Take { scope: from, flow } if *from == scope && flows.contains(flow)),
        );
        let process = self.process();
        let ids: BTreeSet<&ElementId> = flows.iter().map(|flow| &process.flow(*flow).id).collect();
        let waiting = self.instance.tokens().filter(|token| token.scope == scope);
        let waiting: Vec<ElementId> = waiting
            .filter(|token| ids.contains(&token.flow))
            .map(|token| ElementId::clone(&token.flow))
            .collect();
        for flow in waiting {
            self.emit(Event::TokenDropped { scope, flow });
        }
    }

    /// Takes the tokens from `scope`, those on their way included.
    pub(crate) fn take_back_tokens(&mut self, scope: Key) {
        self.queue.retain(|step| !matches!(step, Step::Take { scope: from, .. } if *from == scope));
        self.drop_tokens(scope);
    }

    fn terminate_one(&mut self, key: Key) {
        let Some(element) = self.element(key) else { return };
        let element = ElementId::clone(&element.element);
        self.close_waits(key);
        self.drop_tokens(key);
        self.emit(Event::ElementTerminated { key, element });
    }

    /// Takes the tokens that wait in `scope`, and what its complex gateways remember of others.
    fn drop_tokens(&mut self, scope: Key) {
        let resets = self.instance.resets().filter(|reset| reset.scope == scope);
        let gateways: Vec<ElementId> =
            resets.map(|reset| ElementId::clone(&reset.gateway)).collect();
        for element in gateways {
            self.emit(Event::GatewayReset(GatewayTokens { scope, element, flows: Vec::new() }));
        }
        let waiting = self.instance.tokens().filter(|token| token.scope == scope);
        let flows: Vec<ElementId> = waiting.map(|token| ElementId::clone(&token.flow)).collect();
        for flow in flows {
            self.emit(Event::TokenDropped { scope, flow });
        }
    }
}

fn too_many_steps() -> Failure {
    let message = format!("more than {MAX_STEPS} steps without a wait: is it a loop?");
    Failure::new(IncidentKind::LimitExceeded, message)
}
