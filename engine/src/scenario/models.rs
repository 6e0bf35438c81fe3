//! The models of a scenario, read once.

use std::sync::Arc;

use flowmaster_kernel::Error;

use crate::bpmn;
use crate::compact::CompactProcess;
use crate::decide::Definition;
use crate::dmn::Decisions;
use crate::model::Process;

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

    /// Reads the models at `paths`: DMN and compact JSON where the name ends so, BPMN otherwise.
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
            let name = path.to_ascii_lowercase();
            if name.ends_with(".dmn") {
                decisions.add(&bytes).map_err(|error| not_read(error.to_string()))?;
            } else if name.ends_with(".json") {
                models.add(&compact(&bytes).map_err(not_read)?)?;
            } else {
                let read = bpmn::read(&bytes).map_err(|error| not_read(error.to_string()))?;
                // The process that the file marks as executable is the one to start.
                let main = read.main_process();
                let rest = read
                    .processes
                    .iter()
                    .filter(|process| main.is_none_or(|main| main.id != process.id));
                for process in main.into_iter().chain(rest) {
                    models.add(process)?;
                }
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

fn compact(bytes: &[u8]) -> Result<Arc<Process>, String> {
    let read: CompactProcess = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    read.to_process().map_err(|findings| {
        let said = findings.iter().map(|finding| match &finding.element {
            Some(element) => format!("{element}: {}", finding.what),
            None => finding.what.clone(),
        });
        said.collect::<Vec<_>>().join("; ")
    })
}
