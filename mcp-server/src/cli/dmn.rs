//! `flowmaster dmn check`: test cases of decisions, in the format of the DMN TCK. It needs no server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use flowmaster_engine::dmn::tck::{self, Outcome};
use flowmaster_kernel::{Error, Result};

use super::files::{close, files, read, unreadable};
use super::unwritable;
use crate::terminal::Terminal;

/// What `flowmaster dmn check` takes.
#[derive(Debug, Args)]
pub struct DmnArgs {
    /// Files with test cases in the format of the DMN TCK, or folders with `.xml` files; the models lie
    /// beside them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs test cases, a line a file and each case that fails; an error when one does.
pub(super) fn check(args: &DmnArgs, terminal: &mut Terminal) -> Result<()> {
    let (mut passed, mut failed) = (0, 0);
    for file in files(&args.paths, &["xml"])? {
        let outcomes = run(&file).unwrap_or_else(|error| {
            vec![Outcome { case: "file".to_owned(), failure: Some(error.to_string()) }]
        });
        let failures: Vec<_> =
            outcomes.iter().filter_map(|it| Some((&it.case, it.failure.as_ref()?))).collect();
        if failures.is_empty() {
            let line = format!("ok    {} ({} cases)", file.display(), outcomes.len());
            terminal.result(&line).map_err(unwritable)?;
        }
        for (case, why) in &failures {
            let line = format!("FAIL  {} {case}: {why}", file.display());
            terminal.result(&line).map_err(unwritable)?;
        }
        passed += outcomes.len() - failures.len();
        failed += failures.len();
    }
    close(passed, failed, "cases_failed", terminal)
}

fn run(file: &Path) -> Result<Vec<Outcome>> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut models = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "dmn") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            models.insert(name, read(&path)?);
        }
    }
    tck::run(&read(file)?, &models).map_err(|error| {
        Error::invalid("cases_not_run", "the test cases cannot be run").why(error.to_string())
    })
}
