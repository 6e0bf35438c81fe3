//! Published processes as tools: call one like any other tool and get its result.

use std::sync::Arc;

use flowmaster_kernel::{BoxFuture, Ctx, Effect, Error, Result, Role, Toolset};
use flowmaster_run::execution::Execution;
use flowmaster_run::execution::types::{InstanceSummary, StartProcess};
use flowmaster_run::processes::{Processes, Published};
use serde_json::{Map, Value, json};

use crate::dispatch::{Declaration, Tool};
use crate::ports::ProcessTools;

/// How long a call waits for the result when the caller does not say.
const DEFAULT_WAIT_S: u64 = 10;

/// The processes room as a source of tools.
pub(super) struct PublishedProcesses {
    pub(super) processes: Arc<Processes>,
    pub(super) execution: Arc<Execution>,
}

impl ProcessTools for PublishedProcesses {
    fn tools<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Vec<Tool>>> {
        Box::pin(async move {
            let offered = self.processes.offered_as_tools(ctx).await?;
            Ok(offered.iter().filter_map(|published| self.tool_of(published)).collect())
        })
    }

    fn tool<'a>(&'a self, ctx: &'a Ctx, name: &'a str) -> BoxFuture<'a, Result<Option<Tool>>> {
        Box::pin(async move {
            let offered = self.processes.offered_as(ctx, name).await?;
            Ok(offered.and_then(|published| self.tool_of(&published)))
        })
    }
}

impl PublishedProcesses {
    fn tool_of(&self, published: &Arc<Published>) -> Option<Tool> {
        let process = published.definition.process();
        let contract = &process.contract;
        let name = contract.tool.clone()?;
        let title = process.name.clone().unwrap_or_else(|| published.id.clone());
        let about = contract
            .tool_description
            .clone()
            .or_else(|| process.documentation.clone())
            .unwrap_or_else(|| format!("Use this to run the process {title}."));
        let declaration = Declaration {
            name,
            description: format!(
                "{about} Runs the process {} (version {}) and waits up to wait_s seconds for its \
                 result; when it is not done by then, look with instance_get.",
                published.id, published.version
            ),
            title,
            effect: Effect::Write,
            scope: "execution:write".to_owned(),
            roles: vec![
                Role::Admin,
                Role::Designer,
                Role::Employee,
                Role::Manager,
                Role::Developer,
                Role::Agent,
            ],
            toolset: Toolset::Core,
            input: input_schema(contract.input.as_ref()),
            output: output_schema(contract.output.as_ref()),
        };
        let starting = (Arc::clone(&self.execution), Arc::clone(published));
        let started = (Arc::clone(&self.execution), Arc::clone(published));
        Some(Tool::published(
            declaration,
            move |ctx, arguments| {
                let (execution, published) = (Arc::clone(&starting.0), Arc::clone(&starting.1));
                Box::pin(async move {
                    let params = start_params(&ctx, &published, arguments);
                    answer(execution.start_published(&ctx, &published, params).await?)
                })
            },
            move |ctx, arguments, recorded| {
                let (execution, published) = (Arc::clone(&started.0), Arc::clone(&started.1));
                Box::pin(async move {
                    let params = start_params(&ctx, &published, arguments);
                    let recorded = serde_json::from_value(recorded)
                        .map_err(|error| Error::internal("answer_decoding", error))?;
                    answer(execution.started(&ctx, params, recorded).await?)
                })
            },
        ))
    }
}

/// The process's own input schema, with the common arguments of a start.
fn input_schema(own: Option<&Value>) -> Value {
    let mut schema = own.cloned().unwrap_or_else(|| json!({ "type": "object" }));
    if let Some(object) = schema.as_object_mut() {
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert(
                "business_key".to_owned(),
                json!({ "type": "string", "description": "What the business calls it, e.g. INV-2041." }),
            );
            properties.insert(
                "wait_s".to_owned(),
                json!({
                    "type": "integer", "minimum": 0, "maximum": 25, "default": DEFAULT_WAIT_S,
                    "description": "How many seconds to wait for the result."
                }),
            );
        }
    }
    schema
}

fn output_schema(own: Option<&Value>) -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string", "description": "Id of the instance, for instance_get." },
            "state": { "type": "string", "description": "active, paused, completed, cancelled or failed." },
            "waiting_for": { "type": "array", "items": { "type": "string" }, "description": "What it waits for." },
            "result": own.cloned().unwrap_or_else(|| json!({ "type": "object" })),
            "next": { "type": "string", "description": "How to go on when it is not done." }
        },
        "required": ["id", "state"]
    })
}

fn start_params(ctx: &Ctx, published: &Published, arguments: Value) -> StartProcess {
    // Who can follow the instance need not wait for its end.
    let default_wait_s = if ctx.follows() { 0 } else { DEFAULT_WAIT_S };
    let mut variables = match arguments {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    };
    let business_key =
        variables.remove("business_key").and_then(|key| key.as_str().map(str::to_owned));
    let wait_s = variables.remove("wait_s").and_then(|seconds| seconds.as_u64());
    StartProcess {
        process: published.id.clone(),
        version: Some(published.version),
        variables,
        business_key,
        wait_s: u8::try_from(wait_s.unwrap_or(default_wait_s)).ok(),
    }
}

/// The answer of the tool of a process.
pub(super) fn answer(summary: InstanceSummary) -> Result<Value> {
    let is_open = summary.ended_at.is_none();
    let mut answer = json!({
        "id": summary.id,
        "state": summary.state,
        "waiting_for": summary.waiting_for,
    });
    if let Some(result) = summary.result {
        answer["result"] = Value::Object(result);
    }
    if is_open {
        let next = format!("call instance_get with id {} to see how it goes on", summary.id);
        answer["next"] = Value::String(next);
    }
    serde_json::to_value(answer).map_err(|error| Error::internal("answer_encoding", error))
}
