//! The turn machine: what an agent does next, decided from what came back.
//!
//! Pure: no I/O, no clock (the seconds since the run began come in), no chance. Invariants: a tool
//! runs only when the whole reply that asks for it is sound, its siblings included; the same tool
//! with the same arguments is not called a third time; every call is within the budgets before it
//! is made; what goes to the model has a hard size; an answer that does not fit is sent back at
//! most [`MAX_REPAIRS`] times in a run.

use std::collections::{BTreeMap, VecDeque};

use flowmaster_kernel::{Error, ErrorBody};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::budget::{Exceeded, Ledger};
use crate::contract::{Contract, Finding, listed};
use crate::model::{Finish, Message, RawToolCall, Reply, Request, ToolSpec};
use crate::{Budgets, canonical};

/// How often a run may be asked to answer again.
const MAX_REPAIRS: u32 = 2;
/// The call with the same tool and arguments that is one too many.
const LOOP: u32 = 3;
/// The largest conversation, in bytes.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// The largest answer of a tool that a model gets, in bytes.
const MAX_TOOL_BYTES: usize = 32 * 1024;

/// What an agent is asked to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// The rendered prompt.
    pub messages: Vec<Message>,
    /// The tools it may use.
    pub tools: Vec<ToolSpec>,
    /// JSON Schema of the answer.
    pub output_schema: Option<Value>,
    /// What it may use up.
    pub budgets: Budgets,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Nothing yet: the run begins.
    Begin,
    /// The model replied.
    Reply(Reply),
    /// The call of the model was begun before a crash, and its reply is lost: it counts as used.
    ReplyLost,
    /// The tool answered.
    Tool(ToolOutcome),
}

/// What a tool call came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    /// Its answer.
    Answer(Value),
    /// Its error, or the refusal of a policy: the model may find another way.
    Error(ErrorBody),
}

impl ToolOutcome {
    /// The outcome as a model gets it: one that is too long is cut, and says so.
    #[must_use]
    pub fn capped(self) -> Self {
        let Self::Answer(answer) = &self else { return self };
        let text = answer.to_string();
        if text.len() <= MAX_TOOL_BYTES { self } else { Self::Answer(cut(&text)) }
    }
}

/// A tool call that may be made: known tool, arguments that fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's id of the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Value,
}

/// What to do next. Ordinals count calls and are the same whenever the same run is driven again.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask the model.
    CallModel {
        /// Which step of the run this is.
        ordinal: u32,
        /// What to ask.
        request: Box<Request>,
        /// How many tokens are set aside for it.
        reserved: u64,
    },
    /// Call a tool.
    CallTool {
        /// Which step of the run this is.
        ordinal: u32,
        /// The call.
        call: ToolCall,
    },
    /// Hand in the answer.
    Finish {
        /// Which step of the run this is.
        ordinal: u32,
        /// The answer; it fits the schema.
        output: Map<String, Value>,
    },
    /// Give up.
    Fail(Failure),
}

/// Why a run cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// A budget is used up.
    #[error("the budget {0} of the agent is used up")]
    Budget(Exceeded),
    /// The agent goes round in circles.
    #[error("the agent called {0} again and again with the same arguments")]
    Loop(String),
    /// The model never gave an answer that fits.
    #[error("the model gave no usable answer, though it was asked again: {0}")]
    NoUsableAnswer(String),
    /// The provider kept the answer back.
    #[error("the provider of the model kept the answer back (content filter)")]
    ContentFilter,
    /// The conversation has grown too long.
    #[error("the conversation has more than {MAX_REQUEST_BYTES} bytes")]
    TooLong,
    /// The driver fed something that was not asked for: a defect of ours.
    #[error("the run got {0} out of turn")]
    OutOfTurn(&'static str),
}

impl Failure {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Budget(_) => "budget_exceeded",
            Self::Loop(_) => "agent_loop",
            Self::NoUsableAnswer(_) => "no_usable_answer",
            Self::ContentFilter => "content_filter",
            Self::TooLong => "conversation_too_long",
            Self::OutOfTurn(_) => "out_of_turn",
        }
    }
}

/// A run in memory.
#[derive(Debug)]
pub struct Turn {
    messages: Vec<Message>,
    tools: Vec<ToolSpec>,
    arguments: BTreeMap<String, Contract>,
    output_schema: Option<Value>,
    output: Contract,
    ledger: Ledger,
    calls: BTreeMap<(String, String), u32>,
    queue: VecDeque<ToolCall>,
    repairs: u32,
    ordinal: u32,
    awaits: Awaits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Awaits {
    Begin,
    Reply,
    Tool(String),
    Nothing,
}

impl Turn {
    /// A run of `task`.
    ///
    /// # Errors
    /// A schema that cannot be used.
    pub fn new(task: Task) -> Result<Self, Error> {
        let compiled =
            |tool: &ToolSpec| Ok((tool.name.clone(), Contract::compile(Some(&tool.input))?));
        let mut messages = task.messages;
        if let Some(schema) = &task.output_schema {
            messages.insert(
                0,
                Message::System {
                    content: format!(
                        "Your final answer is one JSON object, without any other text, that fits \
                         this JSON Schema:\n{schema}"
                    ),
                },
            );
        }
        Ok(Self {
            messages,
            arguments: task.tools.iter().map(compiled).collect::<Result<_, Error>>()?,
            tools: task.tools,
            output: Contract::compile(task.output_schema.as_ref())?,
            output_schema: task.output_schema,
            ledger: Ledger::new(task.budgets),
            calls: BTreeMap::new(),
            queue: VecDeque::new(),
            repairs: 0,
            ordinal: 0,
            awaits: Awaits::Begin,
        })
    }

    /// What to do after `input`, `elapsed` seconds into the run.
    pub fn next(&mut self, input: Input, elapsed: u64) -> Action {
        let action = match (self.awaits.clone(), input) {
            (Awaits::Begin, Input::Begin) => self.ask(elapsed),
            (Awaits::Reply, Input::Reply(reply)) => self.replied(reply, elapsed),
            (Awaits::Reply, Input::ReplyLost) => {
                self.ledger.settle(None);
                // The same step once more, so that what is recorded about it stays together.
                self.ordinal = self.ordinal.saturating_sub(1);
                self.ask(elapsed)
            }
            (Awaits::Tool(call), Input::Tool(outcome)) => self.answered(call, &outcome, elapsed),
            (_, Input::Begin) => Err(Failure::OutOfTurn("a beginning")),
            (_, Input::Reply(_) | Input::ReplyLost) => Err(Failure::OutOfTurn("a reply")),
            (_, Input::Tool(_)) => Err(Failure::OutOfTurn("the answer of a tool")),
        };
        action.unwrap_or_else(|failure| {
            self.awaits = Awaits::Nothing;
            Action::Fail(failure)
        })
    }

    fn ask(&mut self, elapsed: u64) -> Result<Action, Failure> {
        let mut request = Request {
            messages: self.messages.clone(),
            tools: self.tools.clone(),
            output_schema: self.output_schema.clone(),
            max_output_tokens: 0,
        };
        let bytes = serde_json::to_vec(&request).map_or(usize::MAX, |text| text.len());
        if bytes > MAX_REQUEST_BYTES {
            return Err(Failure::TooLong);
        }
        let reservation = self.ledger.reserve(bytes, elapsed).map_err(Failure::Budget)?;
        request.max_output_tokens = reservation.output;
        self.awaits = Awaits::Reply;
        Ok(Action::CallModel {
            ordinal: self.step(),
            request: Box::new(request),
            reserved: reservation.tokens,
        })
    }

    fn replied(&mut self, reply: Reply, elapsed: u64) -> Result<Action, Failure> {
        self.ledger.settle(reply.usage.map(|usage| usage.total()));
        match reply.finish {
            Finish::ContentFilter => return Err(Failure::ContentFilter),
            finish if !finish.is_whole() => {
                let problem = match finish {
                    Finish::Length => "it was cut off at the limit of tokens".to_owned(),
                    Finish::Other(reason) => format!("it ended with {reason:?}"),
                    _ => "it ended without saying that it was complete".to_owned(),
                };
                return self.repair(None, &problem, elapsed);
            }
            _ => {}
        }
        if !reply.tool_calls.is_empty() {
            return self.wants_tools(reply.content, reply.tool_calls, elapsed);
        }
        let content = reply.content.unwrap_or_default();
        match self.output.read(&content) {
            Ok(output) => {
                self.awaits = Awaits::Nothing;
                Ok(Action::Finish { ordinal: self.step(), output })
            }
            Err(findings) => {
                let problem = format!("it does not fit the JSON Schema:\n{}", listed(&findings));
                self.repair(Some(content), &problem, elapsed)
            }
        }
    }

    fn wants_tools(
        &mut self,
        content: Option<String>,
        raw: Vec<RawToolCall>,
        elapsed: u64,
    ) -> Result<Action, Failure> {
        let calls = match self.checked(&raw) {
            Ok(calls) => calls,
            Err(findings) => {
                let problem =
                    format!("no tool was called, because a call is wrong:\n{}", listed(&findings));
                return self.repair(None, &problem, elapsed);
            }
        };
        self.ledger.reserve_tools(calls.len(), elapsed).map_err(Failure::Budget)?;
        for call in &calls {
            let seen = self.calls.entry((call.name.clone(), canonical(&call.arguments)));
            let seen = seen.or_default();
            *seen += 1;
            if *seen >= LOOP {
                return Err(Failure::Loop(call.name.clone()));
            }
        }
        self.messages.push(Message::Assistant { content, tool_calls: raw });
        self.queue = calls.into();
        self.proceed(elapsed)
    }

    fn checked(&self, raw: &[RawToolCall]) -> Result<Vec<ToolCall>, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut calls = Vec::new();
        for call in raw {
            let name: String = call.name.chars().take(64).collect();
            let mut wrong = |problem: String| {
                findings.push(Finding { path: name.clone(), problem });
            };
            let Some(contract) = self.arguments.get(&call.name) else {
                wrong(format!("there is no such tool; there are: {}", self.tool_names()));
                continue;
            };
            let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
            match serde_json::from_str::<Value>(text) {
                Err(error) => wrong(format!("the arguments are not JSON: {error}")),
                Ok(arguments) => {
                    for finding in contract.check(&arguments) {
                        wrong(format!("{} {}", finding.path, finding.problem));
                    }
                    calls.push(ToolCall {
                        id: call.id.clone(),
                        name: call.name.clone(),
                        arguments,
                    });
                }
            }
        }
        if findings.is_empty() { Ok(calls) } else { Err(findings) }
    }

    fn tool_names(&self) -> String {
        let names: Vec<&str> = self.arguments.keys().map(String::as_str).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    fn answered(
        &mut self,
        call: String,
        outcome: &ToolOutcome,
        elapsed: u64,
    ) -> Result<Action, Failure> {
        let content = match outcome {
            ToolOutcome::Answer(answer) => answer.to_string(),
            ToolOutcome::Error(error) => json!({ "error": error }).to_string(),
        };
        self.messages.push(Message::Tool { call, content: capped(content) });
        self.proceed(elapsed)
    }

    fn proceed(&mut self, elapsed: u64) -> Result<Action, Failure> {
        let Some(call) = self.queue.pop_front() else { return self.ask(elapsed) };
        self.awaits = Awaits::Tool(call.id.clone());
        Ok(Action::CallTool { ordinal: self.step(), call })
    }

    fn repair(
        &mut self,
        said: Option<String>,
        problem: &str,
        elapsed: u64,
    ) -> Result<Action, Failure> {
        if self.repairs == MAX_REPAIRS {
            return Err(Failure::NoUsableAnswer(problem.to_owned()));
        }
        self.repairs += 1;
        if let Some(content) = said.filter(|content| !content.is_empty()) {
            self.messages.push(Message::Assistant {
                content: Some(capped(content)),
                tool_calls: Vec::new(),
            });
        }
        self.messages.push(Message::User {
            content: format!("Your last answer cannot be used: {problem}\nAnswer again."),
        });
        self.ask(elapsed)
    }

    fn step(&mut self) -> u32 {
        self.ordinal += 1;
        self.ordinal
    }
}

/// Holds `text` at the size a model may get, and says so.
fn capped(text: String) -> String {
    if text.len() <= 2 * MAX_TOOL_BYTES { text } else { cut(&text).to_string() }
}

/// The beginning of a text that is too long.
fn cut(text: &str) -> Value {
    let mut end = MAX_TOOL_BYTES / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let beginning = text.get(..end).unwrap_or_default();
    let note = "the answer was too long; ask for less";
    json!({ "truncated": note, "bytes": text.len(), "beginning": beginning })
}

#[cfg(test)]
mod tests;
