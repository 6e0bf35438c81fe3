use std::sync::Arc;

use flowmaster_kernel::{
    Ctx, ManualClock, Principal, PrincipalKind, Role, SequenceIds, TenantId, Timestamp,
};
use flowmaster_store::Db;

use super::types::*;
use super::*;

fn ctx(tenant: &str) -> Ctx {
    Ctx::unrestricted(
        TenantId::from_text(tenant),
        Principal::new("admin", PrincipalKind::Person, &[Role::Admin], &[]),
        Arc::new(ManualClock::at(Timestamp::from_millis(1_000))),
        Arc::new(SequenceIds::default()),
    )
}

fn entry(ctx: &Ctx, operation: &str, outcome: &str) -> Entry {
    Entry {
        id: ctx.fresh_id(),
        at: ctx.now(),
        principal: ctx.principal.id.clone(),
        operation: operation.to_owned(),
        outcome: outcome.to_owned(),
        arguments_hash: String::new(),
        duration_ms: 1,
        trace: ctx.trace.to_string(),
    }
}

#[tokio::test]
async fn entries_are_found_by_filter_page_and_tenant() {
    let (ours, theirs) = (ctx("ten_a"), ctx("ten_b"));
    let db = Db::temporary(Arc::clone(&ours.clock)).await;
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let (audit, writer) = Audit::new(db.clone());
    for at in 0..5 {
        audit.record(&ours, entry(&ours, "task_list", if at == 2 { "forbidden" } else { "ok" }));
        audit.record(&theirs, entry(&theirs, "task_get", "ok"));
    }
    let reader = Audit::new(db).0;
    drop(audit);
    writer.await;

    let page = |cursor| SearchAudit { limit: Some(3), cursor, ..SearchAudit::default() };
    let first = reader.search(&ours, page(None)).await.unwrap();
    assert_eq!(first.items.len(), 3);
    let second = reader.search(&ours, page(first.next_cursor)).await.unwrap();
    assert_eq!((second.items.len(), second.next_cursor), (2, None));
    let refused = SearchAudit { outcome: Some("forbidden".to_owned()), ..SearchAudit::default() };
    assert_eq!(reader.search(&ours, refused).await.unwrap().items.len(), 1);
    assert!(first.items.iter().all(|entry| entry.operation == "task_list"));
}
