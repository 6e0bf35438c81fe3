//! Embedded and event sub-processes (BPMN 2.0.2 §10.3.5, §13.3.4): a scope in the same instance. It
//! completes when it holds no token any more, which the transition finds out.

use super::{ad_hoc, catch_event};
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, NodeIx, NodeKind, SubProcess, Trigger};
use crate::transition::Transition;
use crate::trigger::trigger_of;

pub(crate) fn enter(t: &mut Transition<'_>, key: Key) -> Result<(), Failure> {
    let Some((place, node)) = t.place(key) else { return Ok(()) };
    if let Some(ad_hoc) = node.ad_hoc() {
        return ad_hoc::enter(t, key, place, ad_hoc);
    }
    open_events(t, key, place)?;
    let process = t.process();
    // One that an incident stopped on its way begins again here, whatever triggered it.
    let is_handler = matches!(node.kind, NodeKind::SubProcess(SubProcess::Event));
    let plain = process.start_events(Some(place)).find(|(_, node)| {
        is_handler || matches!(node.kind, NodeKind::StartEvent { trigger: Trigger::None, .. })
    });
    // Without a start event, everything that nothing leads to begins (BPMN 2.0.2 §13.3.4).
    let starts: Vec<NodeIx> = match plain {
        Some((start, _)) => vec![start],
        None => process.unled(place).map(|(ix, _)| ix).collect(),
    };
    for start in starts {
        let inner = t.activate(key, start, None, Vec::new());
        t.begin(inner);
    }
    Ok(())
}

/// Begins to wait for the event sub-processes inside the sub-process `key` at `place`.
pub(crate) fn open_events(t: &mut Transition<'_>, key: Key, place: NodeIx) -> Result<(), Failure> {
    open_events_of(t, key, Some(place))
}

/// The same for the process.
pub(crate) fn open_process_events(t: &mut Transition<'_>) -> Result<(), Failure> {
    open_events_of(t, Key::PROCESS, None)
}

fn open_events_of(
    t: &mut Transition<'_>,
    scope: Key,
    place: Option<NodeIx>,
) -> Result<(), Failure> {
    let process = t.process();
    let mut prepared = Vec::new();
    for (ix, child) in process.children(place) {
        if !matches!(child.kind, NodeKind::SubProcess(SubProcess::Event)) {
            continue;
        }
        for (_, start) in process.start_events(Some(ix)) {
            let Some(trigger) = trigger_of(start) else { continue };
            if let Some(opening) = catch_event::prepare(t, scope, trigger)? {
                prepared.push((ElementId::clone(&start.id), opening));
            }
        }
    }
    for (start, opening) in prepared {
        catch_event::open(t, scope, &start, opening);
    }
    Ok(())
}
