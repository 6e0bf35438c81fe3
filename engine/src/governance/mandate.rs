//! Mandates: who may decide what, up to which amount. A pure function of the mandates in force, so
//! that the order in which they were written never matters.
//!
//! Rules, strongest first:
//! 1. A denying mandate that matches decides.
//! 2. Four eyes: whoever made the request, or took part in it, does not decide it.
//! 3. An allowing mandate whose range holds the amount decides.
//! 4. Everything else escalates, to the holders of a mandate that would allow it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use dsntk_feel::FeelNumber;
use flowmaster_kernel::{PrincipalKind, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An exact decimal amount.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Amount(FeelNumber);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("{text:?} is not a decimal number"))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_string();
        match text.parse::<i64>() {
            Ok(integer) => serializer.serialize_i64(integer),
            Err(_) => serializer.serialize_str(&text),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Number(serde_json::Number),
            Text(String),
        }
        let text = match Wire::deserialize(deserializer)? {
            Wire::Number(number) => number.to_string(),
            Wire::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["number", "string"],
            "description": "A decimal amount; use a string such as \"1200.50\" to keep it exact."
        })
    }
}

/// All mandates and delegations of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MandateSet {
    /// Who may decide what.
    #[serde(default)]
    pub mandates: Vec<Mandate>,
    /// Who stands in for whom.
    #[serde(default)]
    pub delegations: Vec<Delegation>,
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
    /// The group or person that holds it, e.g. `manager`.
    pub holder: String,
    /// What the mandate says.
    pub authority: Authority,
    /// Smallest amount it covers. Default: no lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Amount>,
    /// Amount from which it no longer covers. Default: no upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Amount>,
    /// ISO 4217 code of the amounts. A mandate with bounds covers this currency only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether somebody other than the requester must decide.
    #[serde(default)]
    pub four_eyes: bool,
    /// Place in the approval chain: escalation goes to the lowest level that covers the amount.
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
pub enum Authority {
    /// The holder may decide.
    Allow,
    /// The holder may not decide, whatever else allows it.
    Deny,
}

/// One principal standing in for another, never with more than the other has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Name of the delegation.
    pub id: String,
    /// Who delegates: a group or person that holds mandates.
    pub from: String,
    /// The principal who stands in.
    pub to: String,
    /// The actions delegated; all when empty.
    #[serde(default)]
    pub actions: BTreeSet<String>,
    /// Amount from which the delegation no longer covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Amount>,
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

/// What somebody wants to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct MandateRequest {
    /// Who wants to decide.
    pub actor: String,
    /// What the actor is.
    pub actor_kind: PrincipalKind,
    /// The actor's groups.
    pub groups: BTreeSet<String>,
    /// Business domain.
    pub domain: String,
    /// Action in the domain.
    pub action: String,
    /// The amount at stake.
    pub amount: Option<Amount>,
    /// Its currency.
    pub currency: Option<String>,
    /// Everyone who made the request or took part in it.
    pub involved: BTreeSet<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MandateDecision {
    /// Allow, deny or escalate.
    pub outcome: Outcome,
    /// The mandate that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<String>,
    /// The delegation through which the actor holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
    /// Whether the deciding mandate asks for four eyes.
    pub four_eyes: bool,
    /// Who could decide instead, nearest level first.
    pub approvers: Vec<String>,
    /// Why, in words.
    pub reasons: Vec<String>,
}

/// What a mandate check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Outcome {
    /// The actor may decide.
    Allow,
    /// The actor may not decide.
    Deny,
    /// Somebody with a wider mandate must decide.
    Escalate,
    /// The actor took part: another person must decide.
    SecondPerson,
}

/// Decides whether the actor of `request` may do it at `now`.
#[must_use]
pub fn check_mandate(
    mandates: &MandateSet,
    request: &MandateRequest,
    now: Timestamp,
) -> MandateDecision {
    let relevant = || mandates.mandates.iter().filter(|mandate| mandate.concerns(request, now));
    let mut held: Vec<(&Mandate, Option<&Delegation>)> = relevant()
        .filter_map(|mandate| Some((mandate, mandates.basis(mandate, request, now)?)))
        .collect();
    // The narrowest mandate, held in person rather than by delegation, is the one to name.
    held.sort_by(|(a, by_a), (b, by_b)| {
        (by_a.is_some(), a.level, &a.id).cmp(&(by_b.is_some(), b.level, &b.id))
    });
    let approvers = approvers(relevant(), request);

    let deny = held.iter().find(|(mandate, _)| {
        mandate.authority == Authority::Deny && mandate.covers_or_unknown(request)
    });
    if let Some((mandate, delegation)) = deny {
        let reason =
            format!("mandate {} denies {} to {}", mandate.id, request.action, mandate.holder);
        return decision(Outcome::Deny, Some(mandate), *delegation, approvers, reason);
    }
    let allow = held.iter().find(|(mandate, delegation)| {
        mandate.authority == Authority::Allow
            && mandate.covers(request)
            && delegation.is_none_or(|delegation| delegation.covers(request))
    });
    match allow {
        Some((mandate, delegation))
            if mandate.four_eyes && request.involved.contains(&request.actor) =>
        {
            let reason = format!(
                "mandate {} asks for four eyes and {} took part already",
                mandate.id, request.actor
            );
            decision(Outcome::SecondPerson, Some(mandate), *delegation, approvers, reason)
        }
        Some((mandate, delegation)) => {
            let reason =
                format!("mandate {} allows {} to {}", mandate.id, request.action, mandate.holder);
            decision(Outcome::Allow, Some(mandate), *delegation, approvers, reason)
        }
        None => {
            decision(Outcome::Escalate, None, None, approvers, why_nothing_allows(&held, request))
        }
    }
}

impl MandateSet {
    /// How the actor holds `mandate`: in person (`Some(None)`), by delegation, or not at all.
    fn basis<'a>(
        &'a self,
        mandate: &Mandate,
        request: &MandateRequest,
        now: Timestamp,
    ) -> Option<Option<&'a Delegation>> {
        if mandate.holder == request.actor || request.groups.contains(&mandate.holder) {
            return Some(None);
        }
        self.delegations
            .iter()
            .filter(|delegation| {
                delegation.from == mandate.holder
                    && delegation.to == request.actor
                    && !delegation.revoked
                    && in_force(delegation.valid_from, delegation.valid_until, now)
                    && (delegation.actions.is_empty()
                        || delegation.actions.contains(&request.action))
            })
            .max_by(|a, b| (a.covers(request), &b.id).cmp(&(b.covers(request), &a.id)))
            .map(Some)
    }
}

impl Mandate {
    fn concerns(&self, request: &MandateRequest, now: Timestamp) -> bool {
        self.domain == request.domain
            && (self.action == "*" || self.action == request.action)
            && in_force(self.valid_from, self.valid_until, now)
    }

    fn is_bounded(&self) -> bool {
        self.min.is_some() || self.below.is_some()
    }

    fn covers(&self, request: &MandateRequest) -> bool {
        if !self.is_bounded() {
            return self.currency.is_none() || self.currency == request.currency;
        }
        let Some(amount) = request.amount else { return false };
        self.currency == request.currency
            && self.min.is_none_or(|min| amount >= min)
            && self.below.is_none_or(|below| amount < below)
    }

    /// For denials the unknown counts as covered: what cannot be compared is not let through.
    fn covers_or_unknown(&self, request: &MandateRequest) -> bool {
        self.covers(request)
            || (self.is_bounded()
                && (request.amount.is_none() || self.currency != request.currency))
    }
}

impl Delegation {
    fn covers(&self, request: &MandateRequest) -> bool {
        match (self.below, request.amount) {
            (None, _) => true,
            (Some(below), Some(amount)) => amount < below,
            (Some(_), None) => false,
        }
    }
}

fn in_force(from: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> bool {
    from.is_none_or(|from| now >= from) && until.is_none_or(|until| now < until)
}

fn approvers<'a>(
    relevant: impl Iterator<Item = &'a Mandate>,
    request: &MandateRequest,
) -> Vec<String> {
    let mut able: Vec<(u8, &str)> = relevant
        .filter(|mandate| mandate.authority == Authority::Allow && mandate.covers(request))
        .map(|mandate| (mandate.level, mandate.holder.as_str()))
        .collect();
    able.sort_unstable();
    let mut named = BTreeSet::new();
    able.retain(|(_, holder)| named.insert(*holder));
    able.into_iter().map(|(_, holder)| holder.to_owned()).collect()
}

fn why_nothing_allows(
    held: &[(&Mandate, Option<&Delegation>)],
    request: &MandateRequest,
) -> String {
    let action = format!("{} in {}", request.action, request.domain);
    if held.is_empty() {
        return format!("{} holds no mandate for {action}", request.actor);
    }
    match request.amount {
        None => format!(
            "the mandates of {} for {action} have bounds and no amount is known",
            request.actor
        ),
        Some(amount) => format!(
            "{amount} {} is outside the mandates of {} for {action}",
            request.currency.as_deref().unwrap_or("(no currency)"),
            request.actor
        ),
    }
}

fn decision(
    outcome: Outcome,
    mandate: Option<&Mandate>,
    delegation: Option<&Delegation>,
    approvers: Vec<String>,
    reason: String,
) -> MandateDecision {
    MandateDecision {
        outcome,
        mandate: mandate.map(|mandate| mandate.id.clone()),
        delegation: delegation.map(|delegation| delegation.id.clone()),
        four_eyes: mandate.is_some_and(|mandate| mandate.four_eyes),
        approvers,
        reasons: vec![reason],
    }
}

#[cfg(test)]
mod tests;
