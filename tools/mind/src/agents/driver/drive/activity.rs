//! Tools in the process: the elements of the ad-hoc sub-process that the agent performs.
//!
//! A call lets the element begin and ends the run, because it may take a person days. When the
//! element is over the process asks again, and a new run goes on from the record of this one. So
//! calls of one reply are made one after the other.

use flowmaster_agents::{Input, ToolCall, ToolOutcome, ToolSpec, step_key};
use flowmaster_kernel::Result;
use flowmaster_store::STALE_LEASE;
use serde_json::{Map, Value, json};

use super::{Drive, Next, Stop, interrupted, stored};
use crate::agents::driver::recorded::KnownTool;
use crate::agents::record::{self, Lease};
use crate::agents::store::runs::NewStep;
use crate::agents::types::{Activate, Activity, RunState, StepKind};
use crate::agents::work::{Answer, REFUSED};

/// The code of the engine for an element that cannot begin.
const NOT_SELECTABLE: &str = "not_selectable";

/// How a model is told of the tools.
pub(super) fn specs(activities: &[Activity]) -> impl Iterator<Item = ToolSpec> {
    activities.iter().map(|activity| {
        let said = activity.documentation.as_ref().or(activity.name.as_ref());
        ToolSpec {
            name: activity.id.clone(),
            description: said.unwrap_or(&activity.id).clone(),
            input: json!({ "type": "object", "additionalProperties": true }),
        }
    })
}

impl Drive<'_> {
    pub(super) async fn activity(&mut self, ordinal: u32, call: &ToolCall) -> Result<Next> {
        let first = self.run.detail.continues.first().unwrap_or(&self.run.id);
        let key = step_key(first.as_str(), ordinal, &call.name, &call.arguments);
        let step = |kind, payload| NewStep {
            tool: Some(call.name.clone()),
            key: Some(key.clone()),
            ..NewStep::new(kind, ordinal, payload)
        };
        match self.recorded.take_tool(ordinal) {
            KnownTool::Result(outcome) => return Ok(Next::Feed(Input::Tool(outcome))),
            KnownTool::Begun if self.answered == Some(i64::from(ordinal)) => {
                let outcome = ToolOutcome::Answer(self.given()).capped();
                self.record(step(StepKind::ToolResult, stored(&outcome))).await?;
                return Ok(Next::Feed(Input::Tool(outcome)));
            }
            // The job is still there, so the process knows nothing of it.
            KnownTool::Begun => {}
            KnownTool::Nothing => {
                let intent = json!({ "arguments": call.arguments });
                self.record(step(StepKind::ToolIntent, intent)).await?;
            }
        }
        let variables = call.arguments.as_object().cloned().unwrap_or_default();
        let activate = Activate { id: call.name.clone(), variables, call: Some(key.clone()) };
        let answer = Answer {
            ordinal,
            output: Map::new(),
            activate: vec![activate],
            confidence: None,
            reason: None,
        };
        match self.agents.hand_in(&self.ctx, &self.actor, &mut self.run, &self.agent, answer).await
        {
            Ok(_instance) => {
                self.run.state = RunState::Completed;
                let step = NewStep::new(StepKind::Completed, ordinal, Value::Null);
                let (db, run) = (&self.agents.db, &mut self.run);
                record::write(db, &self.ctx, run, step, Lease::Over).await?;
                Ok(Next::Stop(Stop::HandedOver))
            }
            Err(error) if matches!(error.code(), REFUSED | NOT_SELECTABLE) => {
                self.run.state = RunState::Open;
                let outcome = ToolOutcome::Error(error.body().clone());
                self.record(step(StepKind::ToolResult, stored(&outcome))).await?;
                Ok(Next::Feed(Input::Tool(outcome)))
            }
            Err(error) if error.code() == STALE_LEASE => Err(error),
            Err(error) => Ok(Next::Stop(interrupted(error))),
        }
    }

    /// What the tool gave; a list where its path had several ends.
    fn given(&self) -> Value {
        let mut results = self.context.results.iter().map(|it| Value::Object(it.result.clone()));
        match (results.next(), results.next()) {
            (None, _) => json!({}),
            (Some(only), None) => only,
            (Some(first), Some(second)) => [first, second].into_iter().chain(results).collect(),
        }
    }
}
