//! Imports definitions of the first FlowMaster platform from files. It needs no server.

use std::path::{Path, PathBuf};

use clap::Args;
use flowmaster_engine::bpmn;
use flowmaster_engine::graph::{self, Import, Verdict};
use flowmaster_kernel::{Error, ErrorKind, Result};
use serde_json::Value;

use super::files::{close, files, read, unreadable};
use super::unwritable;
use crate::terminal::Terminal;

/// What `flowmaster bpmn import` takes.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// JSON files with definitions, or folders with `.json` files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Writes each process that can be executed to its own BPMN file in this folder.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

/// Says what becomes of each definition; an error when one is rejected.
pub(super) fn import(args: &ImportArgs, terminal: &mut Terminal) -> Result<()> {
    let (mut taken, mut rejected) = (0, 0);
    for file in files(&args.paths, &["json"])? {
        let stored: Value =
            serde_json::from_slice(&read(&file)?).map_err(|error| unreadable(&file, &error))?;
        let imports = graph::import(&stored);
        if imports.is_empty() {
            let line = format!("FAIL  {}: no definition of a process", file.display());
            terminal.result(&line).map_err(unwritable)?;
            rejected += 1;
        }
        for import in imports {
            terminal.result(&told(&file, &import)).map_err(unwritable)?;
            match import.report.verdict {
                Verdict::Rejected => rejected += 1,
                Verdict::Executable | Verdict::ExecutableAfterRepairs => taken += 1,
            }
            if let Some(folder) = &args.into {
                write(folder, &import)?;
            }
        }
    }
    close(taken, rejected, "definitions_rejected", terminal)
}

fn told(file: &Path, import: &Import) -> String {
    let verdict = match import.report.verdict {
        Verdict::Executable => "ok    executable",
        Verdict::ExecutableAfterRepairs => "ok    executable after repairs",
        Verdict::Rejected => "FAIL  rejected",
    };
    let mut told = format!("{verdict}: {} ({})", import.id, file.display());
    for repair in &import.report.repairs {
        let element = repair.element.as_deref().unwrap_or("process");
        let line = format!(
            "\n        repaired {} at {element}: {}: {}",
            repair.code, repair.what, repair.how
        );
        told.push_str(&line);
    }
    for finding in &import.findings {
        let element = finding.element.as_deref().unwrap_or("process");
        let line =
            format!("\n        {} at {element}: {}; {}", finding.code, finding.what, finding.fix);
        told.push_str(&line);
    }
    told
}

fn write(folder: &Path, import: &Import) -> Result<()> {
    let Some(compact) = &import.process else { return Ok(()) };
    let process = compact.to_process().map_err(|_| {
        Error::new(ErrorKind::Internal, "import_broken", "an executable import cannot be read")
    })?;
    std::fs::create_dir_all(folder).map_err(|error| unreadable(folder, &error))?;
    let path = folder.join(format!("{}.bpmn", import.id));
    std::fs::write(&path, bpmn::write(&process).to_xml()).map_err(|error| unreadable(&path, &error))
}
