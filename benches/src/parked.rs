//! What instances cost that wait for months: many of them, each at a human task with a timer, beside
//! those that run. The figures are those of the store beside those of an empty one, and of the real
//! program on it: its memory, how long until it answers after a start, and how long many timers that
//! are due at once take.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use flowmaster_kernel::{Clock as _, Ctx, Timestamp};
use flowmaster_mcp_server::compose::Server;
use flowmaster_mcp_server::system::SystemClock;
use flowmaster_run::execution::types::{StartProcess, Variables};
use flowmaster_store::outbox;
use serde_json::{Value, json};

use crate::cpu::cpu_seconds;
use crate::instances;
use crate::program::Program;
use crate::report::{Report, quantile};
use crate::server::Composed;

/// How many are started at the same time.
const CONCURRENCY: usize = 128;
/// How long before they are due the instances with timers are begun.
const AHEAD_MILLIS: i64 = 60_000;
/// Throughput is measured so often, each time on both stores: what else the machine does meets both.
const TURNS: usize = 7;
/// How long all that may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much there is.
#[derive(Debug, Args)]
pub(crate) struct Parked {
    /// How many instances wait.
    #[arg(long, default_value_t = 1_000_000)]
    parked: usize,
    /// How many instances run beside them in each turn to measure their throughput.
    #[arg(long, default_value_t = 5_000)]
    running: usize,
    /// How many timers are due at once.
    #[arg(long, default_value_t = 10_000)]
    timers: usize,
    /// How many instances that ended lie in the tables beside.
    #[arg(long, default_value_t = 0)]
    ended: usize,
}

impl Parked {
    /// Measures on a new embedded database.
    pub(crate) async fn measure(&self, report: &mut Report) -> anyhow::Result<()> {
        let (full, empty) = (prepared().await?, prepared().await?);
        self.fill(&full, report).await?;
        self.compare(&empty, &full, report).await?;
        empty.close().await;
        let (folder, key) = full.close().await;
        report.add("parked_database_mb", size_mb(folder.path())?)?;
        self.real_program(folder.path(), &key, report).await
    }

    async fn fill(&self, store: &Composed, report: &mut Report) -> anyhow::Result<()> {
        if self.ended > 0 {
            let execution = &store.server.rooms.execution;
            instances::run(execution, &store.ctx, self.ended, CONCURRENCY).await?;
        }
        let started = Instant::now();
        self.park(&store.server, &store.ctx).await?;
        settled(store).await?;
        let seconds = started.elapsed().as_secs_f64();
        report.add("parked_instances", self.parked as f64)?;
        report.add("parked_started_per_s", self.parked as f64 / seconds)
    }

    async fn compare(
        &self,
        empty: &Composed,
        full: &Composed,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let mut turns = Vec::new();
        for turn in 0..=TURNS {
            let pair = (self.throughput(empty).await?, self.throughput(full).await?);
            // The first turn fills what a server keeps at hand.
            turns.extend((turn > 0).then_some(pair));
        }
        let median = |figure: fn(&(Throughput, Throughput)) -> f64| {
            let mut figures: Vec<f64> = turns.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            quantile(&figures, 0.5)
        };
        report.add("parked_none_instances_per_s", median(|(empty, _)| empty.per_second))?;
        report.add("parked_instances_per_s", median(|(_, full)| full.per_second))?;
        let ratio = median(|(empty, full)| full.per_second / empty.per_second);
        report.add("parked_throughput_ratio", ratio)?;
        let ratio = median(|(empty, full)| full.cpu_seconds / empty.cpu_seconds);
        report.add("parked_cpu_ratio", ratio)
    }

    async fn throughput(&self, store: &Composed) -> anyhow::Result<Throughput> {
        let (started, cpu) = (Instant::now(), cpu_seconds()?);
        let execution = &store.server.rooms.execution;
        instances::run(execution, &store.ctx, self.running, CONCURRENCY).await?;
        settled(store).await?;
        Ok(Throughput {
            per_second: self.running as f64 / started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds()? - cpu,
        })
    }

    async fn park(&self, server: &Server, ctx: &Ctx) -> anyhow::Result<()> {
        let execution = Arc::clone(&server.rooms.execution);
        let ctx = ctx.clone();
        many(self.parked, move |number| {
            let (execution, ctx) = (Arc::clone(&execution), ctx.clone());
            async move {
                let variables = json!({ "customer": format!("C-{number}"), "amount": 1200 });
                let params = StartProcess {
                    process: "parked".to_owned(),
                    variables: object(&variables),
                    ..StartProcess::default()
                };
                execution.start(&ctx, params).await?;
                Ok(())
            }
        })
        .await
    }

    /// The program on the store that was filled.
    async fn real_program(
        &self,
        data: &Path,
        key: &str,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        let program = Arc::new(Program::start(data, key)?);
        program.call("me_get", json!({})).await?;
        report.add("parked_restart_to_ready_s", begun.elapsed().as_secs_f64())?;
        report.add("parked_rss_after_start_mb", program.memory_mb("VmRSS")?)?;
        for (name, operation, arguments) in [
            ("tasks_of_nobody", "task_list", json!({})),
            ("tasks_of_all", "task_list", json!({ "filter": "all_open" })),
            ("active_instances", "instance_search", json!({ "state": "active" })),
            ("completed_instances", "instance_search", json!({ "state": "completed" })),
        ] {
            let millis = latency(&program, operation, &arguments).await?;
            report.add(&format!("parked_{name}_p50_ms"), millis)?;
        }

        let due = SystemClock.now().plus_millis(AHEAD_MILLIS);
        let starting = Arc::clone(&program);
        many(self.timers, move |number| {
            let program = Arc::clone(&starting);
            let variables = json!({ "due": due, "number": number });
            let arguments = json!({ "process": "due", "variables": variables });
            async move { program.call("process_start", arguments).await.map(drop) }
        })
        .await?;
        anyhow::ensure!(SystemClock.now() < due, "the timers were set too late");
        report.add("parked_rss_mb", program.memory_mb("VmRSS")?)?;
        report.add("parked_due_timers", self.timers as f64)?;
        report.add("parked_due_timers_fired_s", all_fired(&program, due).await?)?;
        report.add("parked_rss_peak_mb", program.memory_mb("VmHWM")?)
    }
}

/// A server with the processes that are started here.
async fn prepared() -> anyhow::Result<Composed> {
    let composed = Composed::new().await?;
    let (processes, ctx) = (&composed.server.rooms.processes, &composed.ctx);
    instances::publish(processes, ctx).await?;
    for (process, timer) in
        [("parked", json!({ "duration": "P30D" })), ("due", json!({ "date": "=due" }))]
    {
        instances::save(processes, ctx, process, waiting(&timer)).await?;
    }
    Ok(composed)
}

/// Waits until everything is delivered, such as tasks to people.
async fn settled(composed: &Composed) -> anyhow::Result<()> {
    loop {
        let mut session = composed.server.rooms.db.read(&composed.ctx).await?;
        if outbox::backlog(&mut session).await?.pending == 0 {
            return Ok(());
        }
        drop(session);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

struct Throughput {
    per_second: f64,
    cpu_seconds: f64,
}

/// Does `one` so many times, some at once.
async fn many<F, Done>(count: usize, one: F) -> anyhow::Result<()>
where
    F: Fn(usize) -> Done + Clone + Send + 'static,
    Done: Future<Output = anyhow::Result<()>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..CONCURRENCY {
        let (next, one) = (Arc::clone(&next), one.clone());
        workers.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(());
                }
                one(number).await?;
            }
        }));
    }
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

/// What a call takes, in the middle, in milliseconds.
async fn latency(program: &Program, operation: &str, arguments: &Value) -> anyhow::Result<f64> {
    let mut millis = Vec::new();
    for _ in 0..11 {
        let started = Instant::now();
        program.call(operation, arguments.clone()).await?;
        millis.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    millis.sort_by(f64::total_cmp);
    Ok(quantile(&millis, 0.5))
}

/// How long after `due` no instance waits any more, in seconds.
async fn all_fired(program: &Program, due: Timestamp) -> anyhow::Result<f64> {
    let patience = Instant::now() + PATIENCE;
    let left = json!({ "process": "due", "state": "active", "limit": 1 });
    while Instant::now() < patience {
        let page = program.call("instance_search", left.clone()).await?;
        if page["items"].as_array().is_some_and(Vec::is_empty) {
            let millis = SystemClock.now().as_millis() - due.as_millis();
            return Ok(millis as f64 / 1_000.0);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("timers did not fire within {} s", PATIENCE.as_secs())
}

/// A human task that a timer ends.
fn waiting(timer: &Value) -> Value {
    json!([
        { "id": "start", "type": "startEvent", "next": "approve" },
        { "id": "approve", "type": "userTask", "assignment": { "groups": "manager" }, "next": "end" },
        { "id": "late", "type": "boundaryEvent", "attachedTo": "approve", "event": timer, "next": "end" },
        { "id": "end", "type": "endEvent" }
    ])
}

fn object(value: &Value) -> Variables {
    value.as_object().cloned().unwrap_or_default()
}

/// What the files of the database take.
fn size_mb(folder: &Path) -> anyhow::Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("flowmaster.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes as f64 / 1e6)
}
