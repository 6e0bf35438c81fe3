//! What the rule of a policy sees: the actor, the attempt, and the variables below them.

use serde_json::Value;

use super::{Step, describe};
use crate::feel::Variables;
use crate::scope::VariableMap;

/// Who tries it.
const ACTOR: &str = "actor";
/// What is tried.
const ATTEMPT: &str = "attempt";

/// What the expressions of a policy see.
pub(super) struct Seen<'a> {
    pub(super) step: &'a Step<'a>,
    /// The variable `attempt` where the policy guards a field.
    pub(super) change: Option<&'a Value>,
}

impl Seen<'_> {
    /// The variables among `names`, without copying a value.
    pub(super) fn read<'n>(&self, names: impl Iterator<Item = &'n str>) -> VariableMap {
        let view = self.step.instance.view(self.step.attempt.scope);
        let given = self.step.attempt.variables;
        let names = names.filter(|name| !matches!(*name, ACTOR | ATTEMPT));
        names.filter_map(|name| given.entry(name).or_else(|| view.entry(name))).collect()
    }
}

impl Variables for Seen<'_> {
    fn variable(&self, name: &str) -> Option<&Value> {
        let Step { instance, attempt, env, actor, .. } = self.step;
        match name {
            ACTOR => Some(actor.get_or_init(|| describe(env.actor))),
            ATTEMPT => Some(self.change.unwrap_or_else(|| self.step.tried())),
            _ => attempt.variables.get(name).or_else(|| instance.view(attempt.scope).find(name)),
        }
    }
}
