//! Definitions of the first FlowMaster platform: a process as a graph of typed nodes and edges.
//!
//! [`import`] reads every form in which such a definition was stored (documents of the graph
//! collections, nodes and edges embedded in the process, the snapshot of a version) into the compact
//! form. What is known to be damaged in them is repaired, and every repair is named; what is not
//! clear is a finding, and never guessed or left out in silence.
//!
//! Invariants: any JSON is taken, and the same one gives the same answer; a process is never
//! `executable` with an error among its findings.

mod condition;
mod data;
mod element;
mod flows;
mod json;
mod node_type;
mod paths;
mod source;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::compact::CompactProcess;
use crate::finding::Finding;
use crate::validate::{Surroundings, validate};
use source::Definition;

/// The most nodes of a process, and the most edges.
const MAX_PARTS: usize = 2_000;

/// What became of a definition.
#[derive(Clone, Debug)]
pub struct Import {
    /// BPMN id of the process.
    pub id: String,
    /// What it is now; `None` where it is rejected.
    pub process: Option<CompactProcess>,
    /// Whether it can be executed, and what was repaired.
    pub report: ImportReport,
    /// What has to be mended by somebody, and what may surprise.
    pub findings: Vec<Finding>,
}

/// How an import went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportReport {
    /// Whether the process can be executed.
    pub verdict: Verdict,
    /// What was repaired.
    pub repairs: Vec<Repair>,
}

/// Whether an imported process can be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Verdict {
    /// As it was.
    Executable,
    /// With the repairs that are named.
    ExecutableAfterRepairs,
    /// Not before the errors among the findings are mended.
    Rejected,
}

/// Something that was damaged and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repair {
    /// Stable code, e.g. `dangling_edge`.
    pub code: String,
    /// Id of the element, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// What was the matter.
    pub what: String,
    /// What was done about it.
    pub how: String,
}

/// What is noticed on the way.
#[derive(Debug, Default)]
struct Notes {
    repairs: Vec<Repair>,
    findings: Vec<Finding>,
}

impl Notes {
    fn repaired(&mut self, code: &str, element: &str, what: impl Into<String>, how: &str) {
        self.repairs.push(Repair {
            code: code.to_owned(),
            element: (!element.is_empty()).then(|| element.to_owned()),
            what: what.into(),
            how: how.to_owned(),
        });
    }

    fn error(&mut self, code: &str, element: &str, what: impl Into<String>, fix: &str) {
        self.findings.push(Finding::error(code, element, what, fix));
    }

    fn info(&mut self, code: &str, what: impl Into<String>, fix: &str) {
        self.findings.push(Finding::info(code, "", what, fix));
    }

    fn warning(&mut self, code: &str, element: &str, what: impl Into<String>, fix: &str) {
        self.findings.push(Finding::warning(code, element, what, fix));
    }
}

/// The processes that `stored` defines, in order; empty where it defines none.
#[must_use]
pub fn import(stored: &Value) -> Vec<Import> {
    source::definitions(stored).into_iter().map(import_one).collect()
}

fn import_one(definition: Definition<'_>) -> Import {
    let mut notes = Notes::default();
    let made = make(&definition, &mut notes);
    let Notes { repairs, mut findings } = notes;
    if let Some(process) = &made {
        let found = match process.to_process() {
            Ok(process) => validate(&process, &Surroundings::default()),
            Err(findings) => findings,
        };
        for finding in found {
            let is_said = findings
                .iter()
                .any(|known| known.code == finding.code && known.element == finding.element);
            if !is_said {
                findings.push(finding);
            }
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    let verdict = match Finding::any_error(&findings) {
        true => Verdict::Rejected,
        false if repairs.is_empty() => Verdict::Executable,
        false => Verdict::ExecutableAfterRepairs,
    };
    let process = made.filter(|_| verdict != Verdict::Rejected);
    Import { id: definition.id, process, report: ImportReport { verdict, repairs }, findings }
}

fn make(definition: &Definition<'_>, notes: &mut Notes) -> Option<CompactProcess> {
    let mut graph = definition.graph(notes)?;
    if graph.nodes.len() > MAX_PARTS || graph.edges.len() > MAX_PARTS {
        let what = format!("the process has more than {MAX_PARTS} nodes or edges");
        notes.error("too_large", "", what, "split it into processes that call each other");
        return None;
    }
    flows::mend(&mut graph, definition, notes);
    paths::mend(&mut graph, notes);
    Some(element::process(definition, &graph, notes))
}

#[cfg(test)]
mod tests;
