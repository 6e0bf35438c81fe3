//! Reads a process and what it contains.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Reader;
use super::names::{FLOWMASTER, MODEL, ZEEBE};
use crate::finding::Finding;
use crate::model::{ElementId, Lane, NodeDraft, Process, ProcessBuilder};
use crate::xml::Element;

/// The lanes that nodes lie in, by node id.
pub(super) type Lanes = BTreeMap<String, String>;

impl Reader<'_> {
    pub(super) fn process(&mut self, element: &Element) -> Option<Arc<Process>> {
        let id = self.id_of(element);
        let mut builder = ProcessBuilder::new(id.as_str());
        builder.describe(
            element.attribute("name").map(str::to_owned),
            documentation(element),
            element.attribute("isExecutable") == Some("true"),
        );
        if let Some(extensions) = element.first(MODEL, "extensionElements") {
            let tag = extensions.first(ZEEBE, "versionTag").and_then(|tag| tag.attribute("value"));
            builder.version_tag(tag.map(str::to_owned));
            let contract = self.contract(&id, extensions);
            builder.contract(contract);
            for policy in self.policies(&id, extensions) {
                builder.policy(policy);
            }
        }
        self.content(&mut builder, element, None);
        match builder.build() {
            Ok(process) => Some(process),
            Err(error) => {
                self.findings.push(Finding::error(
                    "process_not_linked",
                    &id,
                    error.to_string(),
                    "give every element an id of its own and refer to elements that exist",
                ));
                None
            }
        }
    }

    /// Reads the flow elements directly inside `scope`, a process or sub-process.
    pub(super) fn content(
        &mut self,
        builder: &mut ProcessBuilder,
        scope: &Element,
        parent: Option<&ElementId>,
    ) {
        let mut lanes = Lanes::new();
        for lane_set in scope.named(MODEL, "laneSet") {
            collect_lanes(lane_set, None, builder, &mut lanes);
        }
        for element in scope.elements().filter(|element| &*element.namespace == MODEL) {
            if &*element.name == "sequenceFlow" {
                self.sequence_flow(builder, element);
                continue;
            }
            let Some(kind) = self.node_kind(element) else { continue };
            let id: ElementId = self.id_of(element).into();
            let mut draft = NodeDraft::new(Arc::clone(&id), kind);
            draft.parent = parent.cloned();
            draft.default_flow = element.attribute("default").map(Into::into);
            draft.attached_to = element.attribute("attachedToRef").map(Into::into);
            draft.node.for_compensation = element.attribute("isForCompensation") == Some("true");
            draft.node.instantiates = element.attribute("instantiate") == Some("true");
            draft.handler = self.handlers.of_event(element).map(Into::into);
            draft.node.name = element.attribute("name").map(str::to_owned);
            draft.node.documentation = documentation(element);
            draft.node.lane = lanes.get(&*id).cloned();
            draft.node.repeat = self.repetition(element);
            draft.node.start_quantity = self.quantity(element, "startQuantity");
            draft.node.completion_quantity = self.quantity(element, "completionQuantity");
            if let Some(extensions) = element.first(MODEL, "extensionElements") {
                self.extend(&mut draft, extensions);
            }
            self.data_associations(&mut draft, element);
            builder.node(draft);
            if matches!(&*element.name, "subProcess" | "transaction" | "adHocSubProcess") {
                self.content(builder, element, Some(&id));
            }
        }
    }

    fn sequence_flow(&mut self, builder: &mut ProcessBuilder, element: &Element) {
        let id = self.id_of(element);
        let (Some(source), Some(target)) =
            (element.attribute("sourceRef"), element.attribute("targetRef"))
        else {
            self.findings.push(Finding::error(
                "flow_without_ends",
                &id,
                "the sequence flow does not say where it starts or ends",
                "set sourceRef and targetRef",
            ));
            return;
        };
        let condition = self.expression(element, element, "conditionExpression");
        builder.flow(id, element.attribute("name").map(str::to_owned), source, target, condition);
    }

    pub(super) fn foreign_expression(&mut self, element: &str, language: &str) {
        self.findings.push(Finding::error(
            "expression_language",
            element,
            format!("the expression is written in {language:?}"),
            "write it in FEEL, the expression language of DMN 1.5 §10",
        ));
    }
}

pub(super) fn documentation(element: &Element) -> Option<String> {
    element.first(MODEL, "documentation").map(Element::text).filter(|text| !text.is_empty())
}

/// Lanes without a name say nothing about who is responsible.
fn collect_lanes(
    lane_set: &Element,
    around: Option<&str>,
    builder: &mut ProcessBuilder,
    lanes: &mut Lanes,
) {
    for lane in lane_set.named(MODEL, "lane") {
        let name = lane.attribute("name").map(str::trim).filter(|name| !name.is_empty());
        if let Some(name) = name {
            builder.lane(Lane {
                name: name.to_owned(),
                group: lane.attribute_of(FLOWMASTER, "group").map(str::to_owned),
                inside: around.map(str::to_owned),
            });
            for node in lane.named(MODEL, "flowNodeRef") {
                lanes.insert(node.text(), name.to_owned());
            }
        }
        for inner in lane.named(MODEL, "childLaneSet") {
            collect_lanes(inner, name.or(around), builder, lanes);
        }
    }
}
