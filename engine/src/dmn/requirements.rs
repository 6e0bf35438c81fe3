//! Requirements that a file leaves out (DMN 1.5 §6.2.2): some modellers write decisions that use the
//! names of inputs and of other decisions without an edge to them, and without one a decision does
//! not see them. They are added to what is evaluated; the file stays as it is.
//!
//! A file with one requirement is taken to have them all: then what a decision does not require is
//! hidden from it on purpose.

use std::collections::{BTreeMap, BTreeSet};

use crate::feel;
use crate::xml::{Element, Node};

/// Something of the model that a decision can require.
struct Item {
    id: String,
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Decision,
    Knowledge,
}

/// Adds the requirements that the expressions of the model imply, and says whether there were any.
pub(super) fn complete(root: &mut Element) -> bool {
    let has_some = root.elements().flat_map(Element::elements).any(is_requirement);
    if has_some {
        return false;
    }
    let items: Vec<Item> = root.elements().filter_map(item).collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut is_changed = false;
    for element in root.elements_mut() {
        let Some(Item { id, kind, .. }) = item(element).filter(|it| it.kind != Kind::Input) else {
            continue;
        };
        let used = used_names(element);
        for other in &items {
            let is_allowed = kind == Kind::Decision || other.kind == Kind::Knowledge;
            if !is_allowed || !used.contains(other) {
                continue;
            }
            // Nothing needs itself, in however many steps.
            if reaches(&edges, &other.id, &id) {
                continue;
            }
            edges.entry(id.clone()).or_default().insert(other.id.clone());
            require(element, other.kind, &other.id);
            is_changed = true;
        }
    }
    is_changed
}

/// The decisions that use each other in circles, by name: each uses the next, and the last the first.
/// Of circles that share decisions one is given.
pub(super) fn circles(root: &Element) -> Vec<Vec<String>> {
    let decisions: Vec<(Item, Used)> = root
        .elements()
        .filter_map(|element| Some((item(element)?, used_names(element))))
        .filter(|(item, _)| item.kind == Kind::Decision)
        .collect();
    let uses: Vec<Vec<usize>> = decisions
        .iter()
        .map(|(_, used)| {
            let is_used = |item: &Item| used.contains(item) && !used.declares(&item.name);
            (0..).zip(&decisions).filter(|(_, (it, _))| is_used(it)).map(|(at, _)| at).collect()
        })
        .collect();
    let mut circles = Vec::new();
    let mut done = vec![false; decisions.len()];
    for start in 0..decisions.len() {
        // The way from `start` to where we are, with how many of the next have been tried.
        let mut way = vec![(start, 0)];
        while let Some((at, tried)) = way.last_mut() {
            let next = uses.get(*at).and_then(|uses| uses.get(*tried)).copied();
            *tried += 1;
            let is_done = |place: usize| done.get(place).copied().unwrap_or(true);
            match next {
                Some(next) if is_done(next) => {}
                Some(next) => match way.iter().position(|(place, _)| *place == next) {
                    None => way.push((next, 0)),
                    Some(first) => {
                        let circle = way.iter().skip(first);
                        let circle = circle.filter_map(|(place, _)| decisions.get(*place));
                        circles.push(circle.map(|(item, _)| item.name.clone()).collect());
                        way.iter().for_each(|(place, _)| done[*place] = true);
                    }
                },
                None => {
                    done[*at] = true;
                    way.pop();
                }
            }
            if done[start] {
                break;
            }
        }
    }
    circles
}

fn item(element: &Element) -> Option<Item> {
    let kind = match &*element.name {
        "inputData" => Kind::Input,
        "decision" => Kind::Decision,
        "businessKnowledgeModel" => Kind::Knowledge,
        _ => return None,
    };
    let variable = element.elements().find(|child| &*child.name == "variable");
    let name = variable.and_then(|it| it.attribute("name")).or(element.attribute("name"))?;
    Some(Item { id: element.attribute("id")?.to_owned(), name: name.to_owned(), kind })
}

fn is_requirement(element: &Element) -> bool {
    ["informationRequirement", "knowledgeRequirement"].contains(&&*element.name)
}

fn reaches(edges: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let (mut open, mut seen) = (vec![from], BTreeSet::new());
    while let Some(next) = open.pop() {
        if next == to {
            return true;
        }
        if seen.insert(next) {
            open.extend(edges.get(next).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

/// The expressions of an element, and the names that it declares itself.
struct Used {
    texts: Vec<String>,
    declared: BTreeSet<String>,
}

impl Used {
    fn contains(&self, item: &Item) -> bool {
        let name = words(&item.name);
        !name.is_empty()
            && !self.declared.contains(&name)
            && self.texts.iter().any(|text| is_in(text, &name, item.kind))
    }
}

impl Used {
    /// Whether a text itself gives `name` a meaning: as an entry, a parameter, or the variable of a
    /// loop.
    fn declares(&self, name: &str) -> bool {
        let name = words(name);
        self.texts.iter().any(|text| is_declared(text, &name))
    }
}

fn is_declared(text: &str, name: &str) -> bool {
    let is_parameter = |text: &str| {
        let parameters = text.split(')').next().unwrap_or_default();
        parameters.split(',').any(|it| it.split(':').next().is_some_and(|it| it.trim() == name))
    };
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let after = text.get(at + name.len()..).unwrap_or_default().trim_start();
        let follows = ["for", "some", "every", ","].iter().any(|it| before.ends_with(it));
        after.starts_with(':') || follows && after.starts_with("in ")
    }) || text
        .split("function")
        .skip(1)
        .any(|it| it.trim_start().strip_prefix('(').is_some_and(is_parameter))
}

fn used_names(element: &Element) -> Used {
    let mut used = Used { texts: Vec::new(), declared: BTreeSet::new() };
    let mut open: Vec<&Element> = element.elements().filter(|it| &*it.name != "variable").collect();
    while let Some(next) = open.pop() {
        match &*next.name {
            "text" => used.texts.push(words(&without_literals(&next.text()))),
            "variable" | "formalParameter" | "parameter" => {
                used.declared.extend(next.attribute("name").map(words));
            }
            "for" | "some" | "every" => {
                used.declared.extend(next.attribute("iteratorVariable").map(words));
            }
            _ => {}
        }
        open.extend(next.elements());
    }
    used
}

/// The text with one space between words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_literals(text: &str) -> String {
    let (mut out, mut is_inside, mut is_escaped) =
        (String::with_capacity(text.len()), false, false);
    for letter in text.chars() {
        match letter {
            '"' if !is_escaped => {
                is_inside = !is_inside;
                out.push(' ');
            }
            _ if !is_inside => out.push(letter),
            _ => {}
        }
        is_escaped = is_inside && letter == '\\' && !is_escaped;
    }
    out
}

/// Whether `name` stands in `text` as a name of its own: not as part of a longer word, nor as the
/// name of an entry.
fn is_in(text: &str, name: &str, kind: Kind) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text.get(..at), text.get(at + name.len()..));
        let begins =
            before.is_some_and(|it| !it.ends_with(is_word) && !it.trim_end().ends_with('.'));
        // What a colon follows is the name of an entry; what is called is a function.
        begins
            && after.is_some_and(|it| {
                let next = it.trim_start().chars().next();
                !it.starts_with(is_word)
                    && next != Some(':')
                    && (next == Some('(')) == (kind == Kind::Knowledge)
            })
            && !text.get(at..).is_some_and(feel::begins_with_phrase)
    })
}

/// Lets a decision see the input `id`.
pub(super) fn require_input(decision: &mut Element, id: &str) {
    require(decision, Kind::Input, id);
}

/// Adds a requirement where the schema has it: before the expression.
fn require(element: &mut Element, kind: Kind, id: &str) {
    let (requirement, target) = match kind {
        Kind::Input => ("informationRequirement", "requiredInput"),
        Kind::Decision => ("informationRequirement", "requiredDecision"),
        Kind::Knowledge => ("knowledgeRequirement", "requiredKnowledge"),
    };
    let (prefix, namespace) = (element.prefix.clone(), element.namespace.clone());
    let made = |name: &str| Element::new(prefix.as_deref(), &namespace, name);
    let mut added = made(requirement);
    added.push(made(target).with("href", format!("#{id}")));
    let is_before = |node: &Node| match node {
        Node::Element(child) => {
            ["description", "extensionElements", "question", "allowedAnswers", "variable"]
                .contains(&&*child.name)
                || child.name.ends_with("Requirement")
        }
        _ => true,
    };
    let place = element.children.iter().take_while(|node| is_before(node)).count();
    element.children.insert(place, Node::Element(added));
}
