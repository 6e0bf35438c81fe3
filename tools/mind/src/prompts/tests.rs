use std::sync::Arc;

use flowmaster_kernel::{
    Catalogue, Ctx, Error, Idempotency, ManualClock, Principal, PrincipalKind, Result, Role,
    SequenceIds, TenantId, Timestamp,
};
use flowmaster_prompts::{MIGRATIONS, Registry};
use flowmaster_store::Db;
use serde_json::{Value, json};

use super::*;

struct Room {
    prompts: Arc<Prompts>,
    catalogue: Catalogue,
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
}

async fn room() -> Room {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000)));
    let db = Db::temporary(clock.clone()).await;
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let prompts = Arc::new(Prompts::new(Registry::new(db.clone())));
    let mut catalogue = Catalogue::default();
    catalogue.add(operations(&prompts)).unwrap();
    let ctx = Ctx::unrestricted(
        TenantId::from_text("ten_a"),
        Principal::new("dora", PrincipalKind::Person, &[Role::Designer], &[]),
        clock,
        Arc::new(SequenceIds::default()),
    );
    Room { prompts, catalogue, db, ctx }
}

fn greeting(id: &str, words: &str) -> String {
    format!(
        "---
id: {id}
description: Greets a Person.
input:
  schema:
    type: object
    required: [name]
    properties:
      name: {{ type: string, description: Whom to greet. }}
      title: {{ type: string }}
output:
  schema: {{ type: object }}
---
## system
{words}
## user
Greet {{{{ name }}}}.
"
    )
}

#[tokio::test]
async fn a_prompt_is_saved_read_and_rendered() {
    let room = room().await;
    for (words, version, is_new) in
        [("Be kind.", 1, true), ("Be kind.", 1, false), ("Be brief.", 2, true)]
    {
        let saved = room.answer("prompt_save", json!({ "text": greeting("demo/greet", words) }));
        let saved = saved.await;
        assert_eq!((&saved["version"], &saved["is_new"]), (&json!(version), &json!(is_new)));
    }
    let read = room.answer("prompt_get", json!({ "id": "demo/greet", "version": 1 })).await;
    assert_eq!(
        read["variables"],
        json!([
            { "name": "name", "required": true, "description": "Whom to greet." },
            { "name": "title", "required": false }
        ])
    );
    let again = room.answer("prompt_save", json!({ "text": read["text"] })).await;
    assert_eq!((&again["version"], &again["is_new"]), (&json!(1), &json!(false)));
    for (version, words) in [(json!(1), "Be kind."), (Value::Null, "Be brief.")] {
        let arguments =
            json!({ "id": "demo/greet", "version": version, "variables": { "name": "Anna" } });
        let rendered = room.answer("prompt_render", arguments).await;
        assert_eq!(
            rendered["messages"],
            json!([
                { "role": "system", "content": words },
                { "role": "user", "content": "Greet Anna." }
            ])
        );
        assert_eq!(rendered["output_schema"], json!({ "type": "object" }));
    }
}

#[tokio::test]
async fn mistakes_are_told() {
    let room = room().await;
    room.answer("prompt_save", json!({ "text": greeting("demo/greet", "Hi") })).await;
    for (operation, arguments, code) in [
        ("prompt_save", json!({ "text": "no front matter" }), "prompt_invalid"),
        ("prompt_save", json!({ "text": greeting("Bad Id", "Hi") }), "prompt_invalid"),
        ("prompt_save", json!({ "text": greeting("a", "{{ undeclared }}") }), "prompt_invalid"),
        ("prompt_get", json!({ "id": "none" }), "prompt_not_found"),
        ("prompt_get", json!({ "id": "demo/greet", "version": 2 }), "prompt_not_found"),
        ("prompt_render", json!({ "id": "demo/greet" }), "prompt_variables"),
        (
            "prompt_render",
            json!({ "id": "demo/greet", "variables": { "name": 7 } }),
            "prompt_variables",
        ),
        ("prompt_render", json!({ "id": "demo/greet", "variables": [] }), "invalid_arguments"),
        ("prompt_search", json!({ "limit": 0 }), "invalid_limit"),
    ] {
        let refused = room.call(&room.ctx, operation, arguments).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
}

#[tokio::test]
async fn prompts_are_found_in_pages() {
    let room = room().await;
    for id in ["a/one", "b/two", "c/three", "d/two"] {
        room.answer("prompt_save", json!({ "text": greeting(id, "Hi") })).await;
    }
    for (filter, expected, cursor) in [
        (json!({}), json!(["a/one", "b/two", "c/three", "d/two"]), None),
        (json!({ "limit": 2 }), json!(["a/one", "b/two"]), Some("b/two")),
        (json!({ "limit": 2, "cursor": "b/two" }), json!(["c/three", "d/two"]), None),
        (json!({ "text": "TWO", "limit": 1 }), json!(["b/two"]), Some("b/two")),
        (json!({ "text": "TWO", "limit": 1, "cursor": "b/two" }), json!(["d/two"]), None),
        (json!({ "text": "greets a person", "limit": 1 }), json!(["a/one"]), Some("a/one")),
        (json!({ "text": "%" }), json!([]), None),
    ] {
        let found = room.answer("prompt_search", filter.clone()).await;
        let ids: Vec<_> = found["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        let next = found.get("next_cursor").and_then(Value::as_str);
        assert_eq!((json!(ids), next), (expected, cursor), "{filter}");
    }
}

#[tokio::test]
async fn the_library_is_published_once_and_own_versions_stay() {
    let room = room().await;
    // The key of the call is not used up by the first prompt.
    let call = Idempotency {
        key: "k".to_owned(),
        operation: "start".to_owned(),
        body_hash: "h".to_owned(),
    };
    let ctx = Ctx { idempotency: Some(Arc::new(call)), ..room.ctx.clone() };
    let published = room.prompts.publish_library(&ctx).await.unwrap();
    assert!(!published.is_empty() && published.iter().all(|saved| saved.is_new));
    let id = &published[0].version.id;
    let text = room.answer("prompt_get", json!({ "id": id })).await["text"].clone();
    let own = text.as_str().unwrap().replace("## user", "Be careful.\n## user");
    assert_eq!(room.answer("prompt_save", json!({ "text": own })).await["version"], 2);
    let again = room.prompts.publish_library(&ctx).await.unwrap();
    assert!(again.iter().all(|saved| !saved.is_new));
    assert_eq!(room.answer("prompt_get", json!({ "id": id })).await["version"], 2);
}

#[tokio::test]
async fn tenants_have_their_own_prompts() {
    let room = room().await;
    let theirs = Ctx { tenant: TenantId::from_text("ten_b"), ..room.ctx.clone() };
    room.answer("prompt_save", json!({ "text": greeting("demo/greet", "Ours.") })).await;
    for operation in ["prompt_get", "prompt_render"] {
        let arguments = json!({ "id": "demo/greet", "version": 1 });
        let refused = room.call(&theirs, operation, arguments).await.map_err(code);
        assert_eq!(refused, Err("prompt_not_found".to_owned()));
    }
    let none = room.call(&theirs, "prompt_search", json!({})).await.unwrap();
    assert_eq!(none["items"], json!([]));
    let saved = json!({ "text": greeting("demo/greet", "Ours.") });
    let saved = room.call(&theirs, "prompt_save", saved).await.unwrap();
    assert_eq!((&saved["version"], &saved["is_new"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn a_repeated_save_has_one_effect() {
    let room = room().await;
    let call = Idempotency {
        key: "k".to_owned(),
        operation: "prompt_save".to_owned(),
        body_hash: "h".to_owned(),
    };
    let ctx = Ctx { idempotency: Some(Arc::new(call)), ..room.ctx.clone() };
    let arguments = json!({ "text": greeting("demo/greet", "Hi") });
    let answer = room.call(&ctx, "prompt_save", arguments.clone()).await.unwrap();
    let again = room.call(&ctx, "prompt_save", arguments).await.map_err(code);
    assert_eq!(again, Err(flowmaster_store::IDEMPOTENCY_RECORDED.to_owned()));
    assert_eq!(room.db.recorded_answer(&ctx).await.unwrap(), Some(answer));
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn code(error: Error) -> String {
    error.code().to_owned()
}
