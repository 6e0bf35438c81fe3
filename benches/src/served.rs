//! The same instances through the real program, as the peers do theirs: clients start them and send
//! each its message over HTTP. Two calls an instance, and two durable steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use crate::instances::{self, Rounds};
use crate::program::Program;
use crate::report::{Report, quantile};
use crate::server::Composed;

/// Measures instances a second on a new embedded database.
pub(crate) async fn measure(rounds: &Rounds, report: &mut Report) -> anyhow::Result<()> {
    let composed = Composed::new().await?;
    instances::save(&composed.server.rooms.processes, &composed.ctx, "served", elements()).await?;
    let (folder, key) = composed.close().await;

    let program = Arc::new(Program::start(folder.path(), &key)?);
    run(&program, "warm", rounds.instances / 10, rounds.concurrency).await?;
    let (started, cpu) = (Instant::now(), program.cpu_seconds()?);
    let mut millis = run(&program, "run", rounds.instances, rounds.concurrency).await?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = program.cpu_seconds()? - cpu;
    millis.sort_by(f64::total_cmp);
    let count = rounds.instances as f64;
    report.add("served_sqlite_instances_per_s", count / seconds)?;
    report.add("served_sqlite_instance_p50_ms", quantile(&millis, 0.5))?;
    report.add("served_sqlite_instance_p99_ms", quantile(&millis, 0.99))?;
    report.add("served_sqlite_cpu_ms_per_instance", cpu * 1_000.0 / count)
}

/// Start → script → message → end.
fn elements() -> Value {
    json!([
        { "id": "start", "type": "startEvent", "next": "check" },
        { "id": "check", "type": "scriptTask", "script": "amount * 2", "result": "double", "next": "approve" },
        { "id": "approve", "type": "receiveTask", "event": { "message": { "name": "approved", "correlation": "=order" } }, "next": "end" },
        { "id": "end", "type": "endEvent" }
    ])
}

/// Runs `instances`, `concurrency` at a time; gives the time each took.
async fn run(
    program: &Arc<Program>,
    round: &'static str,
    instances: usize,
    concurrency: usize,
) -> anyhow::Result<Vec<f64>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for _ in 0..concurrency {
        let (program, next) = (Arc::clone(program), Arc::clone(&next));
        clients.push(tokio::spawn(async move {
            let mut millis = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= instances {
                    return anyhow::Ok(millis);
                }
                let started = Instant::now();
                one(&program, &format!("{round}-{number}")).await?;
                millis.push(started.elapsed().as_secs_f64() * 1_000.0);
            }
        }));
    }
    let mut all = Vec::with_capacity(instances);
    for client in clients {
        all.extend(client.await??);
    }
    Ok(all)
}

async fn one(program: &Program, order: &str) -> anyhow::Result<()> {
    let variables = json!({ "amount": 1200, "order": order });
    program.call("process_start", json!({ "process": "served", "variables": variables })).await?;
    let message = json!({ "name": "approved", "correlation": order });
    let told = program.call("message_publish", message).await?;
    anyhow::ensure!(told["correlated"].as_array().is_some_and(|it| it.len() == 1), "{told}");
    Ok(())
}
