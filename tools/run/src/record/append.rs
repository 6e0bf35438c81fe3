//! From what the policies said to an entry: hashed, and cut to size, once for what is read twice.

use std::collections::BTreeMap;

use flowmaster_engine::governance::{Action, Hearing, Opinion, Verdict};
use flowmaster_engine::{Instance, Key, VariableMap};
use flowmaster_kernel::{Ctx, Error, Id, Result, Timestamp};
use flowmaster_store::WriteSet;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::chain::sha256;
use super::store::{self, NewEntry};
use super::types::{Actor, AskedDecision, AskedPolicy, Outcome, RecordEntry};
use crate::processes::Published;

/// The longest value that is kept, in bytes of JSON; of a longer one there is the hash.
const MAX_VALUE: usize = 2_048;
/// The most that is kept of the values of an entry together, in bytes of JSON.
const MAX_VALUES: usize = 16 * 1_024;
/// The longest reason, in characters.
const MAX_REASON: usize = 1_000;
/// The most approvers that are named.
const MAX_APPROVERS: usize = 50;

/// A step that is about to be committed, or refused.
pub struct Committed<'a> {
    /// Who, when and whose.
    pub ctx: &'a Ctx,
    /// The state that the policies saw.
    pub before: &'a Instance,
    /// What the instance runs on.
    pub published: &'a Published,
    /// The version of the mandates.
    pub mandates_version: i64,
    /// The number of the step in the journal; 0 where nothing began.
    pub seq: i64,
}

/// An entry as it is written: its line in an export. Its fields are those of
/// [`Entry`](super::types::Entry), in that order.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a Id<RecordEntry>,
    tenant: &'a str,
    at: Timestamp,
    instance: &'a str,
    seq: i64,
    process: &'a str,
    process_version: i64,
    mandates_version: i64,
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    element: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
    actor: Actor,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    approvers: &'a [String],
    policies: Vec<AskedPolicy>,
    attempt: String,
    state: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    read: BTreeMap<&'a str, Read>,
}

/// A variable that was read, its value to the letter.
#[derive(Serialize)]
struct Read {
    hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
}

/// Adds an entry for each of `hearings` to what is written with the step.
///
/// # Errors
/// Data that JSON cannot hold.
pub fn append(writes: &mut WriteSet, step: &Committed<'_>, hearings: &[Hearing]) -> Result<()> {
    let mut state: Option<State> = None;
    for hearing in hearings {
        let state = match state.take().filter(|it| it.scope == hearing.scope) {
            Some(same) => state.insert(same),
            None => state.insert(State::of(step.before, hearing.scope)?),
        };
        entry(writes, step, hearing, state)?;
    }
    Ok(())
}

fn entry(
    writes: &mut WriteSet,
    step: &Committed<'_>,
    hearing: &Hearing,
    state: &State,
) -> Result<()> {
    let Committed { ctx, before, published, .. } = step;
    let refusal = hearing.refusal();
    let reason = refusal.map(|refusal| start_of(&refusal.reason, MAX_REASON));
    let approvers = refusal.map(|refusal| refusal.approvers.as_slice()).unwrap_or_default();
    let (id, at) = (ctx.fresh_id(), ctx.now());
    let line = Line {
        id: &id,
        tenant: ctx.tenant.as_str(),
        at,
        instance: &before.id,
        seq: step.seq,
        process: &published.id,
        process_version: published.version,
        mandates_version: step.mandates_version,
        action: hearing.action,
        element: hearing.element.as_deref(),
        tool: hearing.tool.as_deref(),
        actor: Actor { id: ctx.principal.id.clone(), kind: ctx.principal.kind },
        outcome: outcome(hearing.verdict()),
        policy: refusal.map(|refusal| refusal.policy.as_str()),
        code: refusal.map(|refusal| refusal.code.as_str()),
        reason,
        approvers: approvers.get(..MAX_APPROVERS).unwrap_or(approvers),
        policies: hearing.opinions.iter().map(|opinion| asked(published, opinion)).collect(),
        attempt: sha256(&json(&hearing.attempted)?),
        state: &state.hash,
        read: read(hearing, state)?,
    };
    let body = json(&line)?;
    store::add(
        writes,
        &NewEntry {
            id: &id,
            at,
            instance: &before.id,
            process: &published.id,
            element: hearing.element.as_deref(),
            actor: &ctx.principal.id,
            outcome: line.outcome,
            policies: hearing.opinions.iter().map(|opinion| opinion.consulted.policy.as_str()),
            hash: sha256(&body),
            body,
        },
    );
    Ok(())
}

/// The variables that an element sees: each as JSON with its hash, and the hash of all.
struct State {
    scope: Key,
    variables: VariableMap,
    /// In the order of the variables.
    texts: Vec<(String, String)>,
    hash: String,
}

impl State {
    fn of(instance: &Instance, scope: Key) -> Result<Self> {
        let variables = instance.view(scope).collect();
        let mut texts = Vec::with_capacity(variables.len());
        let mut lines = String::new();
        for (name, value) in variables.iter() {
            let text = json(value)?;
            let hash = sha256(&text);
            lines.push_str(&json(name)?);
            lines.push(':');
            lines.push_str(&hash);
            lines.push('\n');
            texts.push((text, hash));
        }
        Ok(Self { scope, variables, texts, hash: sha256(&lines) })
    }

    /// The JSON and the hash of a variable, unless what was read is another value of that name.
    fn known(&self, name: &str, value: &Value) -> Option<&(String, String)> {
        let found = self.variables.iter().zip(&self.texts).find(|((known, _), _)| *known == name);
        found.filter(|((_, known), _)| std::ptr::eq(*known, value)).map(|(_, text)| text)
    }
}

/// Everything that the policies read.
fn read<'a>(hearing: &'a Hearing, state: &State) -> Result<BTreeMap<&'a str, Read>> {
    let (mut read, mut left) = (BTreeMap::new(), MAX_VALUES);
    for (name, value) in hearing.opinions.iter().flat_map(|opinion| opinion.read.iter()) {
        if read.contains_key(name) {
            continue;
        }
        let (text, hash) = match state.known(name, value) {
            Some(known) => known.clone(),
            None => {
                let text = json(value)?;
                let hash = sha256(&text);
                (text, hash)
            }
        };
        let is_short = text.len() <= MAX_VALUE.min(left);
        left -= if is_short { text.len() } else { 0 };
        let value = is_short.then(|| RawValue::from_string(text)).transpose();
        let value = value.map_err(|source| Error::internal("not_json", source))?;
        read.insert(name, Read { hash, value });
    }
    Ok(read)
}

fn asked(published: &Published, opinion: &Opinion) -> AskedPolicy {
    let decision = opinion.decision.clone().map(|id| {
        let pin = published.rule_of(&id);
        let (file, version) = (pin.map(|pin| pin.file.clone()), pin.map(|pin| pin.version));
        AskedDecision { id, file, version }
    });
    let consulted = &opinion.consulted;
    AskedPolicy {
        id: consulted.policy.clone(),
        rule: opinion.rule.to_owned(),
        outcome: outcome(opinion.verdict()),
        field: opinion.field.clone(),
        mandate: consulted.mandate.clone(),
        delegation: consulted.delegation.clone(),
        approved_by: consulted.approved_by.clone(),
        decision,
        read: opinion.read.iter().map(|(name, _)| name.to_owned()).collect(),
    }
}

const fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Allow => Outcome::Allow,
        Verdict::Refuse => Outcome::Refuse,
        Verdict::Escalate => Outcome::Escalate,
        Verdict::SecondPerson => Outcome::SecondPerson,
    }
}

fn start_of(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

fn json(value: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(|source| Error::internal("not_json", source))
}
