use super::decisions::{dmn, doubtful, literal};
use super::*;

#[tokio::test]
async fn a_published_draft_is_a_new_version_unless_it_is_the_same() {
    let room = room().await;
    let first = dmn("approval", "route", "amount * 2");
    for (file, version, is_new) in [
        (first.clone(), 1, true),
        (first.clone(), 1, false),
        (dmn("approval", "route", "amount * 3"), 2, true),
        (first, 3, true),
    ] {
        let saved = room.answer("rule_save", json!({ "dmn": file })).await;
        assert_eq!((&saved["id"], &saved["tests"]), (&json!("approval"), &json!(0)));
        assert_eq!(saved["decisions"][0]["inputs"], json!(["amount"]));
        let published = room.answer("rule_publish", json!({ "id": "approval" })).await;
        assert_eq!(
            (&published["version"], &published["is_new"], &published["hash"]),
            (&json!(version), &json!(is_new), &saved["hash"])
        );
        let nothing = room.refusal("rule_publish", json!({ "id": "approval" })).await;
        assert_eq!(nothing.code(), "no_draft");
    }
    let rule = room.answer("rule_get", json!({ "id": "approval" })).await;
    let versions: Vec<_> =
        rule["versions"].as_array().unwrap().iter().map(|it| &it["version"]).collect();
    assert_eq!(json!(versions), json!([3, 2, 1]));
    assert_eq!(
        room.refusal("rule_publish", json!({ "id": "none" })).await.code(),
        "rule_not_found"
    );
}

#[tokio::test]
async fn a_draft_decides_nothing_until_it_is_published() {
    let room = room().await;
    room.answer("rule_save", json!({ "dmn": dmn("a", "route", "amount * 2") })).await;
    assert!(room.rules.decision_ids(&room.ctx).await.unwrap().is_empty());
    let ask = json!({ "decision": "route", "variables": { "amount": 10 } });
    let of_nobody = room.refusal("rule_evaluate", ask.clone()).await;
    assert_eq!(of_nobody.code(), "decision_not_found");
    let with_file = |draft: bool| {
        let mut ask = ask.clone();
        (ask["file"], ask["draft"]) = (json!("a"), json!(draft));
        ask
    };
    let what_if = room.answer("rule_evaluate", with_file(false)).await;
    assert_eq!((&what_if["value"], what_if.get("version")), (&json!(20), None));
    let found = room.answer("rule_search", json!({ "text": "a" })).await;
    let summary = &found["items"][0];
    assert_eq!((&summary["has_draft"], summary.get("active_version")), (&json!(true), None));
    assert_eq!(summary["decisions"][0]["id"], "route");

    room.answer("rule_publish", json!({ "id": "a" })).await;
    room.answer("rule_save", json!({ "dmn": dmn("a", "route", "amount * 3") })).await;
    assert_eq!(room.answer("rule_evaluate", with_file(false)).await["value"], 20);
    assert_eq!(room.answer("rule_evaluate", with_file(true)).await["value"], 30);
    let summary = room.answer("rule_get", json!({ "id": "a", "draft": true })).await;
    assert_eq!((summary.get("version"), &summary["active_version"]), (None, &json!(1)));
}

#[tokio::test]
async fn what_somebody_else_changed_is_not_overwritten() {
    let room = room().await;
    let save = |text: &str, based_on: Option<&Value>| json!({ "dmn": dmn("a", "route", text), "based_on": based_on });
    let first = room.answer("rule_save", save("1", None)).await["hash"].clone();
    let second = room.answer("rule_save", save("2", Some(&first))).await["hash"].clone();
    let late = room.refusal("rule_save", save("3", Some(&first))).await;
    assert_eq!(late.code(), "draft_changed");
    assert_eq!(late.body().details.clone().unwrap()["current_hash"], second);
    let reviewed = json!({ "id": "a", "hash": first });
    assert_eq!(room.refusal("rule_publish", reviewed).await.code(), "draft_changed");
    room.answer("rule_publish", json!({ "id": "a", "hash": second })).await;
    let late = room.refusal("rule_save", save("3", Some(&first))).await;
    assert_eq!(late.code(), "draft_changed", "the version counts where there is no draft");
    room.answer("rule_save", save("3", Some(&second))).await;
}

#[tokio::test]
async fn what_is_no_rule_file_is_not_kept() {
    let room = room().await;
    let long = format!("<!--{}-->", "x".repeat(1024 * 1024));
    for (file, expected) in [
        ("<a>".to_owned(), "not_xml"),
        ("<!DOCTYPE x><definitions/>".to_owned(), "not_xml"),
        ("<a/>".to_owned(), "not_dmn"),
        (dmn("a b", "d", "1"), "file_id"),
        (dmn("", "d", "1"), "file_id"),
        (long, "file_too_large"),
    ] {
        let refused = room.refusal("rule_save", json!({ "dmn": file })).await;
        assert_eq!(refused.code(), "rule_invalid", "{expected}");
        assert_eq!(findings(&refused), [expected], "{refused}");
    }
    let nothing = room.answer("rule_search", json!({})).await;
    assert_eq!(nothing["items"], json!([]));
    let named = json!({ "dmn": dmn("", "d", "1"), "id": "given" });
    assert_eq!(room.answer("rule_save", named).await["id"], "given");
}

#[tokio::test]
async fn a_draft_with_errors_is_kept_and_not_published() {
    let room = room().await;
    let contradictory = json!({ "id": "f", "inputs": [{ "name": "n", "type": "number" }],
        "decisions": [{ "id": "d", "table": {
            "hit": "UNIQUE", "when": [{ "input": "n" }], "then": [{ "type": "number" }],
            "rows": [["< 10", "1"], [">= 5", "2"]]
        } }] });
    for (file, expected) in [
        (json!({ "dmn": dmn("f", "", "") }), "no_decision"),
        (json!({ "dmn": dmn("f", "d d", "1") }), "decision_id"),
        (json!({ "dmn": dmn("f", "d", "function(x) external { java: {} }") }), "expression"),
        (
            json!({ "dmn": dmn("f", "d", "1").replace("<literal", "<context kind='Java'/><literal") }),
            "refused",
        ),
        (json!({ "dmn": dmn("f", "d", &"(".repeat(200)) }), "expression"),
        (json!({ "dmn": dmn("f", "d", "1 +") }), "expression"),
        (
            json!({ "dmn": dmn("f", "d", "1").replace("</definitions>", &literal("d", "2"))
                + "</definitions>" }),
            "duplicate_id",
        ),
        (json!({ "rules": contradictory }), "overlap"),
    ] {
        let saved = room.answer("rule_save", file).await;
        let told = &saved["findings"][0];
        assert_eq!((&told["code"], &told["severity"]), (&json!(expected), &json!("error")));
        let refused = room.refusal("rule_publish", json!({ "id": "f" })).await;
        assert_eq!(refused.code(), "rule_invalid", "{refused}");
        assert_eq!(findings(&refused)[0], expected, "{refused}");
    }
    let kept = room.answer("rule_get", json!({ "id": "f" })).await;
    assert_eq!((&kept["has_draft"], kept.get("active_version")), (&json!(true), None));
}

/// A test of the decision `rate` of the file `shipping`.
fn rate(amount: i64, expected: &str) -> Value {
    json!({ "name": format!("{amount} is {expected}"), "decision": "rate",
        "variables": { "amount": amount }, "expected": expected })
}

#[tokio::test]
async fn a_draft_is_published_only_if_it_passes_its_tests() {
    let room = room().await;
    let tests = [rate(9, "low"), rate(10, "middle"), rate(20, "high")];
    let saved = room.answer("rule_save", json!({ "rules": doubtful(), "tests": tests })).await;
    assert_eq!(saved["tests"], 3);
    let refused = room.refusal("rule_publish", json!({ "id": "shipping" })).await;
    assert_eq!(refused.code(), "rule_tests_failed");
    let report = &refused.body().details.clone().unwrap()["report"];
    assert_eq!((&report["passed"], &report["failed"]), (&json!(2), &json!(1)));
    let failure = &report["failures"][0];
    assert_eq!((&failure["name"], &failure["expected"]), (&json!("20 is high"), &json!("high")));
    assert!(failure["error"].as_str().unwrap().contains("no value"), "{failure}");
    assert_eq!(report["uncovered"], json!([{ "decision": "rate", "rules": [3] }]));

    let mended = [rate(9, "low"), rate(7, "low")];
    let saved = room.answer("rule_save", json!({ "id": "shipping", "tests": mended })).await;
    assert_eq!(saved["tests"], 2);
    let published = room.answer("rule_publish", json!({ "id": "shipping" })).await;
    assert_eq!((&published["version"], &published["tests_passed"]), (&json!(1), &json!(2)));
    let detailed = json!({ "id": "shipping", "response_format": "detailed" });
    assert_eq!(room.answer("rule_get", detailed).await["tests"], json!(mended));
    // A changed draft keeps the tests.
    let saved = room.answer("rule_save", json!({ "rules": doubtful() })).await;
    assert_eq!(saved["tests"], 2);
}

#[tokio::test]
async fn tests_are_run_without_changing_anything() {
    let room = room().await;
    room.answer("rule_save", json!({ "rules": doubtful(), "tests": [rate(9, "low")] })).await;
    let report = room.answer("rule_test", json!({ "id": "shipping" })).await;
    assert_eq!((&report["passed"], &report["failed"]), (&json!(1), &json!(0)));
    assert_eq!(report["uncovered"], json!([{ "decision": "rate", "rules": [2, 3] }]));
    let given = json!({ "id": "shipping", "draft": true, "tests": [
        rate(12, "low"),
        { "name": "no such decision", "decision": "other", "expected": 1 },
    ] });
    let report = room.answer("rule_test", given).await;
    assert_eq!(report["failed"], 2);
    let wrong = &report["failures"][0];
    assert_eq!((&wrong["actual"], &wrong["matched"]), (&json!("middle"), &json!([2])));
    assert!(report["failures"][1]["error"].as_str().unwrap().contains("no decision"));
    for (asked, code) in [
        (json!({ "id": "none" }), "rule_not_found"),
        (json!({ "id": "shipping", "version": 1 }), "rule_version_not_found"),
        (json!({ "id": "shipping", "tests": vec![rate(1, "low"); 1_001] }), "too_many_tests"),
    ] {
        assert_eq!(room.refusal("rule_test", asked).await.code(), code);
    }
}

#[tokio::test]
async fn numbers_of_tests_count_by_their_value_and_the_clock_by_the_test() {
    let room = room().await;
    let file = dmn("f", "half", "amount / 2")
        .replace("</definitions>", &literal("year", "now().year"))
        + "</definitions>";
    let tests = json!([
        { "name": "a whole number", "decision": "half", "variables": { "amount": 4 },
            "expected": 2.0 },
        { "name": "then", "decision": "year", "at": "2031-05-06T07:08:09Z", "expected": 2031 },
        { "name": "now", "decision": "year", "expected": 2026 },
    ]);
    room.answer("rule_save", json!({ "dmn": file, "tests": tests })).await;
    let published = room.answer("rule_publish", json!({ "id": "f" })).await;
    assert_eq!(published["tests_passed"], 3);
}
