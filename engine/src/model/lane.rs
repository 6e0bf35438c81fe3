//! Lanes (BPMN 2.0.2 §10.8): who is responsible for what lies in them.
//!
//! BPMN gives lanes no meaning for execution. Here the innermost lane of a user task that names
//! nobody says which group may do it.

use super::{ElementId, Message, Node, NodeKind, Process, Task, Trigger};

/// A lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its name; nodes refer to it by that.
    pub name: String,
    /// `flowmaster:group`: the group that does what lies in it; the one of its name where it is not
    /// said.
    pub group: Option<String>,
    /// The name of the lane around it.
    pub inside: Option<String>,
}

impl Process {
    /// The lane that `node` lies in: its own, or that of the sub-process around it.
    #[must_use]
    pub fn lane_of<'a>(&'a self, node: &'a Node) -> Option<&'a str> {
        let mut node = node;
        loop {
            match (&node.lane, node.parent) {
                (Some(lane), _) => return Some(lane),
                (None, Some(parent)) => node = self.node(parent),
                (None, None) => return None,
            }
        }
    }

    /// The group that does the user task `node` when the task itself names nobody.
    #[must_use]
    pub fn lane_group<'a>(&'a self, node: &'a Node) -> Option<&'a str> {
        let name = self.lane_of(node)?;
        let lane = self.lanes.iter().find(|lane| lane.name == name);
        Some(lane.and_then(|lane| lane.group.as_deref()).unwrap_or(name))
    }

    /// The business key of an instance that a message with the key `correlation` starts at
    /// `element`, if it is recognised by that.
    #[must_use]
    pub fn business_key_at(
        &self,
        element: &ElementId,
        correlation: Option<&str>,
    ) -> Option<String> {
        let node = self.node(self.find(element)?);
        let by_key =
            |message: &Message| matches!(message.correlation, super::Correlation::BusinessKey);
        let is_wanted = match &node.kind {
            NodeKind::Task(Task::Receive(message)) => by_key(message),
            _ => node.trigger().is_some_and(|trigger| {
                let mut parts = trigger.parts().iter();
                parts.any(|part| matches!(part, Trigger::Message(message) if by_key(message)))
            }),
        };
        correlation.filter(|key| is_wanted && !key.is_empty()).map(str::to_owned)
    }
}
