//! Models that others made, against what a format promises; and the server, against what MCP does.
//!
//! The models are a folder beside the repository, by default; nothing of them is in it. The suite of
//! MCP comes from npm.

mod mcp;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::program::{self, Reports};
use crate::steps::cargo;
use crate::tally::Tally;

/// Where the models are, relative to the repository.
const MODELS: &str = "../shared/conformance";
/// What we have on them: scenarios, and the test cases that are known to fail.
const OURS: &str = "tests/conformance";
/// In it, a line for each test case that fails: the folder that it is in, and its id.
const GAPS: &str = "gaps.txt";

/// The formats whose conformance is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// BPMN 2.0: every file is read and written back without loss, and what is executable runs.
    Bpmn,
    /// DMN: the test cases of the Technology Compatibility Kit.
    Dmn,
    /// MCP: the official conformance suite, against a server that offers what it asks for.
    Mcp,
}

impl Format {
    /// Checks the files in a folder: a result for each file or test case.
    pub(crate) fn check(self, root: &Path, path: &Path) -> anyhow::Result<Tally> {
        let models = self.models().with_context(|| format!("{self:?} has no files to check"))?;
        program::counted(models.checker(root).arg(path), Reports::Closing)
    }

    const fn models(self) -> Option<Models> {
        match self {
            Self::Bpmn => Some(Models::Bpmn),
            Self::Dmn => Some(Models::Dmn),
            Self::Mcp => None,
        }
    }
}

/// The formats of which there are models.
#[derive(Clone, Copy)]
enum Models {
    Bpmn,
    Dmn,
}

impl Models {
    const fn folder(self) -> &'static str {
        match self {
            Self::Bpmn => "bpmn-miwg",
            Self::Dmn => "dmn-tck",
        }
    }

    const fn suite(self) -> &'static str {
        match self {
            Self::Bpmn => "BPMN MIWG test suite",
            Self::Dmn => "DMN TCK",
        }
    }

    fn check(self, root: &Path, path: &Path) -> anyhow::Result<Tally> {
        program::counted(self.checker(root).arg(path), Reports::Closing)
    }

    fn checker(self, root: &Path) -> Command {
        flowmaster(
            root,
            match self {
                Self::Bpmn => ["bpmn", "check"],
                Self::Dmn => ["dmn", "check"],
            },
        )
    }

    /// Where they are.
    fn place(self, root: &Path) -> anyhow::Result<PathBuf> {
        let models = std::env::var_os("FLOWMASTER_TEST_CONFORMANCE")
            .map_or_else(|| root.join(MODELS), PathBuf::from);
        let folder = models.join(self.folder());
        if folder.is_dir() {
            return Ok(folder);
        }
        bail!(
            "there is no {}: put the {} there, say with FLOWMASTER_TEST_CONFORMANCE where such folders \
             are, or use --without conformance",
            folder.display(),
            self.suite()
        )
    }

    /// Checks the files in a folder; only what fails without being a known gap counts as failed,
    /// and a gap that is none any more.
    fn check_but_gaps(self, root: &Path, path: &Path) -> anyhow::Result<Tally> {
        let file = root.join(OURS).join(self.folder()).join(GAPS);
        let gaps = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let gaps: BTreeSet<&str> =
            gaps.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let mut failed = BTreeSet::new();
        let mut command = self.checker(root);
        let found = program::watched(command.arg(path), Reports::Closing, |line| {
            failed.extend(line.strip_prefix("FAIL").and_then(failure));
        })?;
        let unknown: Vec<_> = failed.iter().filter(|it| !gaps.contains(&***it)).collect();
        let closed: Vec<_> = gaps.iter().filter(|gap| !failed.contains(**gap)).collect();
        let (known, file) = (failed.len() - unknown.len(), file.display());
        println!(
            "{known} of the failures are known; fail and are not in {file}: {unknown:?}; pass and are in it: {closed:?}"
        );
        if found.failed != failed.len() {
            bail!("{} cases failed, and {} were named", found.failed, failed.len());
        }
        Ok(Tally { passed: found.passed, failed: unknown.len() + closed.len() })
    }

    /// Runs those of the models in a folder that can be executed, as our scenarios say.
    fn execute(self, root: &Path, models: &Path) -> anyhow::Result<Tally> {
        let scenarios = root.join(OURS).join(self.folder());
        // A scenario has its models beside it.
        let together = root.join("target").join(self.folder());
        if together.exists() {
            std::fs::remove_dir_all(&together)?;
        }
        std::fs::create_dir_all(&together)?;
        for folder in [models, &scenarios] {
            for file in std::fs::read_dir(folder)? {
                let file = file?;
                std::fs::copy(file.path(), together.join(file.file_name()))?;
            }
        }
        let mut scenarios = flowmaster(root, ["scenario", "run"]);
        program::counted(scenarios.arg(&together), Reports::Closing)
    }
}

/// `FOLDER CASE` of a test case that failed.
fn failure(line: &str) -> Option<String> {
    let (file, rest) = line.trim_start().split_once(".xml ")?;
    let folder = Path::new(file).parent()?.file_name()?.to_str()?;
    let (case, _) = rest.split_once(": ")?;
    Some(format!("{folder} {case}"))
}

fn flowmaster(root: &Path, verb: [&str; 2]) -> Command {
    let mut flowmaster = cargo(root);
    flowmaster.args(["run", "--quiet", "--locked", "--package", "flowmaster-mcp-server", "--"]);
    flowmaster.args(verb);
    flowmaster
}

/// Checks a format on the models beside the repository, and runs what can be executed; or the protocol.
pub(crate) fn of(root: &Path, format: Format) -> anyhow::Result<Tally> {
    match format {
        Format::Bpmn => {
            let folder = Models::Bpmn.place(root)?;
            let mut tally = Models::Bpmn.check(root, &folder)?;
            tally += Models::Bpmn.execute(root, &folder)?;
            Ok(tally)
        }
        Format::Dmn => Models::Dmn.check_but_gaps(root, &Models::Dmn.place(root)?),
        Format::Mcp => mcp::run(root),
    }
}

/// Checks several; one that cannot be checked is a failure of its own.
pub(crate) fn run(root: &Path, formats: &[Format]) -> Tally {
    let mut tally = Tally::default();
    for &format in formats {
        tally += of(root, format).unwrap_or_else(|error| {
            println!("{error:#}");
            Tally::FAIL
        });
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::failure;

    #[test]
    fn a_failure_is_known_by_its_folder_and_its_case() {
        let line =
            "  ./level-3/0076-java/0076-java-01.xml case_1: decision: null, and 1.5 is expected";
        assert_eq!(failure(line).as_deref(), Some("0076-java case_1"));
    }
}
