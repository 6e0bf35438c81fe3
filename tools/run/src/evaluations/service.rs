//! The verbs of the log.

use std::sync::Arc;

use flowmaster_kernel::{Ctx, Cursor, Page, PageRequest, Result};
use flowmaster_mind::rules::types::Explained;
use flowmaster_mind::rules::{RulePin, Rules, Source};
use flowmaster_store::Db;

use super::error::EvaluationError;
use super::simulate;
use super::store;
use super::types::{
    ExplainedEvaluation, FoundEvaluations, GetEvaluation, SearchEvaluations, SimulateRule,
    Simulation,
};

/// How many evaluations one simulation asks again.
const CASES: usize = 5_000;

/// The log of evaluations of all tenants.
pub struct Evaluations {
    db: Db,
    rules: Arc<Rules>,
}

impl Evaluations {
    /// The room on `db`, whose decisions are in `rules`.
    #[must_use]
    pub fn new(db: Db, rules: Arc<Rules>) -> Self {
        Self { db, rules }
    }

    pub(super) async fn search(
        &self,
        ctx: &Ctx,
        params: SearchEvaluations,
    ) -> Result<FoundEvaluations> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let mut session = self.db.read(ctx).await?;
        let found = store::search(&mut session, &params, limit + 1).await?;
        Ok(Page::from_overfetched(found, limit, |evaluation| evaluation.id.clone()))
    }

    pub(super) async fn get(
        &self,
        ctx: &Ctx,
        params: GetEvaluation,
    ) -> Result<ExplainedEvaluation> {
        let found = store::find(&mut *self.db.read(ctx).await?, &params.id).await?;
        let evaluation = found.ok_or(EvaluationError::NotFound(params.id))?;
        let why = match &evaluation.inputs {
            None => Explained::default(),
            Some(inputs) => {
                let pin = RulePin { file: evaluation.file.clone(), version: evaluation.version };
                let (decision, at) = (&evaluation.decision, evaluation.at);
                self.rules.explain(ctx, &pin, decision, inputs.clone(), at).await?
            }
        };
        Ok(ExplainedEvaluation { evaluation, why })
    }

    pub(super) async fn simulate(&self, ctx: &Ctx, params: SimulateRule) -> Result<Simulation> {
        let SimulateRule {
            decision,
            id,
            version,
            draft,
            rules,
            dmn,
            process,
            from,
            before,
            cursor,
        } = params;
        let source = Source { rules, dmn, id, version, draft };
        let decisions = self.rules.compiled(ctx, source).await?;
        if !decisions.ids().any(|known| known == decision) {
            return Err(EvaluationError::NoDecision(decision).into());
        }
        let search = SearchEvaluations {
            decision: Some(decision),
            process,
            from,
            before,
            cursor,
            ..SearchEvaluations::default()
        };
        let mut session = self.db.read(ctx).await?;
        let mut past = store::search(&mut session, &search, CASES + 1).await?;
        drop(session);
        let is_last = past.len() <= CASES;
        past.truncate(CASES);
        let oldest = past.last().map(|evaluation| Cursor(evaluation.id.clone()));
        let work = move || simulate::simulate(&decisions, past);
        let simulation = self.rules.worked_out("the simulation", work).await?;
        Ok(Simulation { next_cursor: oldest.filter(|_| !is_last), ..simulation })
    }
}
