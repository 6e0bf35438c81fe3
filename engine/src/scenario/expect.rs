//! Expectations against a world.

use super::format::Expect;
use super::host::{Running, World};
use super::report::Difference;
use crate::event::{CompensationStarted, Event};
use crate::feel;
use crate::instance::Key;
use crate::model::{Gateway, NodeKind};
use crate::wait::{Wait, WaitKind};

/// Compares what `running` is and did with `expect`.
///
/// # Errors
/// The first difference.
pub(super) fn check(
    world: &World<'_>,
    running: &Running,
    expect: &Expect,
    step: Option<usize>,
) -> Result<(), Difference> {
    let history = History::of(running);
    let differ = |what: &str, expected: String, actual: String| {
        Err(Difference { step, what: what.to_owned(), expected, actual })
    };
    if let Some(expected) = &expect.state {
        let actual = running.instance.state.as_str();
        if actual != expected {
            return differ("state", expected.clone(), actual.to_owned());
        }
    }
    if let Some(expected) = &expect.incidents {
        let open = world.open_incidents(running);
        let actual: Vec<String> =
            open.iter().map(|(node, kind)| format!("{node} ({kind})")).collect();
        let wanted: Vec<String> = expected
            .iter()
            .map(|incident| match &incident.kind {
                Some(kind) => format!("{} ({kind})", incident.node),
                None => incident.node.clone(),
            })
            .collect();
        let mut left = open;
        let all = expected.iter().all(|incident| {
            let fits = |(node, kind): &(String, &str)| {
                *node == incident.node && incident.kind.as_ref().is_none_or(|wanted| wanted == kind)
            };
            left.iter().position(fits).map(|at| left.remove(at)).is_some()
        });
        if !all || !left.is_empty() {
            return differ("incidents", listed(&wanted), listed(&actual));
        }
    }
    let lists = [
        ("waiting", expect.waiting.as_ref(), world.waiting(running), Order::Free),
        ("ended_at", expect.ended_at.as_ref(), history.ended_at(running), Order::Kept),
        ("path", expect.path.as_ref(), history.path.clone(), Order::Kept),
        ("path_any_order", expect.path_any_order.as_ref(), history.path.clone(), Order::Free),
    ];
    for (what, expected, mut actual, order) in lists {
        let Some(mut expected) = expected.cloned() else { continue };
        if order == Order::Free {
            expected.sort_unstable();
            actual.sort_unstable();
        }
        if expected != actual {
            return differ(what, listed(&expected), listed(&actual));
        }
    }
    for node in &expect.not_reached {
        if history.activated.contains(node) {
            return differ("not_reached", format!("{node} never began"), format!("{node} began"));
        }
    }
    for (node, expected) in &expect.counts {
        let actual = history.path.iter().filter(|completed| *completed == node).count() as u64;
        if actual != *expected {
            let what = format!("counts.{node}");
            return differ(&what, expected.to_string(), actual.to_string());
        }
    }
    for (name, expected) in &expect.variables {
        let actual = running.instance.variables().get(name);
        if !actual.is_some_and(|actual| feel::same(expected, actual)) {
            let what = format!("variables.{name}");
            let actual = actual.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            return differ(&what, expected.to_string(), actual);
        }
    }
    for name in &expect.absent {
        if let Some(actual) = running.instance.variables().get(name) {
            return differ(&format!("absent.{name}"), "nothing".to_owned(), actual.to_string());
        }
    }
    for (process, expected) in &expect.called {
        let mut called = world.called_by(running, process).peekable();
        if called.peek().is_none() {
            let what = format!("called.{process}");
            return differ(&what, "a called instance".to_owned(), "none".to_owned());
        }
        for child in called {
            check(world, child, expected, step).map_err(|difference| Difference {
                what: format!("called.{process}.{}", difference.what),
                ..difference
            })?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Kept,
    Free,
}

/// What an instance did, out of its journal.
struct History {
    activated: Vec<String>,
    /// Completed elements in order, without the bodies of activities that repeat and without
    /// sub-processes that are undone.
    path: Vec<String>,
}

impl History {
    fn of(running: &Running) -> Self {
        let mut history = Self { activated: Vec::new(), path: Vec::new() };
        let mut bodies: Vec<Key> = Vec::new();
        for event in &running.journal {
            match event {
                Event::ElementActivated { element, .. } => {
                    history.activated.push(element.to_string());
                }
                Event::RepetitionStarted { key, .. } => bodies.push(*key),
                Event::CompensationStarted(CompensationStarted { key, element, .. })
                    if history.activated.last().is_some_and(|last| **last == **element) =>
                {
                    bodies.push(*key);
                }
                Event::ElementCompleted { key, element } if !bodies.contains(key) => {
                    history.path.push(element.to_string());
                }
                _ => {}
            }
        }
        history
    }

    fn ended_at(&self, running: &Running) -> Vec<String> {
        let process = running.definition.process();
        let is_end = |id: &&String| {
            process.find(id).map(|ix| process.node(ix)).is_some_and(|node| {
                node.parent.is_none() && matches!(node.kind, NodeKind::EndEvent(_))
            })
        };
        self.path.iter().filter(is_end).cloned().collect()
    }
}

/// The element at which the token of `wait` stands, if it is one that counts as waiting.
pub(super) fn stands_at(running: &Running, wait: &Wait) -> Option<String> {
    let aside = matches!(
        wait.kind,
        WaitKind::Child { .. } | WaitKind::Activation { .. } | WaitKind::Compensation { .. }
    );
    if aside || running.instance.blocks(wait).is_some() {
        return None;
    }
    let (_, owner) = running.instance.place(running.definition.process(), wait.owner)?;
    let is_gateway =
        matches!(owner.kind, NodeKind::Gateway(Gateway::EventBased | Gateway::ParallelEventBased));
    // What an activity waits for besides its work, or a scope for its event sub-processes, is not
    // a place where a token stands.
    (is_gateway || owner.id == wait.element).then(|| owner.id.to_string())
}

fn listed(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}
