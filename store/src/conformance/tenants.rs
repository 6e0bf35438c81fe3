//! No byte of one tenant is seen or changed by another.

use super::bed::{Bed, MINUTE, ids, payload, put, rows};
use crate::jobs::{self, NewJob};
use crate::journal::{self, Head};
use crate::listeners::Audience;
use crate::outbox::{self, NewMessage};
use crate::timers::{self, NewTimer};
use crate::{WriteSet, params};

pub(super) async fn a_tenant_sees_and_changes_only_its_own(bed: Bed) {
    bed.db.submit(&bed.ctx("a"), rows(&["1", "2"])).await.unwrap();
    let mut tx = bed.db.begin(&bed.ctx("b")).await.unwrap();
    // The same id is another row.
    put(&mut tx, "1").await;
    assert_eq!(ids(&mut tx).await, ["1"]);
    let update = "UPDATE test_rows SET n = 9 WHERE tenant_id = $1";
    assert_eq!(tx.execute(update, &[]).await.unwrap(), 1);
    let delete = "DELETE FROM test_rows WHERE tenant_id = $1 AND id = $2";
    assert_eq!(tx.execute(delete, &params!["2"]).await.unwrap(), 0);
    tx.commit(()).await.unwrap();
    assert_eq!(bed.ids("a").await, ["1", "2"]);
    assert_eq!(bed.ids("b").await, ["1"]);
    let mut all = bed.db.read_system().await.unwrap();
    let all =
        all.query("SELECT tenant_id, n FROM test_rows ORDER BY tenant_id, id", &[]).await.unwrap();
    let all: Vec<_> = all.iter().map(|row| (row.text(0).unwrap(), row.int(1).unwrap())).collect();
    assert_eq!(all, [("a".to_owned(), 0), ("a".to_owned(), 0), ("b".to_owned(), 9)]);
}

pub(super) async fn the_tables_of_the_store_keep_tenants_apart(bed: Bed) {
    let (now, payload) = (bed.now(), payload());
    let job = NewJob {
        id: "j",
        kind: "agent",
        job_type: "t",
        instance: "i",
        element: "e",
        priority: 0,
        retries: 1,
        due_at: now,
        created_at: now,
        is_paused: false,
        payload: &payload,
    };
    let timer = NewTimer { id: "t", instance: "i", element: "e", due_at: now, payload: &payload };
    let message = NewMessage { id: "m", topic: "t", key: "i", seq: 1, at: now, payload: &payload };
    let a = bed.ctx("a");
    bed.write(|writes| {
        jobs::insert(writes, &job);
        timers::insert(writes, &timer);
        outbox::append(writes, &message);
        journal::append(writes, &a, "i", &Head::default(), &payload, Audience::Nobody).unwrap();
    })
    .await;
    let b = bed.ctx("b");
    let mut snapshot = bed.db.read(&b).await.unwrap();
    assert_eq!(jobs::list(&mut snapshot, None, None, None, 10).await.unwrap(), []);
    assert_eq!(jobs::find(&mut snapshot, "j").await.unwrap(), None);
    assert_eq!(timers::list(&mut snapshot, None, None, 10).await.unwrap(), []);
    assert_eq!(outbox::backlog(&mut snapshot).await.unwrap().pending, 0);
    assert_eq!(journal::read(&mut snapshot, "i", 0, 10).await.unwrap(), []);
    assert_eq!(journal::head(&mut snapshot, "i").await.unwrap(), Head::default());
    drop(snapshot);
    let claimed = timers::claim_due(&bed.db, MINUTE, 10).await.unwrap();
    assert_eq!(claimed[0].tenant.as_str(), "a");
    // The fencing token of another tenant opens nothing.
    let attempts: [fn(&mut WriteSet); 4] = [
        |writes| jobs::close(writes, "j", 0),
        |writes| timers::fired(writes, "t", 1),
        |writes| outbox::delivered(writes, "m", 0),
        |writes| jobs::retry(writes, "j", 1, flowmaster_kernel::Timestamp::default()),
    ];
    for attempt in attempts {
        let mut writes = WriteSet::new();
        attempt(&mut writes);
        assert_eq!(bed.db.submit(&b, writes).await.unwrap_err().code(), "stale_lease");
    }
    let mut writes = WriteSet::new();
    jobs::cancel(&mut writes, "j");
    jobs::cancel_instance(&mut writes, "i");
    timers::cancel_instance(&mut writes, "i");
    bed.db.submit(&b, writes).await.unwrap();
    let mut snapshot = bed.db.read(&a).await.unwrap();
    assert_eq!(jobs::list(&mut snapshot, None, None, None, 10).await.unwrap().len(), 1);
    assert_eq!(timers::list(&mut snapshot, None, None, 10).await.unwrap().len(), 1);
}
