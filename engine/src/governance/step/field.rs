//! Whether an attempt would change a field, by what it brings or by what the output mappings of the
//! element make of that.

use serde_json::{Value, json};

use super::{Leaves, Step};
use crate::feel::Variables as _;
use crate::governance::FieldPath;
use crate::mapping;
use crate::scope::VariableMap;

impl Step<'_> {
    /// The variable `attempt` for a policy that guards the field `path`; nothing where it stays as it is.
    pub(super) fn change(&self, path: &FieldPath) -> Result<Option<Value>, String> {
        let written = self.written.get_or_init(|| self.writes());
        let written = written.as_ref().map_err(String::clone)?;
        if !written.contains(path.root()) {
            return Ok(None);
        }
        let view = self.instance.view(self.attempt.scope);
        let before = path.of(view.variable(path.root()));
        let value = path.of(written.get(path.root()));
        let change = || {
            json!({
                "field": path.to_string(),
                "value": value,
                "before": before,
                "variables": self.attempt.variables,
            })
        };
        Ok((value != before).then(change))
    }

    fn writes(&self) -> Result<VariableMap, String> {
        let given = self.attempt.variables;
        match (self.attempt.leaves, self.attempt.node) {
            (Leaves::Nothing, _) => Ok(VariableMap::new()),
            (Leaves::Mapped, Some(node)) => {
                let view = self.instance.view(self.attempt.scope);
                mapping::left_by(&view, node, given, self.env.now)
                    .map_err(|failure| failure.message)
            }
            (Leaves::AsGiven | Leaves::Mapped, _) => Ok(given.clone()),
        }
    }
}
