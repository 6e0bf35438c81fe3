//! From what somebody sends, or what is stored, to a model.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_engine::Definition;
use flowmaster_engine::bpmn::{self, Document};
use flowmaster_engine::compact::CompactProcess;
use flowmaster_engine::finding::Finding;
use flowmaster_engine::model::{NodeKind, Process, Task, Text};
use sha2::{Digest, Sha256};

use super::error::ProcessError;

/// A published version, ready to run.
#[derive(Clone, Debug)]
pub struct Published {
    /// BPMN id.
    pub id: String,
    /// Number of the version.
    pub version: i64,
    /// SHA-256 of the model, in hexadecimal.
    pub hash: String,
    /// What the engine runs.
    pub definition: Arc<Definition>,
}

/// A model that somebody wants to save or check.
pub(super) struct Model {
    pub(super) xml: String,
    pub(super) hash: String,
    pub(super) process: Arc<Process>,
    /// What reading it found.
    pub(super) findings: Vec<Finding>,
}

/// Reads the model from exactly one of the two forms.
pub(super) fn model(compact: Option<CompactProcess>, xml: Option<String>) -> Result<Model, ProcessError> {
    match (compact, xml) {
        (Some(compact), None) => {
            let process = compact
                .to_process()
                .map_err(|findings| ProcessError::Findings { verb: "read", findings })?;
            let xml = bpmn::write(&process).to_xml();
            Ok(Model { hash: hash(&xml), xml, process, findings: Vec::new() })
        }
        (None, Some(xml)) => from_xml(&xml),
        _ => Err(ProcessError::NotOneModel),
    }
}

/// Reads a BPMN file, which is kept as a whole.
pub(super) fn from_xml(xml: &str) -> Result<Model, ProcessError> {
    let document = Document::parse(xml.as_bytes()).map_err(|error| ProcessError::NotBpmn(error.to_string()))?;
    let loaded = document.load();
    let executable = loaded.definitions.processes.iter().filter(|process| process.executable).count();
    if executable > 1 {
        return Err(ProcessError::SeveralProcesses(executable));
    }
    let Some(process) = loaded.definitions.main_process() else {
        return Err(ProcessError::Findings { verb: "read", findings: loaded.findings });
    };
    let xml = document.to_xml();
    Ok(Model { hash: hash(&xml), xml, process: Arc::clone(process), findings: loaded.findings })
}

/// The decisions that the process asks by a fixed id.
pub(super) fn decisions(process: &Process) -> BTreeSet<String> {
    process
        .nodes()
        .filter_map(|(_, node)| match &node.kind {
            NodeKind::Task(Task::BusinessRule { decision: Text::Literal(id), .. }) => Some(id.clone()),
            _ => None,
        })
        .collect()
}

/// Checks the name under which a process is offered as a tool.
pub(super) fn tool_name(process: &Process) -> Result<Option<&str>, ProcessError> {
    let Some(name) = process.contract.tool.as_deref() else { return Ok(None) };
    let well_formed = (1..=30).contains(&name.len())
        && name.contains('_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if well_formed { Ok(Some(name)) } else { Err(ProcessError::BadToolName(name.to_owned())) }
}

fn hash(xml: &str) -> String {
    Sha256::digest(xml.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
