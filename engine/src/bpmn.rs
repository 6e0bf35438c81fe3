//! BPMN 2.0 XML: read into the model, written from it, and kept whole.
//!
//! A [`Document`] keeps the file with its diagram and every vendor's extensions; the model is what
//! the engine understands of it. Names are compared by namespace, never by prefix. The `zeebe:`
//! extensions of Camunda 8 Modeler are read; our own live in the `flowmaster:` namespace. Those of
//! Camunda 7, Operaton and Flowable are translated into them, for reading alone.

mod association;
mod collaboration;
mod data;
mod dialect;
mod event;
mod extension;
mod flow_node;
mod layout;
mod names;
mod policy;
mod process;
mod repetition;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::feel::Program;
use crate::finding::Finding;
use crate::model::{Definitions, Process, Text};
use crate::xml::{Element, XmlError};

use association::Handlers;
use collaboration::MessageFlows;
use data::DataElements;
pub use names::FLOWMASTER;
use names::MODEL;
pub use write::write;

/// A BPMN file, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(Element);

/// What reading a document gave.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The model. Where there are errors among the findings it is not fit for execution.
    pub definitions: Definitions,
    /// What could not be understood or is wrong.
    pub findings: Vec<Finding>,
}

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BpmnError {
    /// Not XML, or over a limit.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// XML, but not BPMN 2.0.
    #[error("the root element is {0:?}, and a BPMN 2.0 file begins with definitions in {MODEL}")]
    NotBpmn(String),
    /// BPMN, but not executable.
    #[error("the model has errors, the first one: {}", first(.0))]
    NotExecutable(Vec<Finding>),
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// Bytes that are not a BPMN 2.0 document.
    pub fn parse(bytes: &[u8]) -> Result<Self, BpmnError> {
        let root = Element::parse(bytes)?;
        if !root.is(MODEL, "definitions") {
            return Err(BpmnError::NotBpmn(root.name.to_string()));
        }
        Ok(Self(root))
    }

    /// The file as text.
    #[must_use]
    pub fn to_xml(&self) -> String {
        self.0.to_document()
    }

    /// The root element, `definitions`.
    #[must_use]
    pub fn root(&self) -> &Element {
        &self.0
    }

    /// What the engine understands of it.
    #[must_use]
    pub fn load(&self) -> Loaded {
        let Some((translated, findings)) = dialect::translated(&self.0) else {
            return Reader::new(&self.0).definitions();
        };
        let mut loaded = Reader::new(&translated).definitions();
        loaded.findings.splice(..0, findings);
        loaded
    }
}

impl Loaded {
    /// The findings that are not about another process of the file.
    #[must_use]
    pub fn findings_of(&self, process: &Process) -> Vec<Finding> {
        let holds = |process: &Process, id: &str| {
            *process.id == *id
                || process.find(id).is_some()
                || process.flows().any(|(_, flow)| *flow.id == *id)
        };
        let others = self.definitions.processes.iter().filter(|other| other.id != process.id);
        let is_foreign = |finding: &&Finding| {
            finding.element.as_deref().is_some_and(|id| {
                !holds(process, id) && others.clone().any(|other| holds(other, id))
            })
        };
        self.findings.iter().filter(|finding| !is_foreign(finding)).cloned().collect()
    }
}

/// Reads a file that must be executable. Beside a process that is marked so, one that is not and has
/// errors is there for people to see, and left out.
///
/// # Errors
/// Not BPMN, or a finding that prevents execution.
pub fn read(bytes: &[u8]) -> Result<Definitions, BpmnError> {
    let loaded = Document::parse(bytes)?.load();
    if !loaded.definitions.processes.iter().any(|process| process.executable) {
        return match Finding::any_error(&loaded.findings) {
            true => Err(BpmnError::NotExecutable(loaded.findings)),
            false => Ok(loaded.definitions),
        };
    }
    let mut kept = Vec::new();
    for process in &loaded.definitions.processes {
        let findings = loaded.findings_of(process);
        match Finding::any_error(&findings) {
            true if process.executable => return Err(BpmnError::NotExecutable(findings)),
            true => {}
            false => kept.push(Arc::clone(process)),
        }
    }
    Ok(Definitions { processes: kept, ..loaded.definitions })
}

fn first(findings: &[Finding]) -> String {
    findings
        .iter()
        .find(|finding| Finding::any_error(std::slice::from_ref(finding)))
        .map(|finding| match &finding.element {
            Some(element) => format!("{} at {element}: {}", finding.code, finding.what),
            None => format!("{}: {}", finding.code, finding.what),
        })
        .unwrap_or_default()
}

/// Reads a tree: keeps the shared definitions at hand and collects findings on the way.
struct Reader<'a> {
    root: &'a Element,
    /// The root elements that others refer to (`message`, `error`, `signal`, `escalation`), by id.
    shared: BTreeMap<&'a str, &'a Element>,
    handlers: Handlers<'a>,
    flows: MessageFlows<'a>,
    data: DataElements<'a>,
    findings: Vec<Finding>,
    unnamed: usize,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Element) -> Self {
        let shared = root
            .elements()
            .filter(|element| &*element.namespace == MODEL)
            .filter_map(|element| Some((element.attribute("id")?, element)))
            .collect();
        let mut findings = Vec::new();
        let flows = MessageFlows::of(root, &mut findings);
        let (handlers, data) = (Handlers::of(root), DataElements::of(root));
        Self { root, shared, handlers, flows, data, findings, unnamed: 0 }
    }

    fn definitions(mut self) -> Loaded {
        let processes: Vec<Arc<Process>> =
            self.root.named(MODEL, "process").filter_map(|element| self.process(element)).collect();
        if processes.is_empty() {
            self.findings.push(Finding::error(
                "no_process",
                "",
                "the file has no process that could be read",
                "add a process element, or mend the findings about the ones there are",
            ));
        }
        let definitions = Definitions {
            id: self.root.attribute("id").unwrap_or_default().to_owned(),
            name: self.root.attribute("name").map(str::to_owned),
            target_namespace: self.root.attribute("targetNamespace").unwrap_or_default().to_owned(),
            processes,
        };
        Loaded { definitions, findings: self.findings }
    }

    /// The id of `element`, or one made for it.
    fn id_of(&mut self, element: &Element) -> String {
        if let Some(id) = element.attribute("id").filter(|id| !id.is_empty()) {
            return id.to_owned();
        }
        self.unnamed += 1;
        let made = format!("{}_{}", element.name, self.unnamed);
        self.findings.push(Finding::warning(
            "no_id",
            &made,
            format!("a {} has no id; it is called {made} here", element.name),
            "give it an id: journals and scenarios name elements by it",
        ));
        made
    }

    /// What a reference to a root element such as a message points to.
    fn shared(
        &mut self,
        element: &str,
        reference: Option<&str>,
        kind: &str,
    ) -> Option<&'a Element> {
        let reference = reference?;
        let found =
            self.shared.get(local_name(reference)).or_else(|| self.shared.get(reference)).copied();
        if found.is_none() {
            self.findings.push(Finding::error(
                "dangling_reference",
                element,
                format!("it refers to the {kind} {reference:?}, which the file does not have"),
                format!("define the {kind} or correct the reference"),
            ));
        }
        found
    }

    /// Compiles FEEL; a mistake becomes a finding and an expression that gives null.
    fn program(&mut self, element: &str, text: &str) -> Option<Program> {
        match Program::compile(text) {
            Ok(program) => Some(program),
            Err(error) => {
                self.findings.push(Finding::error(
                    "expression_invalid",
                    element,
                    error.to_string(),
                    "write FEEL (DMN 1.5 §10), for example amount > 1000",
                ));
                None
            }
        }
    }

    /// Text that is FEEL when it begins with `=`.
    fn text(&mut self, element: &str, text: &str) -> Text {
        match text.trim().strip_prefix('=') {
            Some(expression) => match self.program(element, expression) {
                Some(program) => Text::Feel(program),
                None => Text::Literal(text.to_owned()),
            },
            None => Text::Literal(text.to_owned()),
        }
    }
}

/// References are qualified names; the prefix says which file, and there is only one.
fn local_name(reference: &str) -> &str {
    reference.rsplit_once(':').map_or(reference, |(_, id)| id)
}

#[cfg(test)]
mod tests;
