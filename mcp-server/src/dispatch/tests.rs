use std::sync::Arc;

use flowmaster_kernel::{
    Ctx, Effect, ManualClock, Principal, PrincipalKind, Role, SequenceIds, TenantId, Timestamp,
};
use serde_json::{Value, json};

use super::audit::Fingerprint;
use super::limits::{Buckets, Limits};
use super::schema::Contract;

fn ctx(principal: &str, clock: &Arc<ManualClock>) -> Ctx {
    Ctx::unrestricted(
        TenantId::from_text("ten_a"),
        Principal::new(principal, PrincipalKind::Person, &[Role::Employee], &[]),
        clock.clone(),
        Arc::new(SequenceIds::default()),
    )
}

#[test]
fn the_hash_of_arguments_ignores_the_order_of_keys_and_nothing_else() {
    let check = |a: Value, b: Value, same: bool| {
        assert_eq!(Fingerprint::of("x", &a) == Fingerprint::of("x", &b), same, "{a} {b}");
    };
    check(json!({"a": 1, "b": {"c": 2, "d": 3}}), json!({"b": {"d": 3, "c": 2}, "a": 1}), true);
    check(json!({"a": 1}), json!({"a": "1"}), false);
    check(json!({"a": null}), json!({}), false);
    check(json!({"a": [1, 2]}), json!({"a": [2, 1]}), false);
    check(json!({"ab": "c"}), json!({"a": "bc"}), false);
    check(json!([["a"], "b"]), json!([["a", "b"]]), false);
    assert_ne!(Fingerprint::of("x", &json!({})), Fingerprint::of("y", &json!({})));
}

#[test]
fn arguments_have_a_size_and_a_depth() {
    let limits = Limits { max_argument_bytes: 100, max_argument_depth: 3, ..Limits::default() };
    let check = |arguments: Value, expected: Option<&str>| {
        let code = limits.check(&arguments).err().map(|error| error.code().to_owned());
        assert_eq!(code.as_deref(), expected, "{arguments}");
    };
    check(json!({"a": {"b": [1]}}), None);
    check(json!({"a": {"b": [{}]}}), Some("arguments_too_deep"));
    check(json!({"a": "x".repeat(90)}), None);
    check(json!({"a": "x".repeat(100)}), Some("arguments_too_large"));
    check(json!({"a": vec![1; 40]}), Some("arguments_too_large"));
}

#[test]
fn a_bucket_empties_by_calls_fills_by_time_and_is_one_a_principal() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
    let limits = Limits { calls_per_second: 2, burst: 3, ..Limits::default() };
    let buckets = Buckets::default();
    let (anna, bert) = (ctx("anna", &clock), ctx("bert", &clock));
    let check = |ctx: &Ctx, passes: usize| {
        let passed = (0..10).filter(|_| buckets.take(&limits, ctx).is_ok()).count();
        assert_eq!(passed, passes);
    };
    check(&anna, 3);
    check(&bert, 3);
    let error = buckets.take(&limits, &anna).unwrap_err();
    assert_eq!((error.code(), error.body().retryable), ("rate_limited", true));
    assert_eq!(error.body().details, Some(json!({ "retry_after_ms": 500 })));
    clock.advance_millis(1_000);
    check(&anna, 2);
    clock.advance_millis(3_600_000);
    check(&anna, 3);
    clock.advance_millis(-7_200_000);
    check(&anna, 0);
}

#[test]
fn a_contract_names_every_fault_up_to_a_number() {
    let schema = json!({
        "type": "object",
        "properties": {
            "when": { "type": "string", "format": "date-time" },
            "tags": { "type": "array", "items": { "type": "string" } }
        },
        "required": ["when"],
        "additionalProperties": false
    });
    let contract = Contract::compile("x_y", Effect::Read, &schema).unwrap();
    let check = |arguments: Value, paths: &[&str], more: u64| {
        let error = contract.check("x_y", &arguments).unwrap_err();
        let details = error.body().details.clone().unwrap();
        let found: Vec<_> = details["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["path"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, paths, "{arguments}");
        assert_eq!(details["more_findings"], more);
    };
    contract.check("x_y", &json!({"when": "2026-01-05T09:00:00Z"})).unwrap();
    check(json!({}), &[""], 0);
    check(json!({"when": "soon"}), &["/when"], 0);
    check(json!({"when": "2026-01-05T09:00:00Z", "tags": ["a", 1]}), &["/tags/1"], 0);
    let many: Vec<String> = (0..20).map(|index| format!("/tags/{index}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    check(json!({"when": "2026-01-05T09:00:00Z", "tags": vec![1; 25]}), &many, 5);
}

#[test]
fn a_name_that_is_not_taken_is_answered_with_those_that_are() {
    let schema = json!({
        "type": "object",
        "properties": { "tree": { "$ref": "#/$defs/Tree" } },
        "additionalProperties": false,
        "$defs": { "Tree": {
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "branches": { "type": "array", "items": { "$ref": "#/$defs/Tree" } }
            },
            "additionalProperties": false
        } }
    });
    let contract = Contract::compile("x_y", Effect::Write, &schema).unwrap();
    let check = |arguments: Value, expected: &str| {
        let error = contract.check("x_y", &arguments).unwrap_err();
        let why = error.body().why.clone().unwrap();
        assert!(why.ends_with(expected), "{why}");
    };
    check(json!({ "trees": {} }), "('trees' was unexpected); what it takes: tree, idempotency_key");
    let nested = json!({ "tree": { "branches": [{ "nane": "a" }] } });
    check(nested, "('nane' was unexpected); what it takes: name, branches");
}

#[test]
fn a_write_is_advertised_with_the_idempotency_key_and_a_bad_schema_is_refused() {
    let advertised = |effect| {
        let contract = Contract::compile("x_y", effect, &json!({"type": "object"})).unwrap();
        Value::Object((*contract.advertised).clone())
    };
    assert!(advertised(Effect::Read).pointer("/properties/idempotency_key").is_none());
    for effect in [Effect::Write, Effect::Destroy] {
        let schema = advertised(effect);
        assert_eq!(schema.pointer("/properties/idempotency_key/maxLength"), Some(&json!(128)));
    }
    for bad in [
        json!(true),
        json!({"type": "array"}),
        json!({"type": "object", "properties": {"idempotency_key": {}}}),
        json!({"type": "object", "properties": {"a": {"type": "nothing"}}}),
        json!({"type": "object", "$ref": "https://example.com/schema.json"}),
    ] {
        let error = Contract::compile("x_y", Effect::Write, &bad).err().unwrap();
        assert_eq!(error.code(), "operation_schema", "{bad}");
    }
}
