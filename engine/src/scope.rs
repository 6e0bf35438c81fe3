//! Variables and the scopes that hold them.
//!
//! The process and every element instance is a scope. A name is looked up from the inside out; a
//! result is written where the name is defined already, and at process level otherwise. Values are
//! shared, so that copying a scope, an event or an instance never copies JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::feel::Variables;
use crate::instance::{Instance, Key};

/// Variables by name, in alphabetical order. Copies share the values.
#[derive(Clone, Default, PartialEq)]
pub struct VariableMap(Arc<BTreeMap<Arc<str>, Arc<Value>>>);

impl VariableMap {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One variable.
    pub fn one(name: &str, value: Value) -> Self {
        let mut map = Self::new();
        map.set(name, value);
        map
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|value| &**value)
    }

    /// Whether `name` is defined.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Sets `name`.
    pub fn set(&mut self, name: &str, value: Value) {
        self.insert(Arc::from(name), Arc::new(value));
    }

    pub(crate) fn insert(&mut self, name: Arc<str>, value: Arc<Value>) {
        Arc::make_mut(&mut self.0).insert(name, value);
    }

    /// Sets every variable of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.is_empty() {
            self.clone_from(other);
        } else if !other.is_empty() {
            let own = Arc::make_mut(&mut self.0);
            own.extend(other.entries().map(|(name, value)| (Arc::clone(name), Arc::clone(value))));
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Value>)> {
        self.0.iter()
    }

    /// A name with its value, shared.
    pub(crate) fn entry(&self, name: &str) -> Option<(Arc<str>, Arc<Value>)> {
        let (name, value) = self.0.get_key_value(name)?;
        Some((Arc::clone(name), Arc::clone(value)))
    }

    /// Names and values in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// A JSON object of its own.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }
}

impl Variables for VariableMap {
    fn variable(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

impl From<Map<String, Value>> for VariableMap {
    fn from(map: Map<String, Value>) -> Self {
        map.into_iter().collect()
    }
}

impl FromIterator<(String, Value)> for VariableMap {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(variables: I) -> Self {
        let shared = |(name, value)| (Arc::<str>::from(name), Arc::new(value));
        Self(Arc::new(variables.into_iter().map(shared).collect()))
    }
}

impl FromIterator<(Arc<str>, Arc<Value>)> for VariableMap {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<Value>)>>(variables: I) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }
}

impl fmt::Debug for VariableMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for VariableMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for VariableMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = VariableMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of variables")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<VariableMap, A::Error> {
                let mut variables = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    variables.insert(Arc::from(name), Arc::new(value));
                }
                Ok(VariableMap(Arc::new(variables)))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// A value that copies share.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared(pub(crate) Arc<Value>);

impl From<Value> for Shared {
    fn from(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

impl std::ops::Deref for Shared {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

/// The variables that an element instance sees: its own, and those of the scopes around it.
#[derive(Clone, Copy, Debug)]
pub struct ScopeView<'a> {
    instance: &'a Instance,
    scope: Key,
}

impl<'a> ScopeView<'a> {
    /// What is seen from `scope`.
    #[must_use]
    pub fn new(instance: &'a Instance, scope: Key) -> Self {
        Self { instance, scope }
    }

    /// Everything that is seen, inner values hiding outer ones.
    #[must_use]
    pub fn collect(&self) -> VariableMap {
        let mut layers = Vec::new();
        self.walk(|_, variables| {
            layers.push(variables);
            None::<()>
        });
        let mut all = VariableMap::new();
        for layer in layers.into_iter().rev() {
            all.merge(layer);
        }
        all
    }

    /// The value of `name`, for as long as the instance is there.
    pub(crate) fn find(&self, name: &str) -> Option<&'a Value> {
        self.walk(|_, variables| variables.get(name))
    }

    /// A name with its value, shared.
    pub(crate) fn entry(&self, name: &str) -> Option<(Arc<str>, Arc<Value>)> {
        self.walk(|_, variables| variables.entry(name))
    }

    /// The scope that defines `name`; the process when none does.
    pub(crate) fn home(&self, name: &str) -> Key {
        self.walk(|key, variables| variables.contains(name).then_some(key)).unwrap_or(Key::PROCESS)
    }

    fn walk<T>(&self, mut visit: impl FnMut(Key, &'a VariableMap) -> Option<T>) -> Option<T> {
        let mut key = self.scope;
        while let Some(element) = self.instance.element(key) {
            if let Some(found) = visit(key, &element.variables) {
                return Some(found);
            }
            key = element.scope;
        }
        visit(Key::PROCESS, &self.instance.variables)
    }
}

impl Variables for ScopeView<'_> {
    fn variable(&self, name: &str) -> Option<&Value> {
        self.find(name)
    }
}

/// Variables laid over others.
#[derive(Clone, Copy)]
pub(crate) struct Overlay<'a> {
    pub(crate) top: &'a VariableMap,
    pub(crate) below: &'a dyn Variables,
}

impl Variables for Overlay<'_> {
    fn variable(&self, name: &str) -> Option<&Value> {
        self.top.get(name).or_else(|| self.below.variable(name))
    }
}
