//! Sealing: entries that were committed, by whomever and in whatever order, are put in order and chained.
//!
//! Invariants: a seal and what it covers are one commit; two nodes that seal the same at once are
//! refused but one; what commits later with an earlier id goes into a later seal.

use flowmaster_kernel::{Ctx, Result, TenantId};
use flowmaster_store::WriteSet;
use flowmaster_store::lease::{self, Held};

use super::chain::{Link, Seal};
use super::service::{Record, line};
use super::store;

/// How many entries are sealed in one commit.
const BATCH: usize = 1_000;
/// The most entries of a seal.
const MAX_ENTRIES: usize = 50;
/// A seal covers no more than so many characters, unless one entry alone is longer: so that an answer
/// can hold it.
const MAX_CHARACTERS: usize = 32_000;

impl Record {
    /// The first tenant behind `after` with entries that no seal covers.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn next_tenant_to_seal(&self, after: &str) -> Result<Option<TenantId>> {
        store::tenants::next_unsealed(&self.db, after).await
    }

    /// Seals some of the tenant's entries, under the lease of whoever sees to it; says how many.
    ///
    /// # Errors
    /// `record_raced` when another did meanwhile; `stale_lease`; what the store reports.
    pub async fn seal(&self, ctx: &Ctx, held: Option<&Held>) -> Result<usize> {
        let mut session = self.db.read(ctx).await?;
        let unsealed = store::unsealed(&mut session, BATCH).await?;
        let newest = store::newest(&mut session).await?;
        drop(session);
        if unsealed.is_empty() {
            return Ok(0);
        }
        let count = unsealed.len();
        let (mut number, mut previous) =
            newest.map_or((0, String::new()), |newest| (newest.seal, newest.hash));
        let mut writes = WriteSet::new();
        for entries in pieces(unsealed) {
            number += 1;
            let seal = Seal::over(ctx.tenant.as_str(), number, &previous, ctx.now(), entries);
            store::cover(&mut writes, &seal, line(&seal)?);
            previous = seal.hash;
        }
        if let Some(held) = held {
            lease::fence(&mut writes, held);
        }
        self.db.submit(ctx, writes.finishing()).await?;
        Ok(count)
    }
}

/// What goes into each seal.
fn pieces(unsealed: Vec<(Link, usize)>) -> Vec<Vec<Link>> {
    let (mut pieces, mut piece, mut characters) = (Vec::new(), Vec::new(), 0);
    for (link, length) in unsealed {
        characters += length;
        if !piece.is_empty() && (piece.len() == MAX_ENTRIES || characters > MAX_CHARACTERS) {
            pieces.push(std::mem::take(&mut piece));
            characters = length;
        }
        piece.push(link);
    }
    pieces.push(piece);
    pieces
}
