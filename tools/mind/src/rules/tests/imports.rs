use super::*;

const DMN: &str = "https://www.omg.org/spec/DMN/20191111/MODEL/";

/// A file of the namespace `urn:rates` with the decision `rate`.
fn rates(answer: &str) -> String {
    format!(
        r#"<definitions xmlns="{DMN}" id="rates" name="rates" namespace="urn:rates">
  <decision id="rate" name="rate"><variable name="rate" typeRef="number"/>
    <literalExpression><text>{answer}</text></literalExpression></decision>
</definitions>"#
    )
}

/// A file whose decision `price` is made of the imported `rate`.
fn prices() -> String {
    format!(
        r##"<definitions xmlns="{DMN}" id="prices" name="prices" namespace="urn:prices">
  <import name="r" namespace="urn:rates" importType="{DMN}"/>
  <inputData id="i" name="weight"><variable name="weight" typeRef="number"/></inputData>
  <decision id="price" name="price"><variable name="price" typeRef="number"/>
    <informationRequirement id="a"><requiredInput href="#i"/></informationRequirement>
    <informationRequirement id="b"><requiredDecision href="urn:rates#rate"/></informationRequirement>
    <literalExpression><text>weight * r.rate</text></literalExpression></decision>
</definitions>"##
    )
}

async fn price(room: &Room, more: Value) -> Value {
    let mut ask = json!({ "decision": "price", "file": "prices", "variables": { "weight": 10 } });
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    room.answer("rule_evaluate", ask).await["value"].clone()
}

#[tokio::test]
async fn a_version_keeps_the_versions_that_it_imports() {
    let room = room().await;
    let early = room.answer("rule_save", json!({ "dmn": prices() })).await;
    assert_eq!(early["findings"][0]["code"], "import_missing");
    assert_eq!(early["findings"][0]["element"], "r");
    let refused = room.refusal("rule_publish", json!({ "id": "prices" })).await;
    assert_eq!(findings(&refused), ["import_missing"]);

    room.answer("rule_save", json!({ "dmn": rates("2") })).await;
    room.answer("rule_publish", json!({ "id": "rates" })).await;
    let tests = json!([{ "name": "ten", "decision": "price", "variables": { "weight": 10 },
        "expected": 20 }]);
    let saved = room.answer("rule_save", json!({ "dmn": prices(), "tests": tests })).await;
    assert_eq!(saved.get("findings"), None);
    assert_eq!(price(&room, json!({ "draft": true })).await, 20);
    let published = room.answer("rule_publish", json!({ "id": "prices" })).await;
    assert_eq!(published["tests_passed"], 1);
    let pins = room.rules.pin(&room.ctx, &BTreeSet::from(["price".to_owned()])).await.unwrap();
    assert_eq!(pins, [RulePin { file: "prices".to_owned(), version: 1 }]);

    room.answer("rule_save", json!({ "dmn": rates("3") })).await;
    room.answer("rule_publish", json!({ "id": "rates" })).await;
    assert_eq!(price(&room, json!({})).await, 20, "until it is published again");
    room.answer("rule_save", json!({ "dmn": prices() })).await;
    let refused = room.refusal("rule_publish", json!({ "id": "prices" })).await;
    assert_eq!(refused.code(), "rule_tests_failed", "its test sees what it imports now");
    room.answer("rule_save", json!({ "id": "prices", "tests": [] })).await;
    let second = room.answer("rule_publish", json!({ "id": "prices" })).await;
    assert_eq!((&second["version"], &second["is_new"]), (&json!(2), &json!(true)));
    assert_eq!(price(&room, json!({})).await, 30, "the same content, another import");
    room.answer("rule_save", json!({ "dmn": prices() })).await;
    let same = room.answer("rule_publish", json!({ "id": "prices" })).await;
    assert_eq!((&same["version"], &same["is_new"]), (&json!(2), &json!(false)));
    assert_eq!(price(&room, json!({ "version": 1 })).await, 20);
    let both = [1, 2].map(|version| RulePin { file: "prices".to_owned(), version });
    let old = room.rules.pinned(&room.ctx, &both[..1]).await.unwrap();
    assert_eq!(old.ids().collect::<Vec<_>>(), ["price"], "what is imported is not offered");
}

#[tokio::test]
async fn what_is_imported_is_one_file() {
    let room = room().await;
    let twin = rates("5").replace("\"rates\"", "\"twin\"").replace("id=\"rate\"", "id=\"other\"");
    for (id, file) in [("rates", rates("2")), ("twin", twin)] {
        room.answer("rule_save", json!({ "dmn": file })).await;
        room.answer("rule_publish", json!({ "id": id })).await;
    }
    let saved = room.answer("rule_save", json!({ "dmn": prices() })).await;
    assert_eq!(saved["findings"][0]["code"], "import_ambiguous");
    let theirs = ctx("ten_b", "dora", &[], &room.clock);
    let saved = room.call(&theirs, "rule_save", json!({ "dmn": prices() })).await.unwrap();
    assert_eq!(saved["findings"][0]["code"], "import_missing", "files of others are not seen");
}

#[tokio::test]
async fn tables_of_imported_files_are_explained_with_those_that_ask_them() {
    let room = room().await;
    let rates = json!({ "id": "rates",
        "inputs": [{ "name": "region", "type": "string" }],
        "decisions": [{ "id": "rate", "table": {
            "when": [{ "input": "region" }], "then": [{ "type": "number" }],
            "rows": [["\"EU\"", "2"], ["not(\"EU\")", "3"]]
        } }] });
    room.answer("rule_save", json!({ "rules": rates })).await;
    room.answer("rule_publish", json!({ "id": "rates" })).await;
    let prices = prices().replace("urn:rates", "urn:flowmaster:rules:rates");
    let tests = json!([{ "name": "ten", "decision": "price",
        "variables": { "weight": 10, "region": "EU" }, "expected": 20 }]);
    room.answer("rule_save", json!({ "dmn": prices, "tests": tests })).await;
    let ask = |draft: bool| {
        json!({ "decision": "price", "file": "prices", "draft": draft,
            "variables": { "weight": 10, "region": "US" }, "response_format": "detailed" })
    };
    let of_draft = room.answer("rule_evaluate", ask(true)).await;
    room.answer("rule_publish", json!({ "id": "prices" })).await;
    let of_version = room.answer("rule_evaluate", ask(false)).await;
    for answer in [of_draft, of_version] {
        assert_eq!((&answer["value"], answer.get("explanation")), (&json!(30), None));
        let [table] = answer["required"].as_array().unwrap().as_slice() else { panic!("{answer}") };
        assert_eq!(table["decision"], "r.rate");
        let why = &table["explanation"];
        assert_eq!((&why["gave"], &why["missed"][0]["cell"]), (&json!([2]), &json!("\"EU\"")));
    }
}
