//! Process instances as tasks of MCP: whoever starts one follows it, through restarts too, and nobody else
//! does.

use std::path::Path;

use flowmaster_kernel::Role;
use serde_json::{Value, json};

use crate::harness::{Caller, TestServer, database};
use crate::program::Running;

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A client of MCP 2026-07-28 with what it declares.
struct Client {
    base: String,
    key: String,
    capabilities: Value,
}

impl Client {
    fn following(base: &str, key: &str) -> Self {
        let capabilities = json!({ "elicitation": {}, "extensions": { TASKS: {} } });
        Self { base: base.to_owned(), key: key.to_owned(), capabilities }
    }

    /// The result, or the error.
    async fn ask(&self, method: &str, mut params: Value) -> Result<Value, Value> {
        let name = params["name"].as_str().or(params["taskId"].as_str()).unwrap_or_default();
        let request = reqwest::Client::new()
            .post(format!("{}/mcp", self.base))
            .bearer_auth(&self.key)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", method)
            .header("Mcp-Name", name);
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": self.capabilities
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        match answer["error"].take() {
            Value::Null => Ok(answer["result"].take()),
            error => Err(error),
        }
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await.unwrap()
    }

    async fn task(&self, id: &Value) -> Value {
        self.ask("tasks/get", json!({ "taskId": id })).await.unwrap()
    }
}

async fn publish(admin: &Caller) {
    let compact = json!({ "id": "check", "elements": [
        { "id": "s", "type": "startEvent", "next": "look" },
        { "id": "look", "type": "userTask", "name": "Look at it", "next": "e",
          "assignment": { "groups": "clerk", "form": {
              "type": "object", "required": ["ok"], "properties": { "ok": { "type": "boolean" } } } } },
        { "id": "e", "type": "endEvent" }
    ] });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "check" })).await.unwrap();
}

/// The human task of the instance, once it is there.
async fn human_task(caller: &Caller) -> Value {
    let task = caller.until("task_list", json!({}), |page| page["items"].get(0).cloned()).await;
    task["id"].clone()
}

fn start(folder: &Path, database: Option<&str>) -> Running {
    Running::start(folder, database)
}

#[tokio::test]
async fn a_task_outlives_a_kill_asks_its_owner_and_ends_with_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let database = database().await;
    let server = start(folder.path(), database.as_deref());
    let key = server.new_key.clone().unwrap();
    let admin = server.caller(&key);
    publish(&admin).await;
    let me = json!({ "id": "clara", "roles": ["employee"], "groups": ["clerk"] });
    admin.call("user_save", me).await.unwrap();
    let clara = admin.call("key_create", json!({ "principal": "clara" })).await.unwrap();
    let clara = clara["secret"].as_str().unwrap().to_owned();
    let client = Client::following(&server.base, &clara);
    let begun = client.call("process_start", json!({ "process": "check" })).await;
    assert_eq!((&begun["resultType"], &begun["status"]), (&json!("task"), &json!("working")));
    let id = begun["taskId"].clone();
    server.kill();

    let server = start(folder.path(), database.as_deref());
    let client = Client::following(&server.base, &clara);
    let person = server.caller(&clara);
    let task = human_task(&person).await;
    assert_eq!(client.task(&id).await["status"], "working", "it is not hers yet");
    person.call("task_claim", json!({ "id": task })).await.unwrap();
    let asking = client.task(&id).await;
    assert_eq!(asking["status"], "input_required", "{asking}");
    let question = &asking["inputRequests"][task.as_str().unwrap()];
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Look at it");

    let answers =
        json!({ task.as_str().unwrap(): { "action": "accept", "content": { "ok": true } } });
    let update = json!({ "taskId": id, "inputResponses": answers });
    assert_eq!(client.ask("tasks/update", update).await.unwrap()["resultType"], "complete");
    let done = client.task(&id).await;
    assert_eq!(done["status"], "completed", "{done}");
    let answer = &done["result"]["structuredContent"];
    assert_eq!((&answer["state"], &answer["result"]["ok"]), (&json!("completed"), &json!(true)));
    server.stop();
}

#[tokio::test]
async fn a_task_is_of_use_to_its_owner_alone() {
    let server = TestServer::start().await;
    publish(&server.admin).await;
    let clara = server.person("clara", &[Role::Employee], &["clerk"]).await;
    let carl = server.person("carl", &[Role::Employee], &["clerk"]).await;
    let owner = Client::following(&server.base, &clara.key);
    let id = owner.call("process_start", json!({ "process": "check" })).await["taskId"].clone();
    let stranger = server.stranger().await;
    for key in [&carl.key, &server.admin.key, &stranger.key] {
        let other = Client::following(&server.base, key);
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let params = json!({ "taskId": id, "inputResponses": {} });
            let error = other.ask(method, params).await.unwrap_err();
            assert_eq!(error["code"], -32602, "{method}: {error}");
            assert_eq!(error["data"]["code"], "handle_not_found");
        }
    }
    assert_eq!(owner.task(&id).await["status"], "working");
}

#[tokio::test]
async fn a_task_is_cancelled_with_its_instance_and_made_for_those_who_follow_it() {
    let server = TestServer::start().await;
    publish(&server.admin).await;
    let client = Client::following(&server.base, &server.admin.key);
    let arguments = json!({ "process": "check", "business_key": "A-1" });
    let id = client.call("process_start", arguments).await["taskId"].clone();
    for _ in 0..2 {
        let ended = client.ask("tasks/cancel", json!({ "taskId": id })).await.unwrap();
        assert_eq!(ended["resultType"], "complete");
    }
    assert_eq!(client.task(&id).await["status"], "cancelled");
    let instance = server.admin.call("instance_get", json!({ "id": "A-1" })).await.unwrap();
    assert_eq!(instance["state"], "cancelled");

    let plain =
        Client { capabilities: json!({}), ..Client::following(&server.base, &server.admin.key) };
    let begun = plain.call("process_start", json!({ "process": "check" })).await;
    assert_eq!(begun["structuredContent"]["state"], "active");
    assert!(begun["taskId"].is_null());
    let refused = plain.ask("tasks/get", json!({ "taskId": id })).await.unwrap_err();
    assert_eq!(refused["code"], -32021);
}
