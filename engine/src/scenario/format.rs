//! The format of a scenario file. Unknown keys are errors that name the key and its line.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use flowmaster_kernel::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::ScenarioError;
use crate::governance::{MandateSet, Organisation};

/// The longest scenario, in bytes.
const MAX_TEXT: usize = 1024 * 1024;

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What is shown to work.
    pub name: String,
    /// Free text.
    #[serde(default)]
    pub about: Option<String>,
    /// The row of a table in the documentation that the scenario stands for.
    #[serde(default)]
    pub row: BTreeMap<String, Value>,
    /// Paths of the models.
    pub models: Vec<String>,
    /// The virtual clock at the start.
    #[serde(default = "new_year")]
    pub(super) now: Timestamp,
    /// The mandates in force. Default: those of who runs the scenario, if any.
    #[serde(default)]
    pub mandates: Option<MandateSet>,
    /// The organisation. Default: that of who runs the scenario, if any.
    #[serde(default)]
    pub(super) organisation: Option<Organisation>,
    /// The groups of persons and agents, by id.
    #[serde(default)]
    pub(super) people: BTreeMap<String, Vec<String>>,
    /// What jobs answer by themselves, by element id.
    #[serde(default)]
    pub(super) mocks: BTreeMap<String, Answers>,
    /// How it begins.
    #[serde(default)]
    pub(super) start: Start,
    /// What is done.
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    /// What must be true in the end.
    #[serde(default)]
    pub(super) expect: Expect,
}

fn new_year() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// Text that is not YAML, or not in the format of scenarios.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        if text.len() > MAX_TEXT {
            return Err(ScenarioError(format!("it is longer than {MAX_TEXT} bytes")));
        }
        serde_saphyr::from_str(text).map_err(|error| ScenarioError(error.to_string()))
    }
}

/// How a scenario begins.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// `start: none`.
    Nothing,
    /// Anything else.
    With(Box<StartWith>),
}

impl Default for Start {
    fn default() -> Self {
        Self::With(Box::default())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartWith {
    #[serde(default)]
    pub(super) process: Option<String>,
    #[serde(default)]
    pub(super) business_key: Option<String>,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    #[serde(default)]
    pub(super) message: Option<MessageStep>,
    #[serde(default)]
    pub(super) signal: Option<SignalStep>,
    #[serde(default)]
    pub(super) evaluate: Option<EvaluateStep>,
}

/// What a job answers.
#[derive(Clone, Debug)]
pub(super) enum Answers {
    /// The same at every attempt.
    Always(Box<Answer>),
    /// One answer an attempt; after the last one the job waits.
    InTurn(Vec<Answer>),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    #[serde(default)]
    pub(super) error: Option<AnswerError>,
    #[serde(default)]
    pub(super) fail: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerError {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// Something that is done or asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Complete(Node),
    Advance(String),
    Message(MessageStep),
    Signal(SignalStep),
    Evaluate(EvaluateStep),
    Throw(ThrowStep),
    Escalate(EscalateStep),
    Fail(FailStep),
    Resolve(ResolveStep),
    Set(SetStep),
    Activate(ActivateStep),
    Call(CallStep),
    Refuse(Box<RefuseStep>),
    Cancel(bool),
    Expect(Box<Expect>),
}

/// An element that waits: its id, or more about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "TextOr<LongNode>")]
pub(super) struct Node {
    pub(super) node: String,
    pub(super) instance: usize,
    pub(super) variables: Map<String, Value>,
    pub(super) actor: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LongNode {
    node: String,
    #[serde(default)]
    instance: usize,
    #[serde(default)]
    variables: Map<String, Value>,
    #[serde(default)]
    actor: Option<String>,
}

impl From<TextOr<LongNode>> for Node {
    fn from(given: TextOr<LongNode>) -> Self {
        match given {
            TextOr::Text(node) => Self { node, instance: 0, variables: Map::new(), actor: None },
            TextOr::More(LongNode { node, instance, variables, actor }) => {
                Self { node, instance, variables, actor }
            }
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageStep {
    pub(super) name: String,
    #[serde(default)]
    pub(super) correlation: Option<Value>,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    #[serde(default)]
    pub(super) ttl: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalStep {
    pub(super) name: String,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
}

/// The conditions of start events are looked at with these variables.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvaluateStep {
    pub(super) variables: Map<String, Value>,
    #[serde(default)]
    pub(super) business_key: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThrowStep {
    pub(super) node: String,
    #[serde(default)]
    pub(super) instance: usize,
    pub(super) error: String,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EscalateStep {
    pub(super) node: String,
    #[serde(default)]
    pub(super) instance: usize,
    pub(super) code: String,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailStep {
    pub(super) node: String,
    #[serde(default)]
    pub(super) instance: usize,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) retries: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResolveStep {
    pub(super) node: String,
    #[serde(default)]
    pub(super) instance: usize,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetStep {
    pub(super) variables: Map<String, Value>,
    #[serde(default)]
    pub(super) scope: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivateStep {
    pub(super) node: String,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
}

/// The agent that works at `node` calls a tool; it only asks whether it may.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallStep {
    pub(super) node: String,
    pub(super) tool: String,
    #[serde(default)]
    pub(super) arguments: Map<String, Value>,
}

/// A step that the policies must refuse.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefuseStep {
    #[serde(default)]
    pub(super) complete: Option<Node>,
    #[serde(default)]
    pub(super) set: Option<SetStep>,
    #[serde(default)]
    pub(super) cancel: Option<bool>,
    #[serde(default)]
    pub(super) call: Option<CallStep>,
    #[serde(default)]
    pub(super) message: Option<MessageStep>,
    #[serde(default)]
    pub(super) actor: Option<String>,
    pub(super) reason: String,
    /// Who could do it instead, in order.
    #[serde(default)]
    pub(super) approvers: Option<Vec<String>>,
    /// Whether what was filled in is kept for another to confirm.
    #[serde(default)]
    pub(super) kept: Option<bool>,
}

/// What must be true. What is not named is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) waiting: Option<Vec<String>>,
    #[serde(default)]
    pub(super) ended_at: Option<Vec<String>>,
    #[serde(default)]
    pub(super) path: Option<Vec<String>>,
    #[serde(default)]
    pub(super) path_any_order: Option<Vec<String>>,
    #[serde(default)]
    pub(super) not_reached: Vec<String>,
    #[serde(default)]
    pub(super) counts: BTreeMap<String, u64>,
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    #[serde(default)]
    pub(super) absent: Vec<String>,
    #[serde(default)]
    pub(super) incidents: Option<Vec<ExpectedIncident>>,
    #[serde(default)]
    pub(super) called: BTreeMap<String, Expect>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedIncident {
    pub(super) node: String,
    #[serde(default)]
    pub(super) kind: Option<String>,
}

/// Text, or a mapping that says more.
enum TextOr<T> {
    Text(String),
    More(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a mapping")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<TextOr<T>, E> {
                Ok(TextOr::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(TextOr::More)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TextOr::<StartWith>::deserialize(deserializer)? {
            TextOr::Text(text) if text == "none" => Ok(Self::Nothing),
            TextOr::Text(text) => Err(D::Error::custom(format!(
                "start is none or a mapping with process, message, signal or evaluate, and not {text:?}"
            ))),
            TextOr::More(with) => Ok(Self::With(Box::new(with))),
        }
    }
}

impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Answers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer or a list of answers")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Answers, A::Error> {
                let answer = Answer::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Answers::Always(Box::new(answer)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Answers, A::Error> {
                let mut answers = Vec::new();
                while let Some(answer) = seq.next_element()? {
                    answers.push(answer);
                }
                Ok(Answers::InTurn(answers))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}
