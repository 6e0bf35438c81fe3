//! The governance step: before a command is followed, the policies on the process and on the
//! element are asked. It is a part of the engine, so nothing can go around it, and a refusal is an
//! event of the journal.
//!
//! Whatever cannot be evaluated refuses: a policy never lets something through by failing.

mod field;
mod mandated;
mod outcome;
mod seen;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use flowmaster_kernel::{Principal, PrincipalKind, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::said;
use super::eyes::same_eyes;
use super::hearing::{Hearing, Opinion};
use super::proposal::Proposal;
use super::target::Target;
use super::{Action, Authority, Policy, Rule};
use crate::decide::{Definition, Env};
use crate::feel::Program;
use crate::instance::{ActorRef, Instance, Key};
use crate::model::{ElementId, Node, Text};
use crate::scope::VariableMap;
use seen::Seen;

/// Why an action was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// Another person must do it.
    FourEyes,
    /// Another person must do it, because the actor did what must be in other hands.
    SegregationOfDuties,
    /// A mandate forbids it.
    MandateDenied,
    /// No mandate of the actor covers it: somebody with a wider one must do it.
    Escalate,
    /// The policy's condition does not hold.
    ConditionFailed,
    /// The policy's decision refuses it.
    DecisionRefused,
    /// The policy cannot be evaluated.
    PolicyFailed,
}

impl RefusalCode {
    /// The name in stored and sent data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FourEyes => "four_eyes",
            Self::SegregationOfDuties => "segregation_of_duties",
            Self::MandateDenied => "mandate_denied",
            Self::Escalate => "escalate",
            Self::ConditionFailed => "condition_failed",
            Self::DecisionRefused => "decision_refused",
            Self::PolicyFailed => "policy_failed",
        }
    }
}

/// What was refused to whom, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was tried.
    pub action: Action,
    /// The element, if not the process as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<ElementId>,
    /// Who tried it.
    pub actor: ActorRef,
    /// The tool, for a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The policy that refused.
    pub policy: String,
    /// Why.
    pub code: RefusalCode,
    /// The same in words.
    pub reason: String,
    /// Who could do it instead, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
}

/// A policy that was asked and did not refuse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consulted {
    /// The policy.
    pub policy: String,
    /// The mandate that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<String>,
    /// The delegation through which the actor holds the mandate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
    /// Who confirmed it, where the rule alone would have sent it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// The absent person for whom the actor stands in and so holds the mandate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute_for: Option<String>,
}

/// What somebody tries to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) action: Action,
    pub(crate) node: Option<&'a Node>,
    /// The scope whose variables the policies see.
    pub(crate) scope: Key,
    /// The variables or arguments of the attempt.
    pub(crate) variables: &'a VariableMap,
    pub(crate) tool: Option<&'a str>,
    /// What would be written.
    pub(crate) leaves: Leaves,
    /// What the work is completed with was proposed by somebody else.
    pub(crate) proposal: Option<&'a Proposal>,
}

/// What an attempt writes into variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Nothing.
    Nothing,
    /// What it brings.
    AsGiven,
    /// What the output mappings of the element make of it; what it brings where there are none.
    Mapped,
}

/// Asks the policies in force for `attempt`, up to the first that does not allow it. Nothing where none
/// is about it.
pub(crate) fn govern(
    definition: &Definition,
    instance: &Instance,
    attempt: &Attempt<'_>,
    env: &Env<'_>,
) -> Option<Hearing> {
    let of_node = attempt.node.map_or(&[][..], |node| &node.policies);
    let guards = |policy: &&Policy| attempt.is_guarded_by(policy);
    let mut policies =
        definition.process().policies.iter().chain(of_node).filter(guards).peekable();
    policies.peek()?;
    let step = Step::new(definition, instance, attempt, env);
    let mut opinions = Vec::new();
    for opinion in policies.filter_map(|policy| step.ask(policy)) {
        let refuses = opinion.refusal.is_some();
        opinions.push(opinion);
        if refuses {
            break;
        }
    }
    (!opinions.is_empty()).then(|| Hearing {
        action: attempt.action,
        element: attempt.node.map(|node| ElementId::clone(&node.id)),
        tool: attempt.tool.map(str::to_owned),
        scope: attempt.scope,
        attempted: attempt.variables.clone(),
        opinions,
    })
}

impl Attempt<'_> {
    /// Whether the policy is about such an attempt; whether a guarded field changes is looked at later.
    fn is_guarded_by(&self, policy: &Policy) -> bool {
        policy.is_on(self.action)
            && match &policy.target {
                None => true,
                Some(Target::Tool(pattern)) => self.tool.is_some_and(|tool| pattern.matches(tool)),
                Some(Target::Field(_)) => self.leaves != Leaves::Nothing,
            }
    }
}

/// The persons who may not complete `element`, because four eyes are needed and theirs were the
/// first. Agents are refused where any agent took part; they have no tasks to claim.
#[must_use]
pub fn excluded_actors(
    definition: &Definition,
    instance: &Instance,
    element: &str,
) -> BTreeSet<String> {
    let process = definition.process();
    let node = process.find(element).map(|ix| process.node(ix));
    let of_node = node.map_or(&[][..], |node| &node.policies);
    let mut excluded = BTreeSet::new();
    for policy in process.policies.iter().chain(of_node) {
        let Rule::FourEyes { elements, starter } = &policy.rule else { continue };
        if policy.guards_all(Action::Complete) {
            let first = first_pair(instance, elements, *starter);
            excluded.extend(first.map(|actor| actor.id.clone()));
        }
    }
    excluded
}

/// What a policy asks of whoever completes work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The policy.
    pub policy: String,
    /// What it asks, in words.
    pub what: String,
    /// Who could do it, nearest first, where mandates say so.
    pub approvers: Vec<String>,
}

/// What the policies ask of whoever completes the work of the element instance `owner`, as things
/// are now: other eyes, a mandate, a condition that does not hold for just anybody.
#[must_use]
pub fn asked_of(
    definition: &Definition,
    instance: &Instance,
    owner: Key,
    authority: &Authority,
    now: Timestamp,
) -> Vec<Asked> {
    let process = definition.process();
    let Some((_, node)) = instance.place(process, owner) else { return Vec::new() };
    // Somebody who has no mandate and took no part yet.
    let nobody = Principal::new("", PrincipalKind::Person, &[], &[]);
    let env = Env { now, actor: &nobody, authority };
    let none = VariableMap::new();
    let attempt = Attempt {
        action: Action::Complete,
        node: Some(node),
        scope: owner,
        variables: &none,
        tool: None,
        leaves: Leaves::Nothing,
        proposal: None,
    };
    let step = Step::new(definition, instance, &attempt, &env);
    let guards = |policy: &&Policy| policy.guards_all(Action::Complete);
    let asks = |policy: &Policy| {
        let refusal = || step.ask(policy)?.refusal;
        let (what, approvers) = match &policy.rule {
            Rule::FourEyes { elements, starter } => {
                let first: BTreeSet<&str> =
                    first_pair(instance, elements, *starter).map(|it| it.id.as_str()).collect();
                if first.is_empty() {
                    return None;
                }
                let first: Vec<&str> = first.into_iter().collect();
                (format!("somebody other than {}", first.join(", ")), Vec::new())
            }
            Rule::Mandate { domain, action, .. } => {
                let refusal = refusal()?;
                (format!("a mandate for {action} in {domain}"), refusal.approvers)
            }
            Rule::Condition { .. } | Rule::Decision { .. } => {
                let refusal = refusal()?;
                (refusal.reason, refusal.approvers)
            }
        };
        Some(Asked { policy: policy.id.clone(), what, approvers })
    };
    process.policies.iter().chain(&node.policies).filter(guards).filter_map(asks).collect()
}

fn first_pair<'a>(
    instance: &'a Instance,
    elements: &'a [ElementId],
    starter: bool,
) -> impl Iterator<Item = &'a ActorRef> {
    let starter = instance.starter.iter().filter(move |_| starter);
    elements.iter().flat_map(|element| instance.actors_of(element)).chain(starter)
}

struct Step<'a> {
    definition: &'a Definition,
    instance: &'a Instance,
    attempt: &'a Attempt<'a>,
    env: &'a Env<'a>,
    /// The variable `actor`, once a policy reads it.
    actor: OnceCell<Value>,
    /// The variable `attempt`, once a policy reads it.
    tried: OnceCell<Value>,
    /// What the attempt would write, once it is asked for.
    written: OnceCell<Result<VariableMap, String>>,
}

impl<'a> Step<'a> {
    fn new(
        definition: &'a Definition,
        instance: &'a Instance,
        attempt: &'a Attempt<'a>,
        env: &'a Env<'a>,
    ) -> Self {
        let (actor, tried, written) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { definition, instance, attempt, env, actor, tried, written }
    }

    /// The variable `attempt` of a policy that guards no field.
    fn tried(&self) -> &Value {
        self.tried.get_or_init(|| {
            let variables = self.attempt.variables.to_json();
            match self.attempt.tool {
                Some(tool) => json!({ "arguments": variables, "tool": tool }),
                None => Value::Object(variables),
            }
        })
    }

    /// What `policy` says; nothing where the field that it guards stays as it is.
    fn ask(&self, policy: &Policy) -> Option<Opinion> {
        let opinion = Opinion::of(policy);
        let Some(Target::Field(path)) = &policy.target else {
            return Some(self.opinion(policy, None, opinion));
        };
        match self.change(path) {
            Ok(None) => None,
            Ok(Some(change)) => Some(self.opinion(policy, Some(&change), opinion)),
            Err(why) => {
                let refusal = self.refuse(policy, RefusalCode::PolicyFailed, why);
                Some(Opinion { refusal: Some(refusal), ..opinion })
            }
        }
    }

    /// What `policy` says, of `change` where it guards a field.
    fn opinion(&self, policy: &Policy, change: Option<&Value>, mut opinion: Opinion) -> Opinion {
        let seen = Seen { step: self, change };
        let refused = match &policy.rule {
            Rule::FourEyes { elements, starter } => self
                .same_eyes(elements, *starter)
                .map(|reason| self.refuse(policy, RefusalCode::FourEyes, reason)),
            Rule::Mandate { domain, action, amount, currency, unit } => {
                let texts = currency.iter().chain(unit).filter_map(|text| match text {
                    Text::Feel(program) => Some(program),
                    Text::Literal(_) => None,
                });
                let names = amount.iter().chain(texts).flat_map(Program::reads);
                opinion.read = seen.read(names);
                match self.mandate(&seen, policy, domain, action) {
                    Ok(allowed) => {
                        opinion.consulted = allowed;
                        None
                    }
                    Err(refusal) => Some(refusal),
                }
            }
            Rule::Condition { expression, reason, otherwise } => {
                opinion.read = seen.read(expression.reads());
                match expression.test(&seen, self.env.now) {
                    Ok(true) => None,
                    Ok(false) => Some(self.not_fulfilled(policy, reason, otherwise)),
                    Err(error) => {
                        Some(self.refuse(policy, RefusalCode::PolicyFailed, error.to_string()))
                    }
                }
            }
            Rule::Decision { decision } => {
                let decisions = self.definition.decisions();
                opinion.read = seen.read(decisions.inputs(decision));
                let answer = decisions.evaluate(decision, &seen, self.env.now);
                let answer = answer.map_err(|error| error.to_string());
                match answer.and_then(|value| said(&value)) {
                    Ok(said) => self.decided(policy, decision, said),
                    Err(why) => Some(self.refuse(policy, RefusalCode::PolicyFailed, why)),
                }
            }
        };
        let Some(refusal) = refused else { return opinion };
        if let Some(by) = self.approver(policy, &refusal) {
            opinion.consulted.approved_by = Some(by);
            return opinion;
        }
        opinion.would_allow = Some(self.would_allow(policy, &refusal));
        opinion.refusal = Some(refusal);
        opinion
    }

    fn refuse(&self, policy: &Policy, code: RefusalCode, reason: String) -> Box<Refusal> {
        Box::new(Refusal {
            action: self.attempt.action,
            element: self.attempt.node.map(|node| ElementId::clone(&node.id)),
            actor: self.env.actor.into(),
            tool: self.attempt.tool.map(str::to_owned),
            policy: policy.id.clone(),
            code,
            reason,
            approvers: Vec::new(),
        })
    }

    /// Why the actor does not bring a second pair of eyes.
    fn same_eyes(&self, elements: &[ElementId], starter: bool) -> Option<String> {
        let actor = ActorRef::from(self.env.actor);
        first_pair(self.instance, elements, starter).find_map(|first| same_eyes(first, &actor))
    }
}

/// The variable `actor` of a policy's expressions.
fn describe(actor: &Principal) -> Value {
    json!({ "id": actor.id, "kind": actor.kind, "groups": actor.groups, "roles": actor.roles })
}
