//! The story: an invoice is read by an agent, checked by rules, corrected and approved by people,
//! and paid, also in somebody's place; what nobody may do is refused and recorded.

use std::time::Duration;

use flowmaster_kernel::{Error, Result};
use serde_json::{Value, json};

use super::Transcript;
use super::client::Client;
use crate::compose::INVOICE;

/// How long the story waits for something that happens by itself.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn tell(base: &str, admin: &Client, told: &mut Transcript<'_>) -> Result<()> {
    told.step(&format!("A fresh server is up at {base}; an MCP client connects."))?;
    let seen = admin.request("server/discover", json!({})).await?;
    let name = text(&seen, "/_meta/io.modelcontextprotocol~1serverInfo/name");
    told.detail(&format!("server/discover: {name}, {}", seen["supportedVersions"]))?;
    let tools = admin.request("tools/list", json!({})).await?;
    let listed = tools["tools"].as_array().map(Vec::len).unwrap_or_default();
    told.detail(&format!("tools/list: {listed} tools on the first page"))?;

    told.step("The administrator makes three people and gives each a key.")?;
    let mia = person(admin, "mia", "manager").await?;
    let dora = person(admin, "dora", "director").await?;
    let tom = person(admin, "tom", "treasury").await?;
    told.detail("mia (manager), dora (director), tom (treasury)")?;

    told.step("The client stores the invoice and starts the process as a tool.")?;
    let document =
        json!({ "name": "invoice-4711.md", "media_type": "text/markdown", "text": INVOICE });
    let document = admin.call("document_add", document).await?;
    let start = json!({
        "document": INVOICE,
        "document_id": document["id"],
        "purchase_order": { "number": "PO-2087", "amount": 2420 },
        "goods_receipt": { "amount": 2420 },
        "escalate_after": "PT1S",
        "business_key": "INV-4711",
        "wait_s": 0
    });
    let started = admin.call("invoice_approve", start).await?;
    let instance = text(&started, "/id");
    told.detail(&format!("invoice_approve: {instance} is {}", text(&started, "/state")))?;
    told.detail(&format!("it waits for {}", text(&started, "/waiting_for/0")))?;

    told.step("An agent reads the fields. Its model is played by a script here, which misreads the total.")?;
    let read = json!({
        "invoice_number": "4711", "supplier": "Nordwind Office Supplies GmbH",
        "amount": 2240, "currency": "EUR", "po_number": "PO-2087", "confidence": 0.93
    });
    work(admin, told, "invoice-reader", read).await?;

    told.step("Rules route it: FEEL finds that order and invoice differ, DMN asks for a manager.")?;
    let task = task_of(&mia, &instance, "approve").await?;
    told.detail(&format!("task {} for the group {}", text(&task, "/name"), task["groups"]))?;

    told.step("Who asked for the payment tries to approve it, and is refused.")?;
    let id = text(&task, "/id");
    let own =
        admin.call("task_complete", json!({ "id": id, "variables": { "approved": true } })).await;
    refused(told, own, "governance_refused")?;

    told.step("Nobody acts in time: the timer escalates the overdue task to the director.")?;
    let escalated = task_of(&dora, &instance, "escalate").await?;
    told.detail(&format!("dora got: {}", text(&escalated, "/name")))?;

    told.step("The manager corrects the amount and approves.")?;
    let answer = json!({ "id": id, "variables": { "approved": true, "amount": 2420, "comment": "total corrected" } });
    let closed = mia.call("task_complete", answer).await?;
    told.detail(&format!("correction kept: {}", closed["corrections"]))?;
    same(&closed["corrections"][0]["to"], &json!(2420), "the correction")?;

    told.step("The payment agent tries to pay 2,420 EUR; its mandate ends below 1,000.")?;
    let claimed = claim(admin, "payment-agent").await?;
    let paid = json!({ "payment_reference": "PAY-1", "confidence": 0.99 });
    let submitted = admin.call("work_submit", submission(&claimed, &paid)).await;
    refused(told, submitted, "governance_refused")?;
    let beyond = json!({
        "id": claimed["id"], "epoch": claimed["epoch"],
        "reason": "the payment is beyond my mandate", "error_code": "BEYOND_MANDATE"
    });
    admin.call("work_fail", beyond).await?;
    told.detail("the agent reports it, and the process hands the payment to the treasury")?;

    told.step("The treasury pays by hand; the process ends and has its result.")?;
    let by_hand = task_of(&tom, &instance, "pay-by-hand").await?;
    let answer =
        json!({ "id": by_hand["id"], "variables": { "payment_reference": "SEPA-2026-77" } });
    tom.call("task_complete", answer).await?;
    let closing = json!({ "id": escalated["id"], "variables": {} });
    dora.call("task_complete", closing).await?;
    let ended = admin.call("instance_get", json!({ "id": "INV-4711" })).await?;
    told.detail(&format!("{}: {}", text(&ended, "/state"), ended["result"]))?;
    same(&ended["state"], &json!("completed"), "the state")?;
    same(&ended["result"]["outcome"], &json!("paid"), "the outcome")?;

    told.step(
        "A small invoice that matches needs nobody: the tool call waits and returns the result.",
    )?;
    small_invoice(admin, told).await?;

    told.step("Mandates end at a cent; whoever may not is told who may.")?;
    limits(admin, told).await?;

    told.step("The director goes on holiday: mia stands in for her, below 50,000 EUR.")?;
    holiday(admin, &dora, &mia, told).await?;

    told.step("The journal of the first invoice: who did what, on which version.")?;
    journal(admin, told, &instance).await
}

/// Makes a person with one business group and gives the client that has their key.
async fn person(admin: &Client, id: &str, group: &str) -> Result<Client> {
    let user = json!({ "id": id, "roles": ["employee"], "groups": [group] });
    admin.call("user_save", user).await?;
    let key = admin.call("key_create", json!({ "principal": id, "name": "demo" })).await?;
    Ok(admin.with_key(&text(&key, "/secret")))
}

/// Claims the next work of an agent, once there is some.
async fn claim(client: &Client, agent: &str) -> Result<Value> {
    eventually(&format!("work for {agent}"), async || {
        let claimed = client.call("work_claim", json!({ "agent": agent })).await?;
        Ok(claimed["work"].get(0).cloned())
    })
    .await
}

fn submission(claimed: &Value, output: &Value) -> Value {
    json!({ "id": claimed["id"], "epoch": claimed["epoch"], "output": output })
}

async fn work(
    client: &Client,
    told: &mut Transcript<'_>,
    agent: &str,
    output: Value,
) -> Result<()> {
    let claimed = claim(client, agent).await?;
    told.detail(&format!(
        "work_claim: {} messages and an output schema for {agent}",
        claimed["messages"].as_array().map(Vec::len).unwrap_or_default()
    ))?;
    client.call("work_submit", submission(&claimed, &output)).await?;
    told.detail(&format!("work_submit: {output}"))
}

async fn task_of(client: &Client, instance: &str, element: &str) -> Result<Value> {
    eventually(&format!("the task {element}"), async || {
        let tasks = client.call("task_list", json!({ "instance": instance })).await?;
        let found = tasks["items"].as_array().into_iter().flatten();
        Ok(found.into_iter().find(|task| task["element"] == *element).cloned())
    })
    .await
}

async fn small_invoice(admin: &Client, told: &mut Transcript<'_>) -> Result<()> {
    let start = json!({
        "document": "Invoice 4712 of Papierhaus AG, PO-2090, total EUR 480.00",
        "purchase_order": { "number": "PO-2090", "amount": 480 },
        "goods_receipt": { "amount": 480 },
        "business_key": "INV-4712",
        "wait_s": 15
    });
    let read = json!({
        "invoice_number": "4712", "supplier": "Papierhaus AG", "amount": 480,
        "currency": "EUR", "po_number": "PO-2090", "confidence": 0.98
    });
    let agents = async {
        let reading = claim(admin, "invoice-reader").await?;
        admin.call("work_submit", submission(&reading, &read)).await?;
        let paying = claim(admin, "payment-agent").await?;
        let paid = json!({ "payment_reference": "PAY-2", "confidence": 0.99 });
        admin.call("work_submit", submission(&paying, &paid)).await
    };
    let (called, worked) = tokio::join!(admin.call("invoice_approve", start), agents);
    worked?;
    let called = called?;
    told.detail(&format!(
        "invoice_approve: {} with {}",
        text(&called, "/state"),
        called["result"]
    ))?;
    same(&called["result"]["route"], &json!("automatic"), "the route")?;
    same(&called["result"]["payment_reference"], &json!("PAY-2"), "the payment")
}

/// Asks at the four limits of the demo.
async fn limits(admin: &Client, told: &mut Transcript<'_>) -> Result<()> {
    let manager = ("approve_invoice", "mia", "manager");
    let agent = ("pay_invoice", "agent:payment-agent", "payments");
    for ((action, actor, group), amount, outcome) in [
        (agent, "999.99", "allow"),
        (agent, "1000", "escalate"),
        (manager, "9999.99", "allow"),
        (manager, "10000", "escalate"),
    ] {
        let case = json!({
            "domain": "finance", "action": action, "amount": amount, "currency": "EUR",
            "actor": actor, "groups": [group]
        });
        let checked = admin.call("mandate_check", case).await?;
        let why = text(&checked, "/reasons/0");
        let others =
            checked["approvers"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let others: String = others.map(|name| format!("; {name} may")).collect();
        told.detail(&format!("{amount} EUR: {}: {why}{others}", text(&checked, "/outcome")))?;
        same(&checked["outcome"], &json!(outcome), "what the mandates say")?;
    }
    Ok(())
}

/// An invoice for the director is approved by the manager to whom she delegates that.
async fn holiday(
    admin: &Client,
    dora: &Client,
    mia: &Client,
    told: &mut Transcript<'_>,
) -> Result<()> {
    let start = json!({
        "document": "Invoice 4713 of Bau GmbH, PO-2101, total EUR 10,000.00",
        "purchase_order": { "number": "PO-2101", "amount": 10000 },
        "goods_receipt": { "amount": 10000 },
        "business_key": "INV-4713",
        "wait_s": 0
    });
    let instance = text(&admin.call("invoice_approve", start).await?, "/id");
    let reading = claim(admin, "invoice-reader").await?;
    let read = json!({
        "invoice_number": "4713", "supplier": "Bau GmbH", "amount": 10000,
        "currency": "EUR", "po_number": "PO-2101", "confidence": 0.97
    });
    admin.call("work_submit", submission(&reading, &read)).await?;
    let task = task_of(dora, &instance, "approve").await?;
    let id = &task["id"];
    let mut mandates = admin.call("mandate_get", json!({})).await?;
    mandates["delegations"] = json!([{
        "id": "holiday", "from": { "group": "director" }, "to": "mia", "domains": ["finance"],
        "actions": ["approve_invoice"], "below": 50000, "currency": "EUR"
    }]);
    admin.call("mandate_save", mandates).await?;
    told.detail("mandate_save: the delegation holiday; task_delegate: her task of 10,000 EUR")?;
    dora.call("task_claim", json!({ "id": id })).await?;
    dora.call("task_delegate", json!({ "id": id, "to": "mia" })).await?;
    mia.call("task_complete", json!({ "id": id, "variables": { "approved": true } })).await?;

    let search = json!({ "instance": instance, "actor": "mia", "outcome": "allow" });
    let found = admin.call("record_search", search).await?;
    let entry = admin.call("record_get", json!({ "id": found["items"][0]["id"] })).await?;
    let by = &entry["entry"]["policies"][1];
    let (mandate, delegation) = (text(by, "/mandate"), text(by, "/delegation"));
    told.detail(&format!(
        "the record: approved by mia by the mandate {mandate}, through the delegation {delegation}"
    ))?;
    same(&by["delegation"], &json!("holiday"), "the delegation")?;
    let proven = admin.call("record_verify", json!({})).await?;
    told.detail(&format!(
        "record_verify: {} entries in seals and {} to be sealed, none was changed",
        proven["entries"], proven["unsealed"]
    ))?;
    same(&proven["intact"], &json!(true), "the proof of the record")
}

async fn journal(admin: &Client, told: &mut Transcript<'_>, instance: &str) -> Result<()> {
    let timeline = admin.call("instance_timeline", json!({ "id": instance, "limit": 50 })).await?;
    let entries = timeline["items"].as_array().cloned().unwrap_or_default();
    let mut refusals = 0;
    for entry in &entries {
        for what in entry["what"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            refusals += usize::from(what.starts_with("REFUSED"));
            told.detail(&format!("{:>2} {:<22} {what}", entry["seq"], text(entry, "/actor")))?;
        }
    }
    told.detail(&format!(
        "process version {}, mandates version {}",
        entries[0]["process_version"], entries[0]["mandates_version"]
    ))?;
    same(&json!(refusals), &json!(2), "the number of refusals in the journal")
}

/// Asks again until there is an answer: some things happen by themselves.
async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let give_up = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < give_up {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Err(Error::conflict("demo_differs", format!("{what} did not appear")))
}

fn refused(told: &mut Transcript<'_>, result: Result<Value>, code: &str) -> Result<()> {
    match result {
        Err(error) if error.code() == code => {
            let body = error.body();
            told.detail(&format!(
                "refused [{code}]: {} — {}",
                body.what,
                body.why.as_deref().unwrap_or("")
            ))
        }
        Err(other) => Err(other),
        Ok(answer) => Err(Error::conflict("demo_differs", format!("it was not refused: {answer}"))),
    }
}

fn same(actual: &Value, expected: &Value, what: &str) -> Result<()> {
    let equal = match (actual.as_f64(), expected.as_f64()) {
        (Some(actual), Some(expected)) => actual.total_cmp(&expected).is_eq(),
        _ => actual == expected,
    };
    if equal {
        return Ok(());
    }
    Err(Error::conflict("demo_differs", format!("{what} is {actual}, not {expected}")))
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
