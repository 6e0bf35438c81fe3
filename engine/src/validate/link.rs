//! Links (BPMN 2.0.2 §10.5.5): each has one catch event and leads to it from its throw events.

use super::Check;
use crate::model::{Node, NodeIx, NodeKind, Trigger};

impl Check<'_> {
    /// What is wrong with the link of `node`, if it is a link event.
    pub(super) fn link(&mut self, node: &Node) {
        let Some(Trigger::Link { name }) = node.trigger() else { return };
        let id = &*node.id;
        if name.is_empty() {
            self.error(
                "link_without_name",
                id,
                "the link has no name, so nothing says which events belong together",
                "give the throw events and the catch event of a link the same name",
            );
        }
        let process = self.process;
        let targets = process.link_targets(node.parent, name).count();
        match node.kind {
            NodeKind::IntermediateThrowEvent(_) => {
                if targets == 0 && !name.is_empty() {
                    self.no_target(node, name);
                }
                if !node.outgoing.is_empty() {
                    self.error(
                        "flow_out_of_link",
                        id,
                        "a flow leaves an event that throws a link; the link is what goes on",
                        "remove the flow, or use an event without a link",
                    );
                }
            }
            NodeKind::IntermediateCatchEvent(_) => {
                if targets > 1 {
                    self.error(
                        "link_ambiguous",
                        id,
                        format!("{targets} events of this scope catch the link {name:?}"),
                        "keep one catch event for each link, and give the others names of their own",
                    );
                }
                if !node.incoming.is_empty() {
                    self.error(
                        "flow_into_link",
                        id,
                        "a flow leads into an event that catches a link; only its link does",
                        "remove the flow, or use a throw event of the link in its place",
                    );
                }
            }
            _ => self.error(
                "link_place",
                id,
                "a link joins intermediate events; other events have none",
                "use an intermediate throw event and an intermediate catch event",
            ),
        }
    }

    fn no_target(&mut self, node: &Node, name: &str) {
        let caught = |(_, other): &(NodeIx, &Node)| {
            matches!(&other.kind,
                NodeKind::IntermediateCatchEvent(Trigger::Link { name: known }) if known == name)
        };
        let what = match self.process.nodes().find(caught) {
            Some((_, elsewhere)) => format!(
                "the link {name:?} is caught by {}, which lies in another scope",
                elsewhere.id
            ),
            None => format!("no event catches the link {name:?}"),
        };
        self.error(
            "link_without_target",
            &node.id,
            what,
            "add an intermediate catch event with this link to the same process or sub-process",
        );
    }

    /// Tells of a catch event to which no link leads; whether `node` is one.
    pub(super) fn link_without_source(&mut self, ix: NodeIx, node: &Node) -> bool {
        let NodeKind::IntermediateCatchEvent(Trigger::Link { name }) = &node.kind else {
            return false;
        };
        let process = self.process;
        if process.link_sources(ix).next().is_some() {
            return false;
        }
        // One of several that catch the same link is told of as such.
        if process.link_targets(node.parent, name).count() > 1 {
            return true;
        }
        self.error(
            "link_without_source",
            &node.id,
            format!("no event of this scope throws the link {name:?}"),
            "add an intermediate throw event with this link, or remove the catch event",
        );
        true
    }
}
