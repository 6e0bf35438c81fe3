//! Start → script → human task → end through the engine's API, each step durable before it is
//! acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use flowmaster_data::entities::{self, Entities};
use flowmaster_engine::Key;
use flowmaster_kernel::{Clock, Ctx, IdSource, TenantId};
use flowmaster_mcp_server::system::{RandomIds, SystemClock};
use flowmaster_mind::mandates::{self, Mandates};
use flowmaster_mind::rules::{self, Rules};
use flowmaster_run::execution::types::StartProcess;
use flowmaster_run::execution::{self, Execution, History, WorkRef};
use flowmaster_run::processes::types::{PublishProcess, SaveProcess};
use flowmaster_run::processes::{self, Processes};
use flowmaster_run::record::{self, Record};
use flowmaster_store::archive::Archive;
use flowmaster_store::{Db, DbConfig, WriteSet};
use serde_json::{Value, json};

use crate::cpu::{cpu_seconds, written_bytes};
use crate::report::{Report, quantile};

/// How often the runtime record is sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);

/// How much is run, and under which rules.
pub(crate) struct Rounds {
    pub(crate) instances: usize,
    pub(crate) concurrency: usize,
    pub(crate) governance: Governance,
}

/// The policies on the human task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Governance {
    /// None.
    Free,
    /// A condition, a mandate and four eyes, with their runtime record and its seals.
    ThreePolicies,
}

/// What a round committed.
#[derive(Clone, Copy)]
pub(crate) struct Committed {
    /// Transactions of the engine, two an instance.
    pub(crate) transactions: u64,
    /// Commits of the database, each of many transactions on SQLite.
    pub(crate) commits: u64,
    pub(crate) seconds: f64,
    /// Bytes that the process wrote to files: the log, and the database from it.
    pub(crate) written: u64,
    /// Transactions of all rounds.
    pub(crate) ever: u64,
}

/// Measures instances a second on the store at `url`; gives how much was committed.
pub(crate) async fn measure(
    name: &str,
    url: String,
    rounds: &Rounds,
    report: &mut Report,
) -> anyhow::Result<Committed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    let db = Db::open(&DbConfig::new(url), Arc::clone(&clock)).await?;
    db.migrate(&[
        entities::MIGRATIONS,
        rules::MIGRATIONS,
        mandates::MIGRATIONS,
        processes::MIGRATIONS,
        execution::MIGRATIONS,
        record::MIGRATIONS,
    ])
    .await?;
    let rules = Arc::new(Rules::new(db.clone()));
    let entities = Arc::new(Entities::new(db.clone()));
    let mandates = Arc::new(Mandates::new(db.clone(), entities));
    let processes = Arc::new(Processes::new(db.clone(), rules, Arc::clone(&mandates)));
    let execution = Arc::new(Execution::new(
        db.clone(),
        Arc::clone(&processes),
        Arc::clone(&mandates),
        History::new(Archive::in_folder(&std::env::temp_dir()), Vec::new()),
        Arc::clone(&clock),
        Arc::clone(&ids),
    ));
    let tenant = TenantId::fresh(&*ids, clock.now());
    let ctx = Ctx::system(tenant, &clock, &ids);
    publish(&processes, &ctx).await?;
    if rounds.governance == Governance::ThreePolicies {
        save(&processes, &ctx, "bench", guarded()).await?;
        let mandate = json!({ "mandates": [{ "id": "bench", "domain": "finance", "action": "approve",
            "holder": ctx.principal.id, "authority": "allow", "currency": "EUR", "below": 5_000 }] });
        mandates.save(&ctx, serde_json::from_value(mandate)?).await?;
    }

    let sealing = tokio::spawn(seal(Record::new(db.clone()), ctx.clone()));
    run(&execution, &ctx, rounds.instances / 10, rounds.concurrency).await?;
    let before = db.status();
    let written = written_bytes()?;
    let cpu = cpu_seconds()?;
    let started = Instant::now();
    let mut millis = run(&execution, &ctx, rounds.instances, rounds.concurrency).await?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds()? - cpu;
    let after = db.status();
    let written = written_bytes()? - written;
    millis.sort_by(f64::total_cmp);
    let count = rounds.instances as f64;
    report.add(&format!("{name}_instances_per_s"), count / seconds)?;
    report.add(&format!("{name}_instance_p50_ms"), quantile(&millis, 0.5))?;
    report.add(&format!("{name}_instance_p99_ms"), quantile(&millis, 0.99))?;
    report.add(&format!("{name}_cpu_ms_per_instance"), cpu * 1_000.0 / count)?;

    let serial = (rounds.instances / 50).max(50);
    let mut millis = run(&execution, &ctx, serial, 1).await?;
    millis.sort_by(f64::total_cmp);
    report.add(&format!("{name}_serial_instance_p50_ms"), quantile(&millis, 0.5))?;
    sealing.abort();
    let ever = db.status().acknowledged;
    db.close().await;
    Ok(Committed {
        transactions: after.acknowledged - before.acknowledged,
        commits: after.commits - before.commits,
        seconds,
        written,
        ever,
    })
}

/// Seals what is in the runtime record, as a server does.
async fn seal(record: Record, ctx: Ctx) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(SEAL_EVERY).await;
        while record.seal(&ctx, None).await? > 0 {}
    }
}

/// Runs `instances`, `concurrency` at a time; gives the time each took.
pub(crate) async fn run(
    execution: &Arc<Execution>,
    ctx: &Ctx,
    instances: usize,
    concurrency: usize,
) -> anyhow::Result<Vec<f64>> {
    let key = task(execution, ctx).await?;
    let left = Arc::new(AtomicUsize::new(instances));
    let mut workers = Vec::new();
    for _ in 0..concurrency {
        let (execution, ctx, left) = (Arc::clone(execution), ctx.clone(), Arc::clone(&left));
        workers.push(tokio::spawn(async move {
            let mut millis = Vec::new();
            let take = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                let started = Instant::now();
                let instance = start(&execution, &ctx).await?;
                complete(&execution, &ctx, instance, key).await?;
                millis.push(started.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(millis)
        }));
    }
    let mut all = Vec::with_capacity(instances);
    for worker in workers {
        all.extend(worker.await??);
    }
    Ok(all)
}

/// The number that the human task has in every instance of the process.
async fn task(execution: &Execution, ctx: &Ctx) -> anyhow::Result<Key> {
    let started = start(execution, ctx).await?;
    let stored = execution.stored(ctx, &started).await?;
    let (key, _) = stored.instance.waits().next().context("nothing to complete")?;
    complete(execution, ctx, started, key).await?;
    Ok(key)
}

async fn start(execution: &Execution, ctx: &Ctx) -> anyhow::Result<String> {
    let variables = json!({ "amount": 1200, "customer": "Nordwind" });
    let params = StartProcess {
        process: "bench".to_owned(),
        variables: variables.as_object().cloned().unwrap_or_default(),
        ..StartProcess::default()
    };
    Ok(execution.start(ctx, params).await?.id)
}

async fn complete(
    execution: &Execution,
    ctx: &Ctx,
    instance: String,
    key: Key,
) -> anyhow::Result<()> {
    let answer = json!({ "approved": true });
    let answer = answer.as_object().cloned().unwrap_or_default();
    let work = WorkRef { instance, key };
    execution.complete_human_task(ctx, &work, answer, &|_| Ok(WriteSet::new())).await?;
    Ok(())
}

/// Publishes the process that [`run`] runs.
pub(crate) async fn publish(processes: &Processes, ctx: &Ctx) -> anyhow::Result<()> {
    save(processes, ctx, "bench", elements()).await
}

fn elements() -> Value {
    json!([
        { "id": "start", "type": "startEvent", "next": "check" },
        { "id": "check", "type": "scriptTask", "script": "amount * 2", "result": "double", "next": "approve" },
        { "id": "approve", "type": "userTask", "assignment": { "groups": "manager" }, "next": "end" },
        { "id": "end", "type": "endEvent" }
    ])
}

/// The same process, with three policies on its human task.
fn guarded() -> Value {
    let policies = json!([
        { "id": "limit", "on": ["complete"],
          "rule": { "condition": { "when": "amount <= 5000 and attempt.approved", "reason": "too much" } } },
        { "id": "mandate", "on": ["complete"], "rule": { "mandate": {
            "domain": "finance", "action": "approve", "amount": "amount", "currency": "EUR" } } },
        { "id": "eyes", "on": ["complete"], "rule": { "fourEyes": { "with": ["check"] } } }
    ]);
    let mut elements = elements();
    elements[2]["policies"] = policies;
    elements
}

/// Saves and publishes a process.
pub(crate) async fn save(
    processes: &Processes,
    ctx: &Ctx,
    id: &str,
    elements: Value,
) -> anyhow::Result<()> {
    let compact = serde_json::from_value(json!({ "id": id, "elements": elements }))?;
    processes.save(ctx, SaveProcess { compact: Some(compact), ..SaveProcess::default() }).await?;
    processes.publish(ctx, PublishProcess { id: id.to_owned(), hash: None }).await?;
    Ok(())
}
