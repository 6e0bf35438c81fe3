//! Loops must end, and ad-hoc sub-processes hold what can be selected (BPMN 2.0.2 §10.3.5, §10.3.8).

use super::Check;
use crate::model::{Loop, Node, NodeIx, NodeKind, Performer};

/// The longest name of a tool that models take, and the letters in it.
const MAX_TOOL_NAME: usize = 64;

fn is_tool_name(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    id.len() <= MAX_TOOL_NAME && id.bytes().all(fits)
}

fn is_performed_by_agent(node: &Node) -> bool {
    let performer = node.ad_hoc().and_then(|ad_hoc| ad_hoc.performer.as_ref());
    matches!(performer, Some(Performer::Agent { .. }))
}

impl Check<'_> {
    /// What is wrong with the markers of `node`.
    pub(super) fn repetition(&mut self, node: &Node) {
        if let Some(Loop::Standard(repeat)) = &node.repeat
            && repeat.condition.is_none()
            && repeat.maximum.is_none()
        {
            self.error(
                "loop_without_end",
                &node.id,
                "nothing ends the loop: it has neither a condition nor a maximum",
                "set its loopCondition, for example =loopCounter < 3, or its loopMaximum",
            );
        }
        if node.repeat.is_some() && !node.is_activity() {
            self.error(
                "repeats_no_activity",
                &node.id,
                "only tasks, sub-processes and call activities can be repeated",
                "remove the marker, or put it on a sub-process around the element",
            );
        }
        let Some(ad_hoc) = node.ad_hoc() else { return };
        if ad_hoc.sequential
            && ad_hoc.completion_condition.is_none()
            && ad_hoc.active_elements.is_none()
            && ad_hoc.performer.is_none()
        {
            self.warning(
                "ad_hoc_ends_early",
                &node.id,
                "one activity at a time and no completion condition: it is over after the first one",
                "set a completion condition that says when enough was done",
            );
        }
    }

    /// What is wrong inside the ad-hoc sub-process `id`.
    pub(super) fn ad_hoc_content(&mut self, id: &str, starts: &[&Node], scope: Option<NodeIx>) {
        let process = self.process;
        let ends = process.children(scope).map(|(_, node)| node);
        let ends = ends.filter(|node| matches!(node.kind, NodeKind::EndEvent(_)));
        for event in starts.iter().copied().chain(ends) {
            self.error(
                "ad_hoc_start_or_end",
                &event.id,
                "an ad-hoc sub-process has no start and no end events",
                "remove it; what nothing leads to can be activated",
            );
        }
        if !process.children(scope).any(|(_, node)| node.is_activity()) {
            self.error(
                "ad_hoc_empty",
                id,
                "there is no activity in the ad-hoc sub-process",
                "put the activities into it that may be selected",
            );
        }
        let Some(scope) = scope.filter(|ix| is_performed_by_agent(process.node(*ix))) else {
            return;
        };
        for (_, tool) in process.unled(scope).filter(|(_, tool)| !is_tool_name(&tool.id)) {
            self.error(
                "tool_name",
                &tool.id,
                "the element is a tool of the agent, and models take no such name",
                "use at most 64 letters, digits, - and _ for its id",
            );
        }
    }
}
