//! The verbs of the processes room.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_engine::compact::CompactProcess;
use flowmaster_engine::finding::Finding;
use flowmaster_engine::model::Process;
use flowmaster_engine::validate::{Surroundings, validate};
use flowmaster_engine::{StartTrigger, start_triggers};
use flowmaster_kernel::{Ctx, Error, Page, PageRequest, Result};
use flowmaster_mind::mandates::Mandates;
use flowmaster_mind::rules::Rules;
use flowmaster_store::listeners::{self, Audience};
use flowmaster_store::outbox::{self, NewMessage};
use flowmaster_store::{Db, Tx, WriteSet};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use super::error::ProcessError;
use super::load::{self, Model};
use super::published::Shelf;
use super::store::{self, ProcessRow, StartRow, VersionRow};
use super::types::{
    GetProcess, ModelFormat, ProcessModel, ProcessPage, PublishProcess, PublishedProcess,
    SaveProcess, SavedOther, SavedProcess, SearchProcesses, ValidateProcess, Validation,
};
use super::{scenario, start_timer};
use crate::announced::{self, ANNOUNCED, Announced, OfProcess, Publication};

/// The processes room.
pub struct Processes {
    pub(super) db: Db,
    pub(super) rules: Arc<Rules>,
    pub(super) mandates: Arc<Mandates>,
    pub(super) shelf: Shelf,
    pub(super) runs: Arc<Semaphore>,
}

impl Processes {
    /// The room on `db`.
    pub fn new(db: Db, rules: Arc<Rules>, mandates: Arc<Mandates>) -> Self {
        let runs = Arc::new(Semaphore::new(scenario::RUNS));
        Self { db, rules, mandates, shelf: Shelf::default(), runs }
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
                answer.compact =
                    Some(CompactProcess::from(&*load::from_xml(&xml, &answer.id)?.process));
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
        let SaveProcess { compact, xml, graph, based_on } = params;
        let mut models =
            off_thread(move || load::models(compact, xml, graph.as_ref())).await??.into_iter();
        let model = models.next().ok_or(ProcessError::NotOneModel)?;
        let findings = self.findings(ctx, &model).await?;
        let id = model.process.id.to_string();
        let mut others = Vec::new();
        for other in models.as_slice() {
            let findings = self.findings(ctx, other).await?;
            others.push(SavedOther { id: other.process.id.to_string(), findings });
        }
        let mut tx = self.db.begin(ctx).await?;
        if let Some(based_on) = based_on {
            let draft = store::find(&mut tx, &id).await?.and_then(|row| row.draft_hash);
            let current = match draft {
                Some(draft) => Some(draft),
                // It was published meanwhile, or nothing was saved since.
                None => store::versions(&mut tx, &id).await?.into_iter().next().map(|it| it.hash),
            };
            if let Some(current) = current.filter(|current| *current != based_on) {
                return Err(ProcessError::DraftChanged { current }.into());
            }
        }
        for Model { process, xml, hash, .. } in [&model].into_iter().chain(models.as_slice()) {
            let name = process.name.as_deref();
            store::save_draft(&mut tx, &process.id, name, xml, hash, ctx.now()).await?;
        }
        let Model { hash, import, .. } = model;
        tx.commit(SavedProcess { id, hash, findings, import, others }).await
    }

    pub(super) async fn validate(&self, ctx: &Ctx, params: ValidateProcess) -> Result<Validation> {
        let ValidateProcess { id, compact, xml, graph } = params;
        let models = match id {
            None => off_thread(move || load::models(compact, xml, graph.as_ref())).await??,
            Some(_) if compact.is_some() || xml.is_some() || graph.is_some() => {
                return Err(ProcessError::NotOneModel.into());
            }
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
                drop(session);
                let xml = xml.ok_or_else(|| ProcessError::NoDraft(id.clone()))?;
                vec![off_thread(move || load::from_xml(&xml, &id)).await??]
            }
        };
        let mut findings: Vec<Finding> = Vec::new();
        for model in &models {
            for finding in self.findings(ctx, model).await? {
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        findings.sort_by_key(|finding| finding.severity);
        let publishable = !Finding::any_error(&findings);
        let import = models.into_iter().find_map(|model| model.import);
        Ok(Validation { publishable, findings, import })
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
        let id = params.id.clone();
        let (model, draft) = off_thread(move || (load::from_xml(&draft, &id), draft)).await?;
        let model = model?;
        let findings = self.findings(ctx, &model).await?;
        if Finding::any_error(&findings) {
            return Err(ProcessError::Findings { verb: "published", findings }.into());
        }
        let rules = self.rules.pin(ctx, &load::decisions(&model.process)).await?;
        let tool = model.process.contract.tool.clone();

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
                StartTrigger::Condition => Some(StartRow { kind: "condition", name: "", element }),
                StartTrigger::None | StartTrigger::Timer(_) => None,
            })
            .collect();
        store::set_starts(&mut tx, &params.id, &starts).await?;
        let mut timers = WriteSet::new();
        start_timer::replace(&mut timers, &params.id, &triggers);
        tx.apply(timers).await?;
        announce(&mut tx, ctx, &params.id, version, &hash).await?;
        let answer = PublishedProcess { id: params.id, version, hash, tool, findings };
        let answer = tx.commit(answer).await?;
        self.shelf.activate(ctx, &answer.id, version);
        Ok(answer)
    }

    async fn findings(&self, ctx: &Ctx, model: &Model) -> Result<Vec<Finding>> {
        let surroundings = self.surroundings(ctx, &model.process).await?;
        let mut findings = model.findings.clone();
        let mut found = validate(&model.process, &surroundings);
        found.extend(load::contract_findings(&model.process));
        for finding in found {
            let said =
                findings.iter().any(|it| it.code == finding.code && it.element == finding.element);
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

/// Tells whoever listens that a version was published.
async fn announce(tx: &mut Tx, ctx: &Ctx, process: &str, version: i64, hash: &str) -> Result<()> {
    if listeners::audience(tx).await? == Audience::Nobody {
        return Ok(());
    }
    let (process, process_version, hash) = (process.to_owned(), version, hash.to_owned());
    let published = OfProcess { process, process_version, hash };
    let id = ctx.fresh_id::<Publication>();
    let message = NewMessage {
        id: id.as_str(),
        topic: ANNOUNCED,
        key: &format!("process {}", published.process),
        seq: version,
        at: ctx.now(),
        payload: &announced::payload(&[Announced::ProcessPublished(published)])?,
    };
    let mut writes = WriteSet::new();
    outbox::append(&mut writes, &message);
    tx.apply(writes).await
}

/// Runs work that takes its time where it keeps nobody else waiting. A runtime of one thread, such
/// as that of a simulation, does it at once, and so in the same order every time.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return Ok(work());
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|source| Error::internal("process_work", source))
}
