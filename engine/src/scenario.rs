//! Scenarios: the behaviour of a process as data. A scenario starts a process, drives it and says
//! what must be true; the runner is a fresh world in memory with a virtual clock.
//!
//! The engine stays free of I/O: models come through a loader that the caller gives.

mod expect;
mod format;
mod host;
mod models;
mod report;
mod runner;

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_kernel::{Error, Principal, PrincipalKind};

use crate::governance::Authority;
use crate::instance::ActorRef;

pub use format::{Expect, Scenario};
pub use models::{ModelError, Models, processes_in};
pub use report::{Case, Difference, Report};

/// Text that is not a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a scenario: {0}")]
pub struct ScenarioError(String);

impl From<ScenarioError> for Error {
    fn from(error: ScenarioError) -> Self {
        Self::invalid("bad_scenario", error.to_string())
            .fix("correct the line that the message names; the format is in the guide on scenarios")
    }
}

/// Who is who in a run, and what they may decide. By default nobody holds a mandate, and an actor
/// is a person without groups, or an agent where the name begins with `agent:`.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// The mandates in force on the organisation, where a scenario does not bring its own.
    pub authority: Arc<Authority>,
    /// Principals by id.
    pub principals: BTreeMap<String, Principal>,
}

impl Scenario {
    /// The cast with what the scenario says of groups.
    fn cast(&self, given: &Cast) -> Cast {
        let mut cast = given.clone();
        for (id, groups) in &self.people {
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            let ActorRef { id, kind } = ActorRef::named(id.clone());
            let principal = Principal::new(&id, kind, &[], &groups);
            cast.principals.insert(id, principal);
        }
        cast
    }
}

impl Cast {
    fn principal(&self, id: &str) -> Principal {
        if let Some(known) = self.principals.get(id) {
            return known.clone();
        }
        let ActorRef { id, kind } = ActorRef::named(id.to_owned());
        principal(&id, kind)
    }
}

fn principal(id: &str, kind: PrincipalKind) -> Principal {
    Principal::new(id, kind, &[], &[])
}

/// Runs `scenario` on the models that `loader` gives for its paths.
pub fn run<L>(scenario: &Scenario, loader: L) -> Report
where
    L: Fn(&str) -> Result<Vec<u8>, Error>,
{
    run_as(scenario, loader, &Cast::default())
}

/// The same with a cast.
pub fn run_as<L>(scenario: &Scenario, loader: L, cast: &Cast) -> Report
where
    L: Fn(&str) -> Result<Vec<u8>, Error>,
{
    match Models::load(&scenario.models, loader) {
        Ok(models) => run_on(scenario, &models, cast),
        Err(error) => {
            let failure = Difference::of_step(None, "the models are read", &error.to_string());
            Report::of(Case { name: scenario.name.clone(), failure: Some(failure) })
        }
    }
}

/// Runs `scenario` on models that are read already.
#[must_use]
pub fn run_on(scenario: &Scenario, models: &Models, cast: &Cast) -> Report {
    let failure = runner::run(scenario, models, cast).err();
    Report::of(Case { name: scenario.name.clone(), failure })
}

#[cfg(test)]
mod tests;
