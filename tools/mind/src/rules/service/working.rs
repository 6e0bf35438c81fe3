//! What is worked out from rules and changes nothing: evaluations, explanations, analyses, tests.

use std::sync::Arc;
use std::time::Duration;

use flowmaster_engine::dmn::compact::CompactRules;
use flowmaster_engine::dmn::{DecisionError, Decisions};
use flowmaster_kernel::{Ctx, Error, ErrorKind, ResponseFormat, Result, Timestamp};
use serde_json::{Map, Value};

use super::super::dmn::Linked;
use super::super::error::{RuleError, Unanswered};
use super::super::types::{
    AnalyzeRule, AnalyzedRule, EvaluateRule, Evaluated, Explained, RulePin, RuleTestReport,
    TestRule,
};
use super::super::{cases, dmn, store, tables};
use super::{Content, Rules, Wanted, content, holder, linked, off_thread, unknown_version};

/// How much is worked out at once. What does not end keeps its place, so hostile rules use up these
/// places and nothing else.
pub(super) const PLACES: usize = 8;
/// How many other files an analysis compares with.
const OTHERS: usize = 200;
/// How long a caller waits.
const TIME: Duration = Duration::from_secs(5);

/// Rules that are saved, or not: exactly one of `rules`, `dmn` and `id`.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// In the compact form.
    pub rules: Option<CompactRules>,
    /// As DMN XML.
    pub dmn: Option<String>,
    /// Id of a saved file.
    pub id: Option<String>,
    /// Number of its version. Default: the active one, or the draft while nothing is published.
    pub version: Option<i64>,
    /// Whether its draft is meant.
    pub draft: bool,
}

impl Rules {
    /// Analyses the tables of a file, which need not be saved.
    pub(in super::super) async fn analyze(
        &self,
        ctx: &Ctx,
        params: AnalyzeRule,
    ) -> Result<AnalyzedRule> {
        let AnalyzeRule { rules, dmn, id, version, draft, across, decision } = params;
        let given = self.given(ctx, Source { rules, dmn, id, version, draft }).await?;
        let others = match across {
            true => store::active_files(&mut *self.db.read(ctx).await?, OTHERS).await?,
            false => Vec::new(),
        };
        let wanted = decision.clone();
        let work = move || tables::analyzed(&given.into_dmn()?, wanted.as_deref(), &others);
        let what = "the analysis";
        let analyzed = self.worked_out(what, work).await?.map_err(RuleError::Invalid)?;
        match decision.filter(|_| analyzed.tables.is_empty() && analyzed.unread.is_empty()) {
            Some(decision) => Err(RuleError::NoTable(decision).into()),
            None => Ok(analyzed),
        }
    }

    /// Decisions that are saved, or not, ready to be evaluated.
    ///
    /// # Errors
    /// `not_one_rule_file`, `rule_invalid`, or rules that there are not.
    pub async fn compiled(&self, ctx: &Ctx, source: Source) -> Result<Arc<Decisions>> {
        let given = self.given(ctx, source).await?;
        let dmn = off_thread(move || given.into_dmn()).await?.map_err(RuleError::Invalid)?;
        let linked = self.link(ctx, dmn).await?.linked;
        let work = move || {
            dmn::parse(&linked.dmn)?;
            linked.compile().map_err(|error| vec![dmn::finding(&error)])
        };
        let compiled = self.worked_out("the rules", work).await?;
        Ok(Arc::new(compiled.map_err(RuleError::Invalid)?))
    }

    /// The one file that is meant.
    async fn given(&self, ctx: &Ctx, source: Source) -> Result<tables::Content> {
        let Source { rules, dmn, id, version, draft } = source;
        match (rules, dmn, id) {
            (rules, dmn, None) => Ok(tables::Content::of(rules, dmn)?),
            (None, None, Some(id)) => {
                let mut session = self.db.read(ctx).await?;
                let stored = content(&mut session, &id, Wanted { version, draft }).await?;
                Ok(tables::Content::Dmn(stored.row.dmn))
            }
            _ => Err(RuleError::NotOneFile.into()),
        }
    }

    /// Runs the tests of a file, or those that are given.
    pub(in super::super) async fn test(
        &self,
        ctx: &Ctx,
        params: TestRule,
    ) -> Result<RuleTestReport> {
        let TestRule { id, version, draft, tests } = params;
        if let Some(tests) = &tests {
            cases::check(tests)?;
        }
        let mut session = self.db.read(ctx).await?;
        let stored = content(&mut session, &id, Wanted { version, draft }).await?;
        let linked = linked(&mut session, stored.row).await?;
        drop(session);
        let (tests, now) = (tests.unwrap_or(stored.tests), ctx.now());
        let work = move || cases::run(&linked, &tests, now);
        let report = self.worked_out("the tests", work).await?;
        Ok(report.map_err(|error| RuleError::Invalid(vec![dmn::finding(&error)]))?)
    }

    pub(in super::super) async fn evaluate(
        &self,
        ctx: &Ctx,
        params: EvaluateRule,
    ) -> Result<Evaluated> {
        let EvaluateRule { decision, file, version, draft, variables, response_format } = params;
        let mut session = self.db.read(ctx).await?;
        let file = match file {
            Some(file) => file,
            None => holder(&mut session, &decision).await?.file,
        };
        let version = match version {
            _ if draft => None,
            Some(version) => Some(version),
            None => {
                let active = store::active_version(&mut session, &file).await?;
                active.ok_or_else(|| RuleError::UnknownFile(file.clone()))?
            }
        };
        let (decisions, of_draft) = match version {
            Some(version) => {
                drop(session);
                let pin = RulePin { file: file.clone(), version };
                (self.pinned(ctx, &[pin]).await?, None)
            }
            None => {
                let Content { row, .. } =
                    content(&mut session, &file, Wanted { version, draft }).await?;
                let linked = linked(&mut session, row).await?;
                drop(session);
                let draft = linked.clone();
                let compiled = self.worked_out("the draft", move || linked.compile()).await?;
                let unfit = |error| RuleError::Invalid(vec![dmn::finding(&error)]);
                (Arc::new(compiled.map_err(unfit)?), Some(draft))
            }
        };
        let missing_inputs = decisions
            .inputs(&decision)
            .filter(|input| !variables.contains_key(*input))
            .map(str::to_owned)
            .collect();
        let (wanted, now, what) =
            (decision.clone(), ctx.now(), format!("the decision {decision:?}"));
        let given = variables.clone();
        let value =
            self.worked_out(&what, move || decisions.evaluate(&wanted, &given, now)).await?;
        let why = match (response_format, of_draft, version) {
            (ResponseFormat::Detailed, Some(draft), _) => {
                self.explained(draft, &decision, variables, now).await?
            }
            (ResponseFormat::Detailed, None, Some(version)) => {
                let pin = RulePin { file: file.clone(), version };
                self.explain(ctx, &pin, &decision, variables, now).await?
            }
            _ => Explained::default(),
        };
        match value {
            Ok(value) => Ok(Evaluated { value, decision, file, version, missing_inputs, why }),
            Err(DecisionError::Unknown(decision)) => {
                Err(RuleError::NotInVersion { decision, file, version }.into())
            }
            Err(error) => Err(RuleError::NoValue(Box::new(Unanswered { error, why })).into()),
        }
    }

    /// Why a version of a decision answers as it does at `at`, as far as it has tables that can be
    /// explained.
    ///
    /// # Errors
    /// `rule_version_not_found`, or an explanation that takes too long.
    pub async fn explain(
        &self,
        ctx: &Ctx,
        pin: &RulePin,
        decision: &str,
        variables: Map<String, Value>,
        at: Timestamp,
    ) -> Result<Explained> {
        let mut session = self.db.read(ctx).await?;
        let row = store::version(&mut session, pin).await?;
        let row = row.ok_or_else(|| unknown_version(pin))?;
        let linked = linked(&mut session, row).await?;
        drop(session);
        self.explained(linked, decision, variables, at).await
    }

    async fn explained(
        &self,
        file: Linked,
        decision: &str,
        variables: Map<String, Value>,
        at: Timestamp,
    ) -> Result<Explained> {
        let wanted = decision.to_owned();
        let work = move || file.explain(&wanted, &variables, at);
        self.worked_out(&format!("the explanation of {decision:?}"), work).await
    }

    /// What `work` gives, if there is a place for it and it is done in time.
    ///
    /// # Errors
    /// `evaluations_exhausted` while all places are taken, `decision_too_slow` for what is not done.
    pub async fn worked_out<T: Send + 'static>(
        &self,
        what: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.evaluations)
            .try_acquire_owned()
            .map_err(|_| too_many_evaluations())?;
        let work = off_thread(move || {
            let found = work();
            drop(place);
            found
        });
        let late = |_| RuleError::TooSlow { what: what.to_owned(), limit: TIME };
        tokio::time::timeout(TIME, work).await.map_err(late)?
    }
}

fn too_many_evaluations() -> Error {
    Error::new(ErrorKind::Exhausted, "evaluations_exhausted", "too many decisions are evaluated")
        .why("each evaluation has a place of its own, and all are taken")
        .fix("wait a moment and call again")
}
