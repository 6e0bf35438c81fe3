//! The command line: start the server, speak MCP over stdio, call an operation, connect a client.
//!
//! Exit codes: 0 done, 1 the call or the server failed, 2 the command cannot work as given.

mod archive;
mod backup;
mod call;
mod clients;
mod connect;
mod demo;
mod dmn;
mod doctor;
mod files;
mod import;
mod key;
mod links;
mod record;
mod tenant;
mod up;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use flowmaster_kernel::{Error, ErrorKind, Result};
use toml::{Table, Value};

pub use archive::ArchiveArgs;
pub use backup::{BackupArgs, RestoreArgs};
pub use call::CallArgs;
pub use clients::Client;
pub use connect::ConnectArgs;
pub use demo::DemoArgs;
pub use dmn::DmnArgs;
pub use files::{BpmnArgs, ScenarioArgs};
pub use import::ImportArgs;
pub use key::KeyArgs;
pub use record::RecordArgs;
pub use tenant::TenantArgs;

use crate::compose::{Server, compose};
use crate::config::Config;
use crate::mcp::{Observer, Selection, Visitor};
use crate::stdio;
use crate::telemetry::Telemetry;
use crate::terminal::Terminal;

/// FlowMaster: business processes with people, systems and AI agents, operated through MCP.
#[derive(Debug, Parser)]
#[command(name = "flowmaster", version)]
pub struct Cli {
    /// A TOML file with settings.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What is logged, e.g. `info` or `warn,flowmaster_mcp_server=debug`.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Default, Args)]
struct ServerArgs {
    /// Where to listen.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
    /// The address that clients use, when it is not that of --bind.
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// Where data is kept.
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server (the default).
    Up,
    /// Speak MCP over standard input and output.
    Mcp(McpArgs),
    /// Call an operation of a running server.
    Call(CallArgs),
    /// Write the configuration of an MCP client, or print install links.
    Connect(ConnectArgs),
    /// Play the whole story as an MCP client against a fresh server.
    Demo(DemoArgs),
    /// Test processes.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Look at BPMN files.
    #[command(subcommand)]
    Bpmn(BpmnCommand),
    /// Look at DMN files.
    #[command(subcommand)]
    Dmn(DmnCommand),
    /// Make, list and revoke API keys.
    Key(KeyArgs),
    /// Make and list tenants, on the data folder of a server that is stopped or on PostgreSQL.
    Tenant(TenantArgs),
    /// Copy the embedded database to a file; the server may run meanwhile.
    Backup(BackupArgs),
    /// Put a backup into an empty data folder.
    Restore(RestoreArgs),
    /// Check the files of archived instances, or show one of them; no server is needed.
    Archive(ArchiveArgs),
    /// Check the runtime record: an export of it, or the database of a server that is stopped.
    Record(RecordArgs),
    /// Check that everything is there that the server needs, and that its data is undamaged.
    Doctor,
    /// Reads a PDF from standard input under the limits of the process that started it.
    #[command(hide = true)]
    ReadPdf,
}

#[derive(Debug, Subcommand)]
enum ScenarioCommand {
    /// Run scenario files, each on a fresh engine with a virtual clock.
    Run(ScenarioArgs),
}

#[derive(Debug, Subcommand)]
enum BpmnCommand {
    /// Check that files are read and written back without loss, and what keeps them from running.
    Check(BpmnArgs),
    /// Repair definitions of the first FlowMaster platform, and write them as BPMN files.
    Import(ImportArgs),
}

#[derive(Debug, Subcommand)]
enum DmnCommand {
    /// Run test cases of decisions that are in the format of the DMN TCK.
    Check(DmnArgs),
}

#[derive(Debug, Args)]
struct McpArgs {
    /// The tools to list, e.g. `design,rules` or `all`.
    #[arg(long, value_name = "LIST")]
    toolsets: Option<String>,
    /// Refuse everything that changes something.
    #[arg(long)]
    read_only: bool,
    /// Use the server that runs at this address instead of starting one. The key is
    /// FLOWMASTER_KEY.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Cli {
    /// The settings given as flags, as a layer over file and environment.
    fn flags(&self) -> Table {
        let mut flags = Table::new();
        let mut set = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                flags.insert(name.to_owned(), Value::String(value));
            }
        };
        set("log", self.log.clone());
        set("bind", self.server.bind.clone());
        set("public_url", self.server.public_url.clone());
        set("data_dir", self.server.data_dir.as_ref().map(|path| path.display().to_string()));
        if let Some(Command::Mcp(args)) = &self.command {
            set("toolsets", args.toolsets.clone());
            if args.read_only {
                flags.insert("read_only".to_owned(), Value::Boolean(true));
            }
        }
        flags
    }
}

/// Runs a command to its end.
#[must_use]
pub fn run(cli: Cli, mut terminal: Terminal) -> ExitCode {
    match try_run(cli, &mut terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When even standard error is gone, the exit code still tells.
            let _ = terminal.note(&explain(&error));
            let usage = matches!(error.kind(), ErrorKind::Invalid) || error.code() == "port_taken";
            ExitCode::from(if usage { 2 } else { 1 })
        }
    }
}

fn try_run(cli: Cli, terminal: &mut Terminal) -> Result<()> {
    // Before anything else: the child that reads a PDF has few resources and no settings.
    if matches!(cli.command, Some(Command::ReadPdf)) {
        return read_pdf();
    }
    let config = Config::load(cli.config.as_deref(), cli.flags())?;
    let _telemetry = Telemetry::begin(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("runtime_failed", error))?;
    match cli.command.unwrap_or(Command::Up) {
        Command::Up => runtime.block_on(up::up(config, terminal)),
        Command::Mcp(args) => {
            let result = match args.url {
                Some(url) => runtime.block_on(pass_mcp(&config, &url)),
                None => runtime.block_on(speak_mcp(config)),
            };
            // A blocked read of standard input must not hold the process.
            runtime.shutdown_background();
            result
        }
        Command::Call(args) => runtime.block_on(call::call(&config, args, terminal)),
        Command::Connect(args) => connect::connect(&config, &args, terminal),
        Command::Demo(args) => runtime.block_on(demo::demo(config, &args, terminal)),
        Command::Scenario(ScenarioCommand::Run(args)) => files::run_scenarios(&args, terminal),
        Command::Bpmn(BpmnCommand::Check(args)) => files::check_bpmn(&args, terminal),
        Command::Bpmn(BpmnCommand::Import(args)) => import::import(&args, terminal),
        Command::Dmn(DmnCommand::Check(args)) => dmn::check(&args, terminal),
        Command::Key(args) => runtime.block_on(key::key(config, args, terminal)),
        Command::Tenant(args) => runtime.block_on(tenant::tenant(config, args, terminal)),
        Command::Backup(args) => backup::create(&config, &args, terminal),
        Command::Restore(args) => backup::restore(&config, &args, terminal),
        Command::Archive(args) => archive::archive(&config, args, terminal),
        Command::Record(args) => runtime.block_on(record::record(config, args, terminal)),
        Command::Doctor => runtime.block_on(doctor::doctor(&config, terminal)),
        Command::ReadPdf => read_pdf(),
    }
}

fn read_pdf() -> Result<()> {
    flowmaster_data::documents::read_pdf(std::io::stdin().lock(), std::io::stdout().lock())
        .map_err(|error| Error::internal("pdf_reader_failed", error))
}

async fn speak_mcp(config: Config) -> Result<()> {
    let selection = Selection::of(&config.toolsets, config.read_only)?;
    let key = config.key.clone();
    let Server { app, owner, background, .. } = compose(config, Observer::default()).await?;
    let caller = match key {
        Some(key) => app.authenticator.verify(key.expose()).await?,
        None => owner,
    };
    let visitor = Visitor { caller, selection };
    let served = stdio::serve(&app, visitor, tokio::io::stdin(), tokio::io::stdout()).await;
    background.stop().await;
    served
}

async fn pass_mcp(config: &Config, url: &str) -> Result<()> {
    Selection::of(&config.toolsets, config.read_only)?;
    let base = url.trim_end_matches('/');
    let Config { toolsets, read_only, .. } = config;
    let address = format!("{base}/mcp?toolsets={toolsets}&read_only={read_only}");
    stdio::bridge(&address, config.key.as_ref(), tokio::io::stdin(), tokio::io::stdout()).await
}

/// An error for a person at a terminal.
fn explain(error: &Error) -> String {
    let body = error.body();
    let mut text = format!("error: {} [{}]", body.what, body.code);
    if let Some(why) = &body.why {
        text.push_str(&format!("\n  why: {why}"));
    }
    if let Some(fix) = &body.fix {
        text.push_str(&format!("\n  fix: {fix}"));
    }
    text
}

/// The path of this program, as clients start it.
fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|error| Error::internal("own_program_unknown", error))
}

/// A failure to write to the terminal.
fn unwritable(error: std::io::Error) -> Error {
    Error::internal("terminal_failed", error)
}
