//! What the mandates say about an attempt.

use std::collections::BTreeSet;

use serde_json::Value;

use super::seen::Seen;
use super::{Consulted, Refusal, RefusalCode, Step};
use crate::expression;
use crate::governance::{Action, Deed, Done, MandateRequest, Outcome, Policy, Rule};
use crate::instance::{ActorRef, Instance};
use crate::model::Process;

impl Step<'_> {
    /// Whether the mandates allow it, and by which.
    pub(super) fn mandate(
        &self,
        seen: &Seen<'_>,
        policy: &Policy,
        domain: &str,
        action: &str,
    ) -> Result<Consulted, Box<Refusal>> {
        let request = match self.request(seen, policy, domain, action) {
            Ok(request) => request,
            Err(why) => return Err(self.refuse(policy, RefusalCode::PolicyFailed, why)),
        };
        let decision = self.env.authority.check(&request, self.env.now);
        let code = match decision.outcome {
            Outcome::Allow => {
                return Ok(Consulted {
                    policy: policy.id.clone(),
                    mandate: decision.mandate,
                    delegation: decision.delegation,
                    substitute_for: decision.substitute_for,
                    approved_by: None,
                });
            }
            Outcome::Deny => RefusalCode::MandateDenied,
            Outcome::Escalate => RefusalCode::Escalate,
            Outcome::SecondPerson if decision.segregation.is_some() => {
                RefusalCode::SegregationOfDuties
            }
            Outcome::SecondPerson => RefusalCode::FourEyes,
        };
        let mut refusal = self.refuse(policy, code, decision.reasons.join("; "));
        refusal.approvers = decision.approvers;
        Err(refusal)
    }

    fn request(
        &self,
        seen: &Seen<'_>,
        policy: &Policy,
        domain: &str,
        action: &str,
    ) -> Result<MandateRequest, String> {
        let Rule::Mandate { amount, currency, unit, .. } = &policy.rule else {
            return Err("not a mandate".to_owned());
        };
        let amount = match amount {
            None => None,
            Some(program) => {
                let value =
                    program.evaluate(seen, self.env.now).map_err(|error| error.to_string())?;
                let text = match value {
                    Value::Number(number) => number.to_string(),
                    Value::String(text) => text,
                    other => return Err(program.wrong_type("an amount", &other).to_string()),
                };
                Some(text.parse()?)
            }
        };
        let currency = match currency {
            None => None,
            Some(text) => Some(
                expression::string_of(text, seen, self.env.now)
                    .map_err(|error| error.to_string())?,
            ),
        };
        let unit = expression::optional_string_of(unit.as_ref(), seen, self.env.now)
            .map_err(|error| error.to_string())?;
        let actors = self.instance.actors.values().flatten().chain(&self.instance.starter);
        Ok(MandateRequest {
            actor: self.env.actor.into(),
            groups: self.env.actor.groups.clone(),
            deed: Deed { domain: domain.to_owned(), action: action.to_owned() },
            unit,
            amount,
            currency,
            involved: actors.cloned().collect(),
            done: done(self.definition.process(), self.instance),
        })
    }
}

/// What was done on the case: whoever completed an element, or started the instance, under policies
/// that ask for mandates did what these are about.
fn done(process: &Process, instance: &Instance) -> BTreeSet<Done> {
    let mut done = BTreeSet::new();
    let mut note = |policies: &[Policy], action: Action, actors: &[ActorRef]| {
        for policy in policies.iter().filter(|it| it.guards_all(action)) {
            let Rule::Mandate { domain, action, .. } = &policy.rule else { continue };
            let deed = Deed { domain: domain.clone(), action: action.clone() };
            done.extend(actors.iter().map(|by| Done { deed: deed.clone(), by: by.clone() }));
        }
    };
    note(&process.policies, Action::Start, instance.starter.as_slice());
    for (element, actors) in &instance.actors {
        note(&process.policies, Action::Complete, actors);
        let node = process.find(element).map(|ix| process.node(ix));
        note(node.map_or(&[][..], |node| &node.policies), Action::Complete, actors);
    }
    done
}
