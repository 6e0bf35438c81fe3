//! Why a decision is as it is, and what would help, in words for people and models.

use super::super::decision::{MandateDecision, Outcome};
use super::super::mandate::Ruling;
use super::case::{Case, Fit, is_named};

/// The most delegations that are explained.
const MAX_LAPSES: usize = 5;

impl Case<'_> {
    /// Why no mandate of the actor allows the case.
    pub(super) fn why_nothing_allows(&self) -> String {
        let (actor, deed) = (&self.request.actor.id, &self.request.deed);
        let mut capacities = self.stand_ins();
        capacities.push(self.own());
        let allowing = self.relevant.iter().filter(|it| it.mandate.authority == Ruling::Allow);
        let held: Vec<_> = allowing
            .filter(|it| capacities.iter().any(|by| is_named(by, &it.mandate.holder)))
            .collect();
        if held.is_empty() {
            return format!("{actor} holds no mandate for {deed}");
        }
        let mut here = held.iter().filter(|it| it.fit == Fit::Yes);
        if !here.any(|it| capacities.iter().any(|by| self.holds(by, it.mandate))) {
            return self.why_not_here();
        }
        match self.request.amount {
            None => {
                format!("the mandates of {actor} for {deed} have bounds and no amount is known")
            }
            Some(amount) => format!(
                "{amount} {} is outside the mandates of {actor} for {deed}",
                self.request.currency.as_deref().unwrap_or("(no currency)"),
            ),
        }
    }

    fn why_not_here(&self) -> String {
        let (actor, deed) = (&self.request.actor.id, &self.request.deed);
        match (&self.request.unit, &self.line) {
            (None, _) => format!(
                "the mandates of {actor} for {deed} are for units, and the unit of the case is not \
                 known: say it"
            ),
            (Some(unit), None) => format!(
                "the organisation has no unit {unit:?}, and the mandates of {actor} for {deed} are \
                 for units"
            ),
            (Some(unit), Some(_)) => {
                format!("the mandates of {actor} for {deed} are for other units than {unit}")
            }
        }
    }

    /// What else to know about a decision that is not an allowance.
    pub(super) fn what_would_help(&self, decision: &MandateDecision) -> Vec<String> {
        let mut lapsed: Vec<_> = self
            .authority
            .delegations_to(&self.request.actor.id)
            .filter(|it| it.actions.is_empty() || it.actions.contains(&self.request.deed.action))
            .filter(|it| it.domains.is_empty() || it.domains.contains(&self.request.deed.domain))
            .filter_map(|it| Some((&it.id, &it.from, self.lapse(it)?)))
            .collect();
        lapsed.sort();
        let lapsed = lapsed.into_iter().take(MAX_LAPSES);
        let mut help: Vec<String> =
            lapsed.map(|(id, from, why)| format!("delegation {id} from {from} {why}")).collect();
        if decision.chain.is_empty() && decision.outcome == Outcome::Escalate {
            help.push(
                "no mandate in force lets anybody decide it: whoever keeps the mandates can add one"
                    .to_owned(),
            );
        } else if decision.approvers.is_empty() {
            help.push("nobody is left who may decide it".to_owned());
        }
        help
    }
}
