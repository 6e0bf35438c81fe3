//! Which tables an answer goes through.

use std::collections::{BTreeSet, VecDeque};

use crate::dmn::imports::imports;
use crate::dmn::types::namespace;
use crate::dmn::{DecisionError, requirements};
use crate::xml::Element;

/// The decision of a table that another decision requires, directly or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredTable {
    /// What the file of the other decision calls it, such as `rate` or, of an import, `rates.rate`.
    pub name: String,
    /// Its id, in its file.
    pub decision: String,
    /// The place of its file among those that are imported; none for the file itself.
    pub file: Option<usize>,
}

/// Up to `most` tables that `decision` of the file `bytes`, which imports `imported`, requires: those
/// that it requires itself come first.
///
/// # Errors
/// A file that is no DMN.
pub fn required_tables(
    bytes: &[u8],
    imported: &[&[u8]],
    decision: &str,
    most: usize,
) -> Result<Vec<RequiredTable>, DecisionError> {
    let read = |bytes: &&[u8]| {
        let mut root = crate::dmn::model::parse(bytes)?;
        requirements::complete(&mut root);
        Ok::<_, DecisionError>(root)
    };
    let files = std::iter::once(&bytes).chain(imported).map(read);
    let files = files.collect::<Result<Vec<Element>, _>>()?;
    let mut seen = BTreeSet::from([(0, decision.to_owned())]);
    let mut open = VecDeque::from([(0, decision.to_owned(), String::new())]);
    let mut found = Vec::new();
    while let Some((file, id, path)) = open.pop_front() {
        let Some((root, element)) =
            files.get(file).and_then(|it| Some((it, decision_in(it, &id)?)))
        else {
            continue;
        };
        for href in required_decisions(element) {
            let Some((base, id)) = href.rsplit_once('#') else { continue };
            let is_own = base.is_empty() || base == namespace(root);
            let (file, path) = match imports(root).find(|it| it.namespace == base && !is_own) {
                Some(import) => {
                    let Some(file) = files.iter().position(|it| namespace(it) == base) else {
                        continue;
                    };
                    (file, format!("{path}{}.", import.name))
                }
                None => (file, path.clone()),
            };
            let Some(required) = files.get(file).and_then(|it| decision_in(it, id)) else {
                continue;
            };
            if !seen.insert((file, id.to_owned())) {
                continue;
            }
            if required.elements().any(|it| &*it.name == "decisionTable") {
                let name = format!("{path}{}", name_of(required));
                found.push(RequiredTable {
                    name,
                    decision: id.to_owned(),
                    file: file.checked_sub(1),
                });
                if found.len() == most {
                    return Ok(found);
                }
            }
            open.push_back((file, id.to_owned(), path));
        }
    }
    Ok(found)
}

/// The decision with this id.
pub(super) fn decision_in<'a>(root: &'a Element, id: &str) -> Option<&'a Element> {
    let mut decisions = root.elements().filter(|it| &*it.name == "decision");
    decisions.find(|it| it.attribute("id").or(it.attribute("name")) == Some(id))
}

fn required_decisions(decision: &Element) -> impl Iterator<Item = &str> {
    let requirements = decision.elements().filter(|it| &*it.name == "informationRequirement");
    let targets = requirements.flat_map(Element::elements);
    targets.filter(|it| &*it.name == "requiredDecision").filter_map(|it| it.attribute("href"))
}

/// What expressions call what an element gives.
pub(super) fn name_of(element: &Element) -> &str {
    let variable = element.elements().find(|child| &*child.name == "variable");
    let name = variable.and_then(|it| it.attribute("name")).or(element.attribute("name"));
    name.unwrap_or_default()
}
