use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_kernel::{
    Catalogue, Ctx, Error, Idempotency, ManualClock, Principal, PrincipalKind, Result, Role,
    SequenceIds, TenantId, Timestamp,
};
use flowmaster_store::Db;
use serde_json::{Value, json};

use super::types::*;
use super::*;

mod decisions;
mod drafts;
mod exchange;
mod imports;
mod older;
mod racing;

struct Room {
    rules: Arc<Rules>,
    catalogue: Catalogue,
    clock: Arc<ManualClock>,
    db: Db,
    ctx: Ctx,
}

impl Room {
    /// Calls an operation with JSON, as every client does.
    async fn call(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Result<Value> {
        self.catalogue.get(operation).unwrap().call(ctx.clone(), arguments).await
    }

    async fn answer(&self, operation: &str, arguments: Value) -> Value {
        self.call(&self.ctx, operation, arguments).await.unwrap()
    }

    async fn refusal(&self, operation: &str, arguments: Value) -> Error {
        self.call(&self.ctx, operation, arguments).await.unwrap_err()
    }
}

async fn room() -> Room {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T00:00:00Z").unwrap()));
    let db = Db::temporary(clock.clone()).await;
    db.migrate(&[MIGRATIONS]).await.unwrap();
    room_on(db, clock)
}

fn room_on(db: Db, clock: Arc<ManualClock>) -> Room {
    let rules = Arc::new(Rules::new(db.clone()));
    let mut catalogue = Catalogue::default();
    catalogue.add(operations(&rules)).unwrap();
    let ctx = ctx("ten_a", "dora", &["director"], &clock);
    Room { rules, catalogue, clock, db, ctx }
}

fn ctx(tenant: &str, principal: &str, groups: &[&str], clock: &Arc<ManualClock>) -> Ctx {
    Ctx::unrestricted(
        TenantId::from_text(tenant),
        Principal::new(principal, PrincipalKind::Person, &[Role::Designer], groups),
        clock.clone(),
        Arc::new(SequenceIds::default()),
    )
}

/// The codes of the findings in an error.
fn findings(error: &Error) -> Vec<String> {
    let details = error.body().details.clone().unwrap_or_default();
    let codes = details["findings"].as_array().cloned().unwrap_or_default();
    codes.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}
