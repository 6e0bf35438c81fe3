//! Mandates, delegations and segregations of duties: plain data, as it is saved and shown. What they
//! come to is in [`Authority`](super::Authority).

use std::collections::BTreeSet;
use std::fmt;

use flowmaster_kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::Amount;

/// All mandates of a tenant, and what belongs to them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MandateSet {
    /// Who may decide what.
    #[serde(default)]
    pub mandates: Vec<Mandate>,
    /// Who stands in for whom.
    #[serde(default)]
    pub delegations: Vec<Delegation>,
    /// What one person may not both do on one case.
    #[serde(default)]
    pub segregations: Vec<Segregation>,
}

/// What a holder may decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mandate {
    /// Name of the mandate, unique in the tenant.
    pub id: String,
    /// Business domain, e.g. `finance`.
    pub domain: String,
    /// Action in the domain, e.g. `approve_invoice`; `*` for all.
    pub action: String,
    /// Who holds it.
    pub holder: Holder,
    /// Id of the unit of the organisation whose cases it covers. For a role it says also where: who
    /// carries the role in that unit or, if `inherited`, between it and the unit of the case.
    /// Default: cases of any unit, and holders wherever they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether it covers the cases of the units below `unit` too. Default: false, of `unit` alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherited: bool,
    /// Ids of mandates of units above, or of no unit, that do not hold where this one does, whatever
    /// the amount: an override, e.g. a lower limit in one department. Denials cannot be replaced and
    /// replace nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub replaces: BTreeSet<String>,
    /// What the mandate says.
    pub authority: Ruling,
    /// To whom the decision goes, for `escalate`. It does not bind them, but gives them nothing: they
    /// need a mandate that allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_to: Option<Holder>,
    /// Smallest amount it covers. Default: no lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Amount>,
    /// Amount from which it no longer covers. Default: no upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Amount>,
    /// ISO 4217 code of the amounts. A mandate with bounds covers this currency only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether somebody other than those who made the request or took part in it must decide.
    #[serde(default)]
    pub four_eyes: bool,
    /// Whoever did one of these actions on the case may not decide by this mandate.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub other_eyes_than: BTreeSet<Deed>,
    /// Place in the approval chain, 0 to 255: escalation goes to the lowest level that covers the
    /// amount.
    #[serde(default)]
    pub level: u8,
    /// In force from this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// In force until before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// What a mandate says about the actions it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Ruling {
    /// The holder may decide.
    Allow,
    /// The holder may not decide, whatever else allows it.
    Deny,
    /// The holder may not decide alone: it goes to `escalate_to`.
    Escalate,
}

/// Who holds a mandate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a holder is a name, or {\"person\": ID}, {\"group\": NAME}, {\"role\": NAME} or {\"position\": ID}"
)]
pub enum Holder {
    /// Id of a person or an agent, or name of a group in credentials, e.g. `manager`.
    Named(String),
    /// One person or agent, whatever groups are called.
    Person {
        /// Id in the credential, e.g. `mia` or `agent:payer`.
        person: String,
    },
    /// Everybody whose credential names a group.
    Group {
        /// Name of the group.
        group: String,
    },
    /// Everybody in a position that carries a role.
    Role {
        /// Name of the role in the organisation, e.g. `head`.
        role: String,
    },
    /// Whoever holds a position.
    Position {
        /// Id of the position in the organisation, e.g. `cfo`.
        position: String,
    },
}

impl Holder {
    /// The name of the person, group, role or position.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name)
            | Self::Person { person: name }
            | Self::Group { group: name }
            | Self::Role { role: name }
            | Self::Position { position: name } => name,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) | Self::Person { person: name } => f.write_str(name),
            Self::Group { group } => write!(f, "group {group}"),
            Self::Role { role } => write!(f, "role {role}"),
            Self::Position { position } => write!(f, "position {position}"),
        }
    }
}

/// Something that is done on a case: an action in a business domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// Business domain, e.g. `finance`.
    pub domain: String,
    /// Action in the domain, e.g. `pay_invoice`.
    pub action: String,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.action, self.domain)
    }
}

/// Actions that must be in different hands: whoever did one of them on a case may do none of the
/// others there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segregation {
    /// Name of the segregation, unique in the tenant.
    pub id: String,
    /// The actions, two or more, e.g. ordering and paying.
    pub actions: BTreeSet<Deed>,
}

/// One principal standing in for another, never with more than the other has. What was delegated
/// cannot be delegated further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Name of the delegation.
    pub id: String,
    /// Who delegates: a person, a group or a position. A role is held by several and delegates
    /// nothing. Of a person it covers what is held in person or by positions; the groups of
    /// somebody who is not calling are not known.
    pub from: Holder,
    /// Id of the principal who stands in.
    pub to: String,
    /// The business domains delegated; all when empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub domains: BTreeSet<String>,
    /// The actions delegated; all when empty.
    #[serde(default)]
    pub actions: BTreeSet<String>,
    /// Ids of the units whose cases are delegated, with the units below; of any when empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub units: BTreeSet<String>,
    /// Amount from which the delegation no longer covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Amount>,
    /// ISO 4217 code of `below`: amounts in another currency are not covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// From this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// A revoked delegation covers nothing.
    #[serde(default)]
    pub revoked: bool,
}
