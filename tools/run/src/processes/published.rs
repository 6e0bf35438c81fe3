//! Published versions, compiled and kept at hand: what runs.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_engine::{Definition, StartTrigger, start_triggers};
use flowmaster_kernel::{Ctx, Result, TenantId, Timestamp};
use flowmaster_mind::rules::types::RulePin;
use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::error::ProcessError;
use super::service::{Processes, off_thread};
use super::{load, store};

/// How many compiled versions are kept at hand.
const COMPILED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(511);
/// Of how many processes the active version is kept at hand.
const ACTIVE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4_095);
/// How long the active version is trusted without another look: bounds what a publication on
/// another node can be late by.
const TRUSTED_MILLIS: i64 = 2_000;
/// How many problems with start variables are told at once.
const PROBLEMS: usize = 10;

/// A published version, ready to run.
pub struct Published {
    /// BPMN id.
    pub id: String,
    /// Number of the version.
    pub version: i64,
    /// SHA-256 of the model, in hexadecimal.
    pub hash: String,
    /// What the engine runs.
    pub definition: Arc<Definition>,
    /// The DMN files that it is pinned to, in their order.
    rules: Vec<RulePin>,
    input: Option<Validator>,
}

impl Published {
    /// The version of the DMN file that holds a decision.
    #[must_use]
    pub fn rule_of(&self, decision: &str) -> Option<&RulePin> {
        self.rules.get(self.definition.decisions().file_of(decision)?)
    }

    /// Checks start variables against the contract of the process and gives them back.
    pub(crate) fn check_input(
        &self,
        variables: Map<String, Value>,
    ) -> Result<Map<String, Value>, Vec<String>> {
        let Some(validator) = &self.input else { return Ok(variables) };
        let variables = Value::Object(variables);
        let problems: Vec<String> = validator
            .iter_errors(&variables)
            .take(PROBLEMS)
            .map(|error| match error.instance_path().as_str() {
                "" => error.to_string(),
                path => format!("{path}: {error}"),
            })
            .collect();
        match variables {
            Value::Object(variables) if problems.is_empty() => Ok(variables),
            _ => Err(problems),
        }
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

type Versions = lru::LruCache<(TenantId, String, i64), Arc<Published>>;
type Active = lru::LruCache<(TenantId, String), (i64, Timestamp)>;

/// What is kept at hand.
pub(super) struct Shelf {
    compiled: Mutex<Versions>,
    active: Mutex<Active>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            compiled: Mutex::new(lru::LruCache::new(COMPILED)),
            active: Mutex::new(lru::LruCache::new(ACTIVE)),
        }
    }
}

impl Shelf {
    /// Notes which version is active as of now. A slow reader does not bring back an older one.
    pub(super) fn activate(&self, ctx: &Ctx, id: &str, version: i64) {
        let key = (ctx.tenant.clone(), id.to_owned());
        let mut active = self.active.lock();
        if active.peek(&key).is_none_or(|(known, _)| *known <= version) {
            active.put(key, (version, ctx.now()));
        }
    }

    fn active(&self, ctx: &Ctx, id: &str) -> Option<i64> {
        let now = ctx.now();
        let mut active = self.active.lock();
        let (version, read_at) = *active.get(&(ctx.tenant.clone(), id.to_owned()))?;
        (read_at..read_at.plus_millis(TRUSTED_MILLIS)).contains(&now).then_some(version)
    }
}

impl Processes {
    /// A published version, compiled: the one with that number, or the active one.
    ///
    /// # Errors
    /// `process_not_found`, or `process_not_published` while there is only a draft.
    pub async fn published(
        &self,
        ctx: &Ctx,
        id: &str,
        version: Option<i64>,
    ) -> Result<Arc<Published>> {
        let version = match version {
            Some(version) => version,
            None => self.active_version(ctx, id).await?,
        };
        let key = (ctx.tenant.clone(), id.to_owned(), version);
        if let Some(published) = self.shelf.compiled.lock().get(&key) {
            return Ok(Arc::clone(published));
        }
        let row = store::version(&mut *self.db.read(ctx).await?, id, version).await?;
        let row = row.ok_or_else(|| ProcessError::NoVersion { id: id.to_owned(), version })?;
        let decisions = self.rules.pinned(ctx, &row.rules).await?;
        let wanted = id.to_owned();
        let process = off_thread(move || load::from_xml(&row.xml, &wanted)).await??.process;
        // A schema that is none keeps a process from being published.
        let input = process.contract.input.as_ref().map(jsonschema::validator_for).transpose();
        // The order in which they are compiled.
        let rules: BTreeSet<RulePin> = row.rules.into_iter().collect();
        let published = Arc::new(Published {
            id: id.to_owned(),
            version,
            rules: rules.into_iter().collect(),
            hash: row.hash,
            input: input.map_err(|error| ProcessError::InputSchema(error.to_string()))?,
            definition: Arc::new(Definition::new(process, decisions)),
        });
        self.shelf.compiled.lock().put(key, Arc::clone(&published));
        Ok(published)
    }

    async fn active_version(&self, ctx: &Ctx, id: &str) -> Result<i64> {
        if let Some(version) = self.shelf.active(ctx, id) {
            return Ok(version);
        }
        let found = store::active(&mut *self.db.read(ctx).await?, id).await?;
        let active = found.ok_or_else(|| ProcessError::NotFound(id.to_owned()))?;
        let version = active.ok_or_else(|| ProcessError::NotPublished(id.to_owned()))?;
        self.shelf.activate(ctx, id, version);
        Ok(version)
    }

    /// The processes that are offered as tools, by tool name, at most 200.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn offered_as_tools(&self, ctx: &Ctx) -> Result<Vec<Arc<Published>>> {
        let tools = store::tools(&mut *self.db.read(ctx).await?).await?;
        let mut offered = Vec::with_capacity(tools.len());
        for (id, version) in tools {
            offered.push(self.published(ctx, &id, Some(version)).await?);
        }
        Ok(offered)
    }

    /// The process that is offered as the tool `name`.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn offered_as(&self, ctx: &Ctx, name: &str) -> Result<Option<Arc<Published>>> {
        let found = store::by_tool(&mut *self.db.read(ctx).await?, name).await?;
        match found {
            Some((id, Some(version))) => self.published(ctx, &id, Some(version)).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Process id and start event of everything that begins by the message `name`.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn begun_by_message(&self, ctx: &Ctx, name: &str) -> Result<Vec<(String, String)>> {
        store::starts(&mut *self.db.read(ctx).await?, "message", name).await
    }

    /// Process id and start event of everything that begins by the signal `name`.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn begun_by_signal(&self, ctx: &Ctx, name: &str) -> Result<Vec<(String, String)>> {
        store::starts(&mut *self.db.read(ctx).await?, "signal", name).await
    }

    /// Process id and start event of everything that begins by a condition.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn begun_by_condition(&self, ctx: &Ctx) -> Result<Vec<(String, String)>> {
        store::starts(&mut *self.db.read(ctx).await?, "condition", "").await
    }

    /// The same for the process `id`.
    ///
    /// # Errors
    /// `process_not_found`, or `process_not_published` while there is only a draft.
    pub async fn begun_by_condition_of(
        &self,
        ctx: &Ctx,
        id: &str,
    ) -> Result<Vec<(String, String)>> {
        let published = self.published(ctx, id, None).await?;
        let triggers = start_triggers(published.definition.process(), ctx.now());
        let by_condition = triggers.into_iter().filter(|(_, by)| *by == StartTrigger::Condition);
        Ok(by_condition.map(|(event, _)| (id.to_owned(), event.to_string())).collect())
    }
}
