//! What happens to a draft while it is checked before it is published.

use std::sync::mpsc;

use flowmaster_kernel::Clock;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::decisions::dmn;
use super::*;

/// A clock that, when it is first asked, waits until it is told to go on: the check of a draft asks it
/// after the draft was read.
struct Gate {
    clock: Arc<ManualClock>,
    reached: Mutex<Option<oneshot::Sender<()>>>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl Clock for Gate {
    fn now(&self) -> Timestamp {
        if let Some(reached) = self.reached.lock().take() {
            reached.send(()).unwrap();
            self.go_on.lock().recv().unwrap();
        }
        self.clock.now()
    }
}

impl Room {
    /// What publishing the file `a` answers when `meanwhile` is called after its draft was read.
    async fn publish_while(&self, meanwhile: Option<(&str, Value)>) -> Result<PublishedRule> {
        let (reached, is_reached) = oneshot::channel();
        let (go, go_on) = mpsc::channel();
        let gate = Gate {
            clock: Arc::clone(&self.clock),
            reached: Mutex::new(Some(reached)),
            go_on: Mutex::new(go_on),
        };
        let ctx = Ctx { clock: Arc::new(gate), ..self.ctx.clone() };
        let rules = Arc::clone(&self.rules);
        let params = PublishRule { id: "a".to_owned(), hash: None };
        let publishing = tokio::spawn(async move { rules.publish(&ctx, params).await });
        is_reached.await.unwrap();
        if let Some((operation, arguments)) = meanwhile {
            self.answer(operation, arguments).await;
        }
        go.send(()).unwrap();
        publishing.await.unwrap()
    }
}

fn ten(expected: i64) -> Value {
    json!([{ "name": "ten", "decision": "d", "variables": { "amount": 10 }, "expected": expected }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_draft_that_was_checked_is_published() {
    let draft = || json!({ "dmn": dmn("a", "d", "amount * 2"), "tests": ten(20) });
    let other = json!({ "dmn": dmn("a", "d", "amount + 10") });
    for (meanwhile, expected) in [
        (None, Ok(1)),
        (Some(("rule_save", draft())), Ok(1)),
        (Some(("rule_save", other)), Err("draft_changed")),
        (Some(("rule_save", json!({ "id": "a", "tests": ten(20) }))), Ok(1)),
        (Some(("rule_save", json!({ "id": "a", "tests": ten(30) }))), Err("draft_changed")),
        (Some(("rule_save", json!({ "id": "a", "tests": [] }))), Err("draft_changed")),
        (Some(("rule_publish", json!({ "id": "a" }))), Err("no_draft")),
    ] {
        let room = room().await;
        room.answer("rule_save", draft()).await;
        let (is_published, told) = (expected.is_ok(), format!("{meanwhile:?}"));
        let is_other =
            meanwhile.as_ref().is_some_and(|(operation, _)| *operation == "rule_publish");
        let published = room.publish_while(meanwhile).await;
        let published = published.map(|it| it.version).map_err(|error| error.code().to_owned());
        assert_eq!(published, expected.map_err(str::to_owned), "{told}");
        let rule = room.answer("rule_get", json!({ "id": "a" })).await;
        let versions = rule["versions"].as_array().unwrap().len();
        assert_eq!(versions, usize::from(is_published || is_other), "{told}");
        assert_eq!(rule["has_draft"], json!(versions == 0), "{told}");
    }
}

#[tokio::test]
async fn tests_that_are_saved_after_a_version_are_those_of_the_next() {
    let room = room().await;
    room.answer("rule_save", json!({ "dmn": dmn("a", "d", "amount * 2"), "tests": ten(20) })).await;
    room.answer("rule_publish", json!({ "id": "a" })).await;
    room.answer("rule_save", json!({ "id": "a", "tests": ten(30) })).await;
    room.answer("rule_save", json!({ "dmn": dmn("a", "d", "amount * 2") })).await;
    let refused = room.refusal("rule_publish", json!({ "id": "a" })).await;
    assert_eq!(refused.code(), "rule_tests_failed");
    room.answer("rule_save", json!({ "dmn": dmn("a", "d", "amount * 3") })).await;
    assert_eq!(room.answer("rule_publish", json!({ "id": "a" })).await["version"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_publish_at_once_one_does() {
    let room = room().await;
    room.answer("rule_save", json!({ "dmn": dmn("a", "d", "amount * 2"), "tests": ten(20) })).await;
    let publishing: Vec<_> = (0..4)
        .map(|_| {
            let (rules, ctx) = (Arc::clone(&room.rules), room.ctx.clone());
            let params = PublishRule { id: "a".to_owned(), hash: None };
            tokio::spawn(async move { rules.publish(&ctx, params).await })
        })
        .collect();
    let mut published = Vec::new();
    for one in publishing {
        match one.await.unwrap() {
            Ok(version) => published.push(version.version),
            Err(refused) => assert_eq!(refused.code(), "no_draft", "{refused}"),
        }
    }
    assert_eq!(published, [1]);
    let rule = room.answer("rule_get", json!({ "id": "a" })).await;
    assert_eq!(rule["versions"].as_array().unwrap().len(), 1);
}
