//! Whether all that is stored about instances fits together: each journal is whole, and leads to the
//! state and to what lists filter by.

use flowmaster_engine::{Event, replay};
use flowmaster_kernel::{Ctx, Result};
use flowmaster_store::{Db, Session, journal};

use super::store;
use super::timeline::recorded_events;

/// Checks every instance of the tenant of `ctx`; says how many there are.
///
/// # Errors
/// `instance_damaged` or `journal_tampered`, with the first instance that does not fit, or what the
/// store reports.
pub async fn verify_instances(db: &Db, ctx: &Ctx) -> Result<usize> {
    let mut seen = 0;
    let mut after = String::new();
    loop {
        let mut session = db.read(ctx).await?;
        let Some(listed) = store::next_listed(&mut session, &after).await? else { return Ok(seen) };
        verify(&mut session, ctx, &listed).await?;
        seen += 1;
        after = listed.id;
    }
}

async fn verify(session: &mut Session, ctx: &Ctx, listed: &store::Listed) -> Result<()> {
    let id = &listed.id;
    let damaged = || store::damaged(id);
    let stored = store::find(session, id).await?.ok_or_else(damaged)?;
    journal::verify(session, &ctx.tenant, id, Some(&stored.head)).await?;
    let mut events: Vec<Event> = Vec::new();
    let mut seq = 0;
    while seq < stored.head.seq {
        let rows = journal::read(session, id, seq, journal::MAX_BATCH).await?;
        seq = rows.last().map(|row| row.seq).ok_or_else(damaged)?;
        for row in &rows {
            events.extend(recorded_events(&row.events)?);
        }
    }
    let fits = replay(id, &events) == stored.instance && listed.fits(&stored);
    if fits { Ok(()) } else { Err(damaged()) }
}
