//! Incidents: finding them, what they stop elsewhere, and resolving one or many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flowmaster_kernel::{
    Answers, BoxFuture, Content, Ctx, Error, Exchange, NoteLevel, Question, Result,
};

use super::*;

/// Stops at a gateway until `size` is over 3.
fn sizes() -> Value {
    json!([
        begin("which"),
        element(
            "which",
            "exclusiveGateway",
            "",
            json!({ "next": [{ "to": "done", "when": "size > 3" }] })
        ),
        end("done"),
    ])
}

#[tokio::test]
async fn incidents_are_listed_and_resolved() {
    let world = World::new().await;
    world.publish("sizes", sizes()).await;
    let (one, two) = (
        world.start("sizes", json!({ "size": 1 })).await,
        world.start("sizes", json!({ "size": 1 })).await,
    );
    let listed = world.answer("incident_list", json!({ "process": "sizes" })).await;
    assert_eq!(texts(&listed["items"], "kind"), ["no_flow_taken", "no_flow_taken"]);
    let page = world.answer("incident_list", json!({ "limit": 1 })).await;
    assert_eq!(texts(&page["items"], "instance"), [two.as_str()]);
    let next = json!({ "limit": 1, "cursor": page["next_cursor"] });
    let page = world.answer("incident_list", next).await;
    assert_eq!(
        (texts(&page["items"], "instance"), page.get("next_cursor")),
        (vec![one.clone()], None)
    );

    let incident = world.get(&one).await["open_incidents"][0]["id"].clone();
    let resolve = json!({ "id": incident, "variables": { "size": 5 } });
    assert_eq!(world.answer("incident_resolve", resolve.clone()).await["state"], "completed");
    assert_eq!(world.refusal("incident_resolve", resolve).await.code(), "instance_state");
    let unknown = json!({ "id": format!("{two}/999") });
    assert_eq!(world.refusal("incident_resolve", unknown).await.code(), "incident_not_found");

    world.answer("instance_modify", json!({ "id": two, "variables": { "size": 9 } })).await;
    let retry = json!({ "id": two, "action": "retry" });
    assert_eq!(world.answer("instance_control", retry).await["state"], "completed");
    assert_eq!(world.answer("incident_list", json!({})).await["items"], json!([]));
    assert_eq!(world.check_journals().await, 2);
}

/// Three scripts that fail at once.
fn scripts() -> Value {
    let script = |id: &str, text: &str| {
        element(id, "scriptTask", "done", json!({ "script": text, "result": "r" }))
    };
    json!([
        begin("fork"),
        element("fork", "parallelGateway", "", json!({ "next": ["one", "two", "three"] })),
        script("one", "a + 1"),
        script("two", "b + 1"),
        script("three", "a + b"),
        end("done"),
    ])
}

#[tokio::test]
async fn incidents_are_filtered_and_paged_within_an_instance() {
    let world = World::new().await;
    world.publish("scripts", scripts()).await;
    world.publish("sizes", sizes()).await;
    let first = world.start("scripts", json!({})).await;
    let second = world.start("scripts", json!({})).await;
    world.start("sizes", json!({ "size": 1 })).await;
    let all = ["which", "one", "two", "three", "one", "two", "three"];
    let mut seen = Vec::new();
    let mut params = json!({ "limit": 2 });
    loop {
        let page = world.answer("incident_list", params.clone()).await;
        seen.extend(texts(&page["items"], "element"));
        match page.get("next_cursor") {
            Some(cursor) => params["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(seen, all);
    for (filter, wanted) in [
        (json!({ "process": "sizes" }), vec!["which"]),
        (json!({ "kind": "no_flow_taken" }), vec!["which"]),
        (json!({ "element": "two" }), vec!["two", "two"]),
        (json!({ "instance": second, "element": "two" }), vec!["two"]),
        (json!({ "message": "NO CONDITION" }), vec!["which"]),
        (json!({ "process": "scripts", "kind": "no_flow_taken" }), vec![]),
        (json!({ "instance": first, "process": "sizes" }), vec![]),
    ] {
        let page = world.answer("incident_list", filter.clone()).await;
        assert_eq!(texts(&page["items"], "element"), wanted, "{filter}");
        assert!(page.get("next_cursor").is_none());
    }
    for (params, code) in [
        (json!({ "cursor": "x" }), "invalid_cursor"),
        (json!({ "cursor": "1 2" }), "invalid_cursor"),
        (json!({ "instance": "ins_none" }), "instance_not_found"),
    ] {
        assert_eq!(world.refusal("incident_list", params).await.code(), code);
    }
}

#[tokio::test]
async fn many_incidents_are_resolved_each_instance_by_itself() {
    let world = World::new().await;
    world.publish("scripts", scripts()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.start("scripts", json!({ "b": 1 })).await);
    }
    let policies = json!([{ "id": "held", "on": ["control"], "rule": { "condition": {
        "when": "actor.id != \"ada\"", "reason": "not ada" } } }]);
    let mut guarded = scripts();
    guarded[2]["policies"] = policies;
    world.publish("guarded", guarded).await;
    let held = world.start("guarded", json!({ "b": 1 })).await;

    let filter = json!({ "element": "one", "dry_run": true });
    let heard = Arc::new(Heard::default());
    let listening = Ctx { exchange: Some(heard.clone()), ..world.ctx.clone() };
    let foreseen = world.call(&listening, "incident_resolve_all", filter).await.unwrap();
    assert_eq!(*heard.0.lock().unwrap(), [(1, 4), (2, 4), (3, 4), (4, 4)]);
    assert_eq!(foreseen["items"].as_array().unwrap().len(), 4);
    assert_eq!(foreseen["items"][1]["open_incidents"], 2);
    assert_eq!(foreseen["items"][1]["incidents"].as_array().unwrap().len(), 1);

    let resolve = json!({ "kind": "expression_failed", "variables": { "a": 1 }, "limit": 2 });
    let keyed = world.keyed("incident_resolve_all", "k");
    let done = world.call(&keyed, "incident_resolve_all", resolve.clone()).await.unwrap();
    assert_eq!(world.db.recorded_answer(&keyed).await.unwrap().as_ref(), Some(&done));
    let problem = &done["items"][0];
    assert_eq!(
        (&problem["instance"], problem["problem"]["code"].as_str()),
        (&json!(held), Some("governance_refused"))
    );
    let instance = &done["items"][1];
    assert_eq!((&instance["instance"], &instance["state"]), (&json!(ids[2]), &json!("completed")));
    let mut next = resolve;
    next["cursor"] = done["next_cursor"].clone();
    let done = world.answer("incident_resolve_all", next).await;
    assert_eq!(texts(&done["items"], "instance"), [ids[1].as_str(), ids[0].as_str()]);
    assert!(done.get("next_cursor").is_none());

    let open = texts(&world.get(&held).await["open_incidents"], "id");
    let gone = format!("{held}/999");
    let by_ids = json!({ "ids": [open[0], open[1], gone], "variables": { "a": 2 } });
    let done = world.answer("incident_resolve_all", by_ids).await;
    assert_eq!(done["items"][0]["problem"]["code"], "not_waiting");
    for params in [
        json!({}),
        json!({ "dry_run": true }),
        json!({ "ids": [open[0]], "element": "one" }),
        json!({ "element": "one", "limit": 0 }),
    ] {
        let refused = world.refusal("incident_resolve_all", params).await;
        assert_eq!(refused.code(), "invalid_arguments");
    }
    let odd = world.refusal("incident_resolve_all", json!({ "ids": ["x"] })).await;
    assert_eq!(odd.code(), "incident_not_found");
    assert_eq!(world.check_journals().await, 4);
}

#[tokio::test]
async fn an_incident_names_the_calls_that_it_stops() {
    let world = World::new().await;
    world.publish("sizes", sizes()).await;
    let calls = |process: &str| {
        json!([
            begin("call"),
            element("call", "callActivity", "done", json!({ "process": process })),
            end("done"),
        ])
    };
    world.publish("middle", calls("sizes")).await;
    world.publish("outer", calls("middle")).await;
    let outer = world.start("outer", json!({ "size": 1 })).await;
    let incident = world.answer("incident_list", json!({})).await["items"][0].clone();
    assert_eq!(texts(&incident["called_by"], "process"), ["middle", "outer"]);
    assert_eq!(texts(&incident["called_by"], "element"), ["call", "call"]);
    assert_eq!(incident["called_by"][1]["instance"], json!(outer));

    // The caller shows it as the cause, and lists it as its own.
    let view = world.get(&outer).await;
    let called = &view["waits"][0]["called"];
    assert_eq!((&called["process"], &called["state"]), (&json!("middle"), &json!("active")));
    assert_eq!(called["incidents"][0], incident);
    assert_eq!(view["open_incidents"], json!([incident]));
    let around = json!({ "instance": outer });
    assert_eq!(world.answer("incident_list", around.clone()).await["items"], json!([incident]));
    let leaf = incident["instance"].as_str().unwrap();
    assert_eq!(texts(&world.get(leaf).await["called_by"], "process"), ["middle", "outer"]);

    let mut resolve = around;
    resolve["variables"] = json!({ "size": 5 });
    let done = world.answer("incident_resolve_all", resolve).await;
    assert_eq!(texts(&done["items"], "state"), ["completed"]);
    world.settle().await;
    assert_eq!(world.state(&outer).await, "completed");
    assert_eq!(world.check_journals().await, 3);
}

/// A caller that hears how far a call is, and no more.
#[derive(Default)]
struct Heard(Mutex<Vec<(usize, usize)>>);

impl Exchange for Heard {
    fn progress(&self, done: usize, total: usize) {
        self.0.lock().unwrap().push((done, total));
    }

    fn note(&self, _: NoteLevel, _: &str) {}

    fn show(&self, _: Content) {}

    fn follows(&self) -> bool {
        false
    }

    fn takes(&self, _: &Question) -> bool {
        false
    }

    fn ask(&self, _: BTreeMap<String, Question>) -> BoxFuture<'_, Result<Answers>> {
        Box::pin(std::future::ready(Err(Error::invalid("deaf", "nobody answers"))))
    }
}
