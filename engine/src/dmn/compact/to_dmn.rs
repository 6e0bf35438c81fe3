//! The compact form as DMN 1.5 XML.

use std::collections::{BTreeMap, BTreeSet};

use super::{CompactDecision, CompactInput, CompactRules, diagram};
use crate::dmn::table::{DecisionTable, HitPolicy, MAX_CELLS, misshapen};
use crate::dmn::{requirements, type_names};
use crate::finding::Finding;
use crate::xml::{Element, Node};

pub(super) const MODEL: &str = "https://www.omg.org/spec/DMN/20230324/MODEL/";
/// The most inputs, and the most decisions, of a file.
const MAX_ITEMS: usize = 200;
/// The longest id or name, in characters.
const MAX_NAME: usize = 100;
/// The signs that names may contain besides letters and digits (DMN 1.5 §10.3.1.2, rules 28 to 30).
const NAME_SIGNS: &str = " _-'./+*";

impl CompactRules {
    /// The DMN 1.5 file that these rules are.
    ///
    /// # Errors
    /// What is wrong with them. Whether the expressions can be evaluated is not looked at.
    pub fn to_dmn(&self) -> Result<String, Vec<Finding>> {
        let findings = self.problems();
        if !findings.is_empty() {
            return Err(findings);
        }
        let mut root = self.definitions();
        let circles = requirements::circles(&root);
        if !circles.is_empty() {
            return Err(circles.iter().map(|circle| self.circle(circle)).collect());
        }
        requirements::complete(&mut root);
        let text = diagram::add(self.with_ids(root)).to_document();
        match text.chars().find(|letter| !is_in_xml(*letter)) {
            None => Ok(text),
            Some(letter) => {
                let what =
                    format!("the rules contain the character {letter:?}, which XML cannot hold");
                let fix = "leave it out; in FEEL text it can be written as \\u and its number";
                Err(vec![Finding::error("character", &self.id, what, fix)])
            }
        }
    }

    fn problems(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.inputs.len() > MAX_ITEMS || self.decisions.len() > MAX_ITEMS {
            let what = format!("there are more than {MAX_ITEMS} inputs or decisions");
            return vec![Finding::error("too_many", &self.id, what, "split the file")];
        }
        let cells = |it: &CompactDecision| {
            it.table.iter().flat_map(|table| &table.rows).map(Vec::len).sum::<usize>()
        };
        if self.decisions.iter().map(cells).sum::<usize>() > MAX_CELLS {
            let what = format!("the tables have more than {MAX_CELLS} cells");
            return vec![Finding::error("too_many", &self.id, what, "split the file")];
        }
        if self.decisions.is_empty() {
            let what = "there is no decision";
            findings.push(Finding::error("no_decision", &self.id, what, "add one to `decisions`"));
        }
        let ids = std::iter::once(&self.id).chain(self.decisions.iter().map(|it| &it.id));
        for id in ids.filter(|id| !is_id(id)) {
            let what = format!("{id:?} is not an id");
            let fix =
                "begin with a letter or _ and go on with letters, digits or . _ -, at most 100";
            findings.push(Finding::error("id", id, what, fix));
        }
        findings.extend(self.names_twice());
        findings.extend(self.unknown_types());
        for decision in &self.decisions {
            self.check_decision(decision, &mut findings);
        }
        findings
    }

    fn circle(&self, names: &[String]) -> Finding {
        let next = names.iter().cycle().skip(1);
        let uses: Vec<String> =
            names.iter().zip(next).map(|(name, next)| format!("{name:?} uses {next:?}")).collect();
        let first =
            self.decisions.iter().find(|it| names.first().is_some_and(|name| it.called() == name));
        let what = format!("decisions need each other in a circle: {}", uses.join(", "));
        let fix = "let one of them use inputs instead of the answer of the next";
        Finding::error("circle", first.map_or("", |it| &it.id), what, fix)
    }

    fn unknown_types(&self) -> Vec<Finding> {
        let inputs = self.inputs.iter().map(|input| (&input.name, &input.type_name));
        let decisions = self.decisions.iter().flat_map(|decision| {
            let table = decision.table.iter();
            let columns = table.flat_map(|table| {
                let when = table.when.iter().map(|column| &column.type_name);
                when.chain(table.then.iter().map(|column| &column.type_name))
            });
            let types = std::iter::once(&decision.type_name).chain(columns);
            types.map(|type_name| (&decision.id, type_name))
        });
        let named = inputs.chain(decisions).filter_map(|(of, it)| Some((of, it.as_deref()?)));
        let unknown = named.filter(|(_, name)| !type_names::is_of_language(name));
        let finding = |(of, name): (&String, &str)| {
            let what = format!("{of:?} has the type {name:?}, which is not there");
            let fix = format!("use one of {}", type_names::OF_LANGUAGE.join(", "));
            Finding::error("type", of, what, fix)
        };
        unknown.map(finding).collect()
    }

    fn names_twice(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (mut ids, mut names) = (BTreeSet::from([self.id.as_str()]), BTreeSet::new());
        for decision in &self.decisions {
            if !ids.insert(&decision.id) {
                let what = format!("the id {:?} is used twice", decision.id);
                let fix = "give the file and each decision an id of its own";
                findings.push(Finding::error("duplicate_id", &decision.id, what, fix));
            }
        }
        for name in self.names() {
            if !is_name(name) {
                let what = format!("{name:?} cannot be a name in FEEL");
                let fix =
                    "begin with a letter; use letters, digits and blanks, at most 100 characters";
                findings.push(Finding::error("name", name, what, fix));
            } else if !names.insert(name) {
                let what = format!("two inputs or decisions are called {name:?}");
                let fix = "give each a name of its own: expressions find them by it";
                findings.push(Finding::error("duplicate_name", name, what, fix));
            }
        }
        findings
    }

    /// The names that expressions can use.
    fn names(&self) -> impl Iterator<Item = &str> {
        let decisions = self.decisions.iter().map(CompactDecision::called);
        self.inputs.iter().map(|input| input.name.as_str()).chain(decisions)
    }

    fn check_decision(&self, decision: &CompactDecision, findings: &mut Vec<Finding>) {
        let id = &decision.id;
        let table = match (&decision.table, decision.literal.as_deref().map(str::trim)) {
            (Some(table), None) => table.to_table(id, decision.called()),
            (None, Some(literal)) if !literal.is_empty() => return,
            _ => {
                let what = format!("the decision {id:?} needs either a table or a literal");
                let fix = "give it exactly one of `table` and `literal`";
                findings.push(Finding::error("no_logic", id, what, fix));
                return;
            }
        };
        findings.extend(misshapen(&table));
        for (number, rule) in (1..).zip(&table.rules) {
            if rule.annotations.len() > table.annotations.len() {
                let (when, then) = (table.inputs.len(), table.outputs.len());
                let what = format!("row {number} has more cells than the table has columns");
                let fix = format!(
                    "write {when} conditions, {then} answers and at most {} remarks",
                    table.annotations.len()
                );
                findings.push(Finding::error("rule_width", id, what, fix));
            }
        }
        for input in &table.inputs {
            let name = input.expression.as_str();
            if is_plain(name) && !self.names().any(|it| it == name) {
                let what =
                    format!("the table looks at {name:?}, and there is no such input or decision");
                let fix = format!("add {name:?} to `inputs`, or use a name that is there");
                findings.push(Finding::error("unknown_input", id, what, fix));
            }
        }
    }

    fn definitions(&self) -> Element {
        let mut root = made("definitions")
            .with("xmlns", MODEL)
            .with("id", &*self.id)
            .with("name", self.name.as_deref().unwrap_or(&self.id))
            .with("namespace", format!("urn:flowmaster:rules:{}", self.id));
        describe(&mut root, self.description.as_deref());
        let mut ids = Ids::of(self);
        let mut types = Vec::with_capacity(self.inputs.len());
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let type_name = match &input.allowed {
                None => input.type_name.clone(),
                Some(allowed) => {
                    let id = ids.fresh("type");
                    types.push(item_definition(&id, input, allowed));
                    Some(id)
                }
            };
            let mut element =
                made("inputData").with("id", ids.fresh("input")).with("name", &*input.name);
            describe(&mut element, input.description.as_deref());
            element.push(variable(&input.name, type_name.as_deref()));
            inputs.push((input.name.as_str(), type_name, element));
        }
        let decisions: Vec<Element> = self
            .decisions
            .iter()
            .map(|decision| {
                let type_of = |name: &str| {
                    let found = inputs.iter().find(|(input, ..)| *input == name);
                    found.and_then(|(_, type_name, _)| type_name.clone())
                };
                decision_element(decision, type_of)
            })
            .collect();
        let items = types.into_iter().chain(inputs.into_iter().map(|(.., element)| element));
        root.children.extend(items.chain(decisions).map(Node::Element));
        root
    }

    /// Gives ids to what modellers refer to.
    fn with_ids(&self, mut root: Element) -> Element {
        let mut ids = Ids::of(self);
        ids.taken.extend(root.elements().filter_map(|it| it.attribute("id")).map(str::to_owned));
        for child in &mut root.children {
            let Node::Element(decision) = child else { continue };
            if &*decision.name == "decision" {
                identify(decision, &mut ids);
            }
        }
        root
    }
}

/// Gives an id to each requirement, table, column and rule below a decision.
fn identify(element: &mut Element, ids: &mut Ids) {
    for child in &mut element.children {
        let Node::Element(child) = child else { continue };
        let base = match &*child.name {
            "informationRequirement" => "requirement",
            "decisionTable" => "table",
            "literalExpression" => "expression",
            "input" => "column",
            "output" => "answer",
            "rule" => "rule",
            _ => continue,
        };
        child.attributes.insert(0, attribute("id", ids.fresh(base)));
        identify(child, ids);
    }
}

/// Makes ids that nothing else has.
struct Ids {
    taken: BTreeSet<String>,
    next: BTreeMap<&'static str, usize>,
}

impl Ids {
    fn of(rules: &CompactRules) -> Self {
        let decisions = rules.decisions.iter().map(|decision| decision.id.clone());
        let taken = decisions.chain([rules.id.clone()]).collect();
        Self { taken, next: BTreeMap::new() }
    }

    fn fresh(&mut self, base: &'static str) -> String {
        let next = self.next.entry(base).or_default();
        loop {
            *next += 1;
            let id = format!("{base}_{next}");
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// The type that the answer of a table has by its columns and hit policy.
pub(super) fn implied_type(table: &DecisionTable) -> Option<&str> {
    match (table.hit_policy, table.outputs.as_slice()) {
        (HitPolicy::CollectCount, _) => Some("number"),
        (policy, [output]) if policy.answers_as_output() => output.type_name.as_deref(),
        _ => None,
    }
}

fn decision_element(
    decision: &CompactDecision,
    type_of: impl Fn(&str) -> Option<String>,
) -> Element {
    let name = decision.called();
    let mut element = made("decision").with("id", &*decision.id).with("name", name);
    describe(&mut element, decision.description.as_deref());
    let table = decision.table.as_ref().map(|table| table.to_table(&decision.id, name));
    let implied = table.as_ref().and_then(implied_type);
    element.push(variable(name, decision.type_name.as_deref().or(implied)));
    if let Some(table) = &table {
        element.push(table_element(table, type_of));
    }
    if let Some(literal) = &decision.literal {
        element.push(with_text("literalExpression", literal));
    }
    element
}

fn table_element(table: &DecisionTable, type_of: impl Fn(&str) -> Option<String>) -> Element {
    let policy = table.hit_policy.name();
    // Of the names with two words only those of COLLECT are a policy and an aggregation.
    let (policy, aggregation) = match policy.strip_prefix("COLLECT ") {
        Some(aggregation) => ("COLLECT", Some(aggregation)),
        None => (policy, None),
    };
    let mut element =
        made("decisionTable").with("hitPolicy", policy).with_some("aggregation", aggregation);
    for input in &table.inputs {
        let type_name = input.type_name.clone().or_else(|| type_of(&input.expression));
        let mut clause = made("input").with_some("label", input.label.as_deref());
        clause
            .push(with_text("inputExpression", &input.expression).with_some("typeRef", type_name));
        clause.children.extend(optional("inputValues", input.allowed.as_deref()));
        element.push(clause);
    }
    for output in &table.outputs {
        let mut clause = made("output")
            .with_some("name", output.name.as_deref())
            .with_some("label", output.label.as_deref())
            .with_some("typeRef", output.type_name.as_deref());
        clause.children.extend(optional("outputValues", output.allowed.as_deref()));
        clause.children.extend(optional("defaultOutputEntry", output.default.as_deref()));
        element.push(clause);
    }
    for heading in &table.annotations {
        element.push(made("annotation").with("name", &**heading));
    }
    for rule in &table.rules {
        let mut row = made("rule");
        let entries = [
            ("inputEntry", &rule.inputs),
            ("outputEntry", &rule.outputs),
            ("annotationEntry", &rule.annotations),
        ];
        for (name, cells) in entries {
            row.children.extend(cells.iter().map(|cell| Node::Element(with_text(name, cell))));
        }
        element.push(row);
    }
    element
}

fn item_definition(id: &str, input: &CompactInput, allowed: &str) -> Element {
    let mut element = made("itemDefinition").with("id", id).with("name", id);
    let base = input.type_name.as_deref().unwrap_or("Any");
    element.push(made("typeRef").with_text(base));
    element.push(with_text("allowedValues", allowed));
    element
}

fn variable(name: &str, type_name: Option<&str>) -> Element {
    made("variable").with("name", name).with_some("typeRef", type_name)
}

fn describe(element: &mut Element, description: Option<&str>) {
    if let Some(description) = description.filter(|text| !text.trim().is_empty()) {
        element.push(made("description").with_text(description));
    }
}

fn optional(name: &str, text: Option<&str>) -> Option<Node> {
    text.filter(|text| !text.trim().is_empty()).map(|text| Node::Element(with_text(name, text)))
}

/// An element that holds its text in a `text` element.
fn with_text(name: &str, text: &str) -> Element {
    let mut element = made(name);
    element.push(made("text").with_text(text));
    element
}

fn made(name: &str) -> Element {
    Element::new(None, MODEL, name)
}

fn attribute(name: &str, value: String) -> crate::xml::Attribute {
    crate::xml::Attribute { prefix: None, namespace: "".into(), name: name.into(), value }
}

fn is_id(id: &str) -> bool {
    id.chars().count() <= MAX_NAME
        && id.starts_with(|it: char| it.is_alphabetic() || it == '_')
        && id.chars().all(|it| it.is_alphanumeric() || "._-".contains(it))
}

fn is_name(name: &str) -> bool {
    name.chars().count() <= MAX_NAME
        && name.trim() == name
        && name.starts_with(|it: char| it.is_alphabetic() || it == '_')
        && name.chars().all(|it| it.is_alphanumeric() || NAME_SIGNS.contains(it))
}

/// Whether an expression is one word, and so a name.
fn is_plain(expression: &str) -> bool {
    expression.starts_with(|it: char| it.is_alphabetic() || it == '_')
        && expression.chars().all(|it| it.is_alphanumeric() || it == '_')
        && !["true", "false", "null"].contains(&expression)
}

/// Whether XML 1.0 can hold a character (§2.2).
fn is_in_xml(letter: char) -> bool {
    !matches!(letter, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}
