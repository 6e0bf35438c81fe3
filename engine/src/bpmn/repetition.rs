//! Reads what repeats an activity or leaves its order open: loop and multi-instance markers, ad-hoc
//! sub-processes.

use super::Reader;
use super::names::{MODEL, ZEEBE};
use crate::feel::Program;
use crate::finding::Finding;
use crate::model::{
    AdHoc, AdHocOutput, Behavior, ComplexBehavior, Loop, MultiInstance, StandardLoop, Text, Trigger,
};
use crate::xml::Element;

impl Reader<'_> {
    /// How often `element`, an activity, is executed, if its marker says so.
    pub(super) fn repetition(&mut self, element: &Element) -> Option<Loop> {
        if let Some(marker) = element.first(MODEL, "standardLoopCharacteristics") {
            return Some(Loop::Standard(self.standard_loop(element, marker)));
        }
        let marker = element.first(MODEL, "multiInstanceLoopCharacteristics")?;
        Some(Loop::MultiInstance(self.multi_instance(element, marker)))
    }

    fn standard_loop(&mut self, element: &Element, marker: &Element) -> StandardLoop {
        let id = element.attribute("id").unwrap_or_default();
        let maximum = marker.attribute("loopMaximum").and_then(|text| {
            let number = text.trim().parse().ok();
            if number.is_none() {
                self.findings.push(Finding::error(
                    "loop_maximum",
                    id,
                    format!("the most times of the loop are {text:?}, which is no number"),
                    "set loopMaximum to a whole number",
                ));
            }
            number
        });
        StandardLoop {
            test_before: marker.attribute("testBefore") == Some("true"),
            maximum,
            condition: self.expression(element, marker, "loopCondition"),
        }
    }

    fn multi_instance(&mut self, element: &Element, marker: &Element) -> MultiInstance {
        let id = element.attribute("id").unwrap_or_default();
        let zeebe = marker
            .first(MODEL, "extensionElements")
            .and_then(|extensions| extensions.first(ZEEBE, "loopCharacteristics"));
        let text = |name: &str| zeebe.and_then(|zeebe| zeebe.attribute(name));
        let cardinality = self.expression(element, marker, "loopCardinality");
        let completion_condition = self.expression(element, marker, "completionCondition");
        let list = text("inputCollection").map(str::to_owned);
        let list = list.or_else(|| self.loop_data(element, marker, "loopDataInputRef"));
        let collection = list.and_then(|text| self.program(id, &text));
        let item = |name: &str| {
            let item = marker.first(MODEL, name)?;
            item.attribute("name").or(item.attribute("id"))
        };
        let result = text("outputElement").or(item("outputDataItem"));
        let output_element = result.and_then(|text| self.program(id, text));
        if cardinality.is_none() && collection.is_none() {
            self.findings.push(Finding::error(
                "multi_instance_of_nothing",
                id,
                "the multi-instance marker names neither a collection nor a number",
                "set inputCollection of zeebe:loopCharacteristics, or loopCardinality",
            ));
        }
        MultiInstance {
            sequential: marker.attribute("isSequential") == Some("true"),
            collection,
            cardinality,
            input_element: text("inputElement").or(item("inputDataItem")).map(str::to_owned),
            output_collection: text("outputCollection")
                .map(str::to_owned)
                .or_else(|| self.loop_data(element, marker, "loopDataOutputRef")),
            output_element,
            completion_condition,
            behavior: self.behavior(element, marker),
        }
    }

    /// What is thrown when instances complete.
    fn behavior(&mut self, element: &Element, marker: &Element) -> Behavior {
        match marker.attribute("behavior").unwrap_or("All") {
            "All" => Behavior::All,
            "None" => Behavior::None(self.behavior_event(element, marker, "noneBehaviorEventRef")),
            "One" => Behavior::One(self.behavior_event(element, marker, "oneBehaviorEventRef")),
            "Complex" => {
                let definitions = marker.named(MODEL, "complexBehaviorDefinition");
                let definitions = definitions.filter_map(|definition| {
                    Some(ComplexBehavior {
                        condition: self.expression(element, definition, "condition")?,
                        event: self.trigger(definition.first(MODEL, "event")?),
                    })
                });
                Behavior::Complex(definitions.collect())
            }
            other => {
                self.findings.push(Finding::error(
                    "multi_instance_behavior",
                    element.attribute("id").unwrap_or_default(),
                    format!("the behavior of the multi-instance marker is {other:?}"),
                    "set behavior to All, None, One or Complex",
                ));
                Behavior::All
            }
        }
    }

    /// The event that the marker refers to; without one a signal, as BPMN 2.0.2 §10.3.8 says, which is
    /// called as the activity.
    fn behavior_event(&mut self, element: &Element, marker: &Element, name: &str) -> Trigger {
        let id = element.attribute("id").unwrap_or_default();
        let referred = self.shared_definition(element, marker.attribute(name));
        let default = || Trigger::Signal { name: Text::Literal(id.to_owned()) };
        referred.map_or_else(default, Trigger::without_job)
    }

    /// How many tokens the attribute `name` of an activity asks for.
    pub(super) fn quantity(&mut self, element: &Element, name: &str) -> u32 {
        let Some(text) = element.attribute(name) else { return 1 };
        text.trim().parse().unwrap_or_else(|_| {
            self.findings.push(Finding::error(
                "token_quantity",
                element.attribute("id").unwrap_or_default(),
                format!("its {name} is {text:?}, which is no number"),
                format!("set {name} to a whole number, or leave it out for 1"),
            ));
            1
        })
    }

    /// What is particular to an ad-hoc sub-process.
    pub(super) fn ad_hoc(&mut self, element: &Element) -> AdHoc {
        let id = element.attribute("id").unwrap_or_default();
        let extensions = element.first(MODEL, "extensionElements");
        let zeebe = extensions.and_then(|extensions| extensions.first(ZEEBE, "adHoc"));
        let attribute = |name: &str| zeebe.and_then(|zeebe| zeebe.attribute(name));
        let collection = attribute("outputCollection");
        let result = attribute("outputElement");
        if collection.is_some() != result.is_some() {
            self.findings.push(Finding::error(
                "ad_hoc_output",
                id,
                "results are collected by outputCollection and outputElement together",
                "set both of them, or neither",
            ));
        }
        let output = collection.zip(result).and_then(|(collection, text)| {
            let element = self.program(id, text)?;
            Some(AdHocOutput { collection: collection.to_owned(), element })
        });
        let active = attribute("activeElementsCollection");
        let ordering = element.attribute("ordering").unwrap_or("Parallel");
        if !matches!(ordering, "Parallel" | "Sequential") {
            self.findings.push(Finding::error(
                "ad_hoc_ordering",
                id,
                format!("the ordering of the ad-hoc sub-process is {ordering:?}"),
                "set ordering to Parallel or Sequential",
            ));
        }
        AdHoc {
            sequential: ordering == "Sequential",
            completion_condition: self.expression(element, element, "completionCondition"),
            cancel_remaining: element.attribute("cancelRemainingInstances") != Some("false"),
            active_elements: active.and_then(|text| self.program(id, text)),
            performer: self.performer(element),
            output,
        }
    }

    /// The expression `name` in `holder`, a part of `element`.
    pub(super) fn expression(
        &mut self,
        element: &Element,
        holder: &Element,
        name: &str,
    ) -> Option<Program> {
        let id = element.attribute("id").unwrap_or_default();
        let expression = holder.first(MODEL, name)?;
        let language = expression.attribute("language").unwrap_or_default();
        if !language.is_empty() && !language.to_ascii_lowercase().contains("feel") {
            self.foreign_expression(id, language);
            return None;
        }
        self.program(id, &expression.text())
    }
}
