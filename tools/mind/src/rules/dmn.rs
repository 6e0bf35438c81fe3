//! What a rule file holds, and what keeps it from being published. Pure functions.

use flowmaster_engine::dmn::explain::{ExplainError, Explainer, required_tables};
use flowmaster_engine::dmn::{DecisionError, Decisions, Import, Outline};
use flowmaster_engine::finding::Finding;
use flowmaster_engine::xml::Element;
use flowmaster_kernel::Timestamp;
use flowmaster_store::intact;
use serde_json::{Map, Value};

use super::tables;
use super::types::{DecisionInfo, Explained, ExplainedTable, RuleFinding};

/// The largest file, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// The most required tables that are explained with a decision.
const MAX_REQUIRED: usize = 10;
/// The most bytes of files that are compiled for them.
const MAX_COMPILED: usize = 1024 * 1024;
/// The most rules that did not match of which each of them says why.
const MAX_MISSES: usize = 20;

/// A rule file with the files that it imports, which these import included.
#[derive(Clone)]
pub(super) struct Linked {
    pub(super) dmn: String,
    pub(super) imported: Vec<String>,
}

impl Linked {
    /// Its decisions, ready to be evaluated.
    pub(super) fn compile(&self) -> Result<Decisions, DecisionError> {
        let mut decisions = Decisions::default();
        self.add_to(&mut decisions)?;
        Ok(decisions)
    }

    /// Adds its decisions to others.
    pub(super) fn add_to(&self, decisions: &mut Decisions) -> Result<(), DecisionError> {
        decisions.add_all(&[self.dmn.as_bytes()], &self.imports())
    }

    fn imports(&self) -> Vec<&[u8]> {
        self.imported.iter().map(String::as_bytes).collect()
    }

    /// The table of a decision, ready to be explained.
    pub(super) fn explainer(&self, decision: &str) -> Result<Explainer, ExplainError> {
        Explainer::read(self.dmn.as_bytes(), &self.imports(), decision)
    }

    /// Why `decision` answers as it does, through the tables that it requires.
    pub(super) fn explain(
        &self,
        decision: &str,
        variables: &Map<String, Value>,
        at: Timestamp,
    ) -> Explained {
        let of = |file: &Self, decision: &str| {
            let explainer = file.explainer(decision).ok()?;
            explainer.explain(variables, at).ok()
        };
        let imported: usize = self.imported.iter().map(String::len).sum();
        // Each is compiled with all files.
        let most = MAX_COMPILED / (self.dmn.len() + imported).max(1);
        let tables =
            required_tables(self.dmn.as_bytes(), &self.imports(), decision, most.min(MAX_REQUIRED));
        let required = tables.unwrap_or_default().into_iter().filter_map(|table| {
            let mut explanation = match table.file {
                None => of(self, &table.decision),
                Some(place) => of(&self.imported_as_root(place)?, &table.decision),
            }?;
            explanation.missed.truncate(MAX_MISSES);
            Some(ExplainedTable { decision: table.name, explanation })
        });
        Explained { explanation: of(self, decision), required: required.collect() }
    }

    /// One of the files that are imported, with the others.
    fn imported_as_root(&self, place: usize) -> Option<Self> {
        let mut imported = self.imported.clone();
        let dmn = (place < imported.len()).then(|| imported.remove(place))?;
        Some(Self { dmn, imported })
    }
}

/// What `dmn` imports; nothing where it cannot be read.
pub(super) fn imports(dmn: &str) -> Vec<Import> {
    match dmn.len() > MAX_BYTES {
        true => Vec::new(),
        false => Outline::read(dmn.as_bytes()).map(|outline| outline.imports).unwrap_or_default(),
    }
}

/// A rule file that can be kept.
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) hash: String,
    pub(super) dmn: String,
    /// None while it cannot be evaluated.
    pub(super) decisions: Vec<DecisionInfo>,
    /// What keeps it from being published, and what is doubtful about its tables.
    pub(super) findings: Vec<RuleFinding>,
}

/// Reads `dmn` as XML.
pub(super) fn parse(dmn: &str) -> Result<Element, Vec<Finding>> {
    if dmn.len() > MAX_BYTES {
        let what = format!("it has more than {MAX_BYTES} bytes");
        let fix = "split it into files of a few decisions";
        return Err(vec![Finding::error("file_too_large", "", what, fix)]);
    }
    Element::parse(dmn.as_bytes()).map_err(|error| vec![finding(&error.into())])
}

/// Reads a file, of which some imports are `missing`. `id` names it when given.
///
/// # Errors
/// What keeps it from being kept: it is no DMN at all, or has no id.
pub(super) fn read(
    linked: Linked,
    missing: Vec<Finding>,
    id: Option<String>,
) -> Result<File, Vec<Finding>> {
    let root = parse(&linked.dmn)?;
    if &*root.name != "definitions" {
        let what = format!("its outermost element is {:?}, not definitions", root.name);
        return Err(vec![finding(&DecisionError::NotDmn(what))]);
    }
    let attribute = |name: &str| root.attribute(name).unwrap_or_default();
    let id = id.unwrap_or_else(|| attribute("id").to_owned());
    if !is_id(&id) {
        let what = format!("{id:?} is not an id for a file");
        let fix = "give the definitions element an id of 1 to 100 letters, digits or . _ - :";
        return Err(vec![Finding::error("file_id", &id, what, fix)]);
    }
    let name = match attribute("name") {
        "" => id.clone(),
        name => name.to_owned(),
    };
    let (decisions, findings) = match linked.compile() {
        _ if !missing.is_empty() => (Vec::new(), missing.into_iter().map(Into::into).collect()),
        Err(error) => (Vec::new(), vec![finding(&error).into()]),
        Ok(compiled) => {
            let mut findings: Vec<RuleFinding> =
                problems(&compiled).into_iter().map(Into::into).collect();
            findings.extend(tables::doubts(&root));
            findings.sort_by_key(|found| found.finding.severity);
            (compiled.ids().map(|id| describe(&root, &compiled, id)).collect(), findings)
        }
    };
    let namespace = attribute("namespace").to_owned();
    let Linked { dmn, .. } = linked;
    let hash = intact::fingerprint(&dmn);
    Ok(File { id, name, namespace, hash, dmn, decisions, findings })
}

fn problems(decisions: &Decisions) -> Vec<Finding> {
    let mut findings = Vec::new();
    if decisions.ids().next().is_none() {
        let fix = "add a decision element with an id and a boxed expression";
        findings.push(Finding::error("no_decision", "", "it holds no decision", fix));
    }
    for id in decisions.ids().filter(|id| !is_id(id)) {
        let what = format!("{id:?} is not an id for a decision");
        let fix = "give each decision element an id of 1 to 100 letters, digits or . _ - :";
        findings.push(Finding::error("decision_id", id, what, fix));
    }
    findings
}

fn is_id(id: &str) -> bool {
    (1..=100).contains(&id.chars().count())
        && id.chars().all(|it| it.is_alphanumeric() || "._-:".contains(it))
}

fn describe(root: &Element, decisions: &Decisions, id: &str) -> DecisionInfo {
    let name = root
        .elements()
        .filter(|element| &*element.name == "decision")
        .find(|element| element.attribute("id") == Some(id))
        .and_then(|element| element.attribute("name"))
        .unwrap_or(id);
    let inputs = decisions.inputs(id).map(str::to_owned).collect();
    DecisionInfo { id: id.to_owned(), name: name.to_owned(), inputs }
}

/// The reason why the engine refuses a file, as a finding.
pub(super) fn finding(error: &DecisionError) -> Finding {
    let what = error.to_string();
    match error {
        DecisionError::Xml(_) => Finding::error("not_xml", "", what, "send well-formed XML"),
        DecisionError::NotDmn(_) => Finding::error(
            "not_dmn",
            "",
            what,
            "send a definitions element of DMN 1.2 to 1.5 that a modeller can open",
        ),
        DecisionError::Expression { element, .. } => Finding::error(
            "expression",
            element,
            what,
            "write the expression in FEEL and keep it short",
        ),
        DecisionError::Refused { element, fix, .. } => {
            Finding::error("refused", element, what, *fix)
        }
        DecisionError::Invalid { element, fix, .. } => {
            Finding::error("invalid", element, what, *fix)
        }
        DecisionError::DuplicateId(id) => {
            Finding::error("duplicate_id", id, what, "give each decision an id of its own")
        }
        DecisionError::Unknown(id)
        | DecisionError::Input { decision: id, .. }
        | DecisionError::NotAllowed { decision: id, .. }
        | DecisionError::NoValue { decision: id, .. }
        | DecisionError::TooMuchWork { decision: id, .. } => {
            Finding::error("not_evaluable", id, what, "mend the decision")
        }
    }
}
