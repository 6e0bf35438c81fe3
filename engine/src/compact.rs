//! The compact JSON form of a process: what models and programs write instead of BPMN XML.
//!
//! One entry an element, flows as `next`. Everything that the engine executes can be said in it,
//! and a process read from XML can be given back in it; the diagram is laid out anew.

mod ad_hoc;
mod from_process;
mod lane;
mod policy;
mod repetition;
mod to_process;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use ad_hoc::CompactAdHoc;
pub use lane::CompactLane;
pub use policy::{CompactOtherwise, CompactPolicy, CompactRule};
pub use repetition::{CompactBehavior, CompactComplexBehavior, CompactForEach, CompactLoop};

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompactProcess {
    /// BPMN id, e.g. `invoice-approval`.
    pub id: String,
    /// Human name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the process is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// JSON Schema of the start variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// JSON Schema of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The variables that are the result; all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub result: Vec<String>,
    /// Offers the published process as a tool of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// When to use the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_to_use: Option<String>,
    /// Policies on the whole process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<CompactPolicy>,
    /// Lanes that elements name in `lane`; needed only for a lane with another group than its name,
    /// or inside another lane.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<CompactLane>,
    /// The elements, in any order.
    pub elements: Vec<CompactElement>,
}

/// An event, activity or gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompactElement {
    /// Id, unique in the process.
    pub id: String,
    /// BPMN element: startEvent, endEvent, intermediateCatchEvent, intermediateThrowEvent,
    /// boundaryEvent, task, userTask, serviceTask, agentTask, receiveTask, sendTask, scriptTask,
    /// businessRuleTask, exclusiveGateway, parallelGateway, inclusiveGateway, eventBasedGateway,
    /// complexGateway, subProcess, eventSubProcess, adHocSubProcess, transaction, callActivity.
    #[serde(rename = "type")]
    pub kind: String,
    /// Human name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What happens here; read by people and agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// Where the flow goes: an id, or a list of ids and conditional targets.
    #[serde(default, skip_serializing_if = "Next::is_empty")]
    pub next: Next,
    /// The elements inside a sub-process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Self>,
    /// boundaryEvent: the activity it is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_to: Option<String>,
    /// boundaryEvent with compensation: the activity that undoes the one it is attached to. That
    /// activity lies in the same scope and has no flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// boundaryEvent and start of an eventSubProcess: false lets the activity go on. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupting: Option<bool>,
    /// Events: what they wait for or throw. receiveTask and sendTask: their message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<CompactEvent>,
    /// Instead of `event`, several: a throwing event throws all of them, a catching one waits for the
    /// first of them, or for all with `parallel`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<CompactEvent>,
    /// Events that catch several: true waits for all of them. eventBasedGateway that instantiates: true
    /// takes the path of every event. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parallel: bool,
    /// receiveTask and eventBasedGateway without incoming flows: true lets their events start the
    /// process. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instantiate: bool,
    /// serviceTask: what workers ask for. FEEL when it begins with `=`. sendTask, and
    /// intermediateThrowEvent and endEvent with a message: a worker sends it, and the process goes on
    /// when it did. adHocSubProcess: who is asked what begins in it, at first and whenever all that was
    /// activated is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Where there is a `job` or an `agent`: how often it may be tried. Default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<String>,
    /// Where there is a `job` or an `agent`: of several jobs the one with the higher number is handed
    /// out first. Default 0. FEEL when it begins with `=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// agentTask: id of the agent. adHocSubProcess: the agent that performs it; the elements in it
    /// that no `next` leads to are its tools, and their ids and documentation say what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// scriptTask: the FEEL expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// businessRuleTask: id of the DMN decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// scriptTask and businessRuleTask: the variable that gets the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// callActivity: id of the called process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// callActivity: whether all variables go in, besides `inputs`. Default: where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagate_in: Option<bool>,
    /// callActivity: whether all results come back, besides `outputs`. Default: where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagate_out: Option<bool>,
    /// userTask: who does it and with which form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<CompactAssignment>,
    /// Variables made before the activity starts: target to FEEL (beginning with `=`) or text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// Variables taken when it ends: target to FEEL (beginning with `=`) or text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// Repeats the activity for each item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<CompactForEach>,
    /// Repeats the activity as long as a condition holds.
    #[serde(default, rename = "loop", skip_serializing_if = "Option::is_none")]
    pub standard_loop: Option<CompactLoop>,
    /// Activities: how many tokens it takes to begin, whichever flows they come on. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_quantity: Option<u32>,
    /// Activities: how many tokens leave on each flow. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_quantity: Option<u32>,
    /// Activities: a name; of those that have the same one only one runs at a time in an instance,
    /// and tokens wait for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_section: Option<String>,
    /// Activities and events: ids of elements in the same scope that are cancelled when it completes,
    /// with the tokens that wait before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancellation_set: Vec<String>,
    /// boundaryEvent on an activity with forEach: true completes the activity with the results there
    /// are; the flow goes on behind the activity, and behind the event if it has a `next`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub completes_activity: bool,
    /// complexGateway: FEEL that says when the tokens that arrived are enough, e.g.
    /// `activationCount >= 2`. The conditions behind it also see `waitingForStart`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
    /// adHocSubProcess: what begins, in which order, and when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_hoc: Option<CompactAdHoc>,
    /// Policies on this element.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<CompactPolicy>,
    /// The lane it lies in. A userTask without an assignment is done by the group of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Fixed texts for workers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Where the flow goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Next {
    /// To one element.
    One(String),
    /// To several.
    Many(Vec<Target>),
}

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Target {
    /// Always.
    Plain(String),
    /// Under a condition, or when no condition holds.
    Conditional(ConditionalTarget),
}

/// A way under a condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ConditionalTarget {
    /// Id of the next element.
    pub to: String,
    /// FEEL condition, e.g. `amount >= 1000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Taken when no condition holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// Name shown on the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What an event waits for or throws; exactly one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub enum CompactEvent {
    /// A message by name, with the FEEL of its correlation key.
    Message {
        /// The message's name.
        name: String,
        /// FEEL over the instance's variables; not needed at the start of a process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation: Option<String>,
        /// Instead of `correlation`: true recognises it by the business key of the instance, and a
        /// thrown message carries it. An instance that it starts gets that business key.
        #[serde(default, rename = "businessKey", skip_serializing_if = "std::ops::Not::not")]
        business_key: bool,
    },
    /// ISO 8601 duration, e.g. `PT2H`, or FEEL.
    Duration(String),
    /// ISO 8601 moment, or FEEL.
    Date(String),
    /// ISO 8601 repetition, e.g. `R3/PT10M`, or FEEL.
    Cycle(String),
    /// A BPMN error by code; an empty code catches every error.
    Error(String),
    /// A signal by name.
    Signal(String),
    /// An escalation by code; an empty code catches every escalation.
    Escalation(String),
    /// Ends everything in the scope: `true`.
    Terminate(bool),
    /// A condition that becomes true: FEEL, e.g. `temperature > 40`. For intermediateCatchEvent,
    /// boundaryEvent and the start of an eventSubProcess; looked at when variables change.
    Condition(String),
    /// A link by name: an intermediateThrowEvent goes on at the intermediateCatchEvent of the same
    /// name in the same scope, without a `next`.
    Link(String),
    /// Undoes completed activities, the latest first. On a boundaryEvent with a `handler`, or at the
    /// start of an eventSubProcess: how the activity is undone.
    Compensation {
        /// The activity to undo; all that completed in the scope when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activity: Option<String>,
        /// false lets the thrower go on at once. Default true.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait: Option<bool>,
    },
    /// endEvent directly in a transaction: undoes what was done in it and leaves by its
    /// boundaryEvent with `cancel`: `true`.
    Cancel(bool),
}

/// Who does a user task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactAssignment {
    /// The person, when fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Groups, comma-separated, or FEEL that gives a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
    /// Persons, comma-separated, or FEEL that gives a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<String>,
    /// ISO 8601 moment or duration, or FEEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// JSON Schema of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
}

impl CompactElement {
    fn passes_all_in(&self) -> bool {
        self.propagate_in.unwrap_or(self.inputs.is_empty())
    }

    fn passes_all_out(&self) -> bool {
        self.propagate_out.unwrap_or(self.outputs.is_empty())
    }
}

impl Default for Next {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Next {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Many(targets) if targets.is_empty())
    }

    fn targets(&self) -> Vec<ConditionalTarget> {
        let plain =
            |to: &String| ConditionalTarget { to: to.clone(), ..ConditionalTarget::default() };
        match self {
            Self::One(to) => vec![plain(to)],
            Self::Many(targets) => targets
                .iter()
                .map(|target| match target {
                    Target::Plain(to) => plain(to),
                    Target::Conditional(target) => target.clone(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
