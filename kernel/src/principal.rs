//! Who is calling, and what the credential allows.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A verified caller. Built from a credential only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Stable id within the tenant, e.g. `anna` or `agent:invoice-extractor`.
    pub id: String,
    /// Person, agent or system.
    pub kind: PrincipalKind,
    /// What the principal may do in FlowMaster.
    pub roles: BTreeSet<Role>,
    /// Business groups, e.g. `manager`, `director`: what tasks and mandates are assigned to.
    pub groups: BTreeSet<String>,
}

impl Principal {
    /// A caller with business groups.
    #[must_use]
    pub fn new(id: &str, kind: PrincipalKind, roles: &[Role], groups: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            roles: roles.iter().copied().collect(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
        }
    }

    /// Whether the principal has at least one of `roles`.
    #[must_use]
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// What stands behind a principal.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A human being.
    Person,
    /// An AI agent, ours or a connected client that does agent work.
    Agent,
    /// A service account or FlowMaster itself.
    System,
}

/// What a principal may do in FlowMaster. Business responsibility is expressed by groups.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything in the tenant, keys and users included.
    Admin,
    /// Models processes, rules, prompts and agents.
    Designer,
    /// Does tasks and starts processes.
    Employee,
    /// Sees the team's work, operates instances, resolves incidents.
    Manager,
    /// Connects systems: starts processes, works on jobs.
    Developer,
    /// Reads everything, changes nothing.
    Auditor,
    /// Does agent work.
    Agent,
}

impl Role {
    /// Every role, in the order of the authorisation table.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Designer,
        Self::Employee,
        Self::Manager,
        Self::Developer,
        Self::Auditor,
        Self::Agent,
    ];

    /// The role's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Designer => "designer",
            Self::Employee => "employee",
            Self::Manager => "manager",
            Self::Developer => "developer",
            Self::Auditor => "auditor",
            Self::Agent => "agent",
        }
    }
}

/// The scopes of a credential: `room:read`, `room:write`, or `*` for all. A `room:write` scope
/// includes `room:read`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Every scope.
    #[must_use]
    pub fn all() -> Self {
        Self(BTreeSet::from(["*".to_owned()]))
    }

    /// Whether these scopes include `wanted`.
    #[must_use]
    pub fn allow(&self, wanted: &str) -> bool {
        if self.0.contains("*") || self.0.contains(wanted) {
            return true;
        }
        wanted.strip_suffix(":read").is_some_and(|room| self.0.contains(&format!("{room}:write")))
    }

    /// The scopes in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromIterator<String> for Scopes {
    fn from_iter<I: IntoIterator<Item = String>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_includes_read_of_the_same_room_only() {
        let scopes: Scopes =
            ["tasks:write".to_owned(), "rules:read".to_owned()].into_iter().collect();
        assert!(scopes.allow("tasks:read") && scopes.allow("tasks:write"));
        assert!(scopes.allow("rules:read") && !scopes.allow("rules:write"));
        assert!(!scopes.allow("processes:read"));
        assert!(Scopes::all().allow("anything:write"));
    }
}
