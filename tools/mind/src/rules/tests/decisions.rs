//! Decisions through the verbs.

use super::*;

/// A DMN file with one decision: `text` over the input `amount`.
pub(super) fn dmn(file: &str, decision: &str, text: &str) -> String {
    let decision = if decision.is_empty() { String::new() } else { literal(decision, text) };
    format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" namespace="urn:test" name="{file} rules" id="{file}">
  <inputData id="i1" name="amount"><variable name="amount" typeRef="number"/></inputData>
  {decision}
</definitions>"#
    )
}

pub(super) fn literal(decision: &str, text: &str) -> String {
    format!(
        r##"<decision id="{decision}" name="{decision}"><variable name="{decision}"/>
        <informationRequirement id="r_{decision}"><requiredInput href="#i1"/></informationRequirement>
        <literalExpression><text>{text}</text></literalExpression></decision>"##
    )
}

fn save(dmn: String) -> SaveRule {
    SaveRule { dmn: Some(dmn), ..SaveRule::default() }
}

impl Room {
    /// Saves a file and publishes it.
    async fn publish(&self, dmn: String) -> Result<PublishedRule> {
        self.publish_as(&self.ctx, dmn).await
    }

    async fn publish_as(&self, ctx: &Ctx, dmn: String) -> Result<PublishedRule> {
        let draft = self.rules.save(ctx, save(dmn)).await?;
        let params = PublishRule { id: draft.id, hash: Some(draft.hash) };
        self.rules.publish(ctx, params).await
    }
}

fn ids(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn pin(file: &str, version: i64) -> RulePin {
    RulePin { file: file.to_owned(), version }
}

#[tokio::test]
async fn the_active_version_decides_unless_another_is_asked() {
    let room = room().await;
    for text in ["amount * 2", "amount * 3"] {
        room.publish(dmn("approval", "route", text)).await.unwrap();
    }
    room.publish(dmn("approval", "other", "amount")).await.unwrap();
    room.publish(dmn("limits", "limit", "amount + 1")).await.unwrap();
    let variables = json!({ "amount": 10 });
    for (asked, expected) in [
        (json!({ "decision": "limit" }), Ok(("limits", 1, json!(11)))),
        (json!({ "decision": "other" }), Ok(("approval", 3, json!(10)))),
        (
            json!({ "decision": "route", "file": "approval", "version": 1 }),
            Ok(("approval", 1, json!(20))),
        ),
        (
            json!({ "decision": "route", "file": "approval", "version": 2 }),
            Ok(("approval", 2, json!(30))),
        ),
        (json!({ "decision": "route" }), Err("decision_not_found")),
        (json!({ "decision": "route", "file": "approval" }), Err("decision_not_found")),
        (json!({ "decision": "other", "version": 1 }), Err("decision_not_found")),
        (json!({ "decision": "other", "version": 9 }), Err("rule_version_not_found")),
        (json!({ "decision": "other", "file": "none" }), Err("rule_not_found")),
        (json!({ "decision": "other", "draft": true }), Err("no_draft")),
        (json!({ "decision": "other", "amount": 1 }), Err("invalid_arguments")),
    ] {
        let mut arguments = asked.clone();
        arguments["variables"] = variables.clone();
        let answer = room.call(&room.ctx, "rule_evaluate", arguments).await;
        let expected = expected.map(|(file, version, value)| {
            let decision = asked["decision"].clone();
            json!({ "value": value, "decision": decision, "file": file, "version": version })
        });
        assert_eq!(answer.as_ref().map_err(Error::code), expected.as_ref().map_err(|it| *it));
    }
    let missing = room.answer("rule_evaluate", json!({ "decision": "limit" })).await;
    assert_eq!((&missing["value"], &missing["missing_inputs"]), (&Value::Null, &json!(["amount"])));
    room.publish(dmn("wrong", "mistaken", "{ a: nobody }")).await.unwrap();
    let refused = room.refusal("rule_evaluate", json!({ "decision": "mistaken" })).await;
    assert_eq!(refused.code(), "decision_without_value");
    let endless = dmn("endless", "endless", "count(for i in 1..100000000 return i)");
    room.publish(endless).await.unwrap();
    let refused = room.refusal("rule_evaluate", json!({ "decision": "endless" })).await;
    assert_eq!(refused.code(), "decision_too_much_work");
}

#[tokio::test]
async fn a_decision_belongs_to_one_file() {
    let room = room().await;
    let file = |file: &str, decision: &str| dmn(file, decision, "1");
    room.publish(file("one", "route")).await.unwrap();
    let taken = room.publish(file("two", "route")).await.unwrap_err();
    assert_eq!(taken.code(), "decision_id_taken");
    room.publish(file("one", "renamed")).await.unwrap();
    room.publish(file("two", "route")).await.unwrap();
    let known = room.rules.decision_ids(&room.ctx).await.unwrap();
    assert_eq!(known, ids(&["renamed", "route"]));
}

#[tokio::test]
async fn pins_keep_what_a_process_started_with() {
    let room = room().await;
    let (rules, ctx) = (&room.rules, &room.ctx);
    let two = dmn("a", "x", "amount").replace("</definitions>", &literal("y", "amount + 5"))
        + "</definitions>";
    room.publish(two).await.unwrap();
    room.publish(dmn("b", "z", "amount * 2")).await.unwrap();
    let pins = rules.pin(ctx, &ids(&["z", "x", "y"])).await.unwrap();
    assert_eq!(pins, [pin("a", 1), pin("b", 1)]);
    assert_eq!(rules.pin(ctx, &BTreeSet::new()).await.unwrap(), []);
    let unknown = rules.pin(ctx, &ids(&["x", "none"])).await.unwrap_err();
    assert_eq!(unknown.code(), "decision_not_found");

    room.publish(dmn("b", "z", "amount * 9")).await.unwrap();
    let value = |decisions: &flowmaster_engine::dmn::Decisions, decision: &str| {
        let variables = serde_json::Map::from_iter([("amount".to_owned(), json!(2))]);
        decisions.evaluate(decision, &variables, Timestamp::from_millis(0)).unwrap()
    };
    let old = rules.pinned(ctx, &pins).await.unwrap();
    assert_eq!((value(&old, "y"), value(&old, "z")), (json!(7), json!(4)));
    let new = rules.pin(ctx, &ids(&["z"])).await.unwrap();
    assert_eq!(new, [pin("b", 2)]);
    assert_eq!(value(&rules.pinned(ctx, &new).await.unwrap(), "z"), json!(18));

    let reordered = [pin("b", 1), pin("a", 1), pin("b", 1)];
    assert!(Arc::ptr_eq(&old, &rules.pinned(ctx, &reordered).await.unwrap()), "compiled once");
    assert_eq!(rules.pinned(ctx, &[]).await.unwrap().ids().count(), 0);
    let gone = rules.pinned(ctx, &[pin("b", 3)]).await.unwrap_err();
    assert_eq!(gone.code(), "rule_version_not_found");
}

#[tokio::test]
async fn rules_are_found_and_read() {
    let room = room().await;
    for file in ["alpha", "beta", "gamma"] {
        room.publish(dmn(file, &format!("d_{file}"), "1")).await.unwrap();
    }
    room.publish(dmn("beta", "d_beta", "2")).await.unwrap();
    for (filter, expected) in [
        (json!({}), json!(["alpha", "beta", "gamma"])),
        (json!({ "text": "ETA" }), json!(["beta"])),
        (json!({ "text": "Gamma RULES" }), json!(["gamma"])),
        (json!({ "text": "%" }), json!([])),
        (json!({ "decision": "d_alpha" }), json!(["alpha"])),
        (json!({ "decision": "d_alpha", "text": "beta" }), json!([])),
        (json!({ "limit": 2 }), json!(["alpha", "beta"])),
        (json!({ "limit": 2, "cursor": "beta" }), json!(["gamma"])),
    ] {
        let found = room.answer("rule_search", filter.clone()).await;
        let found: Vec<_> = found["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!(json!(found), expected, "{filter}");
    }
    let active = room.answer("rule_get", json!({ "id": "beta" })).await;
    assert_eq!((&active["version"], &active["active_version"]), (&json!(2), &json!(2)));
    assert_eq!(active["decisions"][0]["inputs"], json!(["amount"]));
    assert!(active.get("dmn").is_none());
    let old = json!({ "id": "beta", "version": 1, "response_format": "detailed", "form": "xml" });
    let old = room.answer("rule_get", old).await;
    assert_eq!((&old["version"], &old["active_version"]), (&json!(1), &json!(2)));
    assert_eq!(old["dmn"], json!(dmn("beta", "d_beta", "1")));
    for (wrong, code) in [
        (json!({ "id": "none" }), "rule_not_found"),
        (json!({ "id": "beta", "version": 3 }), "rule_version_not_found"),
    ] {
        assert_eq!(room.refusal("rule_get", wrong).await.code(), code);
    }
}

#[tokio::test]
async fn tenants_have_their_own_rules() {
    let room = room().await;
    let theirs = ctx("ten_b", "dora", &[], &room.clock);
    room.publish(dmn("approval", "route", "\"ours\"")).await.unwrap();
    for (operation, arguments, code) in [
        ("rule_get", json!({ "id": "approval" }), "rule_not_found"),
        ("rule_evaluate", json!({ "decision": "route" }), "decision_not_found"),
        ("rule_evaluate", json!({ "decision": "route", "file": "approval" }), "rule_not_found"),
    ] {
        let refused = room.call(&theirs, operation, arguments).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    assert_eq!(room.rules.decision_ids(&theirs).await.unwrap(), BTreeSet::new());
    room.rules.pinned(&room.ctx, &[pin("approval", 1)]).await.unwrap();
    let foreign = room.rules.pinned(&theirs, &[pin("approval", 1)]).await.unwrap_err();
    assert_eq!(foreign.code(), "rule_version_not_found", "not even when it is compiled already");

    let saved = room.publish_as(&theirs, dmn("approval", "route", "\"theirs\"")).await;
    assert_eq!(saved.unwrap().version, 1);
    for (ctx, expected) in [(&room.ctx, "ours"), (&theirs, "theirs")] {
        let arguments = json!({ "decision": "route", "variables": { "amount": 1 } });
        let answer = room.call(ctx, "rule_evaluate", arguments).await.unwrap();
        assert_eq!(answer["value"], expected);
    }
}

#[tokio::test]
async fn a_repeated_save_has_one_effect() {
    let room = room().await;
    let call = Idempotency {
        key: "k".to_owned(),
        operation: "rule_save".to_owned(),
        body_hash: "h".to_owned(),
    };
    let ctx = Ctx { idempotency: Some(Arc::new(call)), ..room.ctx.clone() };
    let arguments = json!({ "dmn": dmn("f", "d", "1") });
    let answer = room.call(&ctx, "rule_save", arguments.clone()).await.unwrap();
    let again = room.call(&ctx, "rule_save", arguments).await.unwrap_err();
    assert_eq!(again.code(), flowmaster_store::IDEMPOTENCY_RECORDED);
    assert_eq!(room.db.recorded_answer(&ctx).await.unwrap(), Some(answer));
}

/// A rule file whose table leaves amounts out, covers some twice and has a rule that is never reached.
pub(super) fn doubtful() -> Value {
    json!({ "id": "shipping", "inputs": [{ "name": "amount", "type": "number" }],
        "decisions": [{ "id": "rate", "table": {
            "hit": "FIRST", "when": [{ "input": "amount" }], "then": [{ "type": "string" }],
            "rows": [["< 10", "\"low\""], ["[5..20)", "\"middle\""], ["[6..8]", "\"never\""]]
        } }] })
}

#[tokio::test]
async fn tables_are_analysed_saved_or_not() {
    let room = room().await;
    let unsaved = room.answer("rule_analyze", json!({ "rules": doubtful() })).await;
    let table = &unsaved["tables"][0];
    assert_eq!((&table["decision"], &table["rules"]), (&json!("rate"), &json!(3)));
    let codes: BTreeSet<&str> = table["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains("gap") && codes.contains("unreachable_rule"), "{codes:?}");

    let saved = room.answer("rule_save", json!({ "rules": doubtful() })).await;
    assert_eq!(saved["id"], "shipping");
    let told = saved["findings"].as_array().unwrap();
    assert!(told.iter().all(|it| it["element"] == "rate" && it["severity"] != "info"), "{told:?}");
    assert!(told.iter().any(|it| it["code"] == "unreachable_rule"), "{told:?}");
    let of_saved =
        room.answer("rule_analyze", json!({ "id": "shipping", "decision": "rate" })).await;
    assert_eq!(of_saved["tables"], unsaved["tables"]);

    for (asked, expected) in [
        (json!({}), "not_one_rule_file"),
        (json!({ "id": "shipping", "rules": doubtful() }), "not_one_rule_file"),
        (json!({ "id": "nobody" }), "rule_not_found"),
        (json!({ "id": "shipping", "version": 7 }), "rule_version_not_found"),
        (json!({ "id": "shipping", "decision": "other" }), "table_not_found"),
        (json!({ "dmn": "<a>" }), "rule_invalid"),
    ] {
        let refused = room.refusal("rule_analyze", asked.clone()).await;
        assert_eq!(refused.code(), expected, "{asked}");
    }
    let neither = room.refusal("rule_save", json!({})).await;
    assert_eq!(neither.code(), "not_one_rule_file");
}

#[tokio::test]
async fn an_answer_says_why() {
    let room = room().await;
    room.answer("rule_save", json!({ "rules": doubtful() })).await;
    room.answer("rule_publish", json!({ "id": "shipping" })).await;
    let ask = |amount: i64| {
        json!({ "decision": "rate", "variables": { "amount": amount },
            "response_format": "detailed" })
    };
    let answer = room.answer("rule_evaluate", ask(7)).await;
    assert_eq!(answer["value"], "low");
    let why = &answer["explanation"];
    assert_eq!((&why["matched"], &why["gave"]), (&json!([1, 2, 3]), &json!([1])));
    let none = room.refusal("rule_evaluate", ask(30)).await;
    assert_eq!(none.code(), "decision_without_value");
    let details = none.body().details.clone().unwrap();
    let missed = &details["explanation"]["missed"];
    assert_eq!(missed.as_array().unwrap().len(), 3, "{missed}");
}

/// A rule file whose decision `fee` looks at `region` and `amount`, `total` at `fee`, and `other` at none
/// of them.
fn allowing() -> Value {
    json!({ "id": "fees", "inputs": [
            { "name": "region", "type": "string", "allowed": "\"EU\", \"US\"" },
            { "name": "amount", "type": "number" },
            { "name": "days", "type": "number" }
        ],
        "decisions": [
            { "id": "fee", "table": {
                "hit": "FIRST", "when": [{ "input": "region" }, { "input": "amount", "allowed": "[0..100]" }],
                "then": [{ "type": "number" }], "rows": [["\"EU\"", "-", "1"], ["-", "< 50", "2"]]
            } },
            { "id": "total", "literal": "if fee = 1 then 10 else 20" },
            { "id": "other", "literal": "days + 1" }
        ] })
}

#[tokio::test]
async fn a_value_that_is_not_allowed_is_told_with_what_is() {
    let room = room().await;
    let test =
        |variables: Value| json!({ "name": "t", "decision": "total", "variables": variables });
    let tests = [test(json!({ "region": "JP" })), test(json!({ "region": "EU", "amount": 101 }))];
    room.answer("rule_save", json!({ "rules": allowing(), "tests": tests })).await;
    let ask = |decision: &str, variables: Value| {
        json!({ "decision": decision, "file": "fees", "variables": variables,
            "response_format": "detailed" })
    };
    for (variables, told) in [
        (json!({ "region": "JP", "amount": 5 }), ["\"region\"", "\"JP\"", "\"EU\", \"US\""]),
        (json!({ "region": "EU", "amount": 101 }), ["\"amount\"", "101", "[0..100]"]),
    ] {
        for decision in ["fee", "total"] {
            let refused = room.refusal("rule_evaluate", ask(decision, variables.clone())).await;
            assert_eq!(refused.code(), "decision_input_invalid");
            let what = refused.to_string();
            assert!(told.iter().all(|it| what.contains(it)), "{what}");
        }
    }
    let of_table = ask("fee", json!({ "region": "EU", "amount": 101 }));
    let refused = room.refusal("rule_evaluate", of_table).await;
    let why = refused.body().details.clone().unwrap()["explanation"].clone();
    let outside = json!([{ "column": "amount", "value": "101", "allowed": "[0..100]" }]);
    assert_eq!((&why["outside_allowed"], &why["matched"]), (&outside, &json!([])));
    let report = room.answer("rule_test", json!({ "id": "fees" })).await;
    for (failure, told) in report["failures"].as_array().unwrap().iter().zip(["region", "amount"]) {
        let error = failure["error"].as_str().unwrap();
        assert!(error.contains(told) && error.contains("allowed"), "{error}");
    }
    assert_eq!(report["failed"], 2);
}

#[tokio::test]
async fn a_decision_names_the_inputs_that_it_needs() {
    let room = room().await;
    let saved = room.answer("rule_save", json!({ "rules": allowing() })).await;
    let read = room.answer("rule_get", json!({ "id": "fees" })).await;
    for answer in [saved, read] {
        let inputs: Vec<&Value> =
            answer["decisions"].as_array().unwrap().iter().map(|it| &it["inputs"]).collect();
        let both = json!(["region", "amount"]);
        assert_eq!(inputs, [&both, &json!(["days"]), &both], "fee, other, total");
    }
    for (decision, variables, missing) in [
        ("total", json!({ "region": "EU" }), json!(["amount"])),
        ("other", json!({ "region": "JP", "amount": "much" }), json!(["days"])),
    ] {
        let ask = json!({ "decision": decision, "file": "fees", "variables": variables });
        let answer = room.answer("rule_evaluate", ask).await;
        assert_eq!(answer["missing_inputs"], missing, "{decision}");
    }
}
