//! `flowmaster up`: the server, and what a person needs to connect to it.

use std::io::ErrorKind as IoErrorKind;
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Error, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{links, this_program};
use crate::compose::{Server, compose};
use crate::config::Config;
use crate::http;
use crate::mcp::{ClientSeen, Observer};
use crate::terminal::Terminal;

pub(super) async fn up(config: Config, terminal: &mut Terminal) -> Result<()> {
    let listener =
        TcpListener::bind(config.bind).await.map_err(|error| cannot_bind(&config, &error))?;
    let address =
        listener.local_addr().map_err(|error| Error::internal("listener_failed", error))?;
    let base = config.base_url(address);
    let (seen, mut arrivals) = tokio::sync::mpsc::channel::<ClientSeen>(64);
    let observer = Observer::new(move |client| {
        // The terminal is a courtesy: when it is slow, the next client is not kept waiting.
        if seen.try_send(client.clone()).is_err() {
            tracing::debug!("a client was not shown");
        }
    });
    let Server { app, new_key, background, rooms, .. } = compose(config, observer).await?;
    let program = this_program()?;
    say(terminal.result(&links::invitation(&base, new_key.as_ref(), &program)));

    let stop = CancellationToken::new();
    let keep_metrics = app.metrics.clone();
    let upkeep = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        loop {
            tick.tick().await;
            keep_metrics.run_upkeep();
        }
    });
    let mut server = tokio::spawn(http::serve(Arc::clone(&app), listener, stop.clone()));
    let mut ended = std::pin::pin!(told_to_stop());
    let store = rooms.db.clone();
    let mut poisoned = std::pin::pin!(store.poisoned());
    let mut is_poisoned = false;
    let result = loop {
        tokio::select! {
            result = &mut server => break result,
            () = &mut ended, if !stop.is_cancelled() => {
                say(terminal.note("stopping …"));
                stop.cancel();
            }
            () = &mut poisoned, if !is_poisoned => {
                // What the last commit became is known only after the data is opened anew.
                is_poisoned = true;
                say(terminal.note("a commit failed with unknown outcome: restarting …"));
                stop.cancel();
            }
            Some(client) = arrivals.recv() => {
                say(terminal.note(&arrival(&client)));
            }
        }
    };
    upkeep.abort();
    background.stop().await;
    rooms.db.close().await;
    if is_poisoned {
        return Err(restart());
    }
    result
        .map_err(|error| Error::internal("server_failed", error))?
        .map_err(|error| Error::internal("server_failed", error))
}

/// Becomes a fresh process of the same program; what it returns is why it could not.
fn restart() -> Error {
    let failed = |error: std::io::Error| Error::internal("restart_failed", error);
    let program = match this_program() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut command = std::process::Command::new(program);
    command.args(std::env::args_os().skip(1));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        failed(command.exec())
    }
    #[cfg(not(unix))]
    match command.spawn() {
        Ok(_) => Error::internal("restarted", "a new process goes on"),
        Err(error) => failed(error),
    }
}

/// A server goes on when nobody reads its terminal any more.
fn say(written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::debug!(%error, "the terminal is gone");
    }
}

fn cannot_bind(config: &Config, error: &std::io::Error) -> Error {
    let bind = config.bind;
    match error.kind() {
        IoErrorKind::AddrInUse => {
            let next = bind.port().checked_add(1).unwrap_or(9000);
            Error::conflict("port_taken", format!("something else listens at {bind}")).fix(format!(
                "stop it, or choose another port: flowmaster up --bind {}",
                std::net::SocketAddr::new(bind.ip(), next)
            ))
        }
        _ => Error::invalid("cannot_listen", format!("cannot listen at {bind}"))
            .why(error.to_string())
            .fix("choose an address of this machine with --bind"),
    }
}

fn arrival(client: &ClientSeen) -> String {
    let ClientSeen { name, version, revision, principal, .. } = client;
    match client.tools {
        Some(tools) => format!("{name} {version} sees {tools} tools"),
        None => format!("{name} {version} connected as {principal} (MCP {revision})"),
    }
}

/// Returns when the process is asked to end.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "signals cannot be received; stop the process from outside");
        std::future::pending::<()>().await;
    }
}
