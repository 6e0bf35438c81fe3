//! Jobs that answer by themselves.

use std::sync::Arc;

use super::{Answered, World};
use crate::command::Command;
use crate::instance::Key;
use crate::scenario::format::{Answer, Answers};
use crate::scope::VariableMap;
use crate::wait::WaitKind;

impl World<'_> {
    /// Lets a mocked job answer.
    pub(super) fn answer(&mut self, id: &Arc<str>, key: Key) -> Result<(), String> {
        let Some(running) = self.find(id).and_then(|at| self.running.get(at)) else {
            return Ok(());
        };
        let Some(wait) = running.instance.wait(key) else { return Ok(()) };
        let (WaitKind::Job { retries } | WaitKind::Agent { retries }) = wait.kind else {
            return Ok(());
        };
        let element = wait.element.to_string();
        let qualified = format!("{}/{element}", running.definition.process().id);
        let mocks = &self.scenario.mocks;
        let named = |name: String| Some((mocks.get(&name)?, name));
        let Some((answers, name)) = named(qualified).or_else(|| named(element)) else {
            return Ok(());
        };
        let Some(answer) = self.next_answer(name, answers) else { return Ok(()) };
        let variables = VariableMap::from(answer.variables.clone());
        let command = match (&answer.error, &answer.fail) {
            (Some(error), _) => Command::ThrowError {
                key,
                code: error.code.clone(),
                message: error.message.clone(),
                variables,
            },
            (None, Some(message)) => Command::FailWork {
                key,
                message: message.clone(),
                retries: retries.saturating_sub(1),
                back_off: None,
            },
            (None, None) => Command::CompleteWork { key, variables },
        };
        let worker = self.worker(id, key);
        match self.tell(id, command, &worker)? {
            Answered::Followed => Ok(()),
            Answered::Refused(refused) => {
                Err(format!("the mock was refused: {}", refused.refusal.reason))
            }
            Answered::Rejected(rejected) => Err(format!("the mock was rejected: {rejected}")),
        }
    }

    fn next_answer<'m>(&mut self, name: String, answers: &'m Answers) -> Option<&'m Answer> {
        match answers {
            Answers::Always(answer) => Some(answer),
            Answers::InTurn(answers) => {
                let turn = self.answered.entry(name).or_default();
                *turn += 1;
                answers.get(*turn - 1)
            }
        }
    }
}
