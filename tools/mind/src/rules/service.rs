//! The verbs of the rules room: what is found here, what is kept in [`drafts`], what is worked out in
//! [`working`].

mod drafts;
mod exchanging;
mod imports;
mod working;

pub use working::Source;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_engine::dmn::{DecisionError, Decisions};
use flowmaster_kernel::{Ctx, Error, Page, ResponseFormat, Result, TenantId};
use flowmaster_store::{Db, Session};
use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::dmn::{self, Linked};
use super::error::RuleError;
use super::store::{self, Draft, FileRow, VersionRow};
use super::tables;
use super::types::{
    FoundRules, GetRule, Rule, RuleForm, RulePin, RuleSummary, RuleTest, SearchRules,
};

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
        let compile = move || {
            let mut decisions = Decisions::default();
            files.iter().try_for_each(|file| file.add_to(&mut decisions))?;
            Ok::<_, DecisionError>(decisions)
        };
        let decisions = off_thread(compile)
            .await?
            .map_err(|error| Error::internal("stored_rule_unreadable", error))?;
        let decisions = Arc::new(decisions);
        self.compiled.lock().put(key, Arc::clone(&decisions));
        Ok(decisions)
    }

    async fn files(&self, ctx: &Ctx, pins: &[RulePin]) -> Result<Vec<Linked>> {
        let mut session = self.db.read(ctx).await?;
        let mut files = Vec::with_capacity(pins.len());
        for pin in pins {
            let row = store::version(&mut session, pin).await?;
            let row = row.ok_or_else(|| unknown_version(pin))?;
            files.push(linked(&mut session, row).await?);
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
        let wanted = Wanted { version: params.version, draft: params.draft };
        let Content { version, row, tests, summary } =
            content(&mut session, &params.id, wanted).await?;
        let versions = store::versions(&mut session, &params.id).await?;
        drop(session);
        let is_detailed = params.response_format == ResponseFormat::Detailed;
        let VersionRow { name, hash, decisions, dmn, .. } = row;
        let (rules, dmn) = match params.form {
            _ if !is_detailed => (None, None),
            RuleForm::Xml => (None, Some(dmn)),
            RuleForm::Compact => {
                off_thread(move || match tables::compact(&dmn) {
                    Ok(rules) => (Some(rules), None),
                    Err(_) => (None, Some(dmn)),
                })
                .await?
            }
        };
        Ok(Rule {
            id: params.id,
            version,
            hash,
            name,
            decisions,
            active_version: summary.active_version,
            has_draft: summary.has_draft,
            versions,
            rules,
            dmn,
            tests: is_detailed.then_some(tests),
        })
    }
}

/// Which content of a rule file is meant.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// The active one, or the draft while nothing is published, if none is said.
    version: Option<i64>,
    draft: bool,
}

/// The content of a version of a rule file, or of its draft.
struct Content {
    /// Absent for the draft.
    version: Option<i64>,
    row: VersionRow,
    tests: Vec<RuleTest>,
    summary: RuleSummary,
}

async fn content(session: &mut Session, id: &str, wanted: Wanted) -> Result<Content> {
    let file = store::find(session, id).await?;
    let FileRow { summary, draft, tests } =
        file.ok_or_else(|| RuleError::UnknownFile(id.to_owned()))?;
    let version = wanted.version.or(summary.active_version).filter(|_| !wanted.draft);
    let row = match (version, draft) {
        (Some(version), _) => {
            let pin = RulePin { file: id.to_owned(), version };
            let row = store::version(session, &pin).await?;
            row.ok_or_else(|| unknown_version(&pin))?
        }
        (None, Some(Draft { dmn, hash, decisions })) => {
            let (imported, dmn) = off_thread(move || (dmn::imports(&dmn), dmn)).await?;
            let (imports, _) = imports::resolve(session, &imported).await?;
            VersionRow { name: summary.name.clone(), hash, decisions, dmn, imports }
        }
        (None, None) => return Err(RuleError::NoDraft(id.to_owned()).into()),
    };
    Ok(Content { version, row, tests, summary })
}

/// The file with all that it imports.
async fn linked(session: &mut Session, row: VersionRow) -> Result<Linked> {
    Ok(Linked { imported: imports::files(session, &row.imports).await?, dmn: row.dmn })
}

async fn holder(session: &mut Session, decision: &str) -> Result<RulePin> {
    let holder = store::holder(session, decision).await?;
    Ok(holder.ok_or_else(|| RuleError::UnknownDecision(decision.to_owned()))?)
}

fn unknown_version(pin: &RulePin) -> RuleError {
    RuleError::UnknownVersion { file: pin.file.clone(), version: pin.version }
}

/// Runs work that takes its time where it keeps nobody else waiting.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|source| Error::internal("rules_work", source))
}
