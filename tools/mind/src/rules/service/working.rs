//! What is worked out from rules and changes nothing: evaluations, explanations, analyses.

use std::sync::Arc;
use std::time::Duration;

use flowmaster_engine::dmn::DecisionError;
use flowmaster_engine::dmn::explain::{ExplainError, Explainer, Explanation};
use flowmaster_kernel::{Ctx, Error, ErrorKind, ResponseFormat, Result};
use serde_json::{Map, Value};

use super::super::error::RuleError;
use super::super::tables::{self, Content};
use super::super::types::{AnalyzeRule, AnalyzedRule, EvaluateRule, Evaluated, GetRule, RulePin};
use super::{Rules, off_thread};

/// How much is worked out at once. What does not end keeps its place, so hostile rules use up these
/// places and nothing else.
pub(super) const PLACES: usize = 8;
/// How long a caller waits.
const TIME: Duration = Duration::from_secs(5);

impl Rules {
    /// Analyses the tables of a file, which need not be saved.
    pub(in super::super) async fn analyze(
        &self,
        ctx: &Ctx,
        params: AnalyzeRule,
    ) -> Result<AnalyzedRule> {
        let AnalyzeRule { rules, dmn, id, version, decision } = params;
        let content = match (rules, dmn, id) {
            (rules, dmn, None) => Content::of(rules, dmn)?,
            (None, None, Some(id)) => {
                let get = GetRule { id, version, response_format: ResponseFormat::Detailed };
                Content::Dmn(self.get(ctx, get).await?.dmn.unwrap_or_default())
            }
            _ => return Err(RuleError::NotOneFile.into()),
        };
        let wanted = decision.clone();
        let work = move || tables::analyzed(&content.into_dmn()?, wanted.as_deref());
        let what = "the analysis";
        let analyzed = self.worked_out(what, work).await?.map_err(RuleError::Invalid)?;
        match decision.filter(|_| analyzed.tables.is_empty() && analyzed.unread.is_empty()) {
            Some(decision) => Err(RuleError::NoTable(decision).into()),
            None => Ok(analyzed),
        }
    }

    pub(in super::super) async fn evaluate(
        &self,
        ctx: &Ctx,
        params: EvaluateRule,
    ) -> Result<Evaluated> {
        let pin = self.wanted(ctx, &params).await?;
        let decisions = self.pinned(ctx, std::slice::from_ref(&pin)).await?;
        let EvaluateRule { decision, variables, response_format, .. } = params;
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
        let explanation = match response_format {
            ResponseFormat::Concise => None,
            ResponseFormat::Detailed => self.explained(ctx, &pin, &decision, variables).await?,
        };
        let RulePin { file, version } = pin;
        match value {
            Ok(value) => {
                Ok(Evaluated { value, decision, file, version, missing_inputs, explanation })
            }
            Err(DecisionError::Unknown(decision)) => {
                Err(RuleError::NotInVersion { decision, file, version }.into())
            }
            Err(error) => {
                let explanation = explanation.map(Box::new);
                Err(RuleError::NoValue { error, explanation }.into())
            }
        }
    }

    /// Why a decision answers as it does; nothing where it has no table that can be explained.
    async fn explained(
        &self,
        ctx: &Ctx,
        pin: &RulePin,
        decision: &str,
        variables: Map<String, Value>,
    ) -> Result<Option<Explanation>> {
        let file = self.files(ctx, std::slice::from_ref(pin)).await?.concat();
        let (wanted, now) = (decision.to_owned(), ctx.now());
        let work = move || -> Result<Explanation, ExplainError> {
            Ok(Explainer::read(file.as_bytes(), &wanted)?.explain(&variables, now)?)
        };
        let what = format!("the explanation of {decision:?}");
        Ok(self.worked_out(&what, work).await?.ok())
    }

    /// What `work` gives, if there is a place for it and it is done in time.
    async fn worked_out<T: Send + 'static>(
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
