//! A DMN file in the compact form, where that can say all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::to_dmn::implied_type;
use super::{CompactDecision, CompactInput, CompactRules, CompactTable};
use crate::dmn::requirements;
use crate::dmn::table::{Types, as_written};
use crate::finding::Finding;
use crate::xml::{Element, Node};

impl CompactRules {
    /// The rules of a DMN file, given as its `definitions` element. Ids of rules and columns, the
    /// names of simple types and the diagram are left out: they change no answer.
    ///
    /// # Errors
    /// What the file says and this form cannot.
    pub fn from_dmn(root: &Element) -> Result<Self, Vec<Finding>> {
        let mut reader =
            Reader { types: Types::of(root), inputs: BTreeMap::new(), findings: vec![] };
        let rules = reader.rules(root);
        reader.hidden_requirements(root);
        if reader.findings.is_empty() { Ok(rules) } else { Err(reader.findings) }
    }
}

struct Reader {
    types: Types,
    /// By name: the inputs.
    inputs: BTreeMap<String, CompactInput>,
    findings: Vec<Finding>,
}

impl Reader {
    fn rules(&mut self, root: &Element) -> CompactRules {
        let said = ["description", "itemDefinition", "inputData", "decision", "DMNDI"];
        self.only(root, root, &said);
        for item in named(root, "itemDefinition") {
            let is_collection = item.attribute("isCollection") == Some("true");
            self.only(item, item, &["description", "typeRef", "allowedValues"]);
            if is_collection {
                self.unsaid(item, "a collection type");
            }
        }
        let inputs: Vec<CompactInput> =
            named(root, "inputData").map(|input| self.input(input)).collect();
        self.inputs = inputs.iter().map(|input| (input.name.clone(), input.clone())).collect();
        let name = root.attribute("name");
        let id = root.attribute("id").or(name).unwrap_or_default().to_owned();
        CompactRules {
            name: name.filter(|name| *name != id).map(str::to_owned),
            description: description(root),
            inputs,
            decisions: named(root, "decision").map(|it| self.decision(it)).collect(),
            id,
        }
    }

    fn input(&mut self, input: &Element) -> CompactInput {
        self.only(input, input, &["description", "variable"]);
        let variable = first(input, "variable");
        let name = variable.and_then(|it| it.attribute("name")).or(input.attribute("name"));
        let type_name = variable.and_then(|it| it.attribute("typeRef"));
        let resolved = type_name.map(|type_name| self.types.of_name(type_name));
        let (type_name, allowed) =
            resolved.map_or((None, None), |(base, allowed)| (Some(base), allowed));
        CompactInput {
            name: name.unwrap_or_default().to_owned(),
            // With values allowed there is a type in the file, and it may be Any.
            type_name: type_name.filter(|name| allowed.is_none() || name != "Any"),
            allowed,
            description: description(input),
        }
    }

    fn decision(&mut self, decision: &Element) -> CompactDecision {
        let said = [
            "description",
            "variable",
            "informationRequirement",
            "decisionTable",
            "literalExpression",
        ];
        self.only(decision, decision, &said);
        let variable = first(decision, "variable");
        let name = variable.and_then(|it| it.attribute("name")).or(decision.attribute("name"));
        let id = decision.attribute("id").or(name).unwrap_or_default();
        let type_name = variable.and_then(|it| it.attribute("typeRef"));
        let type_name = type_name.map(|it| self.types.of_name(it).0);
        let mut said = CompactDecision {
            id: id.to_owned(),
            name: name.filter(|name| *name != id).map(str::to_owned),
            description: description(decision),
            ..CompactDecision::default()
        };
        if let Some(literal) = first(decision, "literalExpression") {
            self.only(literal, decision, &["text"]);
            self.language(literal, decision);
            said.literal = first(literal, "text").map(Element::text);
            said.type_name = type_name;
        } else if let Some(table) = first(decision, "decisionTable") {
            self.table(decision, table, type_name, &mut said);
        } else {
            self.unsaid(decision, "a decision without logic");
        }
        said
    }

    fn table(
        &mut self,
        decision: &Element,
        element: &Element,
        type_name: Option<String>,
        said: &mut CompactDecision,
    ) {
        self.only(element, decision, &["input", "output", "annotation", "rule"]);
        let has_annotations = first(element, "annotation").is_some();
        for part in element.elements() {
            match &*part.name {
                "input" => {
                    self.only(part, decision, &["inputExpression", "inputValues"]);
                    for text in part.elements() {
                        self.language(text, decision);
                    }
                }
                "output" => self.only(part, decision, &["outputValues", "defaultOutputEntry"]),
                "rule" if has_annotations => {
                    self.only(part, decision, &["inputEntry", "outputEntry", "annotationEntry"]);
                }
                "rule" => self.only(
                    part,
                    decision,
                    &["inputEntry", "outputEntry", "annotationEntry", "description"],
                ),
                _ => {}
            }
        }
        let mut table = match as_written(decision, element) {
            Ok(table) => table,
            Err(findings) => return self.findings.extend(findings),
        };
        for output in &mut table.outputs {
            let Some(type_name) = output.type_name.take() else { continue };
            let (base, allowed) = self.types.of_name(&type_name);
            output.type_name = Some(base);
            output.allowed = output.allowed.take().or(allowed);
        }
        for input in &mut table.inputs {
            let type_name = input.type_name.take().map(|name| self.types.of_name(&name).0);
            // A column of an input has its type and values.
            let known = self.inputs.get(&input.expression);
            let known_type = known.and_then(|known| known.type_name.clone());
            let is_untyped = known.is_some() && known_type.is_none();
            input.type_name = type_name
                .filter(|name| known_type.as_ref() != Some(name))
                .filter(|name| !(is_untyped && name == "Any"));
            let known_values = known.and_then(|known| known.allowed.as_ref());
            input.allowed = input.allowed.take().filter(|allowed| Some(allowed) != known_values);
        }
        let implied = implied_type(&table).map(str::to_owned);
        said.type_name = type_name.filter(|name| Some(name) != implied.as_ref());
        said.table = Some(CompactTable::from(&table));
    }

    /// Finds the elements in `element` that the form has no place for.
    fn only(&mut self, element: &Element, owner: &Element, said: &[&str]) {
        for child in element.elements().filter(|child| !said.contains(&&*child.name)) {
            self.unsaid(owner, &format!("the element {}", child.name));
        }
    }

    fn language(&mut self, element: &Element, owner: &Element) {
        let language = element.attribute("expressionLanguage");
        if let Some(other) = language.filter(|it| !it.to_lowercase().contains("feel")) {
            self.unsaid(owner, &format!("the expression language {other}"));
        }
    }

    fn unsaid(&mut self, owner: &Element, what: &str) {
        let id = owner.attribute("id").or(owner.attribute("name")).unwrap_or_default();
        let what = format!("the compact form cannot say {what} of {id:?}");
        let fix = "read and write this file as DMN XML";
        self.findings.push(Finding::error("not_in_compact_form", id, what, fix));
    }

    /// Names that a decision uses and, on purpose or not, does not require: it sees null for them.
    /// The compact form requires whatever is used.
    fn hidden_requirements(&mut self, root: &Element) {
        let declared = requirements_of(root);
        let mut bare = root.clone();
        for child in &mut bare.children {
            let Node::Element(decision) = child else { continue };
            decision.children.retain(
                |node| !matches!(node, Node::Element(it) if it.name.ends_with("Requirement")),
            );
        }
        requirements::complete(&mut bare);
        let used = requirements_of(&bare);
        if declared.is_empty() {
            return;
        }
        for (decision, required) in used.difference(&declared) {
            let what =
                format!("the decision {decision:?} uses {required:?} and does not require it");
            let fix = "add the requirement, or read and write this file as DMN XML";
            self.findings.push(Finding::error("hidden_requirement", decision, what, fix));
        }
    }
}

/// By decision: the ids that it requires.
fn requirements_of(root: &Element) -> BTreeSet<(String, String)> {
    let decisions = named(root, "decision");
    let pairs = decisions.flat_map(|decision| {
        let targets = named(decision, "informationRequirement").flat_map(Element::elements);
        targets.filter_map(move |target| {
            let required = target.attribute("href")?.strip_prefix('#')?;
            Some((decision.attribute("id")?.to_owned(), required.to_owned()))
        })
    });
    pairs.collect()
}

fn description(element: &Element) -> Option<String> {
    first(element, "description").map(Element::text).filter(|text| !text.is_empty())
}

fn named<'a>(element: &'a Element, name: &'static str) -> impl Iterator<Item = &'a Element> {
    element.elements().filter(move |child| &*child.name == name)
}

fn first<'a>(element: &'a Element, name: &'static str) -> Option<&'a Element> {
    named(element, name).next()
}
