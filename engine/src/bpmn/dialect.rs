//! Translates what the modelers of other engines write into what the reader knows: the extensions
//! of Camunda 7, Operaton, Flowable and Activiti into those of Camunda 8, JUEL and XPath into FEEL.
//!
//! The file itself is not changed; its translation is read in its place. Nothing is passed over: a
//! setting without a counterpart is a finding, an error where the process would do something else
//! without it. No `${…}` is taken for text unless a finding says so.

mod data;
mod task;
mod vendor;

use super::names::{MODEL, VENDORS, ZEEBE};
use super::write::{bpmn, flowmaster, zeebe};
use crate::finding::Finding;
use crate::xml::{Element, Node};
use crate::{juel, xpath};
use vendor::Vendor;

/// The elements whose text is an expression.
const EXPRESSIONS: [&str; 9] = [
    "conditionExpression",
    "condition",
    "timeDate",
    "timeDuration",
    "timeCycle",
    "loopCardinality",
    "completionCondition",
    "loopCondition",
    "activationCondition",
];

/// The file `root` in the words that the reader knows; `None` where it has no others.
pub(super) fn translated(root: &Element) -> Option<(Element, Vec<Finding>)> {
    if !has_other_words(root) {
        return None;
    }
    let mut pass = Pass { findings: Vec::new(), maps_calls: has_vendor(root) };
    let root = pass.element(root, "");
    Some((root, pass.findings))
}

fn has_other_words(element: &Element) -> bool {
    is_vendor(&element.namespace)
        || matches!(&*element.name, "potentialOwner" | "humanPerformer")
        || element
            .attributes
            .iter()
            .any(|attribute| is_vendor(&attribute.namespace) || juel::is_template(&attribute.value))
        || element.attribute("language").is_some_and(xpath::is_language)
        || element.children.iter().any(|child| match child {
            Node::Element(inner) => has_other_words(inner),
            Node::Text(text) => juel::is_template(text) || xpath::is_expression(text),
            Node::Comment(_) => false,
        })
}

/// Whether the file is of one of the engines whose call activities pass only what they name.
fn has_vendor(root: &Element) -> bool {
    let declares = |element: &Element| element.attributes.iter().any(|it| is_vendor(&it.value));
    declares(root) || root.elements().any(declares)
}

fn is_vendor(namespace: &str) -> bool {
    VENDORS.contains(&namespace)
}

struct Pass {
    findings: Vec<Finding>,
    /// Whether call activities pass nothing but what they name.
    maps_calls: bool,
}

impl Pass {
    fn element(&mut self, original: &Element, owner: &str) -> Element {
        let id = original.attribute("id").unwrap_or(owner).to_owned();
        let mut made = Element { children: Vec::new(), ..shallow(original) };
        match &*original.namespace {
            MODEL => self.bpmn_element(original, &mut made, &id),
            ZEEBE => self.zeebe_element(original, &mut made, &id),
            _ => made.children.clone_from(&original.children),
        }
        made
    }

    fn bpmn_element(&mut self, original: &Element, made: &mut Element, id: &str) {
        for child in &original.children {
            match child {
                Node::Element(inner) => {
                    let inner = self.element(inner, id);
                    made.push(inner);
                }
                Node::Text(text) => self.written(original, text, made, id),
                Node::Comment(_) => made.children.push(child.clone()),
            }
        }
        if &*original.name == "extensionElements" {
            return;
        }
        self.attributes(made, id);
        let mut vendor = Vendor::of(original);
        let mut extensions = Vec::new();
        match &*original.name {
            "process" => extensions.extend(
                vendor.take("versionTag").map(|tag| zeebe("versionTag").with("value", tag)),
            ),
            "userTask" => self.user_task(original, &mut vendor, &mut extensions, id),
            "serviceTask" | "sendTask" => self.service_task(made, &mut vendor, &mut extensions, id),
            "businessRuleTask" => self.business_rule_task(&mut vendor, &mut extensions, id),
            "scriptTask" => self.script_task(original, &mut vendor, &mut extensions, id),
            "callActivity" => self.call_activity(original, made, &mut vendor, &mut extensions, id),
            "multiInstanceLoopCharacteristics" => {
                self.collection(original, &mut vendor, &mut extensions, id);
            }
            "startEvent"
            | "intermediateCatchEvent"
            | "boundaryEvent"
            | "intermediateThrowEvent"
            | "endEvent" => self.event(original, &mut extensions, id),
            // Read with its event.
            "messageEventDefinition" | "errorEventDefinition" => return,
            _ => {}
        }
        self.mappings(&mut vendor, &mut extensions, id);
        self.left_over(&vendor, id);
        extend(made, extensions);
    }

    /// What the definitions of an event say: the job that sends a message, the variables that get
    /// a caught error.
    fn event(&mut self, event: &Element, extensions: &mut Vec<Element>, id: &str) {
        if let Some(mut vendor) = event.first(MODEL, "messageEventDefinition").map(Vendor::of) {
            self.job(&mut vendor, extensions, id);
            self.left_over(&vendor, id);
        }
        if let Some(mut vendor) = event.first(MODEL, "errorEventDefinition").map(Vendor::of) {
            let code = vendor.take("errorCodeVariable");
            let message = vendor.take("errorMessageVariable");
            if code.or(message).is_some() {
                let variables = flowmaster("errorVariables");
                extensions.push(variables.with_some("code", code).with_some("message", message));
            }
            self.left_over(&vendor, id);
        }
    }

    /// Text directly inside `holder`.
    fn written(&mut self, holder: &Element, text: &str, made: &mut Element, id: &str) {
        let kept = || Node::Text(text.to_owned());
        if !EXPRESSIONS.contains(&&*holder.name) {
            // Scripts and owners are read with the task that they belong to.
            let is_read = matches!(&*holder.name, "script" | "formalExpression");
            if juel::is_template(text) && !is_read {
                self.as_text(id, &format!("the text of its {}", holder.name));
            }
            return made.children.push(kept());
        }
        let language = holder.attribute("language").unwrap_or_default();
        if xpath::is_language(language) || xpath::is_expression(text) {
            let Some(feel) = xpath::to_feel(text) else { return made.children.push(kept()) };
            made.attributes.retain(|attribute| &*attribute.name != "language");
            return made.children.push(Node::Text(format!("={feel}")));
        }
        if language.eq_ignore_ascii_case("juel") {
            made.attributes.retain(|attribute| &*attribute.name != "language");
        } else if !language.is_empty() {
            return made.children.push(kept());
        }
        match self.value(id, text) {
            Some(value) => made.children.push(Node::Text(value)),
            None => made.children.clear(),
        }
    }

    /// Attributes of BPMN itself that hold expressions in files of other engines.
    fn attributes(&mut self, made: &mut Element, id: &str) {
        let element = made.name.to_string();
        let mut kept = Vec::with_capacity(made.attributes.len());
        for mut attribute in std::mem::take(&mut made.attributes) {
            let is_own = attribute.namespace.is_empty() && juel::is_template(&attribute.value);
            let is_value = matches!(
                (&*element, &*attribute.name),
                ("message" | "signal", "name") | ("callActivity", "calledElement")
            );
            if is_own && is_value {
                let Some(value) = self.value(id, &attribute.value) else { continue };
                attribute.value = value;
            } else if is_own {
                self.as_text(id, &format!("its {}", attribute.name));
            }
            kept.push(attribute);
        }
        made.attributes = kept;
    }

    /// An extension of Camunda 8, where somebody wrote JUEL.
    fn zeebe_element(&mut self, original: &Element, made: &mut Element, id: &str) {
        let is_fixed = matches!(&*original.name, "header" | "property");
        made.attributes.retain_mut(|attribute| {
            let value = attribute.value.trim_start();
            if value.starts_with('=') || !juel::is_template(value) {
                return true;
            }
            if is_fixed {
                self.as_text(
                    id,
                    &format!(
                        "the {} {}",
                        original.name,
                        original.attribute("key").unwrap_or_default()
                    ),
                );
                return true;
            }
            let value = self.value(id, &attribute.value);
            let is_translated = value.is_some();
            attribute.value = value.unwrap_or_default();
            is_translated
        });
        for child in &original.children {
            match child {
                Node::Element(inner) => {
                    let inner = self.element(inner, id);
                    made.push(inner);
                }
                other => made.children.push(other.clone()),
            }
        }
    }

    /// `text` as the reader knows it: FEEL behind a `=` where there is an expression in it.
    fn value(&mut self, id: &str, text: &str) -> Option<String> {
        if text.trim_start().starts_with('=') {
            return Some(text.to_owned());
        }
        match juel::template_to_feel(text) {
            Ok(None) => Some(text.to_owned()),
            Ok(Some(feel)) => Some(format!("={feel}")),
            Err(refused) => {
                let what = refused.to_string();
                self.findings.push(Finding::error(
                    "expression_untranslated",
                    id,
                    what,
                    refused.fix,
                ));
                None
            }
        }
    }

    fn as_text(&mut self, id: &str, what: &str) {
        self.findings.push(Finding::warning(
            "expression_as_text",
            id,
            format!("{what} has an expression in it, which is kept as text"),
            "write the text itself; what depends on data belongs into an input mapping",
        ));
    }

    fn java(&mut self, id: &str, what: &str) {
        self.findings.push(Finding::error(
            "java_code",
            id,
            format!("{what} is code of another engine, which is not executed"),
            "let a worker do it: zeebe:taskDefinition with a type, or an external task with a topic; \
             for a computation use a script task in FEEL",
        ));
    }

    /// Says what of `vendor` was not translated.
    fn left_over(&mut self, vendor: &Vendor<'_>, id: &str) {
        for code in vendor.code() {
            self.java(id, &code);
        }
        let settings = vendor.settings();
        if !settings.is_empty() {
            self.findings.push(Finding::info(
                "ignored_setting",
                id,
                format!("kept in the file and without effect: {}", settings.join(", ")),
                "nothing has to be done where the process does not depend on it",
            ));
        }
    }
}

fn shallow(element: &Element) -> Element {
    Element {
        prefix: element.prefix.clone(),
        namespace: element.namespace.clone(),
        name: element.name.clone(),
        attributes: element.attributes.clone(),
        children: Vec::new(),
    }
}

/// Adds `extensions` to those that `made` has.
fn extend(made: &mut Element, extensions: Vec<Element>) {
    if extensions.is_empty() {
        return;
    }
    let own = made.children.iter_mut().find_map(|child| match child {
        Node::Element(inner) if inner.is(MODEL, "extensionElements") => Some(inner),
        _ => None,
    });
    if let Some(own) = own {
        own.children.extend(extensions.into_iter().map(Node::Element));
        return;
    }
    let mut own = bpmn("extensionElements");
    own.children.extend(extensions.into_iter().map(Node::Element));
    made.push(own);
}

#[cfg(test)]
mod tests;
