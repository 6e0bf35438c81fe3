//! Intermediate catch events, and the opening of whatever an event waits for (BPMN 2.0.2 §10.5.4).

use super::start_event;
use crate::event::{Event, Subscription};
use crate::expression::timer::{Schedule, schedule};
use crate::expression::{correlation_text, string_of};
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::model::{Correlation, ElementId, Message, Node, NodeIx, NodeKind, Task, Trigger};
use crate::transition::Transition;

/// What an event will wait for, with every expression resolved.
#[derive(Clone, Debug)]
pub(crate) enum Opening {
    Timer(Schedule),
    Subscription(Subscription),
    /// With its place among the definitions of the event.
    Condition(u32),
}

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    trigger: &Trigger,
) -> Result<(), Failure> {
    if t.place(key).is_some_and(|(place, _)| t.process().instantiates(place)) {
        return start_event::enter(t, key);
    }
    let openings = prepare(t, key, trigger)?;
    if openings.is_empty() {
        if matches!(trigger, Trigger::None | Trigger::Link { .. }) {
            t.pass(key);
            return Ok(());
        }
        return Err(super::not_executable(&node.id, "catch event without a wait"));
    }
    for opening in openings {
        open(t, key, &node.id, opening);
    }
    Ok(())
}

/// Resolves what an event with `trigger` waits for, as seen from `scope`; nothing for events that
/// are thrown to it.
pub(crate) fn prepare(
    t: &Transition<'_>,
    scope: Key,
    trigger: &Trigger,
) -> Result<Vec<Opening>, Failure> {
    let mut openings = Vec::new();
    for (place, part) in (0..).zip(trigger.parts()) {
        openings.extend(prepare_part(t, scope, place, part)?);
    }
    Ok(openings)
}

/// The same for the definition `part`, the one at `place`.
pub(super) fn prepare_part(
    t: &Transition<'_>,
    scope: Key,
    place: u32,
    part: &Trigger,
) -> Result<Option<Opening>, Failure> {
    let view = t.view(scope);
    Ok(Some(match part {
        Trigger::Timer(timer) => {
            let schedule = schedule(timer, &view, t.now())
                .map_err(|message| Failure::new(IncidentKind::TimerFailed, message))?;
            Opening::Timer(schedule)
        }
        Trigger::Message(message) => Opening::Subscription(subscription(t, scope, message)?),
        Trigger::Signal { name } => {
            Opening::Subscription(Subscription::Signal { name: string_of(name, &view, t.now())? })
        }
        Trigger::Conditional { .. } => Opening::Condition(place),
        Trigger::None
        | Trigger::Error(_)
        | Trigger::Escalation { .. }
        | Trigger::Terminate
        | Trigger::Compensation(_)
        | Trigger::Cancel
        | Trigger::Link { .. }
        | Trigger::Multiple(_) => return Ok(None),
    }))
}

/// Lets `owner`, which waits already, wait for the event at `place` too. What fails is an incident
/// of that event alone.
pub(crate) fn wait_for(t: &mut Transition<'_>, owner: Key, place: NodeIx) {
    let event = t.process().node(place);
    let openings = match &event.kind {
        NodeKind::Task(Task::Receive(message)) => {
            subscription(t, owner, message).map(|one| vec![Opening::Subscription(one)])
        }
        _ => event.trigger().map_or(Ok(Vec::new()), |trigger| prepare(t, owner, trigger)),
    };
    match openings {
        Ok(openings) => {
            for opening in openings {
                open(t, owner, &event.id, opening);
            }
        }
        Err(failure) => t.raise_at(owner, &event.id, &failure),
    }
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
    let program = match &message.correlation {
        Correlation::None => return Ok(None),
        Correlation::BusinessKey => return Ok(t.instance.business_key.clone()),
        Correlation::Key(program) => program,
    };
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
        Opening::Condition(part) => Event::ConditionOpened { key, owner, element, part },
    });
}
