//! Named leases: one process at a time does something, e.g. runs a driver that must be alone.
//!
//! A lease may run out while its holder is paused. So whatever the holder writes carries
//! [`fence`], which is refused once another took the lease, in the same transaction.

use std::time::Duration;

use flowmaster_kernel::Result;

use crate::dialect::lease_now;
use crate::jobs::lease_millis;
use crate::{Db, WriteSet, error, params};

pub(crate) const TABLES: &str = "
CREATE TABLE store_leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
) /*sqlite:WITHOUT ROWID*/;
";

/// A lease that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it is about.
    pub name: String,
    /// Who has it.
    pub owner: String,
    /// The fencing token.
    pub epoch: i64,
}

const ACQUIRE: &str = concat!(
    "INSERT INTO store_leases (name, owner, epoch, lease_until) VALUES ($1, $2, 1, ",
    lease_now!("$3"),
    " + $4) ON CONFLICT (name) DO UPDATE SET owner = excluded.owner,
        epoch = store_leases.epoch + 1, lease_until = excluded.lease_until
    WHERE store_leases.lease_until <= ",
    lease_now!("$3"),
    " RETURNING epoch"
);

const RENEW: &str = concat!(
    "UPDATE store_leases SET lease_until = ",
    lease_now!("$3"),
    " + $4 WHERE name = $1 AND epoch = $2"
);

/// Takes the lease `name` for `owner`. `None` while another has it.
///
/// # Errors
/// What the database refuses.
pub async fn acquire(db: &Db, name: &str, owner: &str, ttl: Duration) -> Result<Option<Held>> {
    let mut tx = db.begin_system().await?;
    let row = tx.query_opt(ACQUIRE, &params![name, owner, db.now(), lease_millis(ttl)]).await?;
    let epoch = row.map(|row| row.int(0)).transpose()?;
    tx.commit().await?;
    Ok(epoch.map(|epoch| Held { name: name.to_owned(), owner: owner.to_owned(), epoch }))
}

/// Prolongs the lease, counted from now.
///
/// # Errors
/// `stale_lease` once another took it.
pub async fn renew(db: &Db, held: &Held, ttl: Duration) -> Result<()> {
    let mut tx = db.begin_system().await?;
    let params = params![&held.name, held.epoch, db.now(), lease_millis(ttl)];
    if tx.execute(RENEW, &params).await? == 0 {
        return Err(error::stale_lease("lease"));
    }
    tx.commit().await
}

/// Gives the lease back before it runs out. One that another took since is left alone.
///
/// # Errors
/// What the database refuses.
pub async fn release(db: &Db, held: &Held) -> Result<()> {
    let mut tx = db.begin_system().await?;
    tx.execute(
        "UPDATE store_leases SET lease_until = 0 WHERE name = $1 AND epoch = $2",
        &params![&held.name, held.epoch],
    )
    .await?;
    tx.commit().await
}

/// Refuses the whole write set with `stale_lease` once another took the lease.
pub fn fence(writes: &mut WriteSet, held: &Held) {
    writes.push_system(
        "UPDATE store_leases SET epoch = epoch WHERE name = $1 AND epoch = $2",
        params![&held.name, held.epoch],
        1,
        error::stale_lease("lease"),
    );
}
