//! The verbs on agents and on the record of their runs.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use flowmaster_agents::{Routes, ToolSpec};
use flowmaster_kernel::{
    Catalogue, Ctx, Effect, Page, PageRequest, ResponseFormat, Result, Role, ToolCaller,
};
use flowmaster_prompts::Registry;
use flowmaster_store::Db;
use serde_json::Value;

use super::error::AgentsError;
use super::rules;
use super::store::{self, runs};
use super::types::{
    Agent, AgentPage, AgentSummary, Definition, GetAgent, GetRun, Run, RunPage, Runner, SavedAgent,
    SearchAgents, SearchRuns,
};

/// The agents room.
pub struct Agents {
    pub(super) db: Db,
    pub(super) prompts: Registry,
    pub(super) caller: Arc<dyn ToolCaller>,
    pub(super) routes: Arc<Routes>,
    tools: OnceLock<BTreeMap<String, Tool>>,
}

/// An operation that agents may call.
pub(super) struct Tool {
    /// What a model sees of it.
    pub(super) spec: ToolSpec,
    /// Whether it can be repeated.
    pub(super) effect: Effect,
    /// The scope it needs.
    pub(super) scope: String,
}

impl Agents {
    /// The room on `db`. Agents act through `caller`; `routes` are the models of this server, none
    /// if clients do all the work.
    #[must_use]
    pub fn new(
        db: Db,
        prompts: Registry,
        caller: Arc<dyn ToolCaller>,
        routes: Arc<Routes>,
    ) -> Self {
        Self { db, prompts, caller, routes, tools: OnceLock::new() }
    }

    /// Tells the room which operations there are: those open to the role agent can be tools. The
    /// catalogue is complete only after all rooms are made; only the first call counts.
    pub fn know_tools(&self, catalogue: &Catalogue) {
        self.tools.get_or_init(|| {
            let open = catalogue.iter().filter(|it| it.spec.roles.contains(&Role::Agent));
            open.map(|operation| {
                let name = operation.spec.name.to_owned();
                let spec = ToolSpec {
                    name: name.clone(),
                    description: operation.spec.description.to_owned(),
                    input: Value::clone(&operation.input),
                };
                let (effect, scope) = (operation.spec.effect, operation.spec.scope());
                (name, Tool { spec, effect, scope })
            })
            .collect()
        });
    }

    /// The operation `name`, if an agent may call it.
    pub(super) fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.get()?.get(name)
    }

    /// Saves an agent: a new version if the definition is new.
    ///
    /// # Errors
    /// A definition that could not work: unknown prompt or tool, no model for the server to use.
    pub async fn save(&self, ctx: &Ctx, definition: Definition) -> Result<SavedAgent> {
        let definition = rules::checked(definition)?;
        let prompt = self.prompts.get(ctx, &definition.prompt, definition.prompt_version).await?;
        if let Some(tool) = definition.tools.iter().find(|name| self.tool(name).is_none()) {
            return Err(AgentsError::UnknownTool(tool.clone()).into());
        }
        let route = rules::route(&definition, &prompt.file.front);
        if definition.runner == Runner::Server && !self.routes.has(route) {
            return Err(AgentsError::NoRoute(route.to_owned()).into());
        }
        let hash = rules::hash(&definition);
        let mut tx = self.db.begin(ctx).await?;
        let newest = store::find(&mut tx, &definition.id, None).await?;
        let id = definition.id.clone();
        let known = newest.as_ref().map_or(0, |newest| newest.agent.version);
        if newest.is_some_and(|newest| newest.hash == hash) {
            return tx.commit(SavedAgent { id, version: known, is_new: false }).await;
        }
        let agent = Agent {
            version: known + 1,
            definition,
            author: ctx.principal.id.clone(),
            created_at: ctx.now(),
        };
        store::add(&mut tx, &agent, &hash).await?;
        tx.commit(SavedAgent { id, version: agent.version, is_new: true }).await
    }

    /// Reads an agent.
    ///
    /// # Errors
    /// `agent_not_found`.
    pub async fn get(&self, ctx: &Ctx, params: GetAgent) -> Result<Agent> {
        self.agent(ctx, &params.id, params.version).await
    }

    pub(super) async fn agent(&self, ctx: &Ctx, id: &str, version: Option<i64>) -> Result<Agent> {
        let found = store::find(&mut *self.db.read(ctx).await?, id, version).await?;
        let found = found.ok_or_else(|| AgentsError::UnknownAgent(id.to_owned()))?;
        Ok(found.agent)
    }

    pub(super) async fn search(&self, ctx: &Ctx, params: SearchAgents) -> Result<AgentPage> {
        let page = PageRequest { limit: params.limit, cursor: params.cursor };
        let limit = page.limit()?;
        let after = page.cursor.map(|cursor| cursor.0).unwrap_or_default();
        let mut session = self.db.read(ctx).await?;
        let agents = store::list(&mut session, &after, params.runner, limit + 1).await?;
        let summary = |agent: Agent| AgentSummary {
            version: agent.version,
            id: agent.definition.id,
            name: agent.definition.name,
            runner: agent.definition.runner,
            prompt: agent.definition.prompt,
        };
        let found = agents.into_iter().map(summary).collect();
        Ok(Page::from_overfetched(found, limit, |agent| agent.id.clone()))
    }

    /// Reads a run with its steps.
    ///
    /// # Errors
    /// `run_not_found`.
    pub async fn run(&self, ctx: &Ctx, params: GetRun) -> Result<Run> {
        let mut session = self.db.read(ctx).await?;
        let row = runs::find(&mut session, params.id.as_str()).await?;
        let row = row.ok_or_else(|| AgentsError::UnknownRun(params.id.as_str().to_owned()))?;
        let mut steps: Vec<_> = runs::steps(&mut session, row.id.as_str())
            .await?
            .into_iter()
            .map(|row| row.step)
            .collect();
        if params.response_format == ResponseFormat::Concise {
            steps.iter_mut().for_each(|step| step.payload = Value::Null);
        }
        Ok(Run {
            run: row.summary(),
            output: row.detail.output,
            reason: row.detail.reason,
            error: row.detail.error,
            steps,
        })
    }

    pub(super) async fn search_runs(&self, ctx: &Ctx, params: SearchRuns) -> Result<RunPage> {
        let page = PageRequest { limit: params.limit, cursor: params.cursor };
        let limit = page.limit()?;
        let wanted = runs::Wanted {
            before: page.cursor.as_ref().map(|cursor| cursor.0.as_str()),
            instance: params.instance.as_deref(),
            agent: params.agent.as_deref(),
            state: params.state,
        };
        let mut session = self.db.read(ctx).await?;
        let found = runs::search(&mut session, wanted, limit + 1).await?;
        let found = found.iter().map(runs::RunRow::summary).collect();
        Ok(Page::from_overfetched(found, limit, |run| run.id.as_str().to_owned()))
    }
}
