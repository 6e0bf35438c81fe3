//! Puts a file and those that it imports together.
//!
//! The evaluator knows one name for each namespace, in all files; so a file that is imported under
//! two names is there twice, each time with a namespace of its own. It finds what is imported under
//! the name of the import when what imports it comes later, so the order is that.

use std::collections::BTreeSet;

use super::{Import, checked_imports, functions, types};
use crate::dmn::types::namespace;
use crate::dmn::{DecisionError, label};
use crate::xml::{Attribute, Element, Node};

/// The most files that a file imports, directly or not; one counts for each name that it has.
const MAX_FILES: usize = 100;
/// The id of the decision that gives an input to other files.
const INPUT: &str = "flowmaster_input_";

/// The file `root` with those of `others` that it imports, directly or not: what is imported comes
/// before what imports it, and `root` last.
///
/// # Errors
/// An import that is not there, is not alone, or goes round in a circle; a reference to something
/// that is not in the file.
pub(in crate::dmn) fn link(
    root: &Element,
    others: &[Element],
) -> Result<Vec<Element>, DecisionError> {
    let files = Files { root, others };
    let mut linker = Linker { files: &files, linked: Vec::new(), open: Vec::new() };
    linker.link(root, "")?;
    check_names(&linker.linked)?;
    Ok(linker.linked.into_iter().map(|it| it.root).collect())
}

/// The files that there are.
pub(super) struct Files<'a> {
    root: &'a Element,
    others: &'a [Element],
}

impl<'a> Files<'a> {
    /// The file that `importer` imports.
    pub(super) fn imported(&self, import: &Import) -> Result<&'a Element, DecisionError> {
        let files = std::iter::once(self.root).chain(self.others);
        let mut found = files.filter(|file| namespace(file) == import.namespace);
        let refuse = |what: String, fix: &'static str| {
            Err(DecisionError::Invalid { element: import.name.clone(), what, fix })
        };
        match (found.next(), found.next()) {
            (Some(file), None) => Ok(file),
            (None, _) => refuse(
                format!("imports {:?}, and there is no file with that namespace", import.namespace),
                "add the file that has this namespace, or remove the import",
            ),
            (Some(one), Some(other)) => refuse(
                format!(
                    "imports {:?}, which is the namespace of two files: {:?} and {:?}",
                    import.namespace,
                    label(one),
                    label(other)
                ),
                "give each file a namespace of its own",
            ),
        }
    }

    /// What `file` imports as `alias`.
    pub(super) fn imported_as(&self, file: &Element, alias: &str) -> Option<&'a Element> {
        let import = super::imports(file).find(|import| import.name == alias)?;
        self.imported(&import).ok()
    }

    /// The file and the element in it that `href` in `file` refers to, with the name of the import.
    pub(super) fn referred<'f>(
        &self,
        file: &'f Element,
        href: &str,
    ) -> Option<(&'f Element, &'f Element, Option<String>)>
    where
        'a: 'f,
    {
        let (base, id) = href.rsplit_once('#')?;
        if base.is_empty() || base == namespace(file) {
            return Some((file, with_id(file, id)?, None));
        }
        let import = super::imports(file).find(|import| import.namespace == base)?;
        let other = self.imported(&import).ok()?;
        Some((other, with_id(other, id)?, Some(import.name)))
    }
}

fn with_id<'f>(file: &'f Element, id: &str) -> Option<&'f Element> {
    file.elements().find(|it| it.attribute("id") == Some(id))
}

struct Linker<'f, 'a> {
    files: &'f Files<'a>,
    linked: Vec<Linked<'a>>,
    /// The files that are being linked.
    open: Vec<&'a Element>,
}

/// A file as one name imports it.
struct Linked<'a> {
    file: &'a Element,
    alias: String,
    root: Element,
}

/// What a file imports, with the place among those that are linked.
type Imported = [(Import, usize)];

impl<'a> Linker<'_, 'a> {
    /// The place of `file` as it is imported as `alias`.
    fn link(&mut self, file: &'a Element, alias: &str) -> Result<usize, DecisionError> {
        let is_it = |it: &Linked<'_>| std::ptr::eq(it.file, file) && it.alias == alias;
        if let Some(place) = self.linked.iter().position(is_it) {
            return Ok(place);
        }
        let imports = checked_imports(file)?;
        self.open.push(file);
        let mut imported = Vec::with_capacity(imports.len());
        for import in imports {
            let other = self.files.imported(&import)?;
            if let Some(first) = self.open.iter().position(|it| std::ptr::eq(*it, other)) {
                let circle = self.open.iter().skip(first).map(|it| label(it));
                let circle: Vec<String> = circle.chain([label(other)]).collect();
                return Err(DecisionError::Invalid {
                    element: import.name,
                    what: format!("imports files in a circle: {}", circle.join(", which imports ")),
                    fix: "move what they share into a file of its own, which imports neither",
                });
            }
            let place = self.link(other, &import.name)?;
            imported.push((import, place));
        }
        self.open.pop();
        if self.linked.len() >= MAX_FILES {
            return Err(DecisionError::Invalid {
                element: label(file),
                what: format!(
                    "is, with what is imported before it, over {MAX_FILES} imported files"
                ),
                fix: "put some of the files together",
            });
        }
        let place = self.linked.len();
        let root = self.rewritten(file, &imported, place)?;
        self.linked.push(Linked { file, alias: alias.to_owned(), root });
        Ok(place)
    }

    fn rewritten(
        &mut self,
        file: &'a Element,
        imported: &Imported,
        place: usize,
    ) -> Result<Element, DecisionError> {
        let mut root = file.clone();
        let is_imported = !self.open.is_empty();
        if imported.is_empty() && !is_imported {
            return Ok(root);
        }
        functions::close(self.files, file, &mut root, is_imported);
        types::copy(self.files, file, &mut root, place)?;
        let own = namespace(file);
        for element in root.elements_mut() {
            let owner = label(element);
            for child in element.elements_mut() {
                if child.name.ends_with("Requirement") {
                    for target in child.elements_mut() {
                        self.refer(target, own, imported, &owner)?;
                    }
                } else {
                    self.refer(child, own, imported, &owner)?;
                }
            }
            put_imported_first(element);
        }
        let mut imports = imported.iter();
        for element in root.elements_mut().filter(|it| &*it.name == "import") {
            if let Some((_, place)) = imports.next() {
                set(element, "namespace", namespace_of(*place));
            }
        }
        if is_imported {
            set(&mut root, "namespace", namespace_of(place));
        }
        Ok(root)
    }

    /// Lets `target` refer to the file as it is linked.
    fn refer(
        &mut self,
        target: &mut Element,
        own: &str,
        imported: &Imported,
        owner: &str,
    ) -> Result<(), DecisionError> {
        let kinds: &[&str] = match &*target.name {
            "requiredInput" | "inputData" => &["inputData"],
            "requiredDecision" | "outputDecision" | "encapsulatedDecision" | "inputDecision" => {
                &["decision"]
            }
            "requiredKnowledge" => &["businessKnowledgeModel", "decisionService"],
            _ => return Ok(()),
        };
        let Some(href) = target.attribute("href").map(str::to_owned) else { return Ok(()) };
        let Some((base, id)) = href.rsplit_once('#').filter(|(base, _)| !base.is_empty()) else {
            return Ok(());
        };
        if base == own {
            set(target, "href", format!("#{id}"));
            return Ok(());
        }
        let refuse = |what: String, fix: &'static str| {
            Err(DecisionError::Invalid { element: owner.to_owned(), what, fix })
        };
        let Some((import, place)) = imported.iter().find(|(it, _)| it.namespace == base) else {
            let what = format!("requires {href:?}, of a file that is not imported");
            return refuse(what, "add an import with this namespace");
        };
        let other = self.linked.get_mut(*place);
        let found = other.and_then(|it| Some((with_id(it.file, id)?, &mut it.root)));
        let Some((found, other)) = found.filter(|(it, _)| kinds.contains(&&*it.name)) else {
            let what = format!(
                "requires {id:?} of the import {:?}, and there is no such {} in it",
                import.name,
                kinds.join(" or ")
            );
            return refuse(what, "refer to something that is there");
        };
        let mut id = id.to_owned();
        if &*target.name == "requiredInput" {
            id = format!("{INPUT}{id}");
            target.name = "requiredDecision".into();
            if with_id(other, &id).is_none() {
                let decision = decision_of_input(other, found, &id);
                other.push(decision);
            }
        }
        set(target, "href", format!("{}#{id}", namespace_of(*place)));
        Ok(())
    }
}

/// The namespace of the file at a place.
fn namespace_of(place: usize) -> String {
    format!("urn:flowmaster:import:{place}")
}

fn set(element: &mut Element, name: &str, value: String) {
    let is_it = |it: &&mut Attribute| it.prefix.is_none() && &*it.name == name;
    if let Some(attribute) = element.attributes.iter_mut().find(is_it) {
        attribute.value = value;
    }
}

/// What others import comes before what is of this file and could have the same name, which then
/// counts.
fn put_imported_first(element: &mut Element) {
    let is_requirement =
        |node: &Node| matches!(node, Node::Element(it) if it.name.ends_with("Requirement"));
    let is_imported = |node: &Node| match node {
        Node::Element(it) => it
            .elements()
            .filter_map(|target| target.attribute("href"))
            .any(|href| !href.starts_with('#')),
        Node::Text(_) | Node::Comment(_) => false,
    };
    let Some(first) = element.children.iter().position(is_requirement) else { return };
    let all = std::mem::take(&mut element.children);
    let (mut requirements, mut rest): (Vec<Node>, Vec<Node>) =
        all.into_iter().partition(is_requirement);
    requirements.sort_by_key(|node| !is_imported(node));
    rest.splice(first..first, requirements);
    element.children = rest;
}

/// A decision that answers with an input, which so is found under the name of the import.
fn decision_of_input(root: &Element, input: &Element, id: &str) -> Element {
    let made = |name: &str| Element::new(root.prefix.as_deref(), &root.namespace, name);
    let variable = input.elements().find(|it| &*it.name == "variable");
    let attribute = |name: &str| variable.and_then(|it| it.attribute(name));
    let name = attribute("name").or(input.attribute("name")).unwrap_or_default();
    let mut decision = made("decision").with("id", id).with("name", id);
    let variable = made("variable").with("name", name);
    decision.push(variable.with_some("typeRef", attribute("typeRef")));
    let mut requirement = made("informationRequirement");
    let href = format!("#{}", input.attribute("id").unwrap_or_default());
    requirement.push(made("requiredInput").with("href", href));
    decision.push(requirement);
    let mut expression = made("literalExpression");
    expression.push(made("text").with_text(name));
    decision.push(expression);
    decision
}

/// The id of the input that `element` gives to other files, if it is made for that.
pub(in crate::dmn) fn input_behind(element: &Element) -> Option<&str> {
    let id = element.attribute("id").filter(|_| &*element.name == "decision")?;
    id.strip_prefix(INPUT)
}

/// Refuses names that the evaluator would confuse: it gives inputs to all files by their names alone.
fn check_names(linked: &[Linked<'_>]) -> Result<(), DecisionError> {
    let named = |kinds: &'static [&'static str]| {
        linked.iter().enumerate().flat_map(move |(place, it)| {
            let elements = it.file.elements().filter(|it| kinds.contains(&&*it.name));
            elements.filter_map(move |it| Some((it.attribute("name")?, place)))
        })
    };
    if linked.len() < 2 {
        return Ok(());
    }
    let inputs: BTreeSet<(&str, usize)> = named(&["inputData"]).collect();
    for (name, place) in named(&["decision", "businessKnowledgeModel", "import"]) {
        let same = inputs.range((name, 0)..=(name, usize::MAX));
        let is_own = |other: usize| {
            linked
                .get(other)
                .zip(linked.get(place))
                .is_some_and(|(one, two)| std::ptr::eq(one.file, two.file))
        };
        if same.into_iter().any(|(_, other)| !is_own(*other)) {
            return Err(DecisionError::Invalid {
                element: name.to_owned(),
                what: "is the name of an input in one file and of something else in another, of \
                       which one imports the other"
                    .to_owned(),
                fix: "give the input a name of its own",
            });
        }
    }
    Ok(())
}
