//! Clients that are told what changes: streams of newer ones, sessions of older ones.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::events::Events;
use crate::harness::Server;
use crate::talker::Talker;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

async fn listen(server: &Server, key: &str, notifications: Value) -> Events {
    let params = json!({ "notifications": notifications });
    let mut events = Events::modern(server, key, "subscriptions/listen", params).await;
    let first = events.message().await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    events
}

#[tokio::test]
async fn a_stream_tells_which_list_changed() {
    let server = Server::start_offering(Arc::new(Talker::default())).await;
    let mut tools = listen(&server, "anna", json!({ "toolsListChanged": true })).await;
    let filter = json!({ "promptsListChanged": true, "resourcesListChanged": true });
    let mut others = listen(&server, "anna", filter).await;
    server.tool("anna", "talk_change", json!({})).await;
    let told = tools.message().await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
    assert_eq!(told["params"]["_meta"][SUBSCRIPTION], 1);
    // What was written before the first look counts as a difference, so the second write shows more.
    server.tool("anna", "note_add", json!({ "text": "milk" })).await;
    while others.message().await["method"] != "notifications/resources/list_changed" {}
    server.tool("anna", "note_add", json!({ "text": "eggs" })).await;
    let told = others.message().await;
    assert_eq!(told["method"], "notifications/resources/list_changed", "the prompts are the same");
}

#[tokio::test]
async fn a_stream_tells_of_the_resources_that_its_principal_sees() {
    let server = Server::start().await;
    for key in ["anna", "bob", "bob"] {
        server.tool(key, "note_add", json!({ "text": "milk" })).await;
    }
    let uri = |number: u8| format!("flowmaster://document/note_{number}");
    let filter = json!({ "resourceSubscriptions": [uri(0), uri(1), uri(2)] });
    let mut events = listen(&server, "bob", filter).await;
    let delete =
        async |key: &str, id: &str| server.tool(key, "note_delete", json!({ "id": id })).await;
    let next = async |events: &mut Events| {
        let message = events.message().await;
        assert_eq!(message["method"], "notifications/resources/updated");
        message["params"]["uri"].as_str().unwrap().to_owned()
    };
    delete("bob", "note_2").await;
    while next(&mut events).await != uri(2) {}
    delete("anna", "note_0").await;
    delete("bob", "note_1").await;
    assert_eq!(next(&mut events).await, uri(1), "bob never saw the note of anna's tenant");
}

#[tokio::test]
async fn a_session_subscribes_to_resources() {
    let server = Server::start().await;
    server.tool("anna", "note_add", json!({ "text": "milk" })).await;
    let (mut events, endpoint) = Events::session(&server, "anna", json!({})).await;
    let ask = async |events: &mut Events, method: &str, uri: &str| {
        let params = json!({ "uri": format!("flowmaster://document/{uri}") });
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        server.post(&endpoint, "anna", &request).await;
        events.message().await
    };
    let unknown = ask(&mut events, "resources/subscribe", "nothing").await;
    assert_eq!(unknown["error"]["data"]["code"], "note_not_found");
    let subscribed = ask(&mut events, "resources/subscribe", "note_0").await;
    assert_eq!(subscribed["result"], json!({}));
    server.tool("anna", "note_delete", json!({ "id": "note_0" })).await;
    let told = events.message().await;
    assert_eq!(told["method"], "notifications/resources/updated");
    assert_eq!(told["params"]["uri"], "flowmaster://document/note_0");
    let ended = ask(&mut events, "resources/unsubscribe", "note_0").await;
    assert_eq!(ended["result"], json!({}));
}

#[tokio::test]
async fn each_era_has_its_own_way() {
    let server = Server::start().await;
    let params = json!({ "uri": "flowmaster://document/note_0" });
    let answer = server.modern("anna", "resources/subscribe", params).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &json!(-32601)));
    let uris: Vec<_> = (0..33).map(|n| format!("flowmaster://document/note_{n}")).collect();
    let params = json!({ "notifications": { "resourceSubscriptions": uris } });
    let mut refused = Events::modern(&server, "anna", "subscriptions/listen", params).await;
    refused.message().await;
    assert_eq!(refused.message().await["error"]["data"]["code"], "too_many_subscriptions");
    let discovered = server.modern("anna", "server/discover", json!({})).await.json();
    let tools = &discovered["result"]["capabilities"]["tools"];
    assert_eq!(tools, &json!({ "listChanged": true }));
}
