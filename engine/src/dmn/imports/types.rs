//! Types of other files: the evaluator does not find them by the name of the import in all places, so
//! those that a file uses are copied into it. Types are the same when they say the same (DMN 1.5
//! §10.3.2.9), so nothing is lost. What expressions name gets a name that no other file has.

use std::collections::{BTreeMap, BTreeSet};

use super::link::Files;
use super::named_types;
use crate::dmn::{DecisionError, label, type_names};
use crate::xml::Element;

/// The most types that a file uses of those that it imports.
const MAX_TYPES: usize = 1_000;

/// Copies the types that `root`, which says what `file` does and is linked at `place`, uses of other
/// files.
pub(super) fn copy(
    files: &Files<'_>,
    file: &Element,
    root: &mut Element,
    place: usize,
) -> Result<(), DecisionError> {
    name_types(files, file, root, place);
    let mut open: Vec<String> = Vec::new();
    type_names::replace(root, &mut |name| {
        aliased(file, name)?;
        open.push(name.to_owned());
        Some(copied(name))
    });
    let mut done = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !done.insert(name.clone()) {
            continue;
        }
        if done.len() > MAX_TYPES {
            return Err(DecisionError::Invalid {
                element: label(file),
                what: format!("uses over {MAX_TYPES} types of the files that it imports"),
                fix: "move the types that it needs into the file",
            });
        }
        let Some((path, owner, item)) = find(files, file, &name) else {
            return Err(DecisionError::Invalid {
                element: label(file),
                what: format!("uses the type {name:?}, which is not in the file that it imports"),
                fix: "add an itemDefinition with that name there",
            });
        };
        let mut copy = item.clone();
        type_names::replace(&mut copy, &mut |inner| {
            let is_there = own(owner, inner).is_some() || aliased(owner, inner).is_some();
            is_there.then(|| {
                let inner = format!("{path}.{inner}");
                open.push(inner.clone());
                copied(&inner)
            })
        });
        copy.attributes.retain(|it| &*it.name != "id" && &*it.name != "name");
        let mut copy = copy.with("name", copied(&name));
        adopt(&mut copy, root);
        root.push(copy);
    }
    Ok(())
}

/// Gives the types that expressions of `root` name types of their own, which stand on them.
fn name_types(files: &Files<'_>, file: &Element, root: &mut Element, place: usize) {
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    named_types::replace(root, &mut |name| {
        let is_there = own(file, name).is_some() || find(files, file, name).is_some();
        let number = named.len();
        let new = || format!("flowmaster_type_{place}_{number}");
        is_there.then(|| named.entry(name.to_owned()).or_insert_with(new).clone())
    });
    for (name, new) in named {
        let made = |kind: &str| Element::new(root.prefix.as_deref(), &root.namespace, kind);
        let mut item = made("itemDefinition").with("name", new);
        item.push(made("typeRef").with_text(name));
        root.push(item);
    }
}

/// The name of a copy: one with a dot would be taken for the name of an import and a type.
fn copied(name: &str) -> String {
    name.replace('.', ":")
}

/// The type `name` as `file` names it: the names of the imports that lead to it, the file that it is
/// in, and its definition.
fn find<'f>(
    files: &Files<'f>,
    file: &'f Element,
    name: &str,
) -> Option<(String, &'f Element, &'f Element)> {
    let (alias, rest) = aliased(file, name)?;
    let other = files.imported_as(file, &alias)?;
    if let Some(item) = own(other, rest) {
        return Some((alias, other, item));
    }
    let (path, owner, item) = find(files, other, rest)?;
    Some((format!("{alias}.{path}"), owner, item))
}

fn own<'f>(file: &'f Element, name: &str) -> Option<&'f Element> {
    let mut items = file.elements().filter(|it| &*it.name == "itemDefinition");
    items.find(|it| it.attribute("name") == Some(name))
}

/// The import that `name` begins with, and what follows.
fn aliased<'n>(file: &Element, name: &'n str) -> Option<(String, &'n str)> {
    super::imports(file).find_map(|import| {
        let rest = name.strip_prefix(&import.name)?.strip_prefix('.')?;
        Some((import.name, rest))
    })
}

/// Makes `element` one of the file `root`, which may have other prefixes.
pub(super) fn adopt(element: &mut Element, root: &Element) {
    element.prefix.clone_from(&root.prefix);
    element.namespace = root.namespace.clone();
    element.attributes.retain(|it| it.prefix.is_none() && &*it.name != "xmlns");
    element.children.retain(
        |node| !matches!(node, crate::xml::Node::Element(it) if &*it.name == "extensionElements"),
    );
    element.elements_mut().for_each(|child| adopt(child, root));
}
