//! What the rule of a policy sees: the actor, the attempt, and the variables below them.

use serde_json::Value;

use super::Step;
use crate::feel::Variables;
use crate::scope::VariableMap;

/// What the expressions of a policy see.
pub(super) struct Seen<'a> {
    pub(super) step: &'a Step<'a>,
    /// `actor`, `attempt` and the attempted variables.
    pub(super) known: &'a VariableMap,
}

impl Seen<'_> {
    /// The variables among `names`, without copying a value.
    pub(super) fn read<'n>(&self, names: impl Iterator<Item = &'n str>) -> VariableMap {
        let view = self.step.instance.view(self.step.attempt.scope);
        let mut read = VariableMap::new();
        for name in names.filter(|name| !matches!(*name, "actor" | "attempt")) {
            if let Some((name, value)) = self.known.entry(name).or_else(|| view.entry(name)) {
                read.insert(name, value);
            }
        }
        read
    }
}

impl Variables for Seen<'_> {
    fn variable(&self, name: &str) -> Option<&Value> {
        let below = self.step.instance.view(self.step.attempt.scope);
        self.known.get(name).or_else(|| below.find(name))
    }
}
