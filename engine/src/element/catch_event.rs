//! Intermediate catch events, and the opening of whatever an event waits for (BPMN 2.0.2 §10.5.4).

use crate::event::{Event, Subscription};
use crate::expression::timer::{Schedule, schedule};
use crate::expression::{correlation_text, string_of};
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::model::{ElementId, Message, Node, Trigger};
use crate::transition::Transition;

/// What an event will wait for, with every expression resolved.
#[derive(Clone, Debug)]
pub(crate) enum Opening {
    Timer(Schedule),
    Subscription(Subscription),
    Condition,
}

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    trigger: &Trigger,
) -> Result<(), Failure> {
    match prepare(t, key, trigger)? {
        Some(opening) => open(t, key, &node.id, opening),
        None if matches!(trigger, Trigger::None | Trigger::Link { .. }) => t.pass(key),
        None => return Err(super::not_executable(&node.id, "catch event without a wait")),
    }
    Ok(())
}

/// Resolves what an event with `trigger` waits for, as seen from `scope`; nothing for events that
/// are thrown to it.
pub(crate) fn prepare(
    t: &Transition<'_>,
    scope: Key,
    trigger: &Trigger,
) -> Result<Option<Opening>, Failure> {
    let view = t.view(scope);
    Ok(Some(match trigger {
        Trigger::Timer(timer) => {
            let schedule = schedule(timer, &view, t.now())
                .map_err(|message| Failure::new(IncidentKind::TimerFailed, message))?;
            Opening::Timer(schedule)
        }
        Trigger::Message(message) => Opening::Subscription(subscription(t, scope, message)?),
        Trigger::Signal { name } => {
            Opening::Subscription(Subscription::Signal { name: string_of(name, &view, t.now())? })
        }
        Trigger::Conditional { .. } => Opening::Condition,
        Trigger::None
        | Trigger::Error(_)
        | Trigger::Escalation { .. }
        | Trigger::Terminate
        | Trigger::Compensation(_)
        | Trigger::Cancel
        | Trigger::Link { .. } => return Ok(None),
    }))
}

/// The subscription for `message` as seen from `scope`.
pub(crate) fn subscription(
    t: &Transition<'_>,
    scope: Key,
    message: &Message,
) -> Result<Subscription, Failure> {
    let name = string_of(&message.name, &t.view(scope), t.now())?;
    Ok(Subscription::Message { name, correlation: correlation(t, scope, message)? })
}

/// The correlation key of `message` as seen from `scope`.
pub(crate) fn correlation(
    t: &Transition<'_>,
    scope: Key,
    message: &Message,
) -> Result<Option<String>, Failure> {
    let Some(program) = &message.correlation.0 else { return Ok(None) };
    let failed = |message: String| Failure::new(IncidentKind::CorrelationFailed, message);
    let value = program
        .evaluate(&t.view(scope), t.now())
        .map_err(|error| failed(format!("the correlation key has no value: {error}")))?;
    match correlation_text(&value) {
        Some(text) => Ok(Some(text)),
        None => Err(failed(program.wrong_type("text or a number", &value).to_string())),
    }
}

/// Begins to wait: `owner` for the event `element`.
pub(crate) fn open(t: &mut Transition<'_>, owner: Key, element: &ElementId, opening: Opening) {
    let (key, element) = (t.next_key(), ElementId::clone(element));
    t.emit(match opening {
        Opening::Timer(Schedule { due_at, repeat }) => {
            Event::TimerStarted { key, owner, element, due_at, repeat }
        }
        Opening::Subscription(subscription) => {
            Event::SubscriptionOpened { key, owner, element, subscription }
        }
        Opening::Condition => Event::ConditionOpened { key, owner, element },
    });
}
