//! Writes what repeats an activity or leaves its order open: the counterpart of `repetition` in
//! reading.

use super::node::{Shared, push_trigger};
use super::{bpmn, push_program, zeebe};
use crate::feel::Program;
use crate::model::{AdHoc, Behavior, Loop, MultiInstance, StandardLoop};
use crate::xml::Element;

/// The marker of an activity that repeats.
pub(super) fn marker(activity: &str, repeat: &Loop, shared: &mut Shared) -> Element {
    match repeat {
        Loop::MultiInstance(marker) => multi_instance(activity, marker, shared),
        Loop::Standard(marker) => standard_loop(marker),
    }
}

fn standard_loop(marker: &StandardLoop) -> Element {
    let mut element = bpmn("standardLoopCharacteristics")
        .with("testBefore", marker.test_before.to_string())
        .with_some("loopMaximum", marker.maximum.map(|maximum| maximum.to_string()));
    push_program(&mut element, "loopCondition", marker.condition.as_ref());
    element
}

/// Adds what is particular to an ad-hoc sub-process to `element`, behind its content.
pub(super) fn ad_hoc(mut element: Element, ad_hoc: &AdHoc) -> Element {
    push_program(&mut element, "completionCondition", ad_hoc.completion_condition.as_ref());
    element
        .with("ordering", if ad_hoc.sequential { "Sequential" } else { "Parallel" })
        .with("cancelRemainingInstances", ad_hoc.cancel_remaining.to_string())
}

/// What Camunda 8 keeps of it in `zeebe:adHoc`.
pub(super) fn ad_hoc_extension(ad_hoc: &AdHoc) -> Element {
    let feel = |program: &Program| format!("={}", program.text());
    let output = ad_hoc.output.as_ref();
    zeebe("adHoc")
        .with_some("activeElementsCollection", ad_hoc.active_elements.as_ref().map(feel))
        .with_some("outputCollection", output.map(|output| output.collection.clone()))
        .with_some("outputElement", output.map(|output| feel(&output.element)))
}

fn multi_instance(activity: &str, marker: &MultiInstance, shared: &mut Shared) -> Element {
    let mut element = bpmn("multiInstanceLoopCharacteristics")
        .with("isSequential", marker.sequential.to_string());
    let loop_characteristics = zeebe("loopCharacteristics")
        .with_some(
            "inputCollection",
            marker.collection.as_ref().map(|it| format!("={}", it.text())),
        )
        .with_some("inputElement", marker.input_element.clone())
        .with_some("outputCollection", marker.output_collection.clone())
        .with_some(
            "outputElement",
            marker.output_element.as_ref().map(|it| format!("={}", it.text())),
        );
    if !loop_characteristics.attributes.is_empty() {
        let mut extensions = bpmn("extensionElements");
        extensions.push(loop_characteristics);
        element.push(extensions);
    }
    push_program(&mut element, "loopCardinality", marker.cardinality.as_ref());
    let mut element = with_behavior(element, activity, &marker.behavior, shared);
    push_program(&mut element, "completionCondition", marker.completion_condition.as_ref());
    element
}

fn with_behavior(
    mut element: Element,
    activity: &str,
    behavior: &Behavior,
    shared: &mut Shared,
) -> Element {
    match behavior {
        Behavior::All => element,
        Behavior::None(event) => element
            .with("behavior", "None")
            .with_some("noneBehaviorEventRef", shared.event_definition(event)),
        Behavior::One(event) => element
            .with("behavior", "One")
            .with_some("oneBehaviorEventRef", shared.event_definition(event)),
        Behavior::Complex(definitions) => {
            for (place, definition) in (1..).zip(definitions) {
                let mut complex = bpmn("complexBehaviorDefinition");
                push_program(&mut complex, "condition", Some(&definition.condition));
                let mut event = bpmn("event").with("id", format!("{activity}-event-{place}"));
                push_trigger(&mut event, &definition.event, shared);
                complex.push(event);
                element.push(complex);
            }
            element.with("behavior", "Complex")
        }
    }
}
