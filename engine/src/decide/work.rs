//! The outcomes of work: done, an error, an escalation, a failure.

use crate::element::performer;
use crate::event::Event;
use crate::incident::{Failure, IncidentKind};
use crate::instance::{Key, Stage};
use crate::model::{ElementId, NodeIx};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::trigger::{AfterThrow, throw_error, throw_escalation};
use crate::wait::Wait;

pub(super) fn complete(t: &mut Transition<'_>, key: Key, wait: &Wait, results: &VariableMap) {
    done(t, key, wait);
    // Whoever performs an ad-hoc sub-process says by that that it is over.
    if t.place(wait.owner).is_some_and(|(_, node)| node.ad_hoc().is_some()) {
        t.terminate_inside(wait.owner);
    }
    t.complete(wait.owner, results);
}

pub(super) fn perform(
    t: &mut Transition<'_>,
    key: Key,
    wait: &Wait,
    activate: &[(NodeIx, VariableMap)],
    variables: &VariableMap,
) {
    done(t, key, wait);
    performer::perform(t, wait.owner, activate, variables);
}

fn done(t: &mut Transition<'_>, key: Key, wait: &Wait) {
    let element = ElementId::clone(&wait.element);
    let actor = t.env.actor.into();
    t.emit(Event::WorkCompleted { key, element, actor });
}

pub(super) fn throw(
    t: &mut Transition<'_>,
    wait: &Wait,
    code: &str,
    message: Option<&str>,
    variables: VariableMap,
) {
    throw_error(t, wait.owner, code, message, variables);
}

pub(super) fn escalate(t: &mut Transition<'_>, wait: &Wait, code: &str, variables: &VariableMap) {
    throw_escalation(t, wait.owner, code, variables, AfterThrow::Stay);
}

pub(super) fn fail(
    t: &mut Transition<'_>,
    key: Key,
    wait: &Wait,
    message: String,
    retries: u32,
    back_off: Option<i64>,
) {
    let element = ElementId::clone(&wait.element);
    let retry_at = back_off.filter(|_| retries > 0).map(|after| t.now().plus_millis(after.max(0)));
    t.emit(Event::WorkFailed { key, element, message: message.clone(), retries, retry_at });
    if retries == 0 {
        let failure = Failure::new(IncidentKind::JobFailed, message);
        t.raise(wait.owner, Stage::Active, &failure);
    }
}
