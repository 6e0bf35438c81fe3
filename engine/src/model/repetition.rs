//! Markers that repeat an activity (BPMN 2.0.2 §10.3.8).

use super::Trigger;
use crate::feel::Program;

/// Repetition of an activity.
#[derive(Clone, Debug)]
pub enum Loop {
    /// Once for each item.
    MultiInstance(MultiInstance),
    /// Again as long as a condition holds.
    Standard(StandardLoop),
}

/// A multi-instance marker (BPMN 2.0.2 §10.3.8).
#[derive(Clone, Debug)]
pub struct MultiInstance {
    /// One after the other, or all at once.
    pub sequential: bool,
    /// The list to go through; `None` when `cardinality` is given.
    pub collection: Option<Program>,
    /// How many times.
    pub cardinality: Option<Program>,
    /// The variable of the current item.
    pub input_element: Option<String>,
    /// The variable that collects the results, in input order.
    pub output_collection: Option<String>,
    /// The result of one instance.
    pub output_element: Option<Program>,
    /// Ends the activity early when true. Sees `numberOfInstances`, `numberOfActiveInstances`,
    /// `numberOfCompletedInstances`, `numberOfTerminatedInstances` and `loopCounter`.
    pub completion_condition: Option<Program>,
    /// What is thrown when instances complete.
    pub behavior: Behavior,
}

/// When a multi-instance activity throws something, besides the token at its end (`behavior`, BPMN
/// 2.0.2 §10.3.8).
#[derive(Clone, Debug, Default)]
pub enum Behavior {
    /// `All`: never.
    #[default]
    All,
    /// `None`: for each instance that completes.
    None(Trigger),
    /// `One`: for the first instance that completes.
    One(Trigger),
    /// `Complex`: as the definitions say.
    Complex(Vec<ComplexBehavior>),
}

impl Behavior {
    /// Everything that may be thrown.
    pub fn events(&self) -> impl Iterator<Item = &Trigger> {
        let (one, several) = match self {
            Self::All => (None, [].as_slice()),
            Self::None(event) | Self::One(event) => (Some(event), [].as_slice()),
            Self::Complex(definitions) => (None, definitions.as_slice()),
        };
        one.into_iter().chain(several.iter().map(|definition| &definition.event))
    }
}

/// What is thrown when an instance completes and a condition holds (`complexBehaviorDefinition`).
#[derive(Clone, Debug)]
pub struct ComplexBehavior {
    /// Sees what the completion condition sees.
    pub condition: Program,
    /// What is thrown: an implicit throw event.
    pub event: Trigger,
}

/// A standard loop marker (BPMN 2.0.2 §10.3.8).
#[derive(Clone, Debug)]
pub struct StandardLoop {
    /// Whether the condition is tested before the first time too.
    pub test_before: bool,
    /// The most times.
    pub maximum: Option<u32>,
    /// Whether there is another time; sees `loopCounter`, how many times there were. True where there
    /// is none.
    pub condition: Option<Program>,
}
