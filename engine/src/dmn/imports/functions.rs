//! Functions that call functions: the evaluator gives what a business knowledge model requires to
//! whoever calls it, by its name alone. So a function that is imported, or calls one that is, gets
//! what it requires into its own body (DMN 1.5 §10.2.1.5).

use std::sync::Arc;

use super::link::Files;
use super::named_types;
use super::types::adopt;
use crate::dmn::type_names;
use crate::xml::{Element, Node};

/// The most functions that are put into others, in one file.
const MAX_COPIES: usize = 1_000;
/// The longest chain of functions that are put into others.
const MAX_CHAIN: usize = 16;

/// Lets the functions of `root`, which says what `file` does, hold those that they call.
pub(super) fn close(files: &Files<'_>, file: &Element, root: &mut Element, is_imported: bool) {
    let mut closing = Closing { files, open: Vec::new(), copies: 0 };
    let host = Element::new(root.prefix.as_deref(), &root.namespace, "");
    for (element, original) in root.elements_mut().zip(file.elements()) {
        if &*element.name != "businessKnowledgeModel" {
            continue;
        }
        let mut required = required(original).peekable();
        let is_needed = required.peek().is_some()
            && (is_imported || required.any(|href| is_of_another(file, href)));
        if !is_needed {
            continue;
        }
        // What cannot hold what it calls stays as it is: it calls itself, a service, or too much.
        let Some(logic) = closing.closed(file, original, "") else { continue };
        for child in element.elements_mut().filter(|it| &*it.name == "encapsulatedLogic") {
            *child = logic.clone();
            child.name = "encapsulatedLogic".into();
            adopt(child, &host);
        }
        element.children.retain(
            |node| !matches!(node, Node::Element(it) if &*it.name == "knowledgeRequirement"),
        );
    }
}

fn required(element: &Element) -> impl Iterator<Item = &str> {
    let requirements = element.elements().filter(|it| &*it.name == "knowledgeRequirement");
    requirements.flat_map(Element::elements).filter_map(|target| target.attribute("href"))
}

fn is_of_another(file: &Element, href: &str) -> bool {
    let base = href.rsplit_once('#').map_or("", |(base, _)| base);
    !base.is_empty() && file.attribute("namespace") != Some(base)
}

struct Closing<'f, 'a> {
    files: &'f Files<'a>,
    /// The functions that are being closed.
    open: Vec<*const Element>,
    copies: usize,
}

impl<'a> Closing<'_, 'a> {
    /// The function of `model`, with those that it calls in its body; `path` leads from the host to
    /// `file`, by the names of imports.
    fn closed<'f>(&mut self, file: &'f Element, model: &'f Element, path: &str) -> Option<Element>
    where
        'a: 'f,
    {
        self.copies += 1;
        let this: *const Element = model;
        let is_refused = self.open.contains(&this)
            || self.open.len() >= MAX_CHAIN
            || self.copies > MAX_COPIES
            || &*model.name != "businessKnowledgeModel";
        if is_refused {
            return None;
        }
        let mut function = model.elements().find(|it| &*it.name == "encapsulatedLogic").cloned()?;
        if !path.is_empty() {
            let items = file.elements().filter(|it| &*it.name == "itemDefinition");
            let own: Vec<&str> = items.filter_map(|it| it.attribute("name")).collect();
            let mut seen_from_host = |name: &str| {
                let is_there = own.contains(&name)
                    || super::imports(file).any(|import| {
                        name.strip_prefix(&import.name).is_some_and(|it| it.starts_with('.'))
                    });
                is_there.then(|| format!("{path}{name}"))
            };
            type_names::replace(&mut function, &mut seen_from_host);
            named_types::replace(&mut function, &mut seen_from_host);
        }
        self.open.push(this);
        let entries = self.entries(file, model, path, &function);
        self.open.pop();
        let entries = entries?;
        if !entries.is_empty() {
            put_before_body(&mut function, entries);
        }
        function.name = "functionDefinition".into();
        Some(function)
    }

    /// The entries of a context with what `model` requires.
    fn entries<'f>(
        &mut self,
        file: &'f Element,
        model: &'f Element,
        path: &str,
        function: &Element,
    ) -> Option<Vec<Element>>
    where
        'a: 'f,
    {
        let made = |name: &str| Element::new(function.prefix.as_deref(), &function.namespace, name);
        let parameters = function.elements().filter(|it| &*it.name == "formalParameter");
        let parameters: Vec<&str> = parameters.filter_map(|it| it.attribute("name")).collect();
        let mut entries: Vec<Element> = Vec::new();
        let mut imported: Vec<(String, Element)> = Vec::new();
        for href in required(model) {
            let (other, required, alias) = self.files.referred(file, href)?;
            let inside = alias.as_ref().map_or(path.to_owned(), |alias| format!("{path}{alias}."));
            let variable = required.elements().find(|it| &*it.name == "variable");
            let name =
                variable.and_then(|it| it.attribute("name")).or(required.attribute("name"))?;
            let closed = self.closed(other, required, &inside)?;
            let mut entry = made("contextEntry");
            entry.push(made("variable").with("name", name));
            entry.push(closed);
            let Some(alias) = alias else {
                // The parameters of a function hide what it requires.
                if !parameters.contains(&name) {
                    entries.push(entry);
                }
                continue;
            };
            match imported.iter_mut().find(|(it, _)| *it == alias) {
                Some((_, context)) => context.push(entry),
                None => {
                    let mut context = made("context");
                    context.push(entry);
                    imported.push((alias, context));
                }
            }
        }
        for (alias, context) in
            imported.into_iter().filter(|(it, _)| !parameters.contains(&it.as_str()))
        {
            let mut entry = made("contextEntry");
            entry.push(made("variable").with("name", alias));
            entry.push(context);
            entries.push(entry);
        }
        Some(entries)
    }
}

/// Makes the body of `function` a context of `entries` with the body as its result.
fn put_before_body(function: &mut Element, entries: Vec<Element>) {
    let is_body = |node: &Node| matches!(node, Node::Element(it) if !["formalParameter", "description", "extensionElements"].contains(&&*it.name));
    let made = |name: &str| {
        Element::new(function.prefix.as_deref(), &Arc::clone(&function.namespace), name)
    };
    let (mut context, mut result) = (made("context"), made("contextEntry"));
    for entry in entries {
        context.push(entry);
    }
    if let Some(place) = function.children.iter().position(is_body) {
        let body = function.children.remove(place);
        result.children.push(body);
        context.push(result);
        function.children.insert(place, Node::Element(context));
    }
}
