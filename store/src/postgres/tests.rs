//! What PostgreSQL alone can get wrong: pooled connections, collisions, servers that go away.

mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Error, ManualClock};
use parking_lot::Mutex;

use crate::conformance::Bed;
use crate::conformance::bed::{MINUTE, payload, put, rows};
use crate::outbox::{self, NewMessage};
use crate::{Db, DbConfig, Health, WriteSet, params};

fn append(bed: &Bed, writes: &mut WriteSet, id: &str, key: &str, seq: i64) {
    let payload = payload();
    let message = NewMessage { id, topic: "t", key, seq, at: bed.now(), payload: &payload };
    outbox::append(writes, &message);
}

async fn claimed(bed: &Bed) -> Vec<String> {
    let messages = outbox::claim(&bed.db, MINUTE, 9).await.unwrap();
    messages.into_iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn a_message_whose_transaction_commits_late_is_not_passed_over() {
    let bed = Bed::postgres().await;
    let mut early = WriteSet::new();
    append(&bed, &mut early, "1", "early", 1);
    let mut open = bed.db.begin(&bed.ctx("a")).await.unwrap();
    open.apply(early).await.unwrap();
    bed.write(|writes| append(&bed, writes, "2", "late", 1)).await;
    assert_eq!(claimed(&bed).await, ["2"]);
    open.commit(()).await.unwrap();
    assert_eq!(claimed(&bed).await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_claim_at_once_keep_the_order_of_each_key() {
    let bed = Arc::new(Bed::postgres().await);
    let expected: Vec<i64> = (0..12).collect();
    bed.write(|writes| {
        for seq in &expected {
            for key in ["k1", "k2", "k3"] {
                append(&bed, writes, &format!("{key} {seq:02}"), key, *seq);
            }
        }
    })
    .await;
    let seen: Arc<Mutex<BTreeMap<String, Vec<i64>>>> = Arc::default();
    let relays: Vec<_> = (0..4)
        .map(|_| {
            let (bed, seen) = (bed.clone(), seen.clone());
            tokio::spawn(async move {
                while seen.lock().values().map(Vec::len).sum::<usize>() < 36 {
                    let batch = outbox::claim(&bed.db, MINUTE, 5).await.unwrap();
                    for message in &batch {
                        seen.lock().entry(message.key.clone()).or_default().push(message.seq);
                    }
                    bed.write(|writes| {
                        for message in &batch {
                            outbox::delivered(writes, &message.id, message.epoch);
                        }
                    })
                    .await;
                }
            })
        })
        .collect();
    for relay in relays {
        relay.await.unwrap();
    }
    for (key, seqs) in &*seen.lock() {
        assert_eq!(*seqs, expected, "{key}");
    }
}

#[tokio::test]
async fn a_connection_goes_back_to_the_pool_without_a_transaction() {
    let bed = Bed::postgres_with(|config| config.connections = 1).await;
    for _ in 0..3 {
        let mut dropped = bed.db.begin(&bed.ctx("a")).await.unwrap();
        put(&mut dropped, "dropped").await;
        drop(dropped);
        let mut failed = bed.db.begin(&bed.ctx("a")).await.unwrap();
        put(&mut failed, "failed").await;
        failed.query("SELECT 1 / 0 WHERE 'tenant_id' <> $1", &[]).await.unwrap_err();
        drop(failed);
        assert_eq!(bed.ids("a").await, [""; 0]);
    }
    bed.db.submit(&bed.ctx("a"), rows(&["1"])).await.unwrap();
    assert_eq!(bed.ids("a").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_sets_that_collide_are_sent_again() {
    let bed = Bed::postgres().await;
    bed.db.submit(&bed.ctx("a"), rows(&["1"])).await.unwrap();
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (db, ctx) = (bed.db.clone(), bed.ctx("a"));
            tokio::spawn(async move {
                let mut writes = WriteSet::new();
                let gone = Error::conflict("gone", "the row is gone");
                let sql = "UPDATE test_rows SET n = n + 1 WHERE tenant_id = $1 AND id = $2";
                writes.push_expecting(sql, params!["1"], 1, gone);
                db.submit(&ctx, writes).await
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    let n = snapshot.query_one("SELECT n FROM test_rows WHERE tenant_id = $1", &[]).await.unwrap();
    assert_eq!(n.int(0).unwrap(), 16);
}

#[tokio::test]
async fn a_session_that_the_server_ends_is_told_and_the_next_one_works() {
    let bed = Bed::postgres().await;
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    put(&mut tx, "lost").await;
    let ends = "SELECT 1 FROM pg_terminate_backend(pg_backend_pid()) WHERE 'tenant_id' <> $1";
    assert_eq!(tx.query(ends, &[]).await.unwrap_err().code(), "database_unreachable");
    assert_eq!(tx.commit(()).await.unwrap_err().code(), "transaction_failed");
    bed.db.submit(&bed.ctx("a"), rows(&["next"])).await.unwrap();
    assert_eq!(bed.ids("a").await, ["next"]);
}

#[tokio::test]
async fn a_session_that_ends_during_its_commit_leaves_the_outcome_unknown() {
    let bed = Bed::postgres().await;
    let fault = crate::Migrations {
        room: "fault",
        steps: &["
            CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER end_session AFTER INSERT ON test_rows
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_session();"],
    };
    bed.db.migrate(&[fault]).await.unwrap();
    let ctx = bed.ctx("a");
    let unknown = bed.db.submit(&ctx, rows(&["1"])).await.unwrap_err();
    assert_eq!((unknown.code(), unknown.body().retryable), ("outcome_unknown", true));
    let mut tx = bed.db.begin(&ctx).await.unwrap();
    put(&mut tx, "2").await;
    assert_eq!(tx.commit(()).await.unwrap_err().code(), "outcome_unknown");
    assert_eq!(bed.ids("a").await, [""; 0]);
}

#[tokio::test]
async fn a_statement_without_end_is_ended() {
    let bed = Bed::postgres_with(|config| config.statement_limit = Duration::from_secs(1)).await;
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    let sleeps = "SELECT 1 FROM pg_sleep(300) WHERE 'tenant_id' <> $1";
    assert_eq!(tx.query(sleeps, &[]).await.unwrap_err().code(), "statement_timeout");
}

#[tokio::test]
async fn a_transaction_held_too_long_is_refused() {
    let bed = Bed::postgres_with(|config| config.hold_limit = Duration::from_secs(1)).await;
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    put(&mut tx, "held").await;
    let naps = "SELECT 1 FROM pg_sleep(1.1) WHERE 'tenant_id' <> $1";
    tx.query(naps, &[]).await.unwrap();
    assert_eq!(tx.query(naps, &[]).await.unwrap_err().code(), "transaction_expired");
    assert_eq!(tx.commit(()).await.unwrap_err().code(), "transaction_expired");
    assert_eq!(bed.db.status().expired, 1);
    assert_eq!(bed.ids("a").await, [""; 0]);
}

#[tokio::test]
async fn urls_that_cannot_work_are_refused_with_the_reason() {
    let check = async |url: &str, code: &str| {
        let opened = Db::open(&DbConfig::new(url), Arc::new(ManualClock::default())).await;
        let error = Error::from(opened.err().unwrap());
        assert_eq!(error.code(), code, "{url}");
        assert!(!format!("{error}").contains("secret"), "{error}");
    };
    check("postgres://u:secret@127.0.0.1:1/db", "database_unreachable").await;
    check("postgres://u:secret@localhost/db?sslmode=prefer", "database_tls_mode").await;
    check("postgres://u:secret@localhost/db?sslrootcert=/none", "database_tls_roots").await;
    check("postgres://u:secret@localhost:port/db", "invalid_database_url").await;
}

#[tokio::test]
async fn a_statement_that_forgets_the_tenant_still_sees_its_own_rows_only() {
    let bed = Bed::postgres().await;
    assert_eq!(bed.db.status().row_security, Some(true));
    bed.db.submit(&bed.ctx("a"), rows(&["of a"])).await.unwrap();
    bed.db.submit(&bed.ctx("it's b"), rows(&["of b"])).await.unwrap();
    let forgets = "SELECT id FROM test_rows WHERE 'tenant_id' <> $1 ORDER BY id";
    for (tenant, id) in [("a", "of a"), ("it's b", "of b")] {
        let mut snapshot = bed.db.read(&bed.ctx(tenant)).await.unwrap();
        let seen = snapshot.query(forgets, &[]).await.unwrap();
        assert_eq!(seen.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), [id]);
        let mut tx = bed.db.begin(&bed.ctx(tenant)).await.unwrap();
        let all = "UPDATE test_rows SET n = 5 WHERE 'tenant_id' <> $1";
        assert_eq!(tx.execute(all, &[]).await.unwrap(), 1);
        let elsewhere = "INSERT INTO test_rows (tenant_id, id) VALUES ($1 || ' tenant_id', 'x')";
        tx.execute(elsewhere, &[]).await.unwrap_err();
    }
    let mut system = bed.db.read_system().await.unwrap();
    assert_eq!(system.query("SELECT id FROM test_rows", &[]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_status_names_the_server() {
    let bed = Bed::postgres().await;
    let status = bed.db.status();
    assert_eq!((status.health, status.wal_bytes), (Health::Ready, None));
    assert!(status.version.starts_with(|c: char| c.is_ascii_digit()), "{}", status.version);
}
