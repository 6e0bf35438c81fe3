//! Seals with the entries that they cover, a page at a time: two queries a page, however many seals it has.
//!
//! Invariant: what a page holds in memory is bounded by its [`Size`]. More entries than its seals say are
//! not read, but for one, which shows that there are more.

use flowmaster_kernel::Result;
use flowmaster_store::{Row, Session};

use super::chain::Seal;
use super::export::read;
use super::store;

/// How much a page holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// The most seals.
    pub(super) seals: usize,
    /// No seal is added to those that cover so many entries.
    pub(super) entries: usize,
}

/// Seals that are stored behind each other.
pub(super) struct SealPage {
    pub(super) seals: Vec<StoredSeal>,
    /// Whether no seal is behind them.
    pub(super) is_last: bool,
}

/// A seal as it is stored, and the entries that name its place.
pub(super) struct StoredSeal {
    /// Its line.
    pub(super) body: String,
    /// What the line says; nothing where it is no seal.
    pub(super) seal: Option<Seal>,
    /// The entries, in order.
    pub(super) rows: Vec<Row>,
}

/// The seals behind the number `after`. At least one, if there is one.
pub(super) async fn page(session: &mut Session, after: i64, size: Size) -> Result<SealPage> {
    let bodies = store::seals(session, after, size.seals + 1).await?;
    let stored = bodies.len();
    let (mut seals, mut entries) = (Vec::new(), 0);
    for body in bodies.into_iter().take(size.seals) {
        if entries >= size.entries {
            break;
        }
        let seal = read::<Seal>(&body);
        entries += seal.as_ref().map_or(0, |seal| seal.entries.len());
        seals.push(StoredSeal { body, seal, rows: Vec::new() });
    }
    let is_last = seals.len() == stored;
    // Numbers follow each other: where one is missing, that is told before entries are looked at.
    let mut rows = store::of_seals(session, after, seals.len(), entries + 1).await?.into_iter();
    let mut next = rows.next();
    for (stored, place) in seals.iter_mut().zip(after.saturating_add(1)..) {
        while let Some(row) = next.take_if(|row| row.int(10).is_ok_and(|seal| seal == place)) {
            stored.rows.push(row);
            next = rows.next();
        }
    }
    Ok(SealPage { seals, is_last })
}
