//! Models that others made, against what a format promises.
//!
//! They are a folder beside the repository, by default; nothing of them is in it.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::program::{self, Reports};
use crate::steps::cargo;
use crate::tally::Tally;

/// Where the models are, relative to the repository.
const MODELS: &str = "../shared/conformance";
/// Scenarios on them.
const SCENARIOS: &str = "tests/conformance";

/// The formats whose conformance is checked.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Format {
    /// BPMN 2.0: every file is read and written back without loss, and what is executable runs.
    Bpmn,
}

impl Format {
    const ALL: &[Self] = &[Self::Bpmn];

    const fn folder(self) -> &'static str {
        match self {
            Self::Bpmn => "bpmn-miwg",
        }
    }

    /// Checks the files in a folder: one result for each.
    pub(crate) fn check(self, root: &Path, path: &Path) -> anyhow::Result<Tally> {
        let verb = match self {
            Self::Bpmn => ["bpmn", "check"],
        };
        flowmaster(root, verb, path)
    }

    /// Runs those of the models in a folder that can be executed, as our scenarios say.
    fn execute(self, root: &Path, models: &Path) -> anyhow::Result<Tally> {
        let scenarios = root.join(SCENARIOS).join(self.folder());
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
        flowmaster(root, ["scenario", "run"], &together)
    }
}

fn flowmaster(root: &Path, verb: [&str; 2], path: &Path) -> anyhow::Result<Tally> {
    let mut flowmaster = cargo(root);
    flowmaster.args(["run", "--quiet", "--locked", "--package", "flowmaster-mcp-server", "--"]);
    program::counted(flowmaster.args(verb).arg(path), Reports::Closing)
}

/// Checks every format on the models beside the repository, and runs what can be executed.
pub(crate) fn run(root: &Path) -> anyhow::Result<Tally> {
    let models =
        std::env::var_os("FLOWMASTER_CONFORMANCE").map_or_else(|| root.join(MODELS), PathBuf::from);
    let mut tally = Tally::default();
    for &format in Format::ALL {
        let folder = models.join(format.folder());
        if !folder.is_dir() {
            bail!(
                "there are no models in {}: put those of the BPMN MIWG test suite there, say with \
                 FLOWMASTER_CONFORMANCE where they are, or use --without conformance",
                folder.display()
            );
        }
        tally += format.check(root, &folder)?;
        tally += format.execute(root, &folder)?;
    }
    Ok(tally)
}
