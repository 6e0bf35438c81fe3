//! What a run has done already, by the number of the call.

use std::collections::BTreeMap;

use flowmaster_agents::{Reply, ToolOutcome};
use flowmaster_kernel::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::agents::store::runs::StepRow;
use crate::agents::types::StepKind;

/// The calls of a run.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    models: BTreeMap<i64, ModelCalls>,
    tools: BTreeMap<i64, ToolCalls>,
}

#[derive(Debug, Default)]
struct ModelCalls {
    /// Begun, and neither replied nor failed: whoever began them died.
    lost: u32,
    reply: Option<(Option<String>, Reply)>,
}

#[derive(Debug, Default)]
struct ToolCalls {
    was_begun: bool,
    result: Option<ToolOutcome>,
}

/// What is known of a call of a model.
#[derive(Debug, PartialEq)]
pub(super) enum KnownModel {
    /// Nothing: it has to be made.
    Nothing,
    /// It was begun once more than it ended.
    Lost,
    /// The reply to this very request.
    Reply(Reply),
    /// The reply to another request: the record does not belong to what is done now.
    Diverged,
}

/// What is known of a call of a tool.
#[derive(Debug, PartialEq)]
pub(super) enum KnownTool {
    /// Nothing: it has to be made.
    Nothing,
    /// It was begun, and nobody knows whether it happened.
    Begun,
    /// What it came to.
    Result(ToolOutcome),
}

impl Recorded {
    /// Sorts the steps of a run by call.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub(super) fn read(steps: &[StepRow]) -> Result<Self> {
        let mut recorded = Self::default();
        for row in steps {
            let step = &row.step;
            match step.kind {
                StepKind::ModelIntent => recorded.model(step.ordinal).lost += 1,
                StepKind::ModelFailed => {
                    let calls = recorded.model(step.ordinal);
                    calls.lost = calls.lost.saturating_sub(1);
                }
                StepKind::ModelReply => {
                    let reply = parsed(&step.payload)?;
                    let calls = recorded.model(step.ordinal);
                    calls.lost = calls.lost.saturating_sub(1);
                    calls.reply = Some((row.request_hash.clone(), reply));
                }
                StepKind::ToolIntent => recorded.tool(step.ordinal).was_begun = true,
                StepKind::ToolResult => {
                    recorded.tool(step.ordinal).result = Some(parsed(&step.payload)?);
                }
                _ => {}
            }
        }
        Ok(recorded)
    }

    fn model(&mut self, ordinal: i64) -> &mut ModelCalls {
        self.models.entry(ordinal).or_default()
    }

    fn tool(&mut self, ordinal: i64) -> &mut ToolCalls {
        self.tools.entry(ordinal).or_default()
    }

    /// Takes what is known of the call of a model with this number, one thing at a time.
    pub(super) fn take_model(&mut self, ordinal: u32, request_hash: &str) -> KnownModel {
        let Some(calls) = self.models.get_mut(&i64::from(ordinal)) else {
            return KnownModel::Nothing;
        };
        if calls.lost > 0 {
            calls.lost -= 1;
            return KnownModel::Lost;
        }
        match calls.reply.take() {
            None => KnownModel::Nothing,
            Some((hash, reply)) if hash.as_deref() == Some(request_hash) => {
                KnownModel::Reply(reply)
            }
            Some(_) => KnownModel::Diverged,
        }
    }

    /// Takes what is known of the call of a tool with this number.
    pub(super) fn take_tool(&mut self, ordinal: u32) -> KnownTool {
        match self.tools.remove(&i64::from(ordinal)) {
            Some(ToolCalls { result: Some(result), .. }) => KnownTool::Result(result),
            Some(ToolCalls { was_begun: true, .. }) => KnownTool::Begun,
            Some(_) | None => KnownTool::Nothing,
        }
    }
}

fn parsed<T: DeserializeOwned>(payload: &Value) -> Result<T> {
    serde_json::from_value(payload.clone())
        .map_err(|error| Error::internal("recorded_step_unreadable", error))
}
