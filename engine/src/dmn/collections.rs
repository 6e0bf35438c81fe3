//! Allowed values of collections (DMN 1.5 §7.3.3): they are those of the items, and the evaluator
//! takes them for those of the whole list. In what is evaluated such a type becomes a list of a type
//! of its own; the file stays as it is.

use std::collections::BTreeSet;

use crate::xml::{Element, Node};

/// Gives the items of such collections a type, and says whether there were any.
pub(super) fn settle(root: &mut Element) -> bool {
    let items = || root.elements().filter(|it| &*it.name == "itemDefinition");
    let mut names: BTreeSet<String> =
        items().filter_map(|it| it.attribute("name").map(str::to_owned)).collect();
    let mut made = Vec::new();
    for item in root.elements_mut().filter(|it| &*it.name == "itemDefinition") {
        split(item, &mut names, &mut made);
    }
    let is_changed = !made.is_empty();
    made.into_iter().for_each(|item| root.push(item));
    is_changed
}

fn split(item: &mut Element, names: &mut BTreeSet<String>, made: &mut Vec<Element>) {
    for component in item.elements_mut().filter(|it| &*it.name == "itemComponent") {
        split(component, names, made);
    }
    let is_restricted = item.elements().any(|it| &*it.name == "allowedValues");
    if item.attribute("isCollection") != Some("true") || !is_restricted {
        return;
    }
    let mut name = format!("{}:item", item.attribute("name").unwrap_or_default());
    while !names.insert(name.clone()) {
        name.push('\'');
    }
    let new = |kind: &str| Element::new(item.prefix.as_deref(), &item.namespace, kind);
    let mut one = new("itemDefinition").with("name", name.as_str());
    let reference = new("typeRef").with_text(name);
    one.children = std::mem::replace(&mut item.children, vec![Node::Element(reference)]);
    made.push(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_collection_allows_its_items_are() {
        let allowed = "<allowedValues><text>\"a\"</text></allowedValues>";
        let written = format!(
            r#"<d><itemDefinition name="tags" isCollection="true"><typeRef>string</typeRef>{allowed}</itemDefinition>
            <itemDefinition name="tags:item"><itemComponent name="tags" isCollection="true"><typeRef>string</typeRef>{allowed}</itemComponent></itemDefinition></d>"#
        );
        let mut root = Element::parse(written.as_bytes()).unwrap();
        assert!(settle(&mut root));
        let expected = format!(
            r#"<d><itemDefinition name="tags" isCollection="true"><typeRef>tags:item'</typeRef></itemDefinition>
            <itemDefinition name="tags:item"><itemComponent name="tags" isCollection="true"><typeRef>tags:item''</typeRef></itemComponent></itemDefinition>
            <itemDefinition name="tags:item'"><typeRef>string</typeRef>{allowed}</itemDefinition>
            <itemDefinition name="tags:item''"><typeRef>string</typeRef>{allowed}</itemDefinition></d>"#
        );
        let expected = Element::parse(expected.as_bytes()).unwrap();
        assert_eq!(root.elements().collect::<Vec<_>>(), expected.elements().collect::<Vec<_>>());
        assert!(!settle(&mut root));
    }
}
