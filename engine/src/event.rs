//! What happened: the journal of an instance, which is also its runtime record.
//!
//! The serialised form is stored for ever. It evolves by addition only: no variant and no field is
//! renamed or removed, and a new field has a default that means "as before".

mod compensation;
mod detail;
mod part;
mod refusal;

use std::sync::Arc;

use flowmaster_kernel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expression::timer::Repeat;
use crate::governance::{Action, Consulted, Refusal};
use crate::incident::Incident;
use crate::instance::{ActorRef, Caller, Key, Stage};
use crate::model::ElementId;
use crate::scope::{Shared, VariableMap};

pub use compensation::{
    CompensationEnabled, CompensationEnded, CompensationStarted, CompensationThrown,
};
pub use detail::{
    ActivationWait, Activities, Change, ChildState, GatewayTokens, HumanWork, Modified, Proposed,
    Subscription, Work,
};
pub(crate) use part::is_first;
pub use part::{PartArrived, PartUsed};
pub use refusal::refusal;

/// An event of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The instance began.
    InstanceStarted {
        /// BPMN id of its process.
        process: ElementId,
        /// What the business calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_key: Option<String>,
        /// Who started it.
        starter: ActorRef,
        /// Who called it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<Caller>,
    },
    /// An element began.
    ElementActivated {
        /// The element instance.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// The scope it runs in.
        #[serde(default, skip_serializing_if = "Key::is_process")]
        scope: Key,
        /// The flows whose waiting tokens were joined into it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<ElementId>,
        /// Its 0-based place among the inner instances of a multi-instance activity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index: Option<u32>,
    },
    /// An element ended in the normal way.
    ElementCompleted {
        /// The element instance.
        key: Key,
        /// BPMN id.
        element: ElementId,
    },
    /// An element was ended by something else.
    ElementTerminated {
        /// The element instance.
        key: Key,
        /// BPMN id.
        element: ElementId,
    },
    /// A token went along a sequence flow.
    FlowTaken {
        /// The scope.
        #[serde(default, skip_serializing_if = "Key::is_process")]
        scope: Key,
        /// Id of the flow.
        flow: ElementId,
        /// Whether it waits at its end for the others of a join.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        waits: bool,
    },
    /// A token that waited at a join is gone: its scope was interrupted, or it was taken away.
    TokenDropped {
        /// The scope.
        #[serde(default, skip_serializing_if = "Key::is_process")]
        scope: Key,
        /// Id of the flow.
        flow: ElementId,
    },
    /// A complex gateway went on before every flow brought a token: it waits for the others, to be
    /// reset.
    ResetAwaited(GatewayTokens),
    /// A complex gateway has what it waited for, or nothing more can come: it begins anew.
    GatewayReset(GatewayTokens),
    /// An ad-hoc sub-process began to wait for somebody to activate what is in it.
    ActivationOpened(ActivationWait),
    /// Elements of an ad-hoc sub-process were selected; they begin.
    ActivitiesActivated(Activities),
    /// Nothing more can be activated in an ad-hoc sub-process.
    ActivationClosed {
        /// The wait.
        key: Key,
        /// The sub-process.
        element: ElementId,
    },
    /// An activity that repeats knows its items.
    RepetitionStarted {
        /// The body.
        key: Key,
        /// How many inner instances there will be; the most there may be for a loop, 0 without a limit.
        total: u32,
        /// The items still to go through one after the other.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<Shared>,
    },
    /// An inner instance of a multi-instance activity gave its result.
    RepetitionResult {
        /// The body.
        key: Key,
        /// Place of the inner instance.
        index: u32,
        /// Its result.
        value: Shared,
    },
    /// Variables changed. Only those that did are named.
    VariablesSet {
        /// Where they live.
        #[serde(default, skip_serializing_if = "Key::is_process")]
        scope: Key,
        /// The new values.
        variables: VariableMap,
    },
    /// A decision was evaluated.
    DecisionEvaluated {
        /// The element instance that asked.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// Id of the decision.
        decision: String,
    },
    /// Work for a person, a worker or an agent began to wait.
    WorkRequested {
        /// The wait.
        key: Key,
        /// The element instance.
        owner: Key,
        /// BPMN id.
        element: ElementId,
        /// What is asked, with every expression resolved.
        work: Work,
    },
    /// The work was done.
    WorkCompleted {
        /// The wait.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// Who did it.
        actor: ActorRef,
    },
    /// The work failed for technical reasons.
    WorkFailed {
        /// The wait.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// What happened.
        message: String,
        /// How often it may still be tried.
        retries: u32,
        /// From when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// The work may be tried again, because its incident was resolved.
    WorkRetried {
        /// The wait.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// How often it may be tried.
        retries: u32,
    },
    /// The work is no longer wanted.
    WorkCancelled {
        /// The wait.
        key: Key,
        /// BPMN id.
        element: ElementId,
    },
    /// A timer began to run.
    TimerStarted {
        /// The wait.
        key: Key,
        /// The element instance that owns it.
        #[serde(default, skip_serializing_if = "Key::is_process")]
        owner: Key,
        /// The event it triggers.
        element: ElementId,
        /// When it fires.
        due_at: Timestamp,
        /// What comes after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeat: Option<Repeat>,
    },
    /// A timer fired.
    TimerFired {
        /// The wait.
        key: Key,
        /// The event it triggers.
        element: ElementId,
    },
    /// A timer is no longer wanted.
    TimerCancelled {
        /// The wait.
        key: Key,
        /// The event.
        element: ElementId,
    },
    /// The instance began to wait for a message or signal.
    SubscriptionOpened {
        /// The wait.
        key: Key,
        /// The element instance that owns it.
        #[serde(default, skip_serializing_if = "Key::is_process")]
        owner: Key,
        /// The event it triggers.
        element: ElementId,
        /// To what.
        subscription: Subscription,
    },
    /// A message or signal arrived. The subscription stays open until it is closed.
    SubscriptionTriggered {
        /// The wait.
        key: Key,
        /// The event it triggers.
        element: ElementId,
        /// Id of the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
    },
    /// The instance no longer waits for a message or signal.
    SubscriptionClosed {
        /// The wait.
        key: Key,
        /// The event.
        element: ElementId,
    },
    /// The instance began to wait for a condition.
    ConditionOpened {
        /// The wait.
        key: Key,
        /// The element instance that owns it.
        #[serde(default, skip_serializing_if = "Key::is_process")]
        owner: Key,
        /// The event it triggers.
        element: ElementId,
        /// Its 0-based place among the definitions of the event.
        #[serde(default, skip_serializing_if = "is_first")]
        part: u32,
    },
    /// A condition became true, which triggers its event, or false. The wait stays until it is closed.
    ConditionChanged {
        /// The wait.
        key: Key,
        /// The event it triggers.
        element: ElementId,
        /// Whether it is true now.
        holds: bool,
    },
    /// The instance no longer waits for a condition.
    ConditionClosed {
        /// The wait.
        key: Key,
        /// The event.
        element: ElementId,
    },
    /// A part of an event that waits for all its parts happened.
    PartArrived(PartArrived),
    /// What a part brought is used, or no longer wanted.
    PartUsed(PartUsed),
    /// A message was sent.
    MessageThrown {
        /// The element instance that sent it; its key makes the message's id.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// The message's name.
        name: String,
        /// Its correlation key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation: Option<String>,
        /// What it brings.
        #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
        variables: VariableMap,
    },
    /// A signal was broadcast.
    SignalThrown {
        /// The element instance that sent it.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// The signal's name.
        name: String,
        /// What it brings.
        #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
        variables: VariableMap,
    },
    /// A BPMN error was thrown.
    ErrorThrown {
        /// The element instance that threw it.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// The error code.
        code: String,
        /// What happened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The event that catches it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caught_by: Option<ElementId>,
    },
    /// An escalation was thrown.
    EscalationThrown {
        /// The element instance that threw it.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// The escalation code.
        code: String,
        /// The event that catches it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caught_by: Option<ElementId>,
        /// What it brings; kept where the caller of the instance may catch it.
        #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
        variables: VariableMap,
    },
    /// An activity that ends now can be undone from now on.
    CompensationEnabled(CompensationEnabled),
    /// Completed activities are to be undone.
    CompensationThrown(CompensationThrown),
    /// A completed activity begins to be undone.
    CompensationStarted(CompensationStarted),
    /// What was to be undone is, or was given up.
    CompensationEnded(CompensationEnded),
    /// Another process was called.
    ChildRequested {
        /// The wait.
        key: Key,
        /// The call activity.
        owner: Key,
        /// BPMN id.
        element: ElementId,
        /// Id of the process to start.
        process: String,
        /// Id of the instance to start.
        instance: Arc<str>,
    },
    /// A called instance ended.
    ChildEnded {
        /// The wait.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// How.
        state: ChildState,
    },
    /// A called instance is no longer wanted.
    ChildCancelled {
        /// The wait.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// Id of the called instance.
        instance: Arc<str>,
    },
    /// An element cannot go on by itself.
    IncidentRaised {
        /// The incident.
        key: Key,
        /// What is wrong and where.
        incident: Incident,
        /// What is tried again when it is resolved.
        stage: Stage,
    },
    /// An incident was resolved: the element is tried again.
    IncidentResolved {
        /// The incident.
        key: Key,
        /// BPMN id.
        element: ElementId,
        /// Who resolved it.
        actor: ActorRef,
    },
    /// Somebody tried what the policies do not let them do. Nothing else changed, except that what
    /// they filled in may be kept as a proposal.
    ActionRefused(Refusal),
    /// What somebody filled in waits for another to confirm it.
    WorkProposed(Proposed),
    /// The policies let somebody do something.
    ActionAllowed {
        /// What.
        action: Action,
        /// The element, if not the process as a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<ElementId>,
        /// Who.
        actor: ActorRef,
        /// The tool, for a tool call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<String>,
        /// The policies that were asked, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        policies: Vec<Consulted>,
    },
    /// The instance is held.
    InstancePaused {
        /// Who held it.
        actor: ActorRef,
    },
    /// The instance goes on.
    InstanceResumed {
        /// Who let it go on.
        actor: ActorRef,
    },
    /// Somebody changes where the instance is; what that leads to follows.
    InstanceModified(Modified),
    /// Every path reached its end.
    InstanceCompleted,
    /// The instance was ended from outside.
    InstanceCancelled {
        /// Who ended it.
        actor: ActorRef,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A BPMN error that nothing in the instance caught ended it; its caller may catch it.
    InstanceFailed {
        /// The error code.
        code: String,
        /// What happened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Variables for whoever catches it.
        #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
        variables: VariableMap,
    },
}
