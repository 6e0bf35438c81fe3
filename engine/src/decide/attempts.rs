//! What the policies are asked about a command, and what is kept of one that they refuse.

use super::admit::Task;
use super::{Definition, Env};
use crate::command::StartedBy;
use crate::event::Proposed;
use crate::governance::{Action, Attempt, Leaves, Proposal, Refusal};
use crate::instance::{Instance, Key};
use crate::model::{ElementId, Node};
use crate::scope::VariableMap;
use crate::wait::{Wait, WaitKind};

/// An [`Attempt`] that owns its data.
#[derive(Clone, Debug)]
pub(super) struct OwnedAttempt<'a> {
    action: Action,
    node: Option<&'a Node>,
    scope: Key,
    variables: VariableMap,
    tool: Option<String>,
    leaves: Leaves,
    proposal: Option<Proposal>,
}

impl OwnedAttempt<'_> {
    pub(super) fn borrow(&self) -> Attempt<'_> {
        Attempt {
            action: self.action,
            node: self.node,
            scope: self.scope,
            variables: &self.variables,
            tool: self.tool.as_deref(),
            leaves: self.leaves,
            proposal: self.proposal.as_ref(),
        }
    }

    fn leaving(self, leaves: Leaves) -> Self {
        Self { leaves, ..self }
    }
}

impl Task {
    /// What the policies are asked about, in order. Attempts that bring no variables leave nothing.
    pub(super) fn attempts<'d>(
        &self,
        definition: &'d Definition,
        instance: &Instance,
    ) -> Vec<OwnedAttempt<'d>> {
        let process = definition.process();
        let node_of = |key: Key| instance.place(process, key).map(|(_, node)| node);
        let attempt = |action, node, scope, variables: &VariableMap| OwnedAttempt {
            action,
            node,
            scope,
            variables: variables.clone(),
            tool: None,
            leaves: Leaves::AsGiven,
            proposal: None,
        };
        let of_work = |action, wait: &Wait, variables: &VariableMap| {
            attempt(action, node_of(wait.owner), wait.owner, variables)
        };
        let none = VariableMap::new();
        match self {
            Self::Start { at, variables, by, .. } => {
                let begun =
                    attempt(Action::Start, Some(process.node(*at)), Key::PROCESS, variables);
                // What somebody gives is the instance's; what an event brings may be mapped.
                let is_given = *by == StartedBy::Command;
                vec![begun.leaving(if is_given { Leaves::AsGiven } else { Leaves::Mapped })]
            }
            Self::CompleteWork { wait, variables, .. } => vec![OwnedAttempt {
                leaves: Leaves::Mapped,
                proposal: wait.kind.proposal().cloned(),
                ..of_work(Action::Complete, wait, variables)
            }],
            Self::Perform { wait, activate, variables, .. } => {
                let begun = activate.iter().map(|(ix, variables)| {
                    attempt(Action::Activate, Some(process.node(*ix)), wait.owner, variables)
                });
                std::iter::once(of_work(Action::Complete, wait, variables)).chain(begun).collect()
            }
            Self::ToolCall { wait, tool, arguments } => vec![OwnedAttempt {
                tool: Some(tool.clone()),
                leaves: Leaves::Nothing,
                ..of_work(Action::ToolCall, wait, arguments)
            }],
            Self::SetVariables { scope, variables } => {
                vec![attempt(Action::SetVariables, node_of(*scope), *scope, variables)]
            }
            Self::ResolveIncidents { incidents, variables } => {
                let owners = || incidents.iter().map(|(_, incident)| incident.owner);
                let control = owners().map(|it| {
                    attempt(Action::Control, node_of(it), it, variables).leaving(Leaves::Nothing)
                });
                let change = owners()
                    .filter(|_| !variables.is_empty())
                    .map(|it| attempt(Action::SetVariables, node_of(it), it, variables));
                control.chain(change).collect()
            }
            Self::Pause | Self::Resume | Self::Cancel { .. } => {
                vec![attempt(Action::Control, None, Key::PROCESS, &none)]
            }
            Self::SelectActivities { wait, places, variables, .. } => places
                .iter()
                .map(|ix| attempt(Action::Activate, Some(process.node(*ix)), wait.owner, variables))
                .collect(),
            Self::Modify(plan) => {
                let set = plan.variables.iter().map(|(scope, variables)| {
                    attempt(Action::SetVariables, node_of(*scope), *scope, variables)
                });
                let started = plan.activations.iter().map(|it| {
                    let node = Some(process.node(it.place));
                    attempt(Action::Control, node, Key::PROCESS, &it.variables)
                });
                let ended = plan.ended.iter().map(|source| {
                    let key = source.key_or_scope();
                    attempt(Action::Control, node_of(key), key, &none)
                });
                set.chain(started).chain(ended).collect()
            }
            Self::Correlate { wait, target, variables, .. } => {
                let node = Some(process.node(*target));
                let arrived = attempt(Action::Deliver, node, wait.owner, variables);
                vec![arrived.leaving(Leaves::Mapped)]
            }
            Self::BroadcastSignal { name, variables } => {
                let hears = |wait: &&Wait| matches!(&wait.kind, WaitKind::Signal { name: waited } if waited == name);
                let heard = instance.waits().map(|(_, wait)| wait).filter(hears).map(|wait| {
                    let node = process.find(&wait.element).map(|ix| process.node(ix));
                    let arrived = attempt(Action::Deliver, node, wait.owner, variables);
                    arrived.leaving(Leaves::Mapped)
                });
                heard.collect()
            }
            // What a called instance reports is for the policies of its own process.
            Self::Escalate { wait, .. } if !wait.kind.is_work() => Vec::new(),
            Self::ThrowError { wait, variables, .. } | Self::Escalate { wait, variables, .. } => {
                vec![of_work(Action::Deliver, wait, variables)]
            }
            Self::FailWork { .. } | Self::FireTimer { .. } | Self::ChildEnded { .. } => Vec::new(),
        }
    }

    /// What is kept of work that somebody completed and the policies sent on.
    pub(super) fn proposed(&self, refusal: &Refusal, env: &Env<'_>) -> Option<Proposed> {
        let Self::CompleteWork { key, wait, variables } = self else { return None };
        let proposal = Proposal::after(refusal, &wait.kind, env.actor, variables)?;
        Some(Proposed { key: *key, element: ElementId::clone(&wait.element), proposal })
    }
}
