//! Conditional start events (BPMN 2.0.2 §10.5.2): nothing holds variables before there is an instance,
//! so somebody who has them asks which processes begin with them.

use flowmaster_engine::{StartedBy, VariableMap, start_condition_holds};
use flowmaster_kernel::{Ctx, Error, Result};

use super::calls::{Mark, is_final};
use super::messages::{Beginning, check_length, message_id, unkeyed};
use super::service::Execution;
use super::types::{BegunByCondition, EvaluateConditions, EvaluatedConditions, NotBegun};

impl Execution {
    /// Starts every published process of which a conditional start event's condition holds with these
    /// variables. One that cannot begin does not keep the others from it.
    pub(super) async fn evaluate_conditions(
        &self,
        ctx: &Ctx,
        params: EvaluateConditions,
    ) -> Result<EvaluatedConditions> {
        check_length("the business key", params.business_key.as_deref().unwrap_or_default())?;
        let step = unkeyed(ctx);
        let (cause, _) = message_id(ctx, None);
        let variables: VariableMap = params.variables.into();
        let mut answer = EvaluatedConditions::default();
        let starts = match &params.process {
            Some(process) => self.processes().begun_by_condition_of(&step, process).await?,
            None => self.processes().begun_by_condition(&step).await?,
        };
        for (process, event) in starts {
            let published = self.processes().published(&step, &process, None).await?;
            let model = published.definition.process();
            let begun = match start_condition_holds(model, &event, &variables, ctx.now()) {
                Ok(false) => continue,
                Err(failed) => Err(Error::invalid("condition_failed", failed.to_string())),
                Ok(true) => {
                    let beginning = Beginning {
                        process: &process,
                        element: event.clone(),
                        by: StartedBy::Condition,
                        variables: &variables,
                        business_key: params.business_key.clone(),
                    };
                    self.begin(&step, beginning, &cause, &Mark(&|_| {})).await
                }
            };
            match begun {
                Ok(begun) => {
                    let instance = begun.into_id();
                    answer.started.push(BegunByCondition { process, event, instance });
                }
                Err(error) if is_final(&error) => {
                    let why = error.to_string();
                    answer.not_started.push(NotBegun { process, event, why });
                }
                Err(error) => return Err(error),
            }
        }
        self.record(ctx, &answer).await?;
        Ok(answer)
    }
}
