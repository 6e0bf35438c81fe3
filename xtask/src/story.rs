//! The story that must always work: `flowmaster demo`, on the embedded database and on PostgreSQL,
//! and the scenarios that ship with the product.

use std::path::Path;

use crate::cluster::{Cluster, Durability};
use crate::steps::{cargo, checked};
use crate::tally::Tally;

/// Plays the story on both databases and runs the shipped scenarios. Three results.
pub(crate) fn run(root: &Path) -> anyhow::Result<Tally> {
    let flowmaster = || {
        let mut command = cargo(root);
        command.args(["run", "--quiet", "--locked", "--package", "flowmaster-mcp-server", "--"]);
        command
    };
    let mut tally = checked(flowmaster().args(["scenario", "run", "tests/scenarios"]))?;
    tally += checked(flowmaster().arg("demo"))?;
    let cluster = Cluster::start(Durability::Off)?;
    tally += checked(flowmaster().arg("demo").env("FLOWMASTER_DATABASE_URL", cluster.url()))?;
    Ok(tally)
}
