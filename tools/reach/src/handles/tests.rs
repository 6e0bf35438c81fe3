//! Tests through the verbs, on a real database.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_kernel::{
    Ctx, ManualClock, Principal, PrincipalKind, Role, SequenceIds, TenantId, Timestamp,
};
use flowmaster_store::Db;
use serde_json::json;

use super::{HandleState, Handles};

struct World {
    clock: Arc<ManualClock>,
    ids: Arc<SequenceIds>,
    room: Handles,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T08:00:00Z").unwrap()));
        let db = Db::temporary(clock.clone()).await;
        db.migrate(&crate::MIGRATIONS).await.unwrap();
        Self { clock, ids: Arc::default(), room: Handles::new(db) }
    }

    fn ctx(&self, tenant: &str, id: &str) -> Ctx {
        let principal = Principal::new(id, PrincipalKind::Person, &[Role::Employee], &[]);
        let tenant = TenantId::from_text(tenant);
        Ctx::unrestricted(tenant, principal, self.clock.clone(), self.ids.clone())
    }
}

#[tokio::test]
async fn a_handle_is_of_use_to_its_owner_alone_and_for_a_time() {
    let world = World::new().await;
    let anna = world.ctx("ten_a", "anna");
    let open = HandleState::open();
    let handle = world.room.open(&anna, "process_start", "ins_1", open.clone()).await.unwrap();
    assert_eq!(handle.id.len(), "hdl_".len() + 32);
    let again = world.room.open(&anna, "process_start", "ins_1", open.clone()).await.unwrap();
    assert_eq!(again, handle, "one subject, one handle");
    let anonymous = world.room.open(&anna, "x", "", open.clone()).await.unwrap();
    assert_ne!(world.room.open(&anna, "x", "", open.clone()).await.unwrap().id, anonymous.id);
    assert_eq!(world.room.get(&anna, &handle.id).await.unwrap(), handle);

    for (tenant, id) in [("ten_a", "eve"), ("ten_b", "anna")] {
        let other = world.ctx(tenant, id);
        let error = world.room.get(&other, &handle.id).await.unwrap_err();
        assert_eq!(error.code(), "handle_not_found", "{tenant} {id}");
        let changed = world.room.change(&other, &handle.id, |_| HandleState::Cancelled).await;
        assert_eq!(changed.unwrap_err().code(), "handle_not_found");
        let theirs = world.room.open(&other, "process_start", "ins_1", open.clone()).await.unwrap();
        assert_ne!(theirs.id, handle.id);
    }

    world.clock.advance_millis(7 * 24 * 3_600_000);
    let error = world.room.get(&anna, &handle.id).await.unwrap_err();
    assert_eq!(error.code(), "handle_not_found");
    let renewed = world.room.open(&anna, "process_start", "ins_1", open).await.unwrap();
    assert_ne!(renewed.id, handle.id);
}

#[tokio::test]
async fn what_is_closed_stays_as_it_was_closed() {
    let world = World::new().await;
    let anna = world.ctx("ten_a", "anna");
    let id = world.room.open(&anna, "x", "", HandleState::open()).await.unwrap().id;
    world.clock.advance_millis(1_000);
    let cancelled = world.room.change(&anna, &id, |_| HandleState::Cancelled).await.unwrap();
    assert_eq!(cancelled.updated_at, anna.now());
    let done = HandleState::Done { outcome: Ok(json!({ "sum": 3 })) };
    let later = world.room.change(&anna, &id, |_| done.clone()).await.unwrap();
    assert_eq!(later.state, HandleState::Cancelled);
    assert_eq!(world.room.get(&anna, &id).await.unwrap(), cancelled);
}

#[tokio::test]
async fn a_question_is_answered_once() {
    let world = World::new().await;
    let anna = world.ctx("ten_a", "anna");
    let questions = BTreeMap::from([("a".to_owned(), json!(1)), ("b".to_owned(), json!(2))]);
    let state = HandleState::Open { questions, answers: BTreeMap::new() };
    let id = world.room.open(&anna, "x", "", state).await.unwrap().id;
    let answer = async |key: &str, answer: i64| {
        let given = BTreeMap::from([(key.to_owned(), json!(answer))]);
        match world.room.answer(&anna, &id, &given).await.unwrap().state {
            HandleState::Open { questions, answers } => {
                (questions.into_keys().collect::<Vec<_>>(), json!(answers))
            }
            closed => panic!("{closed:?}"),
        }
    };
    assert_eq!(answer("a", 7).await, (vec!["b".to_owned()], json!({ "a": 7 })));
    assert_eq!(answer("a", 8).await, (vec!["b".to_owned()], json!({ "a": 7 })));
    assert_eq!(answer("c", 9).await, (vec!["b".to_owned()], json!({ "a": 7 })));
    assert_eq!(answer("b", 9).await, (vec![], json!({ "a": 7, "b": 9 })));
    let large = BTreeMap::from([("b".to_owned(), json!("x".repeat(300_000)))]);
    let state = HandleState::Open { questions: large, answers: BTreeMap::new() };
    let refused = world.room.open(&anna, "x", "", state).await.unwrap_err();
    assert_eq!(refused.code(), "handle_too_large");
}
