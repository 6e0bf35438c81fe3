//! What each decision needs to be given (DMN 1.5 §6.2.2.1): the inputs that it requires, directly or
//! through the decisions that it requires. Functions and decision services need none: they have
//! parameters.
//!
//! With an input comes what the columns allow that look at nothing but this input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dmn::types::{Allowed, namespace, text_in};
use crate::dmn::{imports, label};
use crate::xml::Element;

/// What the decisions of a model need, by their ids; inputs by their places.
pub(super) struct Needs(BTreeMap<String, Need>);

#[derive(Default)]
struct Need {
    inputs: Vec<usize>,
    columns: Vec<Column>,
}

/// What a column of a table allows of an input.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) input: usize,
    pub(super) allowed: Arc<Allowed>,
    /// The name of the decision.
    pub(super) table: Arc<str>,
}

impl Needs {
    /// What the decisions of the last of `models` need, which are linked. `places` are those of the
    /// inputs, by name.
    pub(super) fn of(models: &[Element], places: &BTreeMap<&str, usize>) -> Self {
        let elements = Elements::of(models, places);
        let mut direct = BTreeMap::new();
        for model in models {
            for decision in decisions_in(model) {
                direct.insert(std::ptr::from_ref(decision), elements.direct(model, decision));
            }
        }
        let needs = models.last().into_iter().flat_map(decisions_in).filter_map(|decision| {
            let id = decision.attribute("id").or(decision.attribute("name"))?;
            Some((id.to_owned(), together(&direct, decision)))
        });
        Self(needs.collect())
    }

    /// The inputs that the decision with this id needs, by their places.
    pub(super) fn inputs(&self, decision: &str) -> impl Iterator<Item = usize> {
        self.0.get(decision).into_iter().flat_map(|need| need.inputs.iter().copied())
    }

    /// What columns allow of those inputs.
    pub(super) fn columns(&self, decision: &str) -> impl Iterator<Item = &Column> {
        self.0.get(decision).into_iter().flat_map(|need| &need.columns)
    }
}

fn decisions_in(model: &Element) -> impl Iterator<Item = &Element> {
    model.elements().filter(|it| &*it.name == "decision")
}

/// What a decision needs itself.
#[derive(Default)]
struct Direct<'a> {
    need: Need,
    requires: Vec<&'a Element>,
}

/// What `decision` and all that it requires need.
fn together(direct: &BTreeMap<*const Element, Direct<'_>>, decision: &Element) -> Need {
    let (mut open, mut seen) = (vec![std::ptr::from_ref(decision)], BTreeSet::new());
    let mut inputs = BTreeSet::new();
    let mut columns: Vec<Column> = Vec::new();
    while let Some(next) = open.pop() {
        let Some(Direct { need, requires }) = direct.get(&next).filter(|_| seen.insert(next))
        else {
            continue;
        };
        inputs.extend(need.inputs.iter().copied());
        columns.extend(need.columns.iter().cloned());
        open.extend(requires.iter().map(|it| std::ptr::from_ref(*it)));
    }
    Need { inputs: inputs.into_iter().collect(), columns }
}

/// What can be required, by the namespace of its model and its id.
struct Elements<'a> {
    by_id: BTreeMap<(&'a str, &'a str), &'a Element>,
    places: &'a BTreeMap<&'a str, usize>,
}

impl<'a> Elements<'a> {
    fn of(models: &'a [Element], places: &'a BTreeMap<&'a str, usize>) -> Self {
        let elements = models.iter().flat_map(|model| model.elements().map(move |it| (model, it)));
        let by_id = elements
            .filter_map(|(model, it)| Some(((namespace(model), it.attribute("id")?), it)))
            .collect();
        Self { by_id, places }
    }

    /// The namespace and the element that `target`, a part of a requirement in `model`, refers to.
    fn referred(&self, model: &'a Element, target: &'a Element) -> Option<(&'a str, &'a Element)> {
        let (base, id) = target.attribute("href")?.rsplit_once('#')?;
        let base = if base.is_empty() { namespace(model) } else { base };
        Some((base, self.by_id.get(&(base, id)).copied()?))
    }

    fn direct(&self, model: &'a Element, decision: &'a Element) -> Direct<'a> {
        let mut found = Direct::default();
        let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
        let requirements = decision.elements().filter(|it| &*it.name == "informationRequirement");
        for target in requirements.flat_map(Element::elements) {
            let Some((base, required)) = self.referred(model, target) else { continue };
            let input = match imports::input_behind(required) {
                Some(id) => self.by_id.get(&(base, id)).copied(),
                None => Some(required),
            };
            let place = input.and_then(|it| self.place(it));
            if let Some(place) = place {
                found.need.inputs.push(place);
                by_name.insert(in_expressions(model, base, required), place);
            }
            found.requires.push(required);
        }
        found.need.columns = columns(decision, &by_name);
        found
    }

    fn place(&self, element: &Element) -> Option<usize> {
        let input = Some(element).filter(|it| &*it.name == "inputData")?;
        self.places.get(input.attribute("name")?).copied()
    }
}

/// What expressions in `model` call what `element` of the model `base` gives.
fn in_expressions(model: &Element, base: &str, element: &Element) -> String {
    let variable = element.elements().find(|it| &*it.name == "variable");
    let name = variable.and_then(|it| it.attribute("name")).or(element.attribute("name"));
    let name = name.unwrap_or_default();
    let imports = || model.elements().filter(|it| &*it.name == "import");
    match imports().find(|it| it.attribute("namespace") == Some(base)) {
        Some(import) => format!("{}.{name}", import.attribute("name").unwrap_or_default()),
        None => name.to_owned(),
    }
}

/// What the columns of a table allow that look at one of the inputs `by_name`. Tests that look at more
/// than the value are left to the table.
fn columns(decision: &Element, by_name: &BTreeMap<String, usize>) -> Vec<Column> {
    let name: Arc<str> = label(decision).into();
    let table = decision.elements().filter(|it| &*it.name == "decisionTable");
    let columns = table.flat_map(Element::elements).filter(|it| &*it.name == "input");
    let column = |column: &Element| {
        let part = |name: &str| column.elements().find(|it| &*it.name == name).and_then(text_in);
        let expression = part("inputExpression")?;
        let words: Vec<&str> = expression.split_whitespace().collect();
        let input = by_name.get(&words.join(" ")).copied()?;
        let allowed = Allowed::read(&part("inputValues")?).ok()?;
        let (is_known, table) = (allowed.are_constant(), Arc::clone(&name));
        is_known.then(|| Column { input, allowed: Arc::new(allowed), table })
    };
    columns.filter_map(column).collect()
}
