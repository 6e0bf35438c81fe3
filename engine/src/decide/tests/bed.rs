//! An instance under test.

use super::*;
use crate::scope::VariableMap;

/// An instance that is told to do things.
pub(super) struct Bed {
    pub(super) definition: Definition,
    pub(super) instance: Instance,
    /// What the last command led to.
    pub(super) events: Vec<Event>,
}

impl Bed {
    pub(super) fn start(model: &str, variables: serde_json::Value) -> Self {
        let definition = definition(model);
        let mut bed = Self { definition, instance: Instance::new("i"), events: Vec::new() };
        bed.tell(start_with(variables)).unwrap();
        bed
    }

    pub(super) fn tell(&mut self, command: Command) -> Result<(), Rejected> {
        let (actor, authority) = (person("anna"), Authority::default());
        let env = Env { now: Timestamp::from_millis(0), actor: &actor, authority: &authority };
        let Decided { events, instance, .. } =
            advance(&self.definition, &self.instance, command, &env)?;
        assert_sound(&self.definition, &instance);
        (self.events, self.instance) = (events, instance);
        Ok(())
    }

    pub(super) fn complete(&mut self, element: &str) {
        let key = self.waits(element)[0];
        self.tell(Command::CompleteWork { key, variables: VariableMap::new() }).unwrap();
    }

    pub(super) fn waits(&self, element: &str) -> Vec<Key> {
        let waits = self.instance.waits().filter(|(_, wait)| &*wait.element == element);
        waits.map(|(key, _)| key).collect()
    }

    /// The running instances of `element`, the oldest first.
    pub(super) fn keys(&self, element: &str) -> Vec<Key> {
        let running = self.instance.elements().filter(|(_, it)| &*it.element == element);
        running.map(|(key, _)| key).collect()
    }

    /// What runs, waits at joins (`*`) and is waited for around it (`?`), in order of names.
    pub(super) fn shows(&self) -> String {
        let places = self.instance.elements().map(|(_, it)| it.element.to_string());
        let tokens = self.instance.tokens().map(|token| format!("{}*", token.flow));
        let around = self.instance.waits().filter(|(_, wait)| {
            self.instance.element(wait.owner).is_none_or(|owner| owner.element != wait.element)
        });
        let around = around.map(|(_, wait)| format!("{}?", wait.element));
        let mut all: Vec<String> = places.chain(tokens).chain(around).collect();
        all.sort();
        all.join(" ")
    }
}
