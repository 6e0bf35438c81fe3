//! The models of a scenario, read once.

use std::sync::Arc;

use flowmaster_kernel::Error;
use serde_json::Value;

use crate::compact::CompactProcess;
use crate::decide::Definition;
use crate::dmn::Decisions;
use crate::finding::Finding;
use crate::model::Process;
use crate::{bpmn, graph};

/// Processes and decisions to run scenarios on.
#[derive(Clone, Debug, Default)]
pub struct Models {
    processes: Vec<Arc<Process>>,
    decisions: Arc<Decisions>,
}

/// Models that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The loader did not give it.
    #[error("{path}: {source}")]
    NotLoaded {
        /// The path.
        path: String,
        /// Why.
        source: Error,
    },
    /// It is not a model.
    #[error("{path}: {why}")]
    NotRead {
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
    /// Two models have a process with this id.
    #[error("the process {0:?} is in two models")]
    Twice(String),
}

impl Models {
    /// Models that are read already.
    #[must_use]
    pub fn new(processes: Vec<Arc<Process>>, decisions: Arc<Decisions>) -> Self {
        Self { processes, decisions }
    }

    /// Reads the models at `paths`: DMN, and JSON in the compact form or as a definition of the
    /// first platform, where the name ends so; BPMN otherwise.
    ///
    /// # Errors
    /// A path that does not load, or a file that is not a model.
    pub fn load<L>(paths: &[String], loader: L) -> Result<Self, ModelError>
    where
        L: Fn(&str) -> Result<Vec<u8>, Error>,
    {
        let mut models = Self::default();
        let mut decisions = Decisions::default();
        for path in paths {
            let bytes = loader(path)
                .map_err(|source| ModelError::NotLoaded { path: path.clone(), source })?;
            let not_read = |why: String| ModelError::NotRead { path: path.clone(), why };
            if path.to_ascii_lowercase().ends_with(".dmn") {
                decisions.add(&bytes).map_err(|error| not_read(error.to_string()))?;
                continue;
            }
            for process in processes_in(path, &bytes).map_err(not_read)? {
                models.add(&process)?;
            }
        }
        models.decisions = Arc::new(decisions);
        Ok(models)
    }

    fn add(&mut self, process: &Arc<Process>) -> Result<(), ModelError> {
        if self.process(&process.id).is_some() {
            return Err(ModelError::Twice(process.id.to_string()));
        }
        self.processes.push(Arc::clone(process));
        Ok(())
    }

    pub(super) fn process(&self, id: &str) -> Option<&Arc<Process>> {
        self.processes.iter().find(|process| &*process.id == id)
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.processes.iter()
    }

    pub(super) fn definition(&self, process: &Arc<Process>) -> Definition {
        Definition::new(Arc::clone(process), Arc::clone(&self.decisions))
    }
}

/// The processes of the file `path`, the one to start first: JSON in the compact form or as a
/// definition of the first platform where the name ends so, BPMN otherwise.
///
/// # Errors
/// A file that is no model, or one with errors.
pub fn processes_in(path: &str, bytes: &[u8]) -> Result<Vec<Arc<Process>>, String> {
    if path.to_ascii_lowercase().ends_with(".json") {
        return from_json(bytes);
    }
    let read = bpmn::read(bytes).map_err(|error| error.to_string())?;
    let main = read.main_process().map(|main| Arc::clone(&main.id));
    let mut processes = read.processes;
    processes.sort_by_key(|process| Some(&process.id) != main.as_ref());
    Ok(processes)
}

fn from_json(bytes: &[u8]) -> Result<Vec<Arc<Process>>, String> {
    let stored: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let imports = graph::import(&stored);
    if imports.is_empty() {
        // Not from the value: what is wrong is told with its line.
        let read = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        return Ok(vec![compact(&read)?]);
    }
    let made = imports.into_iter().map(|import| match &import.process {
        Some(process) => compact(process),
        None => Err(said(&import.findings)),
    });
    made.collect()
}

fn compact(read: &CompactProcess) -> Result<Arc<Process>, String> {
    read.to_process().map_err(|findings| said(&findings))
}

fn said(findings: &[Finding]) -> String {
    let said = findings.iter().map(|finding| match &finding.element {
        Some(element) => format!("{element}: {}", finding.what),
        None => finding.what.clone(),
    });
    said.collect::<Vec<_>>().join("; ")
}
