//! The `flowmaster` program.

use std::process::ExitCode;

use clap::Parser as _;
use flowmaster_mcp_server::cli::{Cli, run};
use flowmaster_mcp_server::terminal::Terminal;

fn main() -> ExitCode {
    run(Cli::parse(), Terminal::of_process())
}
