//! Testing processes in memory: scenarios on models that are sent along, or on a stored process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flowmaster_engine::dmn::Decisions;
use flowmaster_engine::model::Process;
use flowmaster_engine::scenario::{self, Case, Cast, Models, Scenario};
use flowmaster_kernel::{Ctx, ErrorKind, Principal, PrincipalKind, Result};

use super::error::ProcessError;
use super::load;
use super::service::{Processes, off_thread};
use super::store;
use super::types::{RunScenario, ScenarioCase, ScenarioDifference, ScenarioReport};

/// How many calls run scenarios at once. One that does not end keeps its place, so hostile ones use
/// up these places and nothing else.
pub(super) const RUNS: usize = 4;
/// The name of the stored process.
const STORED: &str = "process.bpmn";
/// How long a caller waits.
const TIME: Duration = Duration::from_secs(10);
/// The most scenarios of a call.
const MAX_SCENARIOS: usize = 50;
/// The most models.
const MAX_MODELS: usize = 50;
/// The most text of scenarios and models together, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What scenarios run on.
struct Material {
    files: BTreeMap<String, String>,
    stored: Option<Arc<Process>>,
    /// The decisions that the stored process asks.
    decisions: Decisions,
}

impl Processes {
    pub(super) async fn run_scenario(
        &self,
        ctx: &Ctx,
        params: RunScenario,
    ) -> Result<ScenarioReport> {
        let RunScenario { scenario, models, process, actors } = params;
        check_size(&scenario, &models)?;
        let mut material =
            Material { files: models, stored: None, decisions: Decisions::default() };
        if let Some(id) = process {
            let process = self.stored_model(ctx, &id).await?;
            material.decisions = self.decisions_of(ctx, &process).await?;
            material.stored = Some(process);
        }
        let in_force = self.mandates.in_force(ctx).await?;
        let mut cast = Cast { authority: Arc::clone(&in_force.authority), ..Cast::default() };
        cast.principals.extend(actors.into_iter().map(|(id, groups)| {
            let is_agent = id.starts_with("agent:");
            let kind = if is_agent { PrincipalKind::Agent } else { PrincipalKind::Person };
            (id.clone(), Principal { id, kind, roles: [].into(), groups })
        }));
        let place = Arc::clone(&self.runs).try_acquire_owned().map_err(|_| ProcessError::Busy)?;
        let running = off_thread(move || {
            let cases = run(&scenario, &material, &cast);
            drop(place);
            cases
        });
        let too_slow = |_| ProcessError::TooSlow(TIME.as_secs());
        let cases = tokio::time::timeout(TIME, running).await.map_err(too_slow)???;
        let passed = cases.iter().filter(|case| case.passed).count();
        Ok(ScenarioReport { passed, failed: cases.len() - passed, cases })
    }

    /// The draft of a stored process, or its active version.
    async fn stored_model(&self, ctx: &Ctx, id: &str) -> Result<Arc<Process>> {
        let mut session = self.db.read(ctx).await?;
        let row = store::find(&mut session, id).await?;
        let row = row.ok_or_else(|| ProcessError::NotFound(id.to_owned()))?;
        let xml = match (row.draft, row.summary.active_version) {
            (Some(draft), _) => Some(draft),
            (None, Some(version)) => {
                store::version(&mut session, id, version).await?.map(|row| row.xml)
            }
            (None, None) => None,
        };
        drop(session);
        let xml = xml.ok_or_else(|| ProcessError::NoDraft(id.to_owned()))?;
        let id = id.to_owned();
        Ok(off_thread(move || load::from_xml(&xml, &id)).await??.process)
    }

    /// The decisions that a process asks now, as far as they are there: scenarios may bring others.
    async fn decisions_of(&self, ctx: &Ctx, process: &Process) -> Result<Decisions> {
        let known = self.rules.decision_ids(ctx).await?;
        let asked = load::decisions(process).intersection(&known).cloned().collect();
        let pins = match self.rules.pin(ctx, &asked).await {
            // It was replaced between the two looks.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Decisions::default()),
            pins => pins?,
        };
        Ok(Decisions::clone(&*self.rules.pinned(ctx, &pins).await?))
    }
}

fn check_size(scenario: &str, models: &BTreeMap<String, String>) -> Result<(), ProcessError> {
    let bytes = models.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>();
    if scenario.len() + bytes > MAX_BYTES {
        return Err(ProcessError::TooMuch { what: "the bytes of the call", limit: MAX_BYTES });
    }
    if models.len() > MAX_MODELS {
        return Err(ProcessError::TooMuch { what: "the models", limit: MAX_MODELS });
    }
    Ok(())
}

fn run(text: &str, material: &Material, cast: &Cast) -> Result<Vec<ScenarioCase>> {
    let mut scenarios = Vec::new();
    for text in documents(text) {
        scenarios.push(Scenario::parse(&text)?);
        if scenarios.len() > MAX_SCENARIOS {
            let what = "the scenarios";
            return Err(ProcessError::TooMuch { what, limit: MAX_SCENARIOS }.into());
        }
    }
    let mut cases = Vec::with_capacity(scenarios.len());
    for one in &scenarios {
        let models = models(&one.models, material)?;
        cases.extend(scenario::run_on(one, &models, cast).cases.into_iter().map(case));
    }
    Ok(cases)
}

/// The YAML documents of `text`. One without content is none, unless it is the only one.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    if documents.len() > 1 {
        documents.retain(|document| !document.trim().is_empty());
    }
    documents
}

fn models(paths: &[String], material: &Material) -> Result<Models, ProcessError> {
    let mut processes: Vec<Arc<Process>> = Vec::new();
    let mut decisions = material.decisions.clone();
    for path in paths {
        let read = match (material.files.get(path), &material.stored) {
            (Some(text), _) if path.to_ascii_lowercase().ends_with(".dmn") => {
                let unreadable = |error: flowmaster_engine::dmn::DecisionError| {
                    ProcessError::UnreadableModel { path: path.clone(), why: error.to_string() }
                };
                decisions.add(text.as_bytes()).map_err(unreadable)?;
                Vec::new()
            }
            (Some(text), _) => scenario::processes_in(path, text.as_bytes())
                .map_err(|why| ProcessError::UnreadableModel { path: path.clone(), why })?,
            (None, Some(stored)) if path == STORED => vec![Arc::clone(stored)],
            (None, _) => return Err(ProcessError::NoModel(path.clone())),
        };
        for process in read {
            if processes.iter().any(|known| known.id == process.id) {
                return Err(ProcessError::Twice(process.id.to_string()));
            }
            processes.push(process);
        }
    }
    Ok(Models::new(processes, Arc::new(decisions)))
}

fn case(case: Case) -> ScenarioCase {
    let difference = case.failure.map(|failure| ScenarioDifference {
        step: failure.step,
        what: failure.what,
        expected: failure.expected,
        actual: failure.actual,
    });
    ScenarioCase { name: case.name, passed: difference.is_none(), difference }
}
