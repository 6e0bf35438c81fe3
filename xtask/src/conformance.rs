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

/// The formats whose conformance is checked.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Format {
    /// BPMN 2.0: every file is read and written back without loss.
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
        let mut flowmaster = cargo(root);
        flowmaster.args(["run", "--quiet", "--locked", "--package", "flowmaster-mcp-server", "--"]);
        match self {
            Self::Bpmn => flowmaster.args(["bpmn", "check"]),
        };
        program::counted(flowmaster.arg(path), Reports::Closing)
    }
}

/// Checks every format on the models beside the repository.
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
    }
    Ok(tally)
}
