//! Commands over files: run scenarios, check BPMN models. They need no server.

use std::path::{Path, PathBuf};

use clap::Args;
use flowmaster_engine::bpmn::Document;
use flowmaster_engine::finding::{Finding, Severity};
use flowmaster_engine::scenario::{Case, Difference, Report, Scenario, run};
use flowmaster_kernel::{Error, ErrorKind, Result};

use super::unwritable;
use crate::terminal::Terminal;

/// The largest scenario or model file, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// How deep folders are searched.
const MAX_DEPTH: usize = 16;

/// What `flowmaster scenario run` takes.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// Scenario files, or folders with `.yaml` and `.yml` files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Also writes the outcome as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What `flowmaster bpmn check` takes.
#[derive(Debug, Args)]
pub struct BpmnArgs {
    /// BPMN files, or folders with `.bpmn` and `.bpmn20.xml` files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs scenarios, a line a case; an error when one fails.
pub(super) fn run_scenarios(args: &ScenarioArgs, terminal: &mut Terminal) -> Result<()> {
    let mut report = Report::default();
    for file in files(&args.paths, &["yaml", "yml"])? {
        let one = run_file(&file);
        for case in &one.cases {
            let line = match &case.failure {
                None => format!("ok    {}", case.name),
                Some(failure) => format!("FAIL  {} ({}): {failure}", case.name, file.display()),
            };
            terminal.result(&line).map_err(unwritable)?;
        }
        report.extend(one);
    }
    if let Some(junit) = &args.junit {
        std::fs::write(junit, report.to_junit()).map_err(|error| unreadable(junit, &error))?;
    }
    close(report.cases.len() - report.failed(), report.failed(), "scenarios_failed", terminal)
}

fn run_file(path: &Path) -> Report {
    let folder = path.parent().unwrap_or(Path::new("."));
    let scenario = read(path)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|error| unreadable(path, &error)))
        .and_then(|text| Scenario::parse(&text).map_err(Error::from));
    match scenario {
        Ok(scenario) => run(&scenario, |model| read(&folder.join(model))),
        Err(error) => {
            let failure = Difference {
                step: None,
                what: "file".to_owned(),
                expected: "a scenario".to_owned(),
                actual: error.to_string(),
            };
            Report {
                cases: vec![Case { name: path.display().to_string(), failure: Some(failure) }],
            }
        }
    }
}

/// Checks that models can be read and written back without loss; an error when one cannot.
pub(super) fn check_bpmn(args: &BpmnArgs, terminal: &mut Terminal) -> Result<()> {
    let (mut passed, mut failed) = (0, 0);
    for file in files(&args.paths, &["bpmn", "bpmn20.xml"])? {
        let (line, is_ok) = match read(&file).and_then(|bytes| check_one(&bytes)) {
            Ok(findings) => (told(&file, &findings), true),
            Err(error) => (format!("FAIL  {}: {error}", file.display()), false),
        };
        terminal.result(&line).map_err(unwritable)?;
        *if is_ok { &mut passed } else { &mut failed } += 1;
    }
    close(passed, failed, "models_failed", terminal)
}

fn check_one(bytes: &[u8]) -> Result<Vec<Finding>> {
    let broken = |error: flowmaster_engine::bpmn::BpmnError| {
        Error::invalid("not_bpmn", "the file is not BPMN 2.0").why(error.to_string())
    };
    let document = Document::parse(bytes).map_err(broken)?;
    let again = Document::parse(document.to_xml().as_bytes()).map_err(broken)?;
    if again != document {
        return Err(Error::invalid("not_lossless", "written back, the model is another one"));
    }
    Ok(document.load().findings)
}

fn told(file: &Path, findings: &[Finding]) -> String {
    if findings.is_empty() {
        return format!("ok    {}", file.display());
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let mut line = format!(
        "ok    {} ({} errors, {} warnings before it can be executed)",
        file.display(),
        count(Severity::Error),
        count(Severity::Warning)
    );
    for finding in findings.iter().take(20) {
        let element = finding.element.as_deref().unwrap_or("file");
        line.push_str(&format!("\n        {} at {element}: {}", finding.code, finding.what));
    }
    line
}

/// Says how many passed and failed; an error unless all passed.
pub(super) fn close(
    passed: usize,
    failed: usize,
    code: &str,
    terminal: &mut Terminal,
) -> Result<()> {
    terminal.result(&format!("{passed} passed, {failed} failed")).map_err(unwritable)?;
    match (passed, failed) {
        (0, 0) => Err(Error::invalid("nothing_found", "there is no such file in the paths given")),
        (_, 0) => Ok(()),
        _ => Err(Error::new(ErrorKind::Conflict, code, format!("{failed} failed"))),
    }
}

/// The files themselves, and those with one of `endings` in folders, by path.
pub(super) fn files(paths: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        collect(path, endings, MAX_DEPTH, &mut found)?;
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn collect(path: &Path, endings: &[&str], depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Err(Error::invalid("too_deep", format!("{} is nested too deep", path.display())));
    }
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let inner = entry.map_err(|error| unreadable(path, &error))?.path();
        let name = inner.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = endings.iter().any(|ending| name.ends_with(&format!(".{ending}")));
        if wanted || inner.is_dir() {
            collect(&inner, endings, depth - 1, found)?;
        }
    }
    Ok(())
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > MAX_FILE {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "file_too_large",
            format!("{} has more than {MAX_FILE} bytes", path.display()),
        ));
    }
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

pub(super) fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::invalid("file_unreadable", format!("{} cannot be read or written", path.display()))
        .why(error.to_string())
}
