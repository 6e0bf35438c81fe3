//! The verbs of the rules room: what is kept here, what is worked out in [`working`].

mod working;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_engine::dmn::{DecisionError, Decisions};
use flowmaster_kernel::{Ctx, Error, Page, ResponseFormat, Result, TenantId};
use flowmaster_store::{Db, Session};
use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::error::RuleError;
use super::tables::Content;
use super::types::{
    EvaluateRule, FoundRules, GetRule, Rule, RuleInfo, RulePin, SaveRule, SavedRule, SearchRules,
};
use super::{dmn, store};

/// How many compiled sets of pins are remembered.
const COMPILED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127);
/// The versions a set of decisions was compiled from, of one tenant.
type CompiledFrom = (TenantId, Vec<RulePin>);

/// The rules room.
pub struct Rules {
    db: Db,
    compiled: Mutex<LruCache<CompiledFrom, Arc<Decisions>>>,
    evaluations: Arc<Semaphore>,
}

impl Rules {
    /// The room on `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self {
            db,
            compiled: Mutex::new(LruCache::new(COMPILED)),
            evaluations: Arc::new(Semaphore::new(working::PLACES)),
        }
    }

    /// The ids of all decisions that a process can use now.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn decision_ids(&self, ctx: &Ctx) -> Result<BTreeSet<String>> {
        let mut session = self.db.read(ctx).await?;
        Ok(store::active(&mut session).await?.into_iter().collect())
    }

    /// The versions of the files that hold `decision_ids` now, each once, by file.
    ///
    /// # Errors
    /// `decision_not_found` for a decision that no active version holds.
    pub async fn pin(&self, ctx: &Ctx, decision_ids: &BTreeSet<String>) -> Result<Vec<RulePin>> {
        let mut session = self.db.read(ctx).await?;
        let mut pins = BTreeSet::new();
        for decision in decision_ids {
            pins.insert(holder(&mut session, decision).await?);
        }
        Ok(pins.into_iter().collect())
    }

    /// The decisions of these versions, ready to be evaluated.
    ///
    /// # Errors
    /// `rule_version_not_found`, or what the store reports.
    pub async fn pinned(&self, ctx: &Ctx, pins: &[RulePin]) -> Result<Arc<Decisions>> {
        let pins: BTreeSet<RulePin> = pins.iter().cloned().collect();
        let key = (ctx.tenant.clone(), pins.into_iter().collect::<Vec<_>>());
        if let Some(decisions) = self.compiled.lock().get(&key) {
            return Ok(Arc::clone(decisions));
        }
        let files = self.files(ctx, &key.1).await?;
        let decisions = off_thread(move || compile(&files))
            .await?
            .map_err(|error| Error::internal("stored_rule_unreadable", error))?;
        let decisions = Arc::new(decisions);
        self.compiled.lock().put(key, Arc::clone(&decisions));
        Ok(decisions)
    }

    async fn files(&self, ctx: &Ctx, pins: &[RulePin]) -> Result<Vec<String>> {
        let mut session = self.db.read(ctx).await?;
        let mut files = Vec::with_capacity(pins.len());
        for pin in pins {
            let file = store::dmn(&mut session, pin).await?;
            files.push(file.ok_or_else(|| unknown_version(pin))?);
        }
        Ok(files)
    }

    pub(super) async fn search(&self, ctx: &Ctx, params: SearchRules) -> Result<FoundRules> {
        let limit = params.page().limit()?;
        let mut session = self.db.read(ctx).await?;
        let found = store::search(&mut session, &params, limit + 1).await?;
        Ok(Page::from_overfetched(found, limit, |rule| rule.id.clone()))
    }

    pub(super) async fn get(&self, ctx: &Ctx, params: GetRule) -> Result<Rule> {
        let mut session = self.db.read(ctx).await?;
        let active = store::find(&mut session, &params.id, None)
            .await?
            .ok_or_else(|| RuleError::UnknownFile(params.id.clone()))?;
        let active_version = active.version;
        let info = match params.version.filter(|version| *version != active_version) {
            None => active,
            Some(version) => store::find(&mut session, &params.id, Some(version))
                .await?
                .ok_or(RuleError::UnknownVersion { file: params.id, version })?,
        };
        let dmn = match params.response_format {
            ResponseFormat::Concise => None,
            ResponseFormat::Detailed => {
                let pin = RulePin { file: info.id.clone(), version: info.version };
                store::dmn(&mut session, &pin).await?
            }
        };
        Ok(Rule { info, active_version, dmn })
    }

    /// Saves a DMN file as a new version, unless the active one has the same content.
    ///
    /// # Errors
    /// `rule_invalid` with findings, or `decision_id_taken`.
    pub async fn save(&self, ctx: &Ctx, params: SaveRule) -> Result<SavedRule> {
        let SaveRule { rules, dmn, id } = params;
        let content = Content::of(rules, dmn)?;
        let (file, dmn) = off_thread(move || {
            let dmn = content.into_dmn()?;
            Ok((dmn::read(&dmn, id)?, dmn))
        })
        .await?
        .map_err(RuleError::Invalid)?;
        let mut tx = self.db.begin(ctx).await?;
        let newest = store::find(&mut tx, &file.id, None).await?;
        if let Some(rule) = newest.as_ref().filter(|rule| rule.hash == file.hash) {
            let unchanged = SavedRule { rule: rule.clone(), is_new: false, findings: file.doubts };
            return tx.commit(unchanged).await;
        }
        for decision in &file.decisions {
            let holder = store::holder(&mut tx, &decision.id).await?;
            if let Some(other) = holder.filter(|holder| holder.file != file.id) {
                let decision = decision.id.clone();
                return Err(RuleError::Taken { decision, file: other.file }.into());
            }
        }
        let rule = RuleInfo {
            id: file.id,
            version: newest.map_or(0, |rule| rule.version) + 1,
            hash: file.hash,
            name: file.name,
            decisions: file.decisions,
            author: ctx.principal.id.clone(),
            created_at: ctx.now(),
        };
        store::add(&mut tx, &rule, &dmn).await?;
        tx.commit(SavedRule { rule, is_new: true, findings: file.doubts }).await
    }

    /// The version that `params` mean.
    async fn wanted(&self, ctx: &Ctx, params: &EvaluateRule) -> Result<RulePin> {
        let mut session = self.db.read(ctx).await?;
        let active = match &params.file {
            None => holder(&mut session, &params.decision).await?,
            Some(file) => store::find(&mut session, file, None)
                .await?
                .map(|rule| RulePin { file: rule.id, version: rule.version })
                .ok_or_else(|| RuleError::UnknownFile(file.clone()))?,
        };
        Ok(RulePin { version: params.version.unwrap_or(active.version), ..active })
    }
}

async fn holder(session: &mut Session, decision: &str) -> Result<RulePin> {
    let holder = store::holder(session, decision).await?;
    Ok(holder.ok_or_else(|| RuleError::UnknownDecision(decision.to_owned()))?)
}

fn unknown_version(pin: &RulePin) -> RuleError {
    RuleError::UnknownVersion { file: pin.file.clone(), version: pin.version }
}

fn compile(files: &[String]) -> Result<Decisions, DecisionError> {
    let mut decisions = Decisions::default();
    files.iter().try_for_each(|file| decisions.add(file.as_bytes()))?;
    Ok(decisions)
}

/// Runs work that takes its time where it keeps nobody else waiting.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|source| Error::internal("rules_work", source))
}
