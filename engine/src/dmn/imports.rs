//! Files that import each other (DMN 1.5 §6.3.3): what a file imports, and files put together so that
//! the evaluator takes them for what they say.
//!
//! A file imports another by its namespace and gives it a name; what is in it is used as
//! `name.element`, and its types as `name.type`. The inputs of all files together are the inputs of
//! those that import them: two of one name are one.

mod functions;
mod link;
mod named_types;
mod types;

use std::collections::BTreeSet;

use super::model::NAMESPACES;
use super::{DecisionError, label};
use crate::xml::Element;
pub(super) use link::{input_behind, link};

/// What a file says about itself and what it imports, without its decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The namespace by which others import it.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it imports, in order.
    pub imports: Vec<Import>,
}

/// An import of another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The name that expressions use before those of the elements and types in it.
    pub name: String,
    /// The namespace of the file.
    pub namespace: String,
    /// The kind of file: a namespace of DMN, where it can be used.
    pub import_type: String,
}

impl Outline {
    /// Reads it, and no more: nothing is compiled.
    ///
    /// # Errors
    /// A file that is not DMN.
    pub fn read(bytes: &[u8]) -> Result<Self, DecisionError> {
        let root = super::model::parse(bytes)?;
        let attribute = |name: &str| root.attribute(name).unwrap_or_default().to_owned();
        let (namespace, name) = (attribute("namespace"), attribute("name"));
        Ok(Self { namespace, name, imports: imports(&root).collect() })
    }
}

/// What `root` imports, in order.
pub(super) fn imports(root: &Element) -> impl Iterator<Item = Import> {
    root.elements().filter(|it| &*it.name == "import").map(|element| {
        let attribute = |name: &str| element.attribute(name).unwrap_or_default().trim().to_owned();
        Import {
            name: attribute("name"),
            namespace: attribute("namespace"),
            import_type: attribute("importType"),
        }
    })
}

/// The imports of a file, which can be told apart from each other and from its elements.
fn checked_imports(root: &Element) -> Result<Vec<Import>, DecisionError> {
    let mut names: BTreeSet<&str> = root
        .elements()
        .filter(|it| !["import", "itemDefinition"].contains(&&*it.name))
        .filter_map(|it| it.attribute("name"))
        .collect();
    let mut namespaces = BTreeSet::new();
    let imports: Vec<Import> = imports(root).collect();
    for import in &imports {
        let refuse = |what: String, fix: &'static str| {
            let element = match import.name.as_str() {
                "" => label(root),
                name => name.to_owned(),
            };
            Err(DecisionError::Invalid { element, what, fix })
        };
        let Import { name, namespace, import_type } = import;
        if name.is_empty() {
            let what = format!("imports {namespace:?} without a name");
            return refuse(
                what,
                "give the import a name: what is in the file is used as name.element",
            );
        }
        if !NAMESPACES.contains(&import_type.as_str()) {
            let what =
                format!("is an import of the kind {import_type:?}, which is not DMN 1.2 to 1.5");
            return refuse(
                what,
                "import a DMN file, with the namespace of its DMN version as importType",
            );
        }
        if !names.insert(name) {
            let what = "is the name of an import and of something else in the file".to_owned();
            return refuse(what, "give the import a name of its own");
        }
        if !namespaces.insert(namespace) {
            let what = format!("imports {namespace:?}, which another import does");
            return refuse(what, "import each file once");
        }
    }
    Ok(imports)
}
