//! Runs and their steps.

use flowmaster_kernel::{Error, ErrorBody, Id, Principal, Result, TenantId, Timestamp};
use flowmaster_store::{Param, Row, STALE_LEASE, Session, SystemSnapshot, WriteSet, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::agents::types::{Activate, AgentRun, RunState, RunSummary, Step, StepKind};

/// A run as it is stored.
#[derive(Clone, Debug)]
pub(in crate::agents) struct RunRow {
    pub(in crate::agents) id: Id<AgentRun>,
    pub(in crate::agents) agent: String,
    pub(in crate::agents) agent_version: i64,
    pub(in crate::agents) prompt: String,
    pub(in crate::agents) prompt_version: i64,
    pub(in crate::agents) job: String,
    pub(in crate::agents) instance: String,
    pub(in crate::agents) element: String,
    pub(in crate::agents) state: RunState,
    pub(in crate::agents) client: String,
    pub(in crate::agents) epoch: i64,
    pub(in crate::agents) lease_ms: i64,
    pub(in crate::agents) confidence: Option<f64>,
    pub(in crate::agents) below_threshold: bool,
    pub(in crate::agents) tokens_in: i64,
    pub(in crate::agents) tokens_out: i64,
    /// How many steps are recorded.
    pub(in crate::agents) steps: i64,
    pub(in crate::agents) detail: Detail,
    pub(in crate::agents) started_at: Timestamp,
    pub(in crate::agents) updated_at: Timestamp,
    pub(in crate::agents) ended_at: Option<Timestamp>,
}

/// What is only read together with the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::agents) struct Detail {
    /// In whose name the answer is handed in.
    pub(in crate::agents) principal: Principal,
    /// How many answers were handed in.
    #[serde(default)]
    pub(in crate::agents) answers: u32,
    /// The key under which the last answer was handed in.
    #[serde(default)]
    pub(in crate::agents) submission: Option<String>,
    #[serde(default)]
    pub(in crate::agents) output: Option<Map<String, Value>>,
    /// What was named with it that begins in the process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::agents) activate: Vec<Activate>,
    #[serde(default)]
    pub(in crate::agents) reason: Option<String>,
    #[serde(default)]
    pub(in crate::agents) error: Option<ErrorBody>,
    /// The element instance of the ad-hoc sub-process that the agent performs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::agents) scope: Option<i64>,
    /// The runs that this one goes on from, the first one first: each let something begin in the
    /// process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::agents) continues: Vec<Id<AgentRun>>,
    /// How long those took, in milliseconds.
    #[serde(default)]
    pub(in crate::agents) spent_millis: i64,
    /// Set while the job of a run that cannot go on is being failed.
    #[serde(default)]
    pub(in crate::agents) giving_up: Option<GivingUp>,
}

impl RunRow {
    /// What `job_complete` is called with, to hand in the answer.
    pub(in crate::agents) fn completion(&self) -> Value {
        let Detail { output, activate, .. } = &self.detail;
        let output = output.clone().unwrap_or_default();
        let mut arguments = json!({ "id": self.job, "epoch": self.epoch, "variables": output });
        if let Some(fields) = arguments.as_object_mut().filter(|_| !activate.is_empty()) {
            fields.insert("activate".to_owned(), json!(activate));
        }
        arguments
    }
}

/// How a run that cannot go on ends, once its job is failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::agents) struct GivingUp {
    /// The state it ends in.
    pub(in crate::agents) state: RunState,
    /// What `job_fail` is called with.
    pub(in crate::agents) arguments: Value,
    /// Under which key.
    pub(in crate::agents) key: String,
}

/// A step as it is written.
#[derive(Debug)]
pub(in crate::agents) struct NewStep {
    pub(in crate::agents) ordinal: u32,
    pub(in crate::agents) kind: StepKind,
    pub(in crate::agents) tool: Option<String>,
    pub(in crate::agents) key: Option<String>,
    pub(in crate::agents) request_hash: Option<String>,
    pub(in crate::agents) payload: Value,
    pub(in crate::agents) tokens: (i64, i64),
}

impl NewStep {
    pub(in crate::agents) fn new(kind: StepKind, ordinal: u32, payload: Value) -> Self {
        Self { ordinal, kind, tool: None, key: None, request_hash: None, payload, tokens: (0, 0) }
    }
}

/// A step as it is stored.
#[derive(Clone, Debug)]
pub(in crate::agents) struct StepRow {
    pub(in crate::agents) step: Step,
    pub(in crate::agents) request_hash: Option<String>,
}

const INSERT: &str = "INSERT INTO agents_run (tenant_id, id, agent, agent_version, prompt,
    prompt_version, job, instance, element, state, client, epoch, lease_ms, confidence,
    below_threshold, tokens_in, tokens_out, steps, detail, started_at, updated_at, ended_at, scope)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20, $21, $22, $23)";
const UPDATE: &str = "UPDATE agents_run SET state = $3, client = $4, epoch = $5, lease_ms = $6,
    confidence = $7, below_threshold = $8, tokens_in = $9, tokens_out = $10, steps = $11,
    detail = $12, updated_at = $13, ended_at = $14
    WHERE tenant_id = $1 AND id = $2 AND epoch <= $5 AND steps <= $11";
const ADD_STEP: &str =
    "INSERT INTO agents_step (tenant_id, run, seq, ordinal, kind, tool, step_key,
    request_hash, payload, tokens_in, tokens_out, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

const BY_ID: &str = "SELECT id, agent, agent_version, prompt, prompt_version, job, instance,
    element, state, client, epoch, lease_ms, confidence, below_threshold, tokens_in, tokens_out,
    steps, detail, started_at, updated_at, ended_at
    FROM agents_run WHERE tenant_id = $1 AND id = $2";
const BY_JOB: &str = "SELECT id, agent, agent_version, prompt, prompt_version, job, instance,
    element, state, client, epoch, lease_ms, confidence, below_threshold, tokens_in, tokens_out,
    steps, detail, started_at, updated_at, ended_at
    FROM agents_run WHERE tenant_id = $1 AND job = $2 ORDER BY id DESC LIMIT 1";
const BY_SCOPE: &str = "SELECT id, agent, agent_version, prompt, prompt_version, job, instance,
    element, state, client, epoch, lease_ms, confidence, below_threshold, tokens_in, tokens_out,
    steps, detail, started_at, updated_at, ended_at
    FROM agents_run WHERE tenant_id = $1 AND instance = $2 AND scope = $3
    AND state IN ('submitting', 'completed') ORDER BY id DESC LIMIT 1";
/// A search that begins at the index of what `$lead` names: a condition that may be left out leads to
/// none. The other conditions are looked at row by row.
macro_rules! search {
    ($lead:literal) => {
        concat!(
            "SELECT id, agent, agent_version, prompt, prompt_version, job, instance,
            element, state, client, epoch, lease_ms, confidence, below_threshold, tokens_in,
            tokens_out, steps, detail, started_at, updated_at, ended_at
            FROM agents_run WHERE tenant_id = $1 AND id < $2",
            $lead,
            " AND (instance = $3 OR CAST($3 AS TEXT) IS NULL)
            AND (agent = $4 OR CAST($4 AS TEXT) IS NULL)
            AND (state = $5 OR CAST($5 AS TEXT) IS NULL)
            ORDER BY id DESC LIMIT $6"
        )
    };
}
pub(in crate::agents) const SEARCH: &str = search!("");
pub(in crate::agents) const SEARCH_INSTANCE: &str = search!(" AND instance = $3");
pub(in crate::agents) const SEARCH_AGENT: &str = search!(" AND agent = $4");
/// Behind every id of a run.
const BEHIND_ALL: &str = "run_z";
const LEFT: &str = "SELECT tenant_id, id FROM agents_run
    WHERE state = 'submitting' AND updated_at < $1 ORDER BY updated_at LIMIT 50";
const STEPS: &str = "SELECT seq, ordinal, kind, tool, payload, tokens_in, tokens_out, at,
    request_hash FROM agents_step WHERE tenant_id = $1 AND run = $2 ORDER BY seq LIMIT 2000";

const OF_INSTANCE: &str = "SELECT id, agent, agent_version, prompt, prompt_version, job, instance,
    element, state, client, epoch, lease_ms, confidence, below_threshold, tokens_in, tokens_out,
    steps, detail, started_at, updated_at, ended_at
    FROM agents_run WHERE tenant_id = $1 AND instance = $2 ORDER BY id LIMIT $3";
const STEPS_OF_INSTANCE: &str =
    "SELECT seq, ordinal, kind, tool, payload, tokens_in, tokens_out, at,
    request_hash, run FROM agents_step WHERE tenant_id = $1
    AND run IN (SELECT id FROM agents_run WHERE tenant_id = $1 AND instance = $2)
    ORDER BY run, seq";
const REMOVE_STEPS: &str = "DELETE FROM agents_step WHERE tenant_id = $1
    AND run IN (SELECT id FROM agents_run WHERE tenant_id = $1 AND instance = $2)";
const REMOVE: &str = "DELETE FROM agents_run
    WHERE tenant_id = $1 AND instance = $2 AND state <> 'submitting'";

pub(in crate::agents) fn insert(writes: &mut WriteSet, run: &RunRow) -> Result<()> {
    let mut values = params![
        &run.id,
        &run.agent,
        run.agent_version,
        &run.prompt,
        run.prompt_version,
        &run.job,
        &run.instance,
        &run.element,
        run.state.as_str(),
        &run.client,
        run.epoch,
        run.lease_ms,
        run.confidence,
        run.below_threshold,
        run.tokens_in,
        run.tokens_out,
        run.steps,
    ];
    values.extend([
        Param::json(&run.detail)?,
        Param::from(run.started_at),
        Param::from(run.updated_at),
        Param::from(run.ended_at),
        Param::from(run.detail.scope),
    ]);
    writes.push(INSERT, values);
    Ok(())
}

/// Refused as a whole when somebody with a newer epoch has taken the run over.
pub(in crate::agents) fn update(writes: &mut WriteSet, run: &RunRow) -> Result<()> {
    let values = params![
        &run.id,
        run.state.as_str(),
        &run.client,
        run.epoch,
        run.lease_ms,
        run.confidence,
        run.below_threshold,
        run.tokens_in,
        run.tokens_out,
        run.steps,
        Param::json(&run.detail)?,
        run.updated_at,
        run.ended_at,
    ];
    let taken_over = Error::conflict(STALE_LEASE, "the run is no longer yours")
        .why("the lease ran out and another took the work")
        .fix("drop this piece of work and claim anew")
        .next("work_claim");
    writes.push_expecting(UPDATE, values, 1, taken_over);
    Ok(())
}

pub(in crate::agents) fn add_step(
    writes: &mut WriteSet,
    run: &RunRow,
    step: &NewStep,
    now: Timestamp,
) {
    let values = params![
        &run.id,
        run.steps,
        i64::from(step.ordinal),
        step.kind.as_str(),
        step.tool.clone(),
        step.key.clone(),
        step.request_hash.clone(),
        &step.payload,
        step.tokens.0,
        step.tokens.1,
        now,
    ];
    writes.push(ADD_STEP, values);
}

pub(in crate::agents) async fn find(session: &mut Session, id: &str) -> Result<Option<RunRow>> {
    session.query_opt(BY_ID, &params![id]).await?.as_ref().map(read).transpose()
}

/// The newest run of a job.
pub(in crate::agents) async fn of_job(session: &mut Session, job: &str) -> Result<Option<RunRow>> {
    session.query_opt(BY_JOB, &params![job]).await?.as_ref().map(read).transpose()
}

/// The newest run that let something begin in the ad-hoc sub-process `scope` of `instance`.
pub(in crate::agents) async fn of_scope(
    session: &mut Session,
    instance: &str,
    scope: i64,
) -> Result<Option<RunRow>> {
    session.query_opt(BY_SCOPE, &params![instance, scope]).await?.as_ref().map(read).transpose()
}

/// Which runs are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::agents) struct Wanted<'a> {
    pub(in crate::agents) before: Option<&'a str>,
    pub(in crate::agents) instance: Option<&'a str>,
    pub(in crate::agents) agent: Option<&'a str>,
    pub(in crate::agents) state: Option<RunState>,
}

pub(in crate::agents) async fn search(
    session: &mut Session,
    wanted: Wanted<'_>,
    limit: usize,
) -> Result<Vec<RunRow>> {
    let state = wanted.state.map(RunState::as_str);
    let before = wanted.before.unwrap_or(BEHIND_ALL);
    let params = params![before, wanted.instance, wanted.agent, state, limit];
    let sql = match (wanted.instance, wanted.agent) {
        (Some(_), _) => SEARCH_INSTANCE,
        (None, Some(_)) => SEARCH_AGENT,
        (None, None) => SEARCH,
    };
    session.query(sql, &params).await?.iter().map(read).collect()
}

/// Runs whose answer was being handed in before `before`, and that did not go on since.
pub(in crate::agents) async fn left_submitting(
    system: &mut SystemSnapshot,
    before: Timestamp,
) -> Result<Vec<(TenantId, Id<AgentRun>)>> {
    let rows = system.query(LEFT, &params![before]).await?;
    rows.iter().map(|row| Ok((row.id(0)?, row.id(1)?))).collect()
}

pub(in crate::agents) async fn steps(session: &mut Session, run: &str) -> Result<Vec<StepRow>> {
    session.query(STEPS, &params![run]).await?.iter().map(read_step).collect()
}

/// The runs in an instance, the oldest first.
pub(in crate::agents) async fn of_instance(
    session: &mut Session,
    instance: &str,
    limit: usize,
) -> Result<Vec<RunRow>> {
    session.query(OF_INSTANCE, &params![instance, limit]).await?.iter().map(read).collect()
}

/// The steps of all runs in an instance, each with its run.
pub(in crate::agents) async fn steps_of_instance(
    session: &mut Session,
    instance: &str,
) -> Result<Vec<(String, StepRow)>> {
    let rows = session.query(STEPS_OF_INSTANCE, &params![instance]).await?;
    rows.iter().map(|row| Ok((row.text(9)?, read_step(row)?))).collect()
}

/// Removes the runs in an instance with their steps; refused when there are others than so many.
pub(in crate::agents) fn remove_of_instance(
    writes: &mut WriteSet,
    instance: &str,
    count: usize,
    step_count: usize,
) {
    let changed = || Error::conflict("run_changed", "a run went on meanwhile");
    writes.push_expecting(REMOVE_STEPS, params![instance], step_count as u64, changed());
    writes.push_expecting(REMOVE, params![instance], count as u64, changed());
}

fn read_step(row: &Row) -> Result<StepRow> {
    let kind: StepKind = named(row.str(2)?)?;
    let step = Step {
        seq: row.int(0)?,
        ordinal: row.int(1)?,
        kind,
        tool: row.opt_text(3)?,
        payload: row.json(4)?,
        tokens_in: row.int(5)?,
        tokens_out: row.int(6)?,
        at: row.timestamp(7)?,
    };
    Ok(StepRow { step, request_hash: row.opt_text(8)? })
}

fn read(row: &Row) -> Result<RunRow> {
    Ok(RunRow {
        id: row.id(0)?,
        agent: row.text(1)?,
        agent_version: row.int(2)?,
        prompt: row.text(3)?,
        prompt_version: row.int(4)?,
        job: row.text(5)?,
        instance: row.text(6)?,
        element: row.text(7)?,
        state: named(row.str(8)?)?,
        client: row.text(9)?,
        epoch: row.int(10)?,
        lease_ms: row.int(11)?,
        confidence: row.opt_real(12)?,
        below_threshold: row.bool(13)?,
        tokens_in: row.int(14)?,
        tokens_out: row.int(15)?,
        steps: row.int(16)?,
        detail: row.json(17)?,
        started_at: row.timestamp(18)?,
        updated_at: row.timestamp(19)?,
        ended_at: row.opt_timestamp(20)?,
    })
}

fn named<T: for<'de> Deserialize<'de>>(name: &str) -> Result<T> {
    serde_json::from_value(Value::from(name))
        .map_err(|error| Error::internal("stored_name_unknown", error))
}

impl RunRow {
    pub(in crate::agents) fn summary(&self) -> RunSummary {
        RunSummary {
            id: self.id.clone(),
            agent: self.agent.clone(),
            agent_version: self.agent_version,
            prompt: self.prompt.clone(),
            prompt_version: self.prompt_version,
            work: self.job.clone(),
            instance: self.instance.clone(),
            element: self.element.clone(),
            state: self.state,
            client: self.client.clone(),
            principal: self.detail.principal.id.clone(),
            confidence: self.confidence,
            below_threshold: self.below_threshold,
            tokens_in: self.tokens_in,
            tokens_out: self.tokens_out,
            started_at: self.started_at,
            ended_at: self.ended_at,
        }
    }
}
