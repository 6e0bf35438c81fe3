use super::decisions::{dmn, doubtful};
use super::*;

const DISCOUNT: &str = "\
decision,discount,,
hit policy,FIRST,,
kind,input,output,annotation
name,amount,rate,Why
type,number,number,
rule 1,< 100,0,
rule 2,-,5,as agreed
";

#[tokio::test]
async fn a_table_goes_to_a_spreadsheet_and_comes_back_changed() {
    let room = room().await;
    room.answer("rule_save", json!({ "rules": doubtful() })).await;
    room.answer("rule_publish", json!({ "id": "shipping" })).await;
    let exported = room.answer("rule_export", json!({ "id": "shipping" })).await;
    assert_eq!(
        (&exported["name"], &exported["media_type"], &exported["decisions"]),
        (&json!("shipping.csv"), &json!("text/csv"), &json!(["rate"]))
    );
    let csv = exported["text"].as_str().unwrap();
    let changed = csv.replace("[6..8]", ">= 20");
    let imported = room.answer("rule_import", json!({ "id": "shipping", "csv": changed })).await;
    assert_eq!(imported["imported"], json!(["rate"]));
    assert_eq!(imported.get("findings"), None, "every amount is covered and every rule is reached");
    let ask = json!({ "decision": "rate", "variables": { "amount": 25 }, "draft": true });
    assert_eq!(room.answer("rule_evaluate", ask).await["value"], "never");

    let workbook = json!({ "id": "shipping", "draft": true, "format": "xlsx" });
    let workbook = room.answer("rule_export", workbook).await;
    assert_eq!(workbook["name"], "shipping.xlsx");
    let draft = room.answer("rule_get", json!({ "id": "shipping", "draft": true })).await;
    let again =
        room.answer("rule_import", json!({ "id": "shipping", "xlsx": workbook["base64"] })).await;
    assert_eq!(again["hash"], draft["hash"], "the same content");
}

#[tokio::test]
async fn a_spreadsheet_makes_a_file_or_adds_to_one() {
    let room = room().await;
    let alike = room.answer("rule_import", json!({ "id": "discount", "csv": DISCOUNT })).await;
    assert_eq!(alike["id"], "discount");
    let made = room.answer("rule_import", json!({ "id": "fees", "csv": DISCOUNT })).await;
    assert_eq!((&made["id"], &made["imported"]), (&json!("fees"), &json!(["discount"])));
    assert_eq!(made["decisions"][0]["inputs"], json!(["amount"]));
    let other = DISCOUNT.replace("discount", "bonus").replace("amount", "years");
    room.answer("rule_import", json!({ "id": "fees", "csv": other })).await;
    let several = room.refusal("rule_export", json!({ "id": "fees" })).await;
    assert_eq!(several.code(), "several_tables");
    assert_eq!(several.body().details.clone().unwrap()["decisions"], json!(["discount", "bonus"]));
    let one = room.answer("rule_export", json!({ "id": "fees", "decision": "bonus" })).await;
    assert_eq!(one["name"], "bonus.csv");
    let content = json!({ "id": "fees", "response_format": "detailed" });
    let content = &room.answer("rule_get", content).await["rules"];
    let inputs: Vec<&Value> =
        content["inputs"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(inputs, ["amount", "years"]);
    assert_eq!(content["decisions"][1]["table"]["rows"][1], json!(["-", "5", "as agreed"]));
}

#[tokio::test]
async fn what_cannot_be_exchanged_is_said() {
    let room = room().await;
    room.publish_both().await;
    for (operation, asked, code) in [
        ("rule_import", json!({ "id": "f" }), "not_one_spreadsheet"),
        ("rule_import", json!({ "id": "f", "csv": "a", "xlsx": "a" }), "not_one_spreadsheet"),
        ("rule_import", json!({ "id": "f", "csv": "a,b" }), "spreadsheet_invalid"),
        ("rule_import", json!({ "id": "f", "xlsx": "?" }), "spreadsheet_invalid"),
        ("rule_import", json!({ "id": "f", "xlsx": "YWJj" }), "spreadsheet_invalid"),
        ("rule_import", json!({ "id": "boxed", "csv": DISCOUNT }), "rule_not_compact"),
        ("rule_import", json!({ "id": "a b", "csv": DISCOUNT }), "rule_invalid"),
        ("rule_export", json!({ "id": "none" }), "rule_not_found"),
        ("rule_export", json!({ "id": "plain" }), "table_not_found"),
        ("rule_export", json!({ "id": "plain", "decision": "no" }), "table_not_found"),
    ] {
        assert_eq!(room.refusal(operation, asked.clone()).await.code(), code, "{asked}");
    }
    let late = json!({ "id": "plain", "csv": DISCOUNT, "based_on": "0" });
    assert_eq!(room.refusal("rule_import", late).await.code(), "draft_changed");
}

impl Room {
    /// Publishes `plain`, which has no table, and `boxed`, which is more than the compact form can say.
    async fn publish_both(&self) {
        let boxed = dmn("boxed", "b", "1").replace(
            "<literalExpression><text>1</text></literalExpression>",
            "<list><literalExpression><text>1</text></literalExpression></list>",
        );
        for (id, file) in [("plain", dmn("plain", "p", "1")), ("boxed", boxed)] {
            self.answer("rule_save", json!({ "dmn": file })).await;
            self.answer("rule_publish", json!({ "id": id })).await;
        }
    }
}

#[tokio::test]
async fn rules_of_other_files_are_compared_if_that_is_asked() {
    let room = room().await;
    room.answer("rule_import", json!({ "id": "fees", "csv": DISCOUNT })).await;
    room.answer("rule_publish", json!({ "id": "fees" })).await;
    let other = DISCOUNT.replace("discount", "rebate").replace("< 100,0", "< 100,7");
    room.answer("rule_import", json!({ "id": "rebates", "csv": other })).await;
    let alone = room.answer("rule_analyze", json!({ "id": "rebates" })).await;
    assert_eq!(alone["similar"]["pairs"], json!([]));
    let across = room.answer("rule_analyze", json!({ "id": "rebates", "across": true })).await;
    let first = &across["similar"]["pairs"][0];
    assert_eq!(
        (&first["kind"], &first["other"]["decision"]),
        (&json!("conflict"), &json!("discount"))
    );
}
