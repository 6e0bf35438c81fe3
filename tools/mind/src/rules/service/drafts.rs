//! Drafts and what becomes of them: versions.

use flowmaster_kernel::{Ctx, Result};
use flowmaster_store::Tx;
use serde::Serialize;

use super::super::error::RuleError;
use super::super::store::{self, NewVersion, VersionRow};
use super::super::tables::Content;
use super::super::types::{
    PublishRule, PublishedRule, RuleFinding, RulePin, RuleTest, SaveRule, SavedRule,
};
use super::super::{cases, dmn};
use super::imports::Link;
use super::{Rules, off_thread};

impl Rules {
    /// Saves the draft of a rule file, its tests, or both. A draft may have findings; with errors it
    /// only cannot be published.
    ///
    /// # Errors
    /// `rule_invalid` for what is no rule file, or a draft that somebody else changed.
    pub async fn save(&self, ctx: &Ctx, params: SaveRule) -> Result<SavedRule> {
        if let Some(tests) = &params.tests {
            cases::check(tests)?;
        }
        match params {
            SaveRule { rules: None, dmn: None, id: Some(id), tests: Some(tests), based_on } => {
                self.save_tests(ctx, id, tests, based_on).await
            }
            params => self.save_draft(ctx, params, |saved| saved).await,
        }
    }

    /// Saves a draft; `answer` is what the call answers then.
    pub(super) async fn save_draft<T: Serialize>(
        &self,
        ctx: &Ctx,
        params: SaveRule,
        answer: impl FnOnce(SavedRule) -> T,
    ) -> Result<T> {
        let SaveRule { rules, dmn, id, tests, based_on } = params;
        let content = Content::of(rules, dmn)?;
        let dmn = off_thread(move || content.into_dmn()).await?.map_err(RuleError::Invalid)?;
        let Link { linked, missing, .. } = self.link(ctx, dmn).await?;
        let file = off_thread(move || dmn::read(linked, missing, id)).await?;
        let file = file.map_err(RuleError::Invalid)?;
        let mut tx = self.db.begin(ctx).await?;
        let stored = store::find(&mut tx, &file.id).await?;
        let known = stored.map(|stored| stored.tests).unwrap_or_default();
        expect(&current(&mut tx, &file.id).await?, based_on)?;
        let tests = tests.unwrap_or(known);
        let saved = SavedRule {
            id: file.id,
            hash: file.hash,
            decisions: file.decisions,
            tests: tests.len(),
            findings: file.findings,
        };
        store::save_draft(&mut tx, &saved, &file.name, &file.dmn, &tests).await?;
        tx.commit(answer(saved)).await
    }

    async fn save_tests(
        &self,
        ctx: &Ctx,
        id: String,
        tests: Vec<RuleTest>,
        based_on: Option<String>,
    ) -> Result<SavedRule> {
        let mut tx = self.db.begin(ctx).await?;
        let stored = store::find(&mut tx, &id).await?;
        let stored = stored.ok_or_else(|| RuleError::UnknownFile(id.clone()))?;
        let hash = current(&mut tx, &id).await?;
        expect(&hash, based_on)?;
        store::save_tests(&mut tx, &id, &tests).await?;
        let (hash, decisions) = (hash.unwrap_or_default(), stored.summary.decisions);
        let tests = tests.len();
        tx.commit(SavedRule { id, hash, decisions, tests, findings: Vec::new() }).await
    }

    /// Publishes the draft of a rule file as its next version, if it has no errors and passes its tests.
    ///
    /// # Errors
    /// `rule_invalid` with findings, `rule_tests_failed` with the failures, `decision_id_taken`, or a
    /// draft that is not the one reviewed.
    pub async fn publish(&self, ctx: &Ctx, params: PublishRule) -> Result<PublishedRule> {
        let PublishRule { id, hash: reviewed } = params;
        let stored = store::find(&mut *self.db.read(ctx).await?, &id).await?;
        let stored = stored.ok_or_else(|| RuleError::UnknownFile(id.clone()))?;
        let draft = stored.draft.ok_or_else(|| RuleError::NoDraft(id.clone()))?;
        if reviewed.is_some_and(|reviewed| reviewed != draft.hash) {
            return Err(RuleError::DraftChanged { current: draft.hash }.into());
        }
        let Link { linked, missing, imports } = self.link(ctx, draft.dmn).await?;
        let (name, tests, now) = (id.clone(), stored.tests, ctx.now());
        let tested = tests.clone();
        let checked = move || -> Result<_, RuleError> {
            let whole = linked.clone();
            let file = dmn::read(linked, missing, Some(name)).map_err(RuleError::Invalid)?;
            if file.findings.iter().any(RuleFinding::is_error) {
                return Err(RuleError::Findings(file.findings));
            }
            let report = cases::run(&whole, &tests, now)
                .map_err(|error| RuleError::Invalid(vec![dmn::finding(&error)]))?;
            match report.failed {
                0 => Ok((file, report.passed)),
                _ => Err(RuleError::TestsFailed(Box::new(report))),
            }
        };
        let (file, tests_passed) = self.worked_out("the check of the draft", checked).await??;

        let mut tx = self.db.begin(ctx).await?;
        let now_there = store::find(&mut tx, &id).await?;
        let has_same_tests = now_there.as_ref().is_some_and(|stored| stored.tests == tested);
        let current = now_there.and_then(|stored| stored.draft);
        let current = current.ok_or_else(|| RuleError::NoDraft(id.clone()))?.hash;
        if current != file.hash || !has_same_tests {
            return Err(RuleError::DraftChanged { current }.into());
        }
        for decision in &file.decisions {
            let holder = store::holder(&mut tx, &decision.id).await?;
            if let Some(other) = holder.filter(|holder| holder.file != id) {
                let decision = decision.id.clone();
                return Err(RuleError::Taken { decision, file: other.file }.into());
            }
        }
        let newest = store::versions(&mut tx, &id).await?.into_iter().next();
        let newest = newest.map_or(0, |newest| newest.version);
        let before =
            store::version(&mut tx, &RulePin { file: id.clone(), version: newest }).await?;
        // The same content means something else once it imports other versions.
        let is_same = |before: VersionRow| before.hash == file.hash && before.imports == imports;
        let is_new = !before.is_some_and(is_same);
        let version = newest + i64::from(is_new);
        let dmn::File { name, namespace, hash, dmn, decisions, findings, .. } = file;
        let row = VersionRow { name, hash, decisions, dmn, imports };
        let (author, namespace) = (&*ctx.principal.id, &*namespace);
        let new = NewVersion { number: version, is_new, content: &row, author, namespace };
        store::publish(&mut tx, &id, &new).await?;
        let VersionRow { hash, decisions, .. } = row;
        let published =
            PublishedRule { id, version, hash, is_new, decisions, tests_passed, findings };
        tx.commit(published).await
    }
}

/// The hash of the draft, or of the newest version where there is none.
async fn current(tx: &mut Tx, id: &str) -> Result<Option<String>> {
    let draft = store::find(tx, id).await?.and_then(|stored| stored.draft);
    Ok(match draft {
        Some(draft) => Some(draft.hash),
        None => store::versions(tx, id).await?.into_iter().next().map(|newest| newest.hash),
    })
}

fn expect(current: &Option<String>, based_on: Option<String>) -> Result<(), RuleError> {
    match (based_on, current) {
        (Some(based_on), Some(current)) if *current != based_on => {
            Err(RuleError::DraftChanged { current: current.clone() })
        }
        _ => Ok(()),
    }
}
