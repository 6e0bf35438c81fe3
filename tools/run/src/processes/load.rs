//! From what somebody sends, or what is stored, to a model.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_engine::bpmn::{self, Document};
use flowmaster_engine::compact::CompactProcess;
use flowmaster_engine::finding::Finding;
use flowmaster_engine::graph::{self, Import, ImportReport};
use flowmaster_engine::model::{NodeKind, Process, Task};
use flowmaster_store::intact;
use serde_json::Value;

use super::error::ProcessError;
use super::usage;

/// The most executable processes of a file.
const MAX_PROCESSES: usize = 20;

/// A model that somebody wants to save or check.
pub(super) struct Model {
    pub(super) xml: String,
    pub(super) hash: String,
    pub(super) process: Arc<Process>,
    /// What reading it found.
    pub(super) findings: Vec<Finding>,
    /// How it was imported, where it was.
    pub(super) import: Option<ImportReport>,
}

/// Reads what exactly one of the three forms has: a process, or the executable processes of a file
/// in its order. There is at least one.
pub(super) fn models(
    compact: Option<CompactProcess>,
    xml: Option<String>,
    graph: Option<&Value>,
) -> Result<Vec<Model>, ProcessError> {
    match (compact, xml, graph) {
        (Some(compact), None, None) => Ok(vec![from_compact(&compact)?]),
        (None, Some(xml), None) => from_file(&xml),
        (None, None, Some(graph)) => Ok(vec![from_graph(graph)?]),
        _ => Err(ProcessError::NotOneModel),
    }
}

fn from_compact(compact: &CompactProcess) -> Result<Model, ProcessError> {
    let process = compact
        .to_process()
        .map_err(|findings| ProcessError::Findings { verb: "read", findings })?;
    // Read again as it will be: expressions of other engines are found there.
    from_xml(&bpmn::write(&process).to_xml(), &process.id)
}

/// Imports a definition of the first platform, which must be the only one.
fn from_graph(stored: &Value) -> Result<Model, ProcessError> {
    let mut imports = graph::import(stored);
    if imports.len() > 1 {
        return Err(ProcessError::SeveralProcesses(imports.len()));
    }
    let Import { process, report, findings, .. } =
        imports.pop().ok_or(ProcessError::NotADefinition)?;
    let Some(compact) = process else { return Err(ProcessError::Rejected { report, findings }) };
    let mut model = from_compact(&compact)?;
    model.findings.splice(0..0, findings);
    Ok(Model { import: Some(report), ..model })
}

/// Reads the process `id` of a stored BPMN file.
pub(super) fn from_xml(xml: &str, id: &str) -> Result<Model, ProcessError> {
    let mut models = from_file(xml)?.into_iter();
    let found = models.find(|model| &*model.process.id == id);
    found.ok_or_else(|| ProcessError::NotFound(id.to_owned()))
}

/// Reads a BPMN file, which is kept as a whole with each of its processes.
fn from_file(xml: &str) -> Result<Vec<Model>, ProcessError> {
    let document = Document::parse(xml.as_bytes())
        .map_err(|error| ProcessError::NotBpmn(error.to_string()))?;
    let loaded = document.load();
    let definitions = &loaded.definitions;
    let executable = || definitions.processes.iter().filter(|process| process.executable);
    if executable().count() > MAX_PROCESSES {
        return Err(ProcessError::TooManyProcesses(MAX_PROCESSES));
    }
    let Some(main) = definitions.main_process() else {
        return Err(ProcessError::Findings { verb: "read", findings: loaded.findings });
    };
    let xml = document.to_xml();
    let hash = intact::fingerprint(&xml);
    let others = executable().filter(|process| process.id != main.id);
    let model = |process: &Arc<Process>| Model {
        xml: xml.clone(),
        hash: hash.clone(),
        process: Arc::clone(process),
        findings: loaded.findings_of(process),
        import: None,
    };
    Ok([main].into_iter().chain(others).map(model).collect())
}

/// The decisions that the process asks by a fixed id.
pub(super) fn decisions(process: &Process) -> BTreeSet<String> {
    usage::places(process).map(|place| place.decision).collect()
}

/// What is wrong with the border of a process: its tool name, its schemas and its forms.
pub(super) fn contract_findings(process: &Process) -> Vec<Finding> {
    let mut findings = Vec::new();
    let contract = &process.contract;
    if contract.tool.as_deref().is_some_and(|name| !is_tool_name(name)) {
        findings.push(Finding::error(
            "tool_name_invalid",
            "",
            format!("{:?} cannot be the name of a tool", contract.tool.as_deref().unwrap_or("")),
            "use noun_verb in lower case, at most 30 letters and underscores",
        ));
    }
    let mut check = |element: &str, what: &str, schema: Option<&Value>| {
        if let Some(Err(error)) = schema.map(jsonschema::validator_for) {
            findings.push(Finding::error(
                "schema_invalid",
                element,
                format!("the {what} is not a JSON Schema: {error}"),
                "mend the schema; it must not refer to other files",
            ));
        }
    };
    check("", "input schema", contract.input.as_ref());
    check("", "output schema", contract.output.as_ref());
    for (_, node) in process.nodes() {
        if let NodeKind::Task(Task::User(task)) = &node.kind {
            check(&node.id, "form", task.form.as_ref());
        }
    }
    findings
}

fn is_tool_name(name: &str) -> bool {
    (1..=30).contains(&name.len())
        && name.contains('_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
