//! REST and its description.

use serde_json::{Value, json};

use crate::harness::Server;

#[tokio::test]
async fn the_key_may_come_in_the_header() {
    let server = Server::start().await;
    let add = async |text: &str, key: &str, body_key: Option<&str>| {
        let mut body = json!({ "text": text });
        if let Some(key) = body_key {
            body["idempotency_key"] = key.into();
        }
        let headers = [
            ("Authorization", "Bearer anna"),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        server.raw("POST /api/v1/note_add", &headers, body.to_string().as_bytes()).await
    };
    let first = add("milk", "k1", None).await;
    assert_eq!(first.status, 200);
    assert_eq!(add("milk", "k1", Some("k1")).await.body, first.body);
    assert_eq!(add("eggs", "k1", None).await.code(), "idempotency_conflict");
    assert_eq!(add("milk", "k1", Some("k2")).await.code(), "invalid_idempotency_key");
}

#[tokio::test]
async fn an_empty_body_is_no_arguments_and_tenants_do_not_meet() {
    let server = Server::start().await;
    server.rest("anna", "note_add", json!({"text": "milk"})).await;
    let count = async |key: &str| {
        let headers = [("Content-Type", "application/json"), ("Authorization", key)];
        let answer = server.raw("POST /api/v1/note_search", &headers, b"").await;
        answer.json()["items"].as_array().unwrap().len()
    };
    assert_eq!(count("Bearer anna").await, 1);
    assert_eq!(count("Bearer bob").await, 0);
}

#[tokio::test]
async fn the_description_is_openapi_and_complete() {
    let server = Server::start().await;
    let answer = server.raw("GET /openapi.json", &[], b"").await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 7 + 60);
    for (path, item) in paths {
        let operation = &item["post"];
        let name = operation["operationId"].as_str().unwrap();
        assert_eq!(path, &format!("/api/v1/{name}"));
        for pointer in [
            "/requestBody/content/application~1json/schema/type",
            "/responses/200/content/application~1json/schema/type",
        ] {
            assert_eq!(operation.pointer(pointer), Some(&json!("object")), "{name}");
        }
        for reference in references(operation) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{name}: {reference} leads nowhere");
        }
        let writes = operation["x-effect"] != "read";
        assert_eq!(operation["parameters"].is_array(), writes, "{name}");
    }
    let error = &document["components"]["schemas"]["Error"];
    assert_eq!(error["required"], json!(["code", "what", "retryable"]));
    assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
}

/// Every `$ref` in a document.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| match (name.as_str(), field) {
                ("$ref", Value::String(reference)) => vec![reference.clone()],
                _ => references(field),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
