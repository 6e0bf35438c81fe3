//! What the benchmark compares with: engines that others wrote, at pinned versions.

use std::process::Command;

use anyhow::Context as _;

use crate::install;

const NODE: [&str; 4] = [
    "@restatedev/restate-server@1.7.12",
    "@restatedev/restate-sdk@1.17.2",
    "feelin@8.2.0",
    "@hbtgmbh/dmn-eval-js@1.5.0",
];
const PYTHON: [&str; 3] = ["dbos==3.4.0", "SpiffWorkflow==3.2.0", "bkflow-dmn==0.2.0"];

/// Installs the peers and tells the benchmark where they are.
pub(crate) fn tell(benchmark: &mut Command) -> anyhow::Result<()> {
    let node = install::node(&NODE)?;
    let python = install::python(&PYTHON)?;
    let modules = node.modules.context("packages of npm are in a folder")?;
    benchmark.arg("--node").arg(node.interpreter).arg("--modules").arg(modules);
    benchmark.arg("--python").arg(python.interpreter);
    Ok(())
}
