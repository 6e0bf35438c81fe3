//! What the elements of models require of each other (DMN 1.5 §6.2.2).
//!
//! The evaluator follows requirements without looking where it has been: what requires itself would
//! never end, and what many require is evaluated for each of them again. So both are looked at
//! before anything is evaluated.

use std::collections::BTreeMap;

use dsntk_model::{Definitions, DmnElement, DrgElement, NamedElement};

use super::DecisionError;

/// The longest chain of requirements.
const MAX_DEPTH: usize = 64;
/// The most evaluations for one answer.
const MAX_EVALUATIONS: f64 = 10_000.0;

/// Namespace and id of an element.
type Key = (String, String);

/// The decisions, functions and services of some models.
pub(super) struct Graph {
    keys: BTreeMap<Key, usize>,
    labels: Vec<String>,
    requires: Vec<Vec<usize>>,
    /// All, what is required before what requires it.
    order: Vec<usize>,
    /// The longest chain of requirements.
    depth: usize,
}

impl Graph {
    /// The graph of `definitions`.
    ///
    /// # Errors
    /// Something that requires itself, a chain that is too long, or too many evaluations.
    pub(super) fn of(definitions: &[Definitions]) -> Result<Self, DecisionError> {
        let elements: Vec<&DrgElement> =
            definitions.iter().flat_map(Definitions::drg_elements).collect();
        let mut graph = Self {
            keys: BTreeMap::new(),
            labels: Vec::with_capacity(elements.len()),
            requires: Vec::new(),
            order: Vec::with_capacity(elements.len()),
            depth: 0,
        };
        for element in &elements {
            let (key, label) = match element {
                DrgElement::Decision(it) => (key(it), it.name()),
                DrgElement::BusinessKnowledgeModel(it) => (key(it), it.name()),
                DrgElement::DecisionService(it) => (key(it), it.name()),
                DrgElement::InputData(it) => (key(it), it.name()),
                DrgElement::KnowledgeSource(it) => (key(it), it.name()),
            };
            graph.keys.insert(key, graph.labels.len());
            graph.labels.push(label.to_owned());
        }
        graph.requires = elements.iter().map(|element| graph.required_by(element)).collect();
        graph.put_in_order()?;
        let mut evaluations = vec![1.0_f64; graph.order.len()];
        for &place in &graph.order {
            for &required in &graph.requires[place] {
                evaluations[place] += evaluations[required];
            }
        }
        if let Some(root) = evaluations.iter().position(|times| *times > MAX_EVALUATIONS) {
            return Err(graph.refused(
                root,
                "other decisions in so many ways that there are over 10,000 evaluations",
                "let fewer decisions require the same ones",
            ));
        }
        Ok(graph)
    }

    /// The longest chain of requirements.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// The place of the element `id` of the model `namespace`.
    pub(super) fn place(&self, namespace: &str, id: &str) -> Option<usize> {
        self.keys.get(&(namespace.to_owned(), id.to_owned())).copied()
    }

    /// What is evaluated for `root`, what is required first, and how often.
    pub(super) fn evaluations(&self, root: usize) -> impl Iterator<Item = (usize, f64)> {
        let mut times = vec![0.0_f64; self.requires.len()];
        if let Some(root) = times.get_mut(root) {
            *root = 1.0;
        }
        for &place in self.order.iter().rev() {
            let own = times[place];
            for &required in &self.requires[place] {
                times[required] += own;
            }
        }
        self.order.iter().map(move |&place| (place, times[place])).filter(|(_, times)| *times > 0.0)
    }

    /// Whether each element is such, or requires one that is.
    pub(super) fn reaching(&self, is_such: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut reaching = vec![false; self.requires.len()];
        for &place in &self.order {
            let required = &self.requires[place];
            reaching[place] = is_such(place) || required.iter().any(|&it| reaching[it]);
        }
        reaching
    }

    /// What an element requires, itself and knowledge sources aside, which say nothing to evaluate.
    fn required_by(&self, element: &DrgElement) -> Vec<usize> {
        let mut references: Vec<(Option<&String>, &str)> = Vec::new();
        let mut namespace = "";
        match element {
            DrgElement::Decision(it) => {
                namespace = it.namespace();
                let knowledge = it.knowledge_requirements().iter();
                references.extend(
                    knowledge.map(|it| {
                        (it.required_knowledge().namespace(), it.required_knowledge().id())
                    }),
                );
                let information = it.information_requirements().iter();
                let decisions = information.filter_map(|it| it.required_decision().as_ref());
                references.extend(decisions.map(|it| (it.namespace(), it.id())));
            }
            DrgElement::BusinessKnowledgeModel(it) => {
                namespace = it.namespace();
                let knowledge = it.knowledge_requirements().iter();
                references.extend(
                    knowledge.map(|it| {
                        (it.required_knowledge().namespace(), it.required_knowledge().id())
                    }),
                );
            }
            DrgElement::DecisionService(it) => {
                namespace = it.namespace();
                let decisions =
                    [it.input_decisions(), it.encapsulated_decisions(), it.output_decisions()];
                let decisions = decisions.into_iter().flatten();
                references.extend(decisions.map(|it| (it.namespace(), it.id())));
            }
            DrgElement::InputData(_) | DrgElement::KnowledgeSource(_) => {}
        }
        let place = |(of, id): (Option<&String>, &str)| {
            self.place(of.map_or(namespace, String::as_str), id)
        };
        references.into_iter().filter_map(place).collect()
    }

    /// Finds the order (Kahn 1962): what is left over requires itself.
    fn put_in_order(&mut self) -> Result<(), DecisionError> {
        let mut required_by = vec![Vec::new(); self.requires.len()];
        for (place, required) in self.requires.iter().enumerate() {
            required.iter().for_each(|&required| required_by[required].push(place));
        }
        let mut open: Vec<usize> = self.requires.iter().map(Vec::len).collect();
        let mut depth = vec![1; open.len()];
        let mut ready: Vec<usize> = (0..open.len()).filter(|&place| open[place] == 0).collect();
        while let Some(place) = ready.pop() {
            self.order.push(place);
            for &user in &required_by[place] {
                depth[user] = depth[user].max(depth[place] + 1);
                open[user] -= 1;
                if open[user] == 0 {
                    ready.push(user);
                }
            }
        }
        if let Some(place) = open.iter().position(|open| *open > 0) {
            return Err(self.refused(
                place,
                "itself, through what it requires",
                "remove one of the requirements in the circle",
            ));
        }
        if let Some(place) = depth.iter().position(|depth| *depth > MAX_DEPTH) {
            return Err(self.refused(
                place,
                "a chain of over 64 requirements",
                "put some of the decisions together",
            ));
        }
        self.depth = depth.into_iter().max().unwrap_or_default();
        Ok(())
    }

    fn refused(&self, place: usize, what: &'static str, fix: &'static str) -> DecisionError {
        DecisionError::Refused { element: self.labels[place].clone(), what, fix }
    }
}

fn key(element: &impl DmnElement) -> Key {
    (element.namespace().to_owned(), element.id().to_owned())
}
