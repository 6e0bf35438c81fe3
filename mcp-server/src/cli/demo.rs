//! `flowmaster demo`: plays the whole story as an MCP client against a fresh server, and fails when
//! one step comes out differently.
//!
//! The agents are played by a script, and the transcript says so: it needs no model and no key.

mod client;
mod story;

use std::net::SocketAddr;

use clap::Args;
use flowmaster_kernel::{Error, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::unwritable;
use crate::compose::{Server, compose};
use crate::config::Config;
use crate::http;
use crate::mcp::Observer;
use crate::terminal::Terminal;
use client::Client;

/// What `flowmaster demo` takes.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Keep the data of the demo in this folder instead of a temporary one.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<std::path::PathBuf>,
}

pub(super) async fn demo(config: Config, args: &DemoArgs, terminal: &mut Terminal) -> Result<()> {
    let temporary;
    let data_dir = match &args.keep {
        Some(folder) => folder.clone(),
        None => {
            temporary = tempfile::tempdir().map_err(|error| {
                Error::invalid("no_temporary_folder", "no temporary folder can be made")
                    .why(error.to_string())
            })?;
            temporary.path().to_owned()
        }
    };
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config { data_dir, bind, ..config };
    let failed = |error: std::io::Error| Error::internal("listener_failed", error);
    let listener = TcpListener::bind(config.bind).await.map_err(failed)?;
    let base = config.base_url(listener.local_addr().map_err(failed)?);
    let Server { app, new_key, background, rooms, .. } =
        compose(config, Observer::default()).await?;
    let key = new_key.ok_or_else(|| {
        Error::conflict("demo_not_fresh", "the demo needs a fresh store")
            .fix("give an empty folder or database")
    })?;
    let stop = CancellationToken::new();
    let server = tokio::spawn(http::serve(app, listener, stop.clone()));
    let mut transcript = Transcript { terminal, step: 0 };
    let told = story::tell(&base, &Client::new(&base, key.expose())?, &mut transcript).await;
    stop.cancel();
    background.stop().await;
    let _ = server.await;
    rooms.db.close().await;
    told?;
    transcript.say("\nThe story came out as it should.")
}

/// What is printed while the story is played.
struct Transcript<'a> {
    terminal: &'a mut Terminal,
    step: usize,
}

impl Transcript<'_> {
    fn step(&mut self, text: &str) -> Result<()> {
        self.step += 1;
        let line = format!("\n{}. {text}", self.step);
        self.say(&line)
    }

    fn detail(&mut self, text: &str) -> Result<()> {
        self.say(&format!("   {text}"))
    }

    fn say(&mut self, text: &str) -> Result<()> {
        self.terminal.result(text).map_err(unwritable)
    }
}
