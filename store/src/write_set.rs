//! Writes as data: what the hot path hands to the store, to be executed by the writer itself.

use flowmaster_kernel::{Ctx, Error, Result};
use serde::Serialize;

use crate::dialect::Scoped;
use crate::status::Wakes;
use crate::{Param, error, idempotency};

/// The most statements in one set.
pub const MAX_STATEMENTS: usize = 10_000;

/// A list of statements that become durable together or not at all.
///
/// `$1` of every statement is the tenant of the `Ctx` it is submitted with.
#[derive(Debug, Default)]
pub struct WriteSet {
    pub(crate) statements: Vec<Statement>,
    pub(crate) wakes: Wakes,
    pub(crate) urgency: Urgency,
}

/// Whether a write is let through while storage space is low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Starts something: refused first.
    #[default]
    New,
    /// Finishes what was accepted before.
    Finishing,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) params: Vec<Param>,
    pub(crate) scoped: Scoped,
    pub(crate) expected: Option<Expected>,
}

#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) rows: u64,
    pub(crate) otherwise: Error,
}

impl WriteSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a statement. `params` are `$2` and following.
    pub fn push(&mut self, sql: &'static str, params: Vec<Param>) {
        self.statements.push(Statement { sql, params, scoped: Scoped::Tenant, expected: None });
    }

    /// Adds a statement that has to change exactly `rows` rows; else the whole set is rolled back
    /// and `otherwise` is the answer.
    pub fn push_expecting(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
        rows: u64,
        otherwise: Error,
    ) {
        let expected = Some(Expected { rows, otherwise });
        self.statements.push(Statement { sql, params, scoped: Scoped::Tenant, expected });
    }

    /// As [`WriteSet::push_expecting`] on a table of ours that belongs to no tenant.
    pub(crate) fn push_system(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
        rows: u64,
        otherwise: Error,
    ) {
        let expected = Some(Expected { rows, otherwise });
        self.statements.push(Statement { sql, params, scoped: Scoped::System, expected });
    }

    /// Records `answer` under the idempotency key of `ctx`, if there is one: the same key gets the
    /// same answer for ever after, and this set is applied once.
    ///
    /// # Errors
    /// An answer that is too large or is not JSON.
    pub fn answer(&mut self, ctx: &Ctx, answer: &impl Serialize) -> Result<()> {
        idempotency::record(self, ctx, answer)
    }

    /// Appends the statements of `other`.
    pub fn extend(&mut self, other: Self) {
        self.wakes.add(other.wakes);
        if other.urgency == Urgency::Finishing {
            self.urgency = Urgency::Finishing;
        }
        self.statements.extend(other.statements);
    }

    /// Marks a set that finishes work accepted before: it is let through while space is low.
    #[must_use]
    pub fn finishing(mut self) -> Self {
        self.urgency = Urgency::Finishing;
        self
    }

    /// How many statements the set has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    pub(crate) fn check_size(&self) -> Result<()> {
        match self.len() {
            0..=MAX_STATEMENTS => Ok(()),
            len => Err(error::too_large(format!("{len} statements are over {MAX_STATEMENTS}"))),
        }
    }
}

impl Statement {
    /// Takes the number of changed rows; the error of the statement if another was expected.
    pub(crate) fn settle(&mut self, changed: u64) -> Result<()> {
        match self.expected.take() {
            Some(expected) if expected.rows != changed => Err(expected.otherwise),
            expected => {
                // Kept for the case that the set has to run again.
                self.expected = expected;
                Ok(())
            }
        }
    }
}
