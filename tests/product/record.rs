//! The runtime record through the whole server: what was refused and what was allowed is found, proven,
//! taken out, and verified without the server.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::backup::{fails, flowmaster, shown, succeeds};
use crate::harness::{Caller, database};
use crate::program::Running;

/// Somebody tries to approve what they asked for, and then another does; the instance.
async fn approved(admin: &Caller, clerk: &Caller) -> Value {
    let policies = json!([
        { "id": "eyes", "on": ["complete"], "rule": { "fourEyes": { "starter": true } } },
        { "id": "limit", "on": ["complete"],
          "rule": { "condition": { "when": "amount < 1000", "reason": "too much" } } }
    ]);
    let elements = json!([
        { "id": "start", "type": "startEvent", "next": "approve" },
        { "id": "approve", "type": "userTask", "assignment": { "groups": "clerk" },
          "policies": policies, "next": "end" },
        { "id": "end", "type": "endEvent" }
    ]);
    let compact = json!({ "id": "order", "elements": elements });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "order" })).await.unwrap();
    let start = json!({ "process": "order", "variables": { "amount": 7 } });
    let id = admin.call("process_start", start).await.unwrap()["id"].clone();
    let open = json!({ "filter": "all_open", "instance": id });
    let task = admin.until("task_list", open, |page| page["items"].get(0).cloned()).await;
    let own = json!({ "id": task["id"], "variables": { "approved": true } });
    let (status, refused) = admin.call("task_complete", own).await.unwrap_err();
    assert_eq!((status, &refused["code"]), (403, &json!("governance_refused")));
    assert_eq!(refused["details"]["kept"], true);
    clerk.call("task_complete", json!({ "id": task["id"] })).await.unwrap();
    let ended = json!({ "id": id, "response_format": "detailed" });
    let ended = clerk.call("instance_get", ended).await.unwrap();
    assert_eq!(ended["variables"], json!({ "amount": 7, "approved": true }));
    id
}

async fn person(server: &Running, admin: &Caller, id: &str) -> Caller {
    let user = json!({ "id": id, "roles": ["employee"], "groups": ["clerk"] });
    admin.call("user_save", user).await.unwrap();
    let key = admin.call("key_create", json!({ "principal": id })).await.unwrap();
    server.caller(key["secret"].as_str().unwrap())
}

/// What the script beside the description of the format says.
fn verified_by_a_stranger(file: &Path, noted: &str) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify_record.py");
    Command::new("python3").arg(script).arg(file).arg(noted).output().unwrap()
}

#[tokio::test]
async fn what_was_refused_and_what_was_allowed_is_found_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = database().await;
    let server = Running::start(&data, database.as_deref());
    let admin = server.caller(&server.new_key.clone().unwrap());
    let clerk = person(&server, &admin, "cleo").await;
    let id = approved(&admin, &clerk).await;

    let found = admin.all("record_search", json!({ "instance": id })).await;
    let told: Vec<_> = found.iter().map(|entry| (&entry["outcome"], &entry["actor"])).collect();
    let expected = [(&json!("allow"), &json!("cleo")), (&json!("second_person"), &json!("admin"))];
    assert_eq!(told, expected);
    let entry = admin.call("record_get", json!({ "id": found[0]["id"] })).await.unwrap();
    assert_eq!(entry["entry"]["read"]["amount"]["value"], 7);
    let (status, forbidden) = clerk.call("record_search", json!({})).await.unwrap_err();
    assert_eq!((status, &forbidden["code"]), (403, &json!("forbidden")));

    let is_sealed = |told: &Value| (told["unsealed"] == 0).then(|| told.clone());
    let proven = admin.until("record_verify", json!({}), is_sealed).await;
    assert_eq!((&proven["intact"], &proven["entries"]), (&json!(true), &json!(2)));
    let newest = proven["newest"].clone();
    let again = admin.call("record_verify", json!({ "known": newest })).await.unwrap();
    assert_eq!(again["intact"], true);

    let page = admin.call("record_export", json!({})).await.unwrap();
    let lines = page["lines"].as_array().unwrap();
    let text: String = lines.iter().map(|line| line.as_str().unwrap().to_owned() + "\n").collect();
    let file = folder.path().join("record.jsonl");
    std::fs::write(&file, &text).unwrap();
    server.stop();

    let known = format!("{}:{}", newest["seal"], newest["hash"].as_str().unwrap());
    let path = file.to_str().unwrap();
    let verified = flowmaster(&["record", "verify", path, "--known", &known], &data);
    succeeds(&verified);
    assert!(shown(&verified).contains("2 entries in "), "{}", shown(&verified));
    let other = format!("9:{}", newest["hash"].as_str().unwrap());
    fails(&flowmaster(&["record", "verify", path, "--known", &other], &data), "record_tampered");
    let noted = known.as_str();
    let strange = verified_by_a_stranger(&file, noted);
    succeeds(&strange);
    assert!(shown(&strange).contains(&known), "{}", shown(&strange));
    fails(&verified_by_a_stranger(&file, &other), "the seal that was noted is not there");
    let entry = text.lines().find(|line| line.contains("cleo")).unwrap();
    let one_byte = entry.replacen("cleo", "cleq", 1);
    std::fs::write(&file, text.replace(entry, &one_byte)).unwrap();
    let place = format!("entry {}: it was changed", found[0]["id"].as_str().unwrap());
    fails(&verified_by_a_stranger(&file, noted), &place);
    std::fs::write(&file, text.replace("cleo", "eve1")).unwrap();
    let forged = flowmaster(&["record", "verify", path], &data);
    assert!(shown(&forged).contains("the entry was changed"), "{}", shown(&forged));
    fails(&forged, "record_tampered");
    if database.is_none() {
        let folder = data.to_str().unwrap();
        let verified = flowmaster(&["record", "verify", "--data", folder], &data);
        succeeds(&verified);
        assert!(shown(&verified).contains(&known), "{}", shown(&verified));
    }
}
