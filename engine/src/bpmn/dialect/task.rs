//! The tasks of other engines: who does them.

use super::vendor::Vendor;
use super::{Pass, flowmaster, zeebe};
use crate::bpmn::names::MODEL;
use crate::finding::Finding;
use crate::juel;
use crate::xml::Element;

impl Pass {
    /// The attribute `name` of another engine, translated.
    fn taken(&mut self, vendor: &mut Vendor<'_>, name: &str, id: &str) -> Option<String> {
        let value = vendor.take(name)?;
        self.value(id, value)
    }

    pub(super) fn user_task(
        &mut self,
        original: &Element,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) {
        let (groups, users) = self.owners(original, id);
        let assignee = self.taken(vendor, "assignee", id).or_else(|| self.performer(original, id));
        let assignment = zeebe("assignmentDefinition")
            .with_some("assignee", assignee)
            .with_some("candidateGroups", self.taken(vendor, "candidateGroups", id).or(groups))
            .with_some("candidateUsers", self.taken(vendor, "candidateUsers", id).or(users));
        let schedule = zeebe("taskSchedule")
            .with_some("dueDate", self.taken(vendor, "dueDate", id))
            .with_some("followUpDate", self.taken(vendor, "followUpDate", id));
        let priority =
            zeebe("priorityDefinition").with_some("priority", self.taken(vendor, "priority", id));
        let form = vendor.take("formKey").or(vendor.take("formRef"));
        let form = zeebe("formDefinition").with_some("formId", form);
        let parts = [assignment, schedule, priority, form];
        extensions.extend(parts.into_iter().filter(|part| !part.attributes.is_empty()));
        let fields = vendor.take_all("formData").into_iter().flat_map(Element::elements);
        let fields: Vec<&Element> = fields.chain(vendor.take_all("formProperty")).collect();
        if let Some(schema) = super::data::form(&fields) {
            extensions.push(flowmaster("form").with_text(schema.to_string()));
        }
    }

    /// `humanPerformer` (BPMN 2.0.2 §10.3.4).
    fn performer(&mut self, task: &Element, id: &str) -> Option<String> {
        let performer = task.first(MODEL, "humanPerformer")?;
        let assigned = performer.first(MODEL, "resourceAssignmentExpression")?;
        self.value(id, &assigned.first(MODEL, "formalExpression")?.text())
    }

    /// The groups and users of `potentialOwner`: `group(a), user(b)`, and a plain name is a group.
    fn owners(&mut self, task: &Element, id: &str) -> (Option<String>, Option<String>) {
        let (mut groups, mut users) = (Vec::new(), Vec::new());
        let assigned = task
            .named(MODEL, "potentialOwner")
            .filter_map(|owner| owner.first(MODEL, "resourceAssignmentExpression"))
            .filter_map(|assigned| Some(assigned.first(MODEL, "formalExpression")?.text()));
        for names in assigned {
            if juel::is_template(&names) {
                groups.extend(self.value(id, &names));
                continue;
            }
            for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let inner = |kind: &str| name.strip_prefix(kind)?.strip_suffix(')');
                match (inner("user("), inner("group(")) {
                    (Some(user), _) => users.push(user.to_owned()),
                    (None, group) => groups.push(group.unwrap_or(name).to_owned()),
                }
            }
        }
        let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(","));
        (joined(groups), joined(users))
    }

    /// A service task: a worker does it, or it computes a value.
    pub(super) fn service_task(
        &mut self,
        made: &mut Element,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) {
        if self.job(vendor, extensions, id) {
            return;
        }
        let result = vendor.take("resultVariable").or(vendor.take("resultVariableName"));
        if let Some(kind) = vendor.take("type") {
            self.findings.push(Finding::error(
                "vendor_task",
                id,
                format!("a {kind} task is built into another engine and is not executed"),
                "let a worker do it: zeebe:taskDefinition with a type",
            ));
        }
        // A computation needs no code: `${amount * 2}`.
        if let Some(result) = result
            && let Some(expression) = vendor.take("expression")
        {
            let Some(value) = self.value(id, expression) else { return };
            made.name = "scriptTask".into();
            extensions
                .push(zeebe("script").with("expression", value).with("resultVariable", result));
        }
    }

    /// The job of an external task, or of one that Java code did; whether it is one of them.
    pub(super) fn job(
        &mut self,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) -> bool {
        let Some(topic) = vendor.take("topic") else { return self.code(vendor, extensions, id) };
        vendor.take("type");
        let retries = vendor
            .take("failedJobRetryTimeCycle")
            .map(str::to_owned)
            .or_else(|| vendor.take_all("failedJobRetryTimeCycle").first().map(|it| it.text()));
        extensions.push(
            zeebe("taskDefinition")
                .with_some("type", self.value(id, topic))
                .with_some("retries", retries.as_deref().and_then(times)),
        );
        if let Some(priority) = self.taken(vendor, "taskPriority", id) {
            extensions.push(zeebe("priorityDefinition").with("priority", priority));
        }
        true
    }

    /// A class or a bean of another engine: a worker does what it did, and is given what was
    /// injected into it. Whether it is one that can be named.
    fn code(&mut self, vendor: &mut Vendor<'_>, extensions: &mut Vec<Element>, id: &str) -> bool {
        let is_bean = |text: &str| bean(text).is_some();
        let named = vendor
            .take("class")
            .or_else(|| vendor.take_if("delegateExpression", is_bean).and_then(bean));
        let Some(named) = named else { return false };
        self.findings.push(Finding::warning(
            "java_code",
            id,
            format!("{named:?} is code of another engine, which is not executed: it is the type of a job"),
            "let a worker do it that claims jobs of this type; for a computation use a script task in FEEL",
        ));
        extensions.push(zeebe("taskDefinition").with("type", named));
        let (mut headers, mut inputs) = (zeebe("taskHeaders"), zeebe("ioMapping"));
        for field in vendor.take_all("field") {
            let name = field.attribute("name").unwrap_or_default();
            let Some(text) = injected(field) else { continue };
            match juel::template_to_feel(&text) {
                Ok(None) => headers.push(zeebe("header").with("key", name).with("value", text)),
                Ok(Some(feel)) => inputs
                    .push(zeebe("input").with("source", format!("={feel}")).with("target", name)),
                Err(refused) => self.findings.push(Finding::warning(
                    "expression_untranslated",
                    id,
                    format!("the worker is not given {name:?}: {refused}"),
                    refused.fix,
                )),
            }
        }
        let filled = [headers, inputs].into_iter().filter(|made| !made.children.is_empty());
        extensions.extend(filled);
        true
    }

    pub(super) fn business_rule_task(
        &mut self,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) {
        let Some(decision) = self.taken(vendor, "decisionRef", id) else {
            self.job(vendor, extensions, id);
            return;
        };
        let result = vendor.take("resultVariable").unwrap_or_default();
        if result.is_empty() {
            self.findings.push(Finding::error(
                "no_result_variable",
                id,
                "the task does not say which variable gets the result of the decision",
                "set camunda:resultVariable",
            ));
        }
        if let Some(form) = vendor.take("mapDecisionResult").filter(|form| *form == "singleEntry") {
            let what = format!("the result of the decision is used as it is, not mapped by {form}");
            let fix = "a decision with one output gives its value; with several, an object";
            self.findings.push(Finding::info("decision_result", id, what, fix));
        }
        extensions.push(
            zeebe("calledDecision").with("decisionId", decision).with("resultVariable", result),
        );
    }

    /// A script in FEEL or JUEL with its result; another language is refused by the reader.
    pub(super) fn script_task(
        &mut self,
        original: &Element,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) {
        let language = original.attribute("scriptFormat").unwrap_or_default().to_ascii_lowercase();
        let text = original.first(MODEL, "script").map(Element::text).unwrap_or_default();
        let result = vendor.take("resultVariable");
        let feel = match language.as_str() {
            "juel" => self.value(id, &text),
            language if language.contains("feel") => Some(text),
            _ => return,
        };
        if let Some(feel) = feel {
            let script = zeebe("script").with("expression", feel);
            extensions.push(script.with("resultVariable", result.unwrap_or_default()));
        }
    }

    /// A call: what goes in and comes out is named, nothing else does.
    pub(super) fn call_activity(
        &mut self,
        original: &Element,
        made: &Element,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) {
        if let Some(case) = vendor.take("caseRef") {
            self.java(id, &format!("the case {case:?} that it calls"));
        }
        let ins = vendor.take_all("in");
        let outs = vendor.take_all("out");
        let is_ours = original
            .first(MODEL, "extensionElements")
            .is_some_and(|it| it.first(super::ZEEBE, "calledElement").is_some());
        if is_ours || !self.maps_calls {
            return;
        }
        let all =
            |parts: &[&Element]| parts.iter().any(|it| it.attribute("variables") == Some("all"));
        let inherits = vendor.take("inheritVariables") == Some("true");
        extensions.push(
            zeebe("calledElement")
                .with("processId", made.attribute("calledElement").unwrap_or_default())
                .with("propagateAllParentVariables", (all(&ins) || inherits).to_string())
                .with("propagateAllChildVariables", all(&outs).to_string()),
        );
        let mut mappings = zeebe("ioMapping");
        for (name, parts) in [("input", ins), ("output", outs)] {
            for part in parts {
                if let Some(mapping) = self.passed(name, part, id) {
                    mappings.push(mapping);
                }
            }
        }
        if !mappings.children.is_empty() {
            extensions.push(mappings);
        }
    }

    /// One variable that a call passes.
    fn passed(&mut self, name: &str, part: &Element, id: &str) -> Option<Element> {
        if part.attribute("businessKey").is_some() {
            let what = "the called process has the business key of the instance that calls it";
            self.findings.push(Finding::info("business_key", id, what, "nothing has to be done"));
        }
        let target = part.attribute("target")?;
        let source = match (part.attribute("source"), part.attribute("sourceExpression")) {
            (Some(variable), _) => self.value(id, &format!("${{{variable}}}"))?,
            (None, Some(expression)) => self.value(id, expression)?,
            (None, None) => return None,
        };
        Some(zeebe(name).with("source", source).with("target", target))
    }
}

/// What a `field` has injected into the code: a text or an expression.
fn injected(field: &Element) -> Option<String> {
    let attributes = ["stringValue", "expression"];
    let attribute = attributes.iter().find_map(|name| field.attribute(name));
    let is_inner = |inner: &&Element| matches!(&*inner.name, "string" | "expression");
    attribute.map(str::to_owned).or_else(|| field.elements().find(is_inner).map(Element::text))
}

/// The name of the bean in `${name}`; calls have none.
fn bean(expression: &str) -> Option<&str> {
    let inside =
        expression.trim().strip_prefix(['$', '#'])?.strip_prefix('{')?.strip_suffix('}')?;
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    (!inside.is_empty() && inside.chars().all(is_part)).then_some(inside)
}

/// How often a job may be tried: `R3/PT10M`, or a list of waiting times.
fn times(cycle: &str) -> Option<String> {
    let cycle = cycle.trim();
    if let Some((times, _)) = cycle.strip_prefix('R').and_then(|rest| rest.split_once('/')) {
        return times.parse::<u32>().ok().map(|times| times.to_string());
    }
    let is_list = cycle.split(',').all(|part| part.trim().starts_with('P'));
    is_list.then(|| cycle.split(',').count().to_string())
}
