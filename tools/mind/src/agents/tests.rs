//! The room on a real store. A small desk stands for the dispatcher and the processes behind it:
//! it takes jobs off the store under their epoch, honours idempotency keys, and remembers who
//! called what.

mod archiving;
mod by_client;
mod by_server;
mod defining;
mod in_process;
mod plans;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use flowmaster_agents::testing::ScriptedModel;
use flowmaster_agents::{OpenAi, Routes};
use flowmaster_kernel::{
    BoxFuture, Catalogue, Ctx, Effect, Error, ErrorKind, ManualClock, Operation, Principal,
    PrincipalKind, Result, Role, SequenceIds, Spec, TenantId, Timestamp, ToolCaller, Toolset,
};
use flowmaster_prompts::Registry;
use flowmaster_store::{Db, WriteSet, jobs};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::types::*;
use super::*;

const PROMPT: &str = "---
id: demo/total
description: Adds up.
input:
  schema:
    type: object
    required: [text]
    properties: { text: { type: string } }
output:
  schema:
    type: object
    required: [total]
    additionalProperties: false
    properties: { total: { type: number }, confidence: { type: number } }
---
## system
Add up.
## user
{{ text }}
";

/// A call that arrived at the desk.
#[derive(Clone, Debug, PartialEq)]
struct Called {
    by: Arc<Principal>,
    scopes: Vec<String>,
    operation: String,
    arguments: Value,
}

#[derive(Default)]
struct DeskState {
    calls: Vec<Called>,
    answers: BTreeMap<String, Value>,
    failures: BTreeMap<String, VecDeque<Error>>,
    /// The operation in which the next call stays for ever.
    trap: Option<String>,
    /// The operation of which the next call happens and its answer is lost.
    loses_answer: Option<String>,
    completed: Vec<Value>,
}

struct Desk {
    db: Db,
    state: Mutex<DeskState>,
    trapped: Notify,
}

impl Desk {
    fn calls(&self, operation: &str) -> Vec<Called> {
        let state = self.state.lock();
        state.calls.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    fn fails(&self, operation: &str, error: Error) {
        self.state.lock().failures.entry(operation.to_owned()).or_default().push_back(error);
    }

    async fn run(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Result<Value> {
        let is_trap = {
            let mut state = self.state.lock();
            state.calls.push(Called {
                by: Arc::clone(&ctx.principal),
                scopes: ctx.scopes.iter().map(str::to_owned).collect(),
                operation: operation.to_owned(),
                arguments: arguments.clone(),
            });
            let key = ctx.idempotency.as_ref().map(|call| call.key.clone()).unwrap_or_default();
            if let Some(answer) = state.answers.get(&key) {
                return Ok(answer.clone());
            }
            if let Some(error) = state.failures.get_mut(operation).and_then(VecDeque::pop_front) {
                return Err(error);
            }
            state.trap.take_if(|trap| trap == operation).is_some()
        };
        if is_trap {
            self.trapped.notify_one();
            std::future::pending::<()>().await;
        }
        let answer = match operation {
            "job_complete" => self.complete(ctx, &arguments).await?,
            "job_fail" => self.fail(ctx, &arguments).await?,
            "job_authorize" => json!({ "allowed": true }),
            "price_get" => json!({ "price": 5 }),
            "order_create" => json!({ "order": "o-1" }),
            other => return Err(Error::not_found("operation", other)),
        };
        let mut state = self.state.lock();
        if let Some(call) = &ctx.idempotency {
            state.answers.insert(call.key.clone(), answer.clone());
        }
        if state.loses_answer.take_if(|lost| lost == operation).is_some() {
            return Err(Error::new(ErrorKind::Unavailable, "not_serving", "the answer is lost"));
        }
        Ok(answer)
    }

    async fn complete(&self, ctx: &Ctx, arguments: &Value) -> Result<Value> {
        let mut writes = WriteSet::new();
        let epoch = arguments["epoch"].as_i64().unwrap();
        jobs::close(&mut writes, arguments["id"].as_str().unwrap(), epoch);
        self.db.submit(ctx, writes).await?;
        self.state.lock().completed.push(arguments["variables"].clone());
        Ok(json!({ "id": "ins_1", "state": "active" }))
    }

    async fn fail(&self, ctx: &Ctx, arguments: &Value) -> Result<Value> {
        let (id, epoch) = (arguments["id"].as_str().unwrap(), arguments["epoch"].as_i64().unwrap());
        let job = jobs::find(&mut *self.db.read(ctx).await?, id).await?;
        let left = job.map_or(0, |job| job.retries - 1);
        let mut writes = WriteSet::new();
        if arguments.get("error_code").is_some() {
            jobs::close(&mut writes, id, epoch);
        } else {
            let left = arguments["retries"].as_i64().unwrap_or(left);
            jobs::release(&mut writes, id, epoch, left, ctx.now());
        }
        self.db.submit(ctx, writes).await?;
        Ok(json!({ "id": "ins_1", "state": "active" }))
    }
}

impl ToolCaller for Desk {
    fn call<'a>(
        &'a self,
        ctx: &'a Ctx,
        operation: &'a str,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Value>> {
        Box::pin(self.run(ctx, operation, arguments))
    }
}

struct Room {
    agents: Arc<Agents>,
    catalogue: Catalogue,
    desk: Arc<Desk>,
    clock: Arc<ManualClock>,
    ctx: Ctx,
}

impl Room {
    /// A room whose server agents use `model`, if there is one.
    async fn with(model: Option<&ScriptedModel>) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000)));
        let db = Db::temporary(clock.clone()).await;
        db.migrate(&[MIGRATIONS, flowmaster_prompts::MIGRATIONS]).await.unwrap();
        let desk =
            Arc::new(Desk { db: db.clone(), state: Mutex::default(), trapped: Notify::new() });
        let mut routes = Routes::default();
        if let Some(model) = model {
            let endpoint = flowmaster_agents::Endpoint { max_retries: 0, ..model.endpoint() };
            routes.add("default", OpenAi::new(endpoint).unwrap());
        }
        let registry = Registry::new(db.clone());
        let agents = Arc::new(Agents::new(db, registry, desk.clone(), Arc::new(routes)));
        let mut catalogue = Catalogue::default();
        catalogue.add(operations(&agents)).unwrap();
        let mut tools = Catalogue::default();
        tools
            .add(vec![
                tool("price_get", Effect::Read, &[Role::Agent]),
                tool("order_create", Effect::Write, &[Role::Agent]),
                tool("user_save", Effect::Write, &[Role::Admin]),
            ])
            .unwrap();
        agents.know_tools(&tools);
        let ctx = Ctx::unrestricted(
            TenantId::from_text("ten_a"),
            Principal::new("anna", PrincipalKind::Person, &[Role::Employee], &[]),
            clock.clone(),
            Arc::new(SequenceIds::default()),
        );
        agents.prompts.save(&ctx, PROMPT).await.unwrap();
        Self { agents, catalogue, desk, clock, ctx }
    }

    async fn new() -> Self {
        Self::with(None).await
    }

    /// The same room as somebody else sees it.
    fn as_principal(&self, principal: Principal) -> Ctx {
        Ctx { principal: Arc::new(principal), ..self.ctx.clone() }
    }

    /// Calls an operation with JSON, as every client does.
    async fn call(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Result<Value> {
        self.catalogue.get(operation).unwrap().call(ctx.clone(), arguments).await
    }

    async fn answer(&self, operation: &str, arguments: Value) -> Value {
        self.call(&self.ctx, operation, arguments).await.unwrap()
    }

    /// Saves the agent `adder` with `more`.
    async fn agent(&self, more: Value) {
        let mut definition = json!({
            "id": "adder", "persona": "You are exact.", "prompt": "demo/total",
            "groups": ["clerks"], "manager": "anna"
        });
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.answer("agent_save", definition).await;
    }

    /// Has a process ask the agent `adder`.
    async fn job(&self, id: &str, variables: Value) {
        self.job_of("adder", id, variables).await;
    }

    /// Has a process ask an agent.
    async fn job_of(&self, agent: &str, id: &str, variables: Value) {
        let payload = json!({
            "element": "add", "name": "Add", "documentation": "Adds up.",
            "headers": { "urgent": "yes" }, "variables": variables, "agent": agent
        });
        self.job_with(agent, id, payload).await;
    }

    async fn job_with(&self, agent: &str, id: &str, payload: Value) {
        let job = jobs::NewJob {
            id,
            kind: "agent",
            job_type: agent,
            instance: "ins_1",
            element: "add",
            priority: 0,
            retries: 3,
            due_at: self.ctx.now(),
            created_at: self.ctx.now(),
            is_paused: false,
            payload: &payload,
        };
        let mut writes = WriteSet::new();
        jobs::insert(&mut writes, &job);
        self.desk.db.submit(&self.ctx, writes).await.unwrap();
    }

    async fn stored_job(&self, id: &str) -> Option<jobs::Job> {
        jobs::find(&mut self.desk.db.read(&self.ctx).await.unwrap(), id).await.unwrap()
    }

    /// The newest run, in detail.
    async fn run(&self) -> Run {
        let found = self.answer("run_search", json!({ "instance": "ins_1" })).await;
        let id = found["items"][0]["id"].as_str().unwrap();
        let run = self.answer("run_get", json!({ "id": id, "response_format": "detailed" })).await;
        serde_json::from_value(run).unwrap()
    }

    async fn kinds(&self) -> Vec<StepKind> {
        self.run().await.steps.iter().map(|step| step.kind).collect()
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    #[serde(rename = "item")]
    _item: String,
}

fn tool(name: &'static str, effect: Effect, roles: &'static [Role]) -> Operation {
    let spec = Spec {
        name,
        title: name,
        description: "Use this in a test.",
        effect,
        area: "shop",
        roles,
        toolset: Toolset::Core,
    };
    Operation::new(spec, &Arc::new(()), |_, _, _: Item| async { Ok::<_, Error>(json!({})) })
}

fn refusal() -> Error {
    Error::new(ErrorKind::Forbidden, "governance_refused", "no mandate covers it")
        .next("instance_timeline")
}
