//! Loops and multi-instance markers in the compact form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::from_process::event;
use super::to_process::Reader;
use super::{CompactElement, CompactEvent};
use crate::feel::Program;
use crate::finding::Finding;
use crate::model::{Behavior, ComplexBehavior, Loop, MultiInstance, StandardLoop, Trigger};

/// Repetition for each item of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactForEach {
    /// FEEL that gives the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// FEEL that gives a number of times, instead of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// The variable of the current item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// One after the other instead of all at once.
    #[serde(default)]
    pub sequential: bool,
    /// The variable that collects results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect: Option<String>,
    /// FEEL for the result of one repetition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_value: Option<String>,
    /// FEEL that ends the repetition early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Events that are thrown when repetitions complete, for boundaryEvents of the activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<CompactBehavior>,
}

/// When a repetition that completes throws an event; exactly one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub enum CompactBehavior {
    /// Each one that completes throws it: a message, signal or escalation.
    None(CompactEvent),
    /// The first one that completes throws it.
    One(CompactEvent),
    /// Those throw for which a condition holds.
    Complex(Vec<CompactComplexBehavior>),
}

/// An event that is thrown under a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactComplexBehavior {
    /// FEEL, e.g. `numberOfCompletedInstances = 3`.
    pub when: String,
    /// What is thrown: a message, signal or escalation.
    pub event: CompactEvent,
}

/// Repetition as long as a condition holds; it needs a condition or a maximum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactLoop {
    /// FEEL; sees `loopCounter`, how many times there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Tested before the first time too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_before: bool,
    /// The most times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u32>,
}

impl Reader {
    pub(super) fn repetition(&mut self, element: &CompactElement) -> Option<Loop> {
        match (&element.for_each, &element.standard_loop) {
            (None, None) => None,
            (Some(marker), None) => Some(self.multi_instance(element, marker)),
            (None, Some(marker)) => Some(Loop::Standard(StandardLoop {
                test_before: marker.test_before,
                maximum: marker.maximum,
                condition: self.optional_program(&element.id, marker.condition.as_deref()),
            })),
            (Some(_), Some(_)) => {
                self.findings.push(Finding::error(
                    "two_repetitions",
                    &element.id,
                    "it has both forEach and loop",
                    "keep one, or put the element into a sub-process that has the other",
                ));
                None
            }
        }
    }

    fn multi_instance(&mut self, element: &CompactElement, marker: &CompactForEach) -> Loop {
        let mut program =
            |text: &Option<String>| self.optional_program(&element.id, text.as_deref());
        Loop::MultiInstance(MultiInstance {
            sequential: marker.sequential,
            collection: program(&marker.collection),
            cardinality: program(&marker.times),
            input_element: marker.item.clone(),
            output_collection: marker.collect.clone(),
            output_element: program(&marker.collect_value),
            completion_condition: program(&marker.until),
            behavior: self.behavior(element, marker.behavior.as_ref()),
        })
    }

    fn behavior(
        &mut self,
        element: &CompactElement,
        behavior: Option<&CompactBehavior>,
    ) -> Behavior {
        match behavior {
            None => Behavior::All,
            Some(CompactBehavior::None(event)) => Behavior::None(self.thrown(element, event)),
            Some(CompactBehavior::One(event)) => Behavior::One(self.thrown(element, event)),
            Some(CompactBehavior::Complex(definitions)) => {
                let definitions = definitions.iter().filter_map(|definition| {
                    Some(ComplexBehavior {
                        condition: self.program(&element.id, &definition.when)?,
                        event: self.thrown(element, &definition.event),
                    })
                });
                Behavior::Complex(definitions.collect())
            }
        }
    }

    fn thrown(&mut self, element: &CompactElement, event: &CompactEvent) -> Trigger {
        self.definition(element, event).without_job()
    }
}

pub(super) fn standard_loop(repeat: &Loop) -> Option<CompactLoop> {
    let Loop::Standard(marker) = repeat else { return None };
    Some(CompactLoop {
        condition: marker.condition.as_ref().map(|condition| condition.text().to_owned()),
        test_before: marker.test_before,
        maximum: marker.maximum,
    })
}

pub(super) fn for_each(repeat: &Loop) -> Option<CompactForEach> {
    let Loop::MultiInstance(marker) = repeat else { return None };
    let program =
        |program: &Option<Program>| program.as_ref().map(|program| program.text().to_owned());
    Some(CompactForEach {
        collection: program(&marker.collection),
        times: program(&marker.cardinality),
        item: marker.input_element.clone(),
        sequential: marker.sequential,
        collect: marker.output_collection.clone(),
        collect_value: program(&marker.output_element),
        until: program(&marker.completion_condition),
        behavior: behavior(&marker.behavior),
    })
}

fn behavior(behavior: &Behavior) -> Option<CompactBehavior> {
    match behavior {
        Behavior::All => None,
        Behavior::None(thrown) => event(thrown).map(CompactBehavior::None),
        Behavior::One(thrown) => event(thrown).map(CompactBehavior::One),
        Behavior::Complex(definitions) => {
            Some(CompactBehavior::Complex(definitions.iter().flat_map(definition).collect()))
        }
    }
}

/// One for each thing that is thrown.
fn definition(definition: &ComplexBehavior) -> impl Iterator<Item = CompactComplexBehavior> {
    let when = definition.condition.text();
    let events = definition.event.parts().iter().filter_map(event);
    events.map(move |event| CompactComplexBehavior { when: when.to_owned(), event })
}
