//! The verbs of the processes room.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_engine::compact::CompactProcess;
use flowmaster_engine::finding::Finding;
use flowmaster_engine::model::Process;
use flowmaster_engine::validate::{Surroundings, validate};
use flowmaster_engine::{Definition, StartTrigger, start_triggers};
use flowmaster_kernel::{Ctx, Page, PageRequest, Result, TenantId};
use flowmaster_mind::rules::Rules;
use flowmaster_store::Db;
use parking_lot::Mutex;

use super::error::ProcessError;
use super::load::{self, Model, Published};
use super::store::{self, ProcessRow, StartRow, VersionRow};
use super::types::{
    GetProcess, ModelFormat, ProcessModel, ProcessPage, PublishProcess, PublishedProcess,
    SaveProcess, SavedProcess, SearchProcesses, ValidateProcess, Validation,
};

/// How many compiled versions are kept at hand.
const COMPILED: usize = 512;

/// The processes room.
pub struct Processes {
    db: Db,
    rules: Arc<Rules>,
    compiled: Mutex<lru::LruCache<(TenantId, String, i64), Arc<Published>>>,
}

impl Processes {
    /// The room on `db`.
    pub fn new(db: Db, rules: Arc<Rules>) -> Self {
        let capacity = NonZeroUsize::new(COMPILED).unwrap_or(NonZeroUsize::MIN);
        Self { db, rules, compiled: Mutex::new(lru::LruCache::new(capacity)) }
    }

    pub(super) async fn search(&self, ctx: &Ctx, params: SearchProcesses) -> Result<ProcessPage> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let after = params.cursor.map(|cursor| cursor.0).unwrap_or_default();
        let text = params.text.unwrap_or_default();
        let mut session = self.db.read(ctx).await?;
        let found = store::search(&mut session, &after, &text, limit + 1).await?;
        Ok(Page::from_overfetched(found, limit, |process| process.id.clone()))
    }

    /// Reads a process in one of its forms.
    ///
    /// # Errors
    /// `process_not_found`, also for a version that does not exist.
    pub async fn get(&self, ctx: &Ctx, params: GetProcess) -> Result<ProcessModel> {
        let mut session = self.db.read(ctx).await?;
        let row = store::find(&mut session, &params.id).await?;
        let ProcessRow { summary, draft, draft_hash } =
            row.ok_or_else(|| ProcessError::NotFound(params.id.clone()))?;
        let versions = store::versions(&mut session, &params.id).await?;
        let wanted = if params.draft { None } else { params.version.or(summary.active_version) };
        let (version, hash, xml) = match (wanted, draft.zip(draft_hash)) {
            (Some(version), _) => {
                let row = store::version(&mut session, &params.id, version).await?;
                let row = row.ok_or(ProcessError::NoVersion { id: params.id.clone(), version })?;
                (Some(row.version), row.hash, row.xml)
            }
            (None, Some((draft, hash))) => (None, hash, draft),
            (None, None) => return Err(ProcessError::NoDraft(params.id).into()),
        };
        drop(session);
        let mut answer =
            ProcessModel { id: params.id, version, hash, versions, compact: None, xml: None };
        match params.format {
            ModelFormat::Compact => {
                answer.compact = Some(CompactProcess::from(&*load::from_xml(&xml)?.process));
            }
            ModelFormat::Xml => answer.xml = Some(xml),
        }
        Ok(answer)
    }

    /// Saves a draft. A draft may have findings; it only cannot be published with errors.
    ///
    /// # Errors
    /// A model that cannot be read, or a draft that somebody else changed.
    pub async fn save(&self, ctx: &Ctx, params: SaveProcess) -> Result<SavedProcess> {
        let model = load::model(params.compact, params.xml)?;
        let findings = self.findings(ctx, &model).await?;
        let id = model.process.id.to_string();
        let mut tx = self.db.begin(ctx).await?;
        if let Some(based_on) = params.based_on {
            let current = store::find(&mut tx, &id).await?.and_then(|row| row.draft_hash);
            if let Some(current) = current.filter(|current| *current != based_on) {
                return Err(ProcessError::DraftChanged { current }.into());
            }
        }
        let name = model.process.name.as_deref();
        store::save_draft(&mut tx, &id, name, &model.xml, &model.hash, ctx.now()).await?;
        tx.commit(SavedProcess { id, hash: model.hash, findings }).await
    }

    pub(super) async fn validate(&self, ctx: &Ctx, params: ValidateProcess) -> Result<Validation> {
        let model = match params.id {
            None => load::model(params.compact, params.xml)?,
            Some(id) => {
                let mut session = self.db.read(ctx).await?;
                let row = store::find(&mut session, &id).await?;
                let row = row.ok_or_else(|| ProcessError::NotFound(id.clone()))?;
                let xml = match (row.draft, row.summary.active_version) {
                    (Some(draft), _) => Some(draft),
                    (None, Some(version)) => {
                        store::version(&mut session, &id, version).await?.map(|row| row.xml)
                    }
                    (None, None) => None,
                };
                load::from_xml(&xml.ok_or(ProcessError::NoDraft(id))?)?
            }
        };
        let findings = self.findings(ctx, &model).await?;
        Ok(Validation { publishable: !Finding::any_error(&findings), findings })
    }

    /// Publishes the draft as the next version.
    ///
    /// # Errors
    /// `process_invalid` with the findings, or a draft that is not the one reviewed.
    pub async fn publish(&self, ctx: &Ctx, params: PublishProcess) -> Result<PublishedProcess> {
        let row = store::find(&mut *self.db.read(ctx).await?, &params.id).await?;
        let row = row.ok_or_else(|| ProcessError::NotFound(params.id.clone()))?;
        let (Some(draft), Some(hash)) = (row.draft, row.draft_hash) else {
            return Err(ProcessError::NoDraft(params.id).into());
        };
        if params.hash.is_some_and(|reviewed| reviewed != hash) {
            return Err(ProcessError::DraftChanged { current: hash }.into());
        }
        let model = load::from_xml(&draft)?;
        let findings = self.findings(ctx, &model).await?;
        if Finding::any_error(&findings) {
            return Err(ProcessError::Findings { verb: "published", findings }.into());
        }
        let rules = self.rules.pin(ctx, &load::decisions(&model.process)).await?;
        let tool = load::tool_name(&model.process)?.map(str::to_owned);

        let mut tx = self.db.begin(ctx).await?;
        let now_there = store::find(&mut tx, &params.id).await?;
        let current = now_there.and_then(|row| row.draft_hash).unwrap_or_default();
        if current != hash {
            return Err(ProcessError::DraftChanged { current }.into());
        }
        if let Some(name) = &tool
            && let Some((by, _)) = store::by_tool(&mut tx, name).await?
            && by != params.id
        {
            return Err(ProcessError::ToolNameTaken { name: name.clone(), by }.into());
        }
        let newest = store::versions(&mut tx, &params.id).await?;
        let version = newest.first().map_or(1, |newest| newest.version + 1);
        let new = VersionRow { version, hash: hash.clone(), xml: draft, rules };
        store::add_version(&mut tx, &params.id, &new, &ctx.principal.id, ctx.now()).await?;
        store::activate(&mut tx, &params.id, version, tool.as_deref(), ctx.now()).await?;
        let triggers = start_triggers(&model.process, ctx.now());
        let starts: Vec<StartRow<'_>> = triggers
            .iter()
            .filter_map(|(element, trigger)| match trigger {
                StartTrigger::Message(name) => Some(StartRow { kind: "message", name, element }),
                StartTrigger::Signal(name) => Some(StartRow { kind: "signal", name, element }),
                StartTrigger::None | StartTrigger::Timer(_) => None,
            })
            .collect();
        store::set_starts(&mut tx, &params.id, &starts).await?;
        tx.commit(PublishedProcess { id: params.id, version, hash, tool, findings }).await
    }

    /// A published version, compiled: the one with that number, or the active one.
    ///
    /// # Errors
    /// `process_not_found`, or `process_not_published` while there is only a draft.
    pub async fn published(&self, ctx: &Ctx, id: &str, version: Option<i64>) -> Result<Arc<Published>> {
        let version = match version {
            Some(version) => version,
            None => {
                let row = store::find(&mut *self.db.read(ctx).await?, id).await?;
                let row = row.ok_or_else(|| ProcessError::NotFound(id.to_owned()))?;
                row.summary.active_version.ok_or_else(|| ProcessError::NotPublished(id.to_owned()))?
            }
        };
        let key = (ctx.tenant.clone(), id.to_owned(), version);
        if let Some(published) = self.compiled.lock().get(&key) {
            return Ok(Arc::clone(published));
        }
        let row = store::version(&mut *self.db.read(ctx).await?, id, version).await?;
        let row = row.ok_or_else(|| ProcessError::NoVersion { id: id.to_owned(), version })?;
        let decisions = self.rules.pinned(ctx, &row.rules).await?;
        let process = load::from_xml(&row.xml)?.process;
        let published = Arc::new(Published {
            id: id.to_owned(),
            version,
            hash: row.hash,
            definition: Arc::new(Definition::new(process, decisions)),
        });
        self.compiled.lock().put(key, Arc::clone(&published));
        Ok(published)
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

    async fn findings(&self, ctx: &Ctx, model: &Model) -> Result<Vec<Finding>> {
        let surroundings = self.surroundings(ctx, &model.process).await?;
        let mut findings = model.findings.clone();
        for finding in validate(&model.process, &surroundings) {
            let said = findings.iter().any(|it| it.code == finding.code && it.element == finding.element);
            if !said {
                findings.push(finding);
            }
        }
        findings.sort_by_key(|finding| finding.severity);
        Ok(findings)
    }

    async fn surroundings(&self, ctx: &Ctx, process: &Process) -> Result<Surroundings> {
        let mut processes: BTreeSet<String> =
            store::published_ids(&mut *self.db.read(ctx).await?).await?.into_iter().collect();
        processes.insert(process.id.to_string());
        Ok(Surroundings {
            decisions: Some(self.rules.decision_ids(ctx).await?),
            processes: Some(processes),
            agents: None,
        })
    }
}
