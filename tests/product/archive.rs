//! Retention: instances that ended long ago lie in files, and can be shown from them for ever.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::backup::{fails, flowmaster, shown, succeeds};
use crate::harness::{Caller, database};
use crate::program::{Running, program};

/// A server that archives what ended at once.
fn archiving(folder: &Path, database: Option<&str>) -> Running {
    let mut command = Command::new(program());
    command.env("FLOWMASTER_RETENTION", "0h");
    if let Some(url) = database {
        command.env("FLOWMASTER_DATABASE_URL", url);
    }
    Running::start_by(command, folder).unwrap()
}

/// An instance with a human task that was commented on and done; its id.
async fn approved(admin: &Caller) -> String {
    let elements = json!([
        { "id": "start", "type": "startEvent", "next": "approve" },
        { "id": "approve", "type": "userTask", "assignment": { "groups": "clerk" }, "next": "end" },
        { "id": "end", "type": "endEvent" }
    ]);
    let compact = json!({ "id": "order", "elements": elements });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "order" })).await.unwrap();
    let start = json!({ "process": "order", "business_key": "INV-1", "variables": { "n": 1 } });
    let id = admin.call("process_start", start).await.unwrap()["id"].clone();
    let open = json!({ "filter": "all_open", "instance": id });
    let task = admin.until("task_list", open, |page| page["items"].get(0).cloned()).await;
    let task = task["id"].clone();
    admin.call("task_claim", json!({ "id": task })).await.unwrap();
    admin.call("task_comment", json!({ "id": task, "text": "fine" })).await.unwrap();
    admin.call("task_complete", json!({ "id": task })).await.unwrap();
    id.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_the_retention_lets_go_is_shown_from_its_file_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = database().await;
    let server = Running::start(&data, database.as_deref());
    let key = server.new_key.clone().unwrap();
    let admin = server.caller(&key);
    let id = approved(&admin).await;
    let detailed = json!({ "id": id, "response_format": "detailed" });
    let timeline = admin.call("instance_timeline", detailed.clone()).await.unwrap();
    let none = admin.call("archive_search", json!({})).await.unwrap();
    assert_eq!(none["items"], json!([]), "without a retention everything stays");
    server.stop();

    let server = archiving(&data, database.as_deref());
    let admin = server.caller(&key);
    let first = |page: &Value| page["items"].get(0).cloned();
    let found = admin.until("archive_search", json!({ "process": "order" }), first).await;
    assert_eq!(found["id"], json!(id));
    let listed = admin.call("instance_search", json!({ "process": "order" })).await.unwrap();
    assert_eq!(listed["items"], json!([]));
    let shown_again = admin.call("instance_get", json!({ "id": "INV-1" })).await.unwrap();
    assert_eq!((&shown_again["id"], &shown_again["state"]), (&json!(id), &json!("completed")));
    assert_eq!(admin.call("instance_timeline", detailed).await.unwrap(), timeline);
    let record = admin.call("archive_get", json!({ "id": id })).await.unwrap();
    assert_eq!(record["belongings"]["tasks"][0]["comments"][0]["text"], "fine");
    server.stop();

    let verified = flowmaster(&["archive", "verify"], &data);
    succeeds(&verified);
    assert!(shown(&verified).contains("1 passed, 0 failed"), "{}", shown(&verified));
    let printed = flowmaster(&["archive", "show", &id], &data);
    succeeds(&printed);
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["head"]["hash"], record["head_hash"]);
    fails(&flowmaster(&["archive", "show", "ins_none"], &data), "archived_instance_not_found");
    let file = data.join("archive").join(record["file"].as_str().unwrap());
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xFF;
    std::fs::write(&file, bytes).unwrap();
    fails(&flowmaster(&["archive", "verify"], &data), "archive_unreadable");
}

#[tokio::test]
async fn a_backup_beside_a_copy_of_the_archive_shows_for_audit_what_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let [data, fresh, copy] = ["data", "fresh", "copy"].map(|name| folder.path().join(name));
    let server = Running::start(&data, None);
    let key = server.new_key.clone().unwrap();
    let id = approved(&server.caller(&key)).await;
    let of_id = json!({ "id": id, "response_format": "detailed" });
    let ended = json!({ "process": "order", "ended_before": "2999-01-01T00:00:00Z" });
    let first = |answer: &Value| answer["archived"].get(0).cloned();
    server.caller(&key).until("instance_archive", ended, first).await;
    let everything = async |server: &Running| {
        let admin = server.caller(&key);
        let mut answers = Vec::new();
        for operation in ["instance_get", "instance_timeline"] {
            answers.push(admin.call(operation, of_id.clone()).await.unwrap());
        }
        answers.push(admin.call("archive_get", json!({ "id": id })).await.unwrap());
        answers
    };
    let before = everything(&server).await;
    succeeds(&flowmaster(&["backup", copy.to_str().unwrap()], &data));
    server.stop();

    succeeds(&flowmaster(&["restore", copy.to_str().unwrap()], &fresh));
    for file in flowmaster_store::archive::files(&data.join("archive")).unwrap() {
        let to = fresh.join(file.strip_prefix(&data).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&file, to).unwrap();
    }
    let server = Running::start(&fresh, None);
    assert_eq!(everything(&server).await, before);
}
