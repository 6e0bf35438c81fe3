//! A valid call of every operation: of those that change something, with what it needs made before
//! and how to see what it did; of those that read, for everything that there is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::Caller;

/// A call that works, once.
pub(crate) struct Call {
    /// The arguments.
    pub(crate) arguments: Value,
    /// What the same operation may be asked as well.
    pub(crate) other: Value,
    /// Shows the effect.
    pub(crate) seen: Seen,
}

/// What shows the effect of a call.
pub(crate) struct Seen {
    pub(crate) operation: &'static str,
    pub(crate) arguments: Value,
    pub(crate) pick: fn(&Value) -> Value,
    /// What is picked after the call was done once.
    pub(crate) once: Value,
}

/// The answer's list, counted.
fn count(answer: &Value) -> Value {
    let items = answer.get("items").or(answer.get("jobs")).and_then(Value::as_array);
    items.map_or(Value::Null, |items| json!(items.len()))
}

fn seen(operation: &'static str, arguments: Value, pick: fn(&Value) -> Value, once: Value) -> Seen {
    Seen { operation, arguments, pick, once }
}

/// Two transitions: the start, and the one that the call made.
fn moved_on(instance: &Value) -> Seen {
    seen("instance_timeline", json!({ "id": instance, "limit": 50 }), count, json!(2))
}

/// One instance of `process`.
fn started(process: &str) -> Seen {
    seen("instance_search", json!({ "process": process }), count, json!(1))
}

fn of_task(id: &Value, pick: fn(&Value) -> Value, once: Value) -> Seen {
    seen("task_get", json!({ "id": id }), pick, once)
}

const PROMPT: &str = "---
id: calls/total
description: Adds up.
output:
  schema:
    type: object
    required: [total]
    properties: { total: { type: number } }
---
## user
Add up.
";

const DMN: &str = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="calls" name="calls" namespace="urn:calls">
  <decision id="calls-decision" name="answer"><variable name="answer"/>
    <literalExpression><text>42</text></literalExpression></decision>
</definitions>"#;

/// What the calls need.
struct Shop<'a>(&'a Caller);

impl Shop<'_> {
    async fn ask(&self, operation: &str, arguments: Value) -> Value {
        let asked = self.0.call(operation, arguments.clone()).await;
        asked.unwrap_or_else(|error| panic!("{operation} {arguments}: {error:?}"))
    }

    async fn publish(&self, id: &str, elements: Value) {
        self.ask("process_save", json!({ "compact": { "id": id, "elements": elements } })).await;
        self.ask("process_publish", json!({ "id": id })).await;
    }

    /// An instance of a process that is start, `element`, end.
    async fn instance(&self, process: &str, element: Value) -> Value {
        self.publish(process, steps(element)).await;
        self.ask("process_start", json!({ "process": process })).await["id"].clone()
    }

    /// Starts a process that a policy guards, and waits until that is sealed in the runtime record.
    async fn guarded(&self) {
        let rule = json!({ "condition": { "when": "actor.id != null", "reason": "nobody" } });
        let policies = json!([{ "id": "somebody", "on": ["start"], "rule": rule }]);
        let elements = steps(json!({ "type": "task" }));
        let compact = json!({ "id": "calls-guarded", "elements": elements, "policies": policies });
        self.ask("process_save", json!({ "compact": compact })).await;
        self.ask("process_publish", json!({ "id": "calls-guarded" })).await;
        self.ask("process_start", json!({ "process": "calls-guarded" })).await;
        let is_sealed = |told: &Value| (told["unsealed"] == 0).then(|| told.clone());
        self.0.until("record_verify", json!({}), is_sealed).await;
    }

    /// A human task, and its instance.
    async fn task(&self, process: &str) -> (Value, Value) {
        let element = json!({ "type": "userTask", "assignment": { "groups": "clerk" } });
        let instance = self.instance(process, element).await;
        let open = json!({ "filter": "all_open", "instance": instance });
        let task = self.0.until("task_list", open, |page| page["items"].get(0).cloned()).await;
        (task["id"].clone(), instance)
    }

    /// A job that is claimed.
    async fn job(&self, process: &str) -> Value {
        self.instance(process, json!({ "type": "serviceTask", "job": process })).await;
        self.ask("job_claim", json!({ "job_type": process })).await["jobs"][0].clone()
    }

    /// Work for an agent of its own, and the instance.
    async fn work(&self, agent: &str) -> Value {
        self.ask("agent_save", json!({ "id": agent, "prompt": "calls/total" })).await;
        self.instance(agent, json!({ "type": "agentTask", "agent": agent })).await
    }

    async fn claimed_work(&self, agent: &str) -> (Value, Value) {
        let instance = self.work(agent).await;
        let claimed = self.ask("work_claim", json!({ "agent": agent })).await;
        (claimed["work"][0].clone(), instance)
    }
}

fn steps(mut element: Value) -> Value {
    element["id"] = json!("work");
    element["next"] = json!("end");
    json!([
        { "id": "start", "type": "startEvent", "next": "work" },
        element,
        { "id": "end", "type": "endEvent" }
    ])
}

/// Makes what every call needs, and gives the calls by operation.
pub(crate) async fn calls(admin: &Caller) -> BTreeMap<&'static str, Call> {
    let shop = Shop(admin);
    let mut calls = BTreeMap::new();
    definitions(&shop, &mut calls).await;
    instances(&shop, &mut calls).await;
    work(&shop, &mut calls).await;
    tasks(&shop, &mut calls).await;
    webhooks(&shop, &mut calls).await;
    calls
}

/// A call: the operation and its arguments.
pub(crate) type Read = (&'static str, Value);

/// Calls that read everything of this caller's tenant, in every form.
pub(crate) async fn reads(admin: &Caller) -> Vec<Read> {
    Shop(admin).guarded().await;
    let plain = || vec![json!({})];
    let both = || ["concise", "detailed"].map(|it| json!({ "response_format": it })).to_vec();
    let written = || ["compact", "xml"].map(|it| json!({ "format": it })).to_vec();
    let mut reads = Vec::new();
    for (search, list, get, forms) in [
        ("process_search", json!({ "limit": 50 }), "process_get", written()),
        ("process_search", json!({ "limit": 50 }), "process_validate", plain()),
        ("instance_search", json!({ "limit": 50 }), "instance_get", both()),
        ("instance_search", json!({ "limit": 50 }), "instance_timeline", both()),
        ("task_list", json!({ "filter": "all_open" }), "task_get", both()),
        ("document_search", json!({}), "document_get", both()),
        ("rule_search", json!({}), "rule_get", both()),
        ("evaluation_search", json!({}), "evaluation_get", plain()),
        ("agent_search", json!({}), "agent_get", plain()),
        ("prompt_search", json!({}), "prompt_get", plain()),
        ("run_search", json!({}), "run_get", both()),
        ("delivery_search", json!({ "state": "waiting" }), "delivery_get", plain()),
        ("record_search", json!({}), "record_get", plain()),
        ("archive_search", json!({}), "archive_get", plain()),
        ("archive_search", json!({}), "instance_get", both()),
        ("archive_search", json!({}), "instance_timeline", both()),
    ] {
        let found = Shop(admin).ask(search, list.clone()).await;
        reads.push((search, list));
        for item in found["items"].as_array().unwrap() {
            for mut arguments in forms.clone() {
                arguments["id"] = item["id"].clone();
                reads.push((get, arguments));
            }
        }
    }
    let scenario = "name: waits\nmodels: [process.bpmn]\nsteps: []\nexpect: { state: completed }\n";
    reads.extend([
        ("me_get", json!({})),
        ("user_search", json!({})),
        ("key_list", json!({})),
        ("audit_search", json!({})),
        ("record_verify", json!({})),
        ("record_export", json!({})),
        ("incident_list", json!({})),
        ("subscription_search", json!({})),
        ("mandate_get", json!({})),
        ("organisation_get", json!({})),
        ("person_get", json!({})),
        ("person_get", json!({ "person": "anna" })),
        ("mandate_check", json!({ "domain": "calls", "action": "approve", "actor": "anna" })),
        (
            "mandate_check",
            json!({ "domain": "finance", "action": "approve_invoice", "amount": "10000", "currency": "EUR" }),
        ),
        ("prompt_render", json!({ "id": "calls/total" })),
        ("rule_analyze", json!({ "id": "calls-kept" })),
        ("rule_test", json!({ "id": "calls-kept" })),
        ("rule_export", json!({ "id": "calls-table" })),
        ("rule_usage", json!({ "id": "calls-kept" })),
        ("rule_simulate", json!({ "id": "calls-kept", "decision": "calls-decision" })),
        ("rule_evaluate", json!({ "decision": "calls-decision" })),
        ("scenario_run", json!({ "scenario": scenario, "process": "calls-start" })),
    ]);
    reads
}

type Calls = BTreeMap<&'static str, Call>;

async fn definitions(shop: &Shop<'_>, calls: &mut Calls) {
    let mut add = |operation, arguments, other, seen| {
        calls.insert(operation, Call { arguments, other, seen });
    };
    let version = |answer: &Value| answer["version"].clone();
    let user = |role: &str| json!({ "id": "calls-user", "roles": [role] });
    let users: fn(&Value) -> Value = |users| {
        let all = users["items"].as_array().unwrap().iter();
        json!(all.filter(|user| user["id"] == "calls-user").count())
    };
    add(
        "user_save",
        user("employee"),
        user("manager"),
        seen("user_search", json!({}), users, json!(1)),
    );
    let keys: fn(&Value) -> Value = |keys| {
        let all = keys["keys"].as_array().unwrap().iter();
        json!(all.filter(|key| key["name"] == "calls-key").count())
    };
    let made = seen("key_list", json!({}), keys, json!(1));
    add("key_create", json!({ "name": "calls-key" }), json!({ "name": "other" }), made);
    let lost = shop.ask("key_create", json!({})).await["id"].clone();
    let kept = shop.ask("key_create", json!({})).await["id"].clone();
    let revoked: fn(&Value) -> Value = |keys| {
        let all = keys["keys"].as_array().unwrap().iter();
        json!(all.filter(|key| key.get("revoked_at").is_some_and(|at| !at.is_null())).count())
    };
    let gone = seen("key_list", json!({}), revoked, json!(1));
    add("key_revoke", json!({ "id": lost }), json!({ "id": kept }), gone);

    let document =
        |text: &str| json!({ "name": "calls.txt", "media_type": "text/plain", "text": text });
    let found = seen("document_search", json!({ "name": "calls.txt" }), count, json!(1));
    add("document_add", document("one"), document("two"), found);
    shop.ask("prompt_save", json!({ "text": PROMPT })).await;
    let changed = PROMPT.replace("Add up.\n", "Add all up.\n");
    let other = PROMPT.replace("Add up.\n", "Add some up.\n");
    let second = seen("prompt_get", json!({ "id": "calls/total" }), version, json!(2));
    add("prompt_save", json!({ "text": changed }), json!({ "text": other }), second);
    let agent = |name: &str| json!({ "id": "calls-agent", "name": name, "prompt": "calls/total" });
    let first = seen("agent_get", json!({ "id": "calls-agent" }), version, json!(1));
    add("agent_save", agent("one"), agent("two"), first);
    let rule = |id: &str, decision: &str, answer: &str| {
        let dmn = DMN.replace("id=\"calls\"", &format!("id=\"{id}\""));
        json!({ "dmn": dmn.replace("calls-decision", decision).replace("42", answer) })
    };
    let has_draft: fn(&Value) -> Value = |rule| rule["has_draft"].clone();
    let draft = seen("rule_get", json!({ "id": "calls" }), has_draft, json!(true));
    add("rule_save", rule("calls", "calls-one", "42"), rule("calls", "calls-one", "43"), draft);
    shop.ask("rule_save", rule("calls-kept", "calls-decision", "42")).await;
    shop.ask("rule_publish", json!({ "id": "calls-kept" })).await;
    shop.ask("rule_save", rule("calls-kept", "calls-decision", "43")).await;
    shop.ask("rule_save", rule("calls-draft", "calls-two", "44")).await;
    let sheet = |answer: &str| {
        format!(
            "decision,calls-fee,\nkind,input,output\nname,amount,fee\ntype,number,number\nrule 1,-,{answer}\n"
        )
    };
    let import = |id: &str, answer: &str| json!({ "id": id, "csv": sheet(answer) });
    let drawn = seen("rule_get", json!({ "id": "calls-sheet" }), has_draft, json!(true));
    add("rule_import", import("calls-sheet", "1"), import("calls-sheet", "2"), drawn);
    shop.ask("rule_import", import("calls-table", "1")).await;
    shop.publish(
        "calls-asks",
        steps(json!({ "type": "businessRuleTask", "decision": "calls-decision", "result": "n" })),
    )
    .await;
    shop.ask("process_start", json!({ "process": "calls-asks" })).await;
    let second = seen("rule_get", json!({ "id": "calls-kept" }), version, json!(2));
    add("rule_publish", json!({ "id": "calls-kept" }), json!({ "id": "calls-draft" }), second);
    let mandates = |holder: &str| {
        json!({ "mandates": [{ "id": "calls-mandate", "domain": "calls", "action": "*",
            "holder": holder, "authority": "allow" }] })
    };
    let before = shop.ask("mandate_get", json!({})).await["version"].as_i64().unwrap();
    let next = seen("mandate_get", json!({}), version, json!(before + 1));
    add("mandate_save", mandates("anna"), mandates("bert"), next);
    let organisation = |name: &str| {
        json!({ "units": [{ "id": "calls-unit", "name": name }],
            "positions": [{ "id": "calls-position", "title": "Head", "unit": "calls-unit" }],
            "holders": [{ "person": "anna", "position": "calls-position" }] })
    };
    let before = shop.ask("organisation_get", json!({})).await["version"].as_i64().unwrap();
    let next = seen("organisation_get", json!({}), version, json!(before + 1));
    add("organisation_save", organisation("one"), organisation("two"), next);

    let model = |id: &str, name: &str| json!({ "compact": { "id": id, "name": name, "elements": steps(json!({ "type": "userTask" })) } });
    let draft = json!({ "id": "calls-saved", "draft": true });
    let name: fn(&Value) -> Value = |model| model["compact"]["name"].clone();
    let saved = seen("process_get", draft, name, json!("one"));
    add("process_save", model("calls-saved", "one"), model("calls-saved", "two"), saved);
    for id in ["calls-published", "calls-draft"] {
        shop.ask("process_save", model(id, "one")).await;
    }
    let versions: fn(&Value) -> Value = |model| json!(model["versions"].as_array().unwrap().len());
    let published = seen("process_get", json!({ "id": "calls-published" }), versions, json!(1));
    let id = |id: &str| json!({ "id": id });
    add("process_publish", id("calls-published"), id("calls-draft"), published);
}

async fn instances(shop: &Shop<'_>, calls: &mut Calls) {
    let mut add = |operation, arguments, other, seen| {
        calls.insert(operation, Call { arguments, other, seen });
    };
    shop.publish("calls-start", steps(json!({ "type": "userTask" }))).await;
    let start = |n: u8| json!({ "process": "calls-start", "variables": { "n": n } });
    add("process_start", start(1), start(2), started("calls-start"));
    for (operation, process, event) in [
        ("message_publish", "calls-message", json!({ "message": { "name": "calls-message" } })),
        ("signal_broadcast", "calls-signal", json!({ "signal": "calls-signal" })),
    ] {
        let begin = json!({ "id": "start", "type": "startEvent", "next": "wait", "event": event });
        shop.publish(process, json!([begin, { "id": "wait", "type": "userTask" }])).await;
        let send = |n: u8| json!({ "name": process, "variables": { "n": n } });
        add(operation, send(1), send(2), started(process));
    }
    let when = json!({ "condition": "level > 0" });
    let begin = json!({ "id": "start", "type": "startEvent", "next": "wait", "event": when });
    let process = "calls-condition";
    shop.publish(process, json!([begin, { "id": "wait", "type": "userTask" }])).await;
    let evaluate = |level: u8| json!({ "process": process, "variables": { "level": level } });
    add("condition_evaluate", evaluate(1), evaluate(2), started(process));
    let done = json!([
        { "id": "start", "type": "startEvent", "next": "end" }, { "id": "end", "type": "endEvent" }
    ]);
    shop.publish("calls-archive", done).await;
    for _ in 0..2 {
        shop.ask("process_start", json!({ "process": "calls-archive" })).await;
    }
    let archive = |limit: u8| json!({ "process": "calls-archive", "ended_before": "2999-01-01T00:00:00Z", "limit": limit });
    let found = seen("archive_search", json!({ "process": "calls-archive" }), count, json!(1));
    add("instance_archive", archive(1), archive(2), found);
    let user_task = || json!({ "type": "userTask" });
    let held = shop.instance("calls-control", user_task()).await;
    let control = |action: &str| json!({ "id": held, "action": action });
    add("instance_control", control("cancel"), control("pause"), moved_on(&held));
    let changed = shop.instance("calls-modify", user_task()).await;
    let modify = |n: u8| json!({ "id": changed, "variables": { "n": n } });
    add("instance_modify", modify(1), modify(2), moved_on(&changed));
    let changed = shop.instance("calls-modify-all", user_task()).await;
    let modify = |n: u8| json!({ "process": "calls-modify-all", "variables": { "n": n } });
    add("instance_modify_all", modify(1), modify(2), moved_on(&changed));
    let ad_hoc =
        json!({ "type": "adHocSubProcess", "elements": [{ "id": "inside", "type": "userTask" }] });
    let open = shop.instance("calls-activate", ad_hoc).await;
    let activate = |n: u8| json!({ "id": open, "elements": ["inside"], "variables": { "n": n } });
    add("instance_activate", activate(1), activate(2), moved_on(&open));
    let script = json!({ "type": "scriptTask", "script": "size + 1", "result": "more" });
    let stopped = shop.instance("calls-incident", script).await;
    let view = shop.ask("instance_get", json!({ "id": stopped })).await;
    let incident = view["open_incidents"][0]["id"].clone();
    let resolve = |size: u8| json!({ "id": incident, "variables": { "size": size } });
    add("incident_resolve", resolve(1), resolve(2), moved_on(&stopped));
    let script = json!({ "type": "scriptTask", "script": "size + 1", "result": "more" });
    let stopped = shop.instance("calls-incidents", script).await;
    let resolve = |size: u8| json!({ "instance": stopped, "variables": { "size": size } });
    add("incident_resolve_all", resolve(1), resolve(2), moved_on(&stopped));
}

/// Paused subscriptions, which hear of nothing: nothing is sent while others look at them.
async fn webhooks(shop: &Shop<'_>, calls: &mut Calls) {
    let mut add = |operation, arguments, other, seen| {
        calls.insert(operation, Call { arguments, other, seen });
    };
    let save = |name: &str| {
        json!({ "url": "https://receiver.example/hook", "process": "calls-none", "paused": true,
            "description": name })
    };
    let named: fn(&Value) -> Value = |found| {
        let all = found["items"].as_array().unwrap().iter();
        json!(all.filter(|it| it["description"] == "calls").count())
    };
    let found = seen("subscription_search", json!({}), named, json!(1));
    add("subscription_save", save("calls"), save("other"), found);
    let mut ids = Vec::new();
    for name in ["removed", "kept", "tested", "retried"] {
        let saved = shop.ask("subscription_save", save(name)).await;
        ids.push(saved["subscription"]["id"].clone());
    }
    let id = |place: usize| json!({ "id": ids[place] });
    let gone = seen("subscription_search", id(0), count, json!(0));
    add("subscription_remove", id(0), id(1), gone);
    let waiting = |place: usize| json!({ "state": "waiting", "subscription": ids[place] });
    let sent = seen("delivery_search", waiting(2), count, json!(1));
    add("subscription_test", id(2), id(1), sent);
    let first = shop.ask("subscription_test", id(3)).await["id"].clone();
    let second = shop.ask("subscription_test", id(3)).await["id"].clone();
    let again = seen("delivery_search", waiting(3), count, json!(2));
    add("delivery_retry", json!({ "id": first }), json!({ "id": second }), again);
}

async fn work(shop: &Shop<'_>, calls: &mut Calls) {
    let mut add = |operation, arguments, other, seen| {
        calls.insert(operation, Call { arguments, other, seen });
    };
    shop.instance("calls-claim", json!({ "type": "serviceTask", "job": "calls-claim" })).await;
    for _ in 0..2 {
        shop.ask("process_start", json!({ "process": "calls-claim" })).await;
    }
    let claim = |limit: u8| json!({ "job_type": "calls-claim", "limit": limit });
    add("job_claim", claim(1), claim(2), seen("job_claim", claim(50), count, json!(2)));
    let job = shop.job("calls-complete").await;
    let done = |n: u8| json!({ "id": job["id"], "epoch": job["epoch"], "variables": { "n": n } });
    add("job_complete", done(1), done(2), moved_on(&job["instance"]));
    let job = shop.job("calls-fail").await;
    let failed = |message: &str| json!({ "id": job["id"], "epoch": job["epoch"], "message": message, "retries": 9 });
    add("job_fail", failed("no"), failed("never"), moved_on(&job["instance"]));

    let asking = shop.work("calls-authorize").await;
    let view = json!({ "id": asking, "response_format": "detailed" });
    let work = shop.ask("instance_get", view).await["waits"][0]["id"].clone();
    let tool = |tool: &str| json!({ "id": work, "tool": tool, "arguments": {} });
    add("job_authorize", tool("me_get"), tool("task_get"), moved_on(&asking));
    shop.work("calls-agent-claim").await;
    for _ in 0..2 {
        shop.ask("process_start", json!({ "process": "calls-agent-claim" })).await;
    }
    let claim = |lease: u16| json!({ "agent": "calls-agent-claim", "lease_s": lease });
    let runs = seen("run_search", json!({ "agent": "calls-agent-claim" }), count, json!(1));
    add("work_claim", claim(600), claim(601), runs);
    let (work, instance) = shop.claimed_work("calls-agent-submit").await;
    let submit = |total: u8| json!({ "id": work["id"], "epoch": work["epoch"], "output": { "total": total } });
    add("work_submit", submit(1), submit(2), moved_on(&instance));
    let (work, instance) = shop.claimed_work("calls-agent-fail").await;
    let fail = |reason: &str| json!({ "id": work["id"], "epoch": work["epoch"], "reason": reason, "retries": 9 });
    add("work_fail", fail("no"), fail("never"), moved_on(&instance));
}

async fn tasks(shop: &Shop<'_>, calls: &mut Calls) {
    let mut add = |operation, arguments, other, seen| {
        calls.insert(operation, Call { arguments, other, seen });
    };
    let assignee: fn(&Value) -> Value = |task| task["assignee"].clone();
    let (task, _) = shop.task("calls-task-claim").await;
    let (another, _) = shop.task("calls-task-other").await;
    let (id, other) = (json!({ "id": task }), json!({ "id": another }));
    add("task_claim", id, other.clone(), of_task(&task, assignee, json!("admin")));
    let (task, _) = shop.task("calls-task-release").await;
    let id = json!({ "id": task });
    shop.ask("task_claim", id.clone()).await;
    add("task_release", id, other, of_task(&task, assignee, Value::Null));
    let (task, _) = shop.task("calls-task-delegate").await;
    shop.ask("task_claim", json!({ "id": task })).await;
    let to = |name: &str| json!({ "id": task, "to": name });
    add("task_delegate", to("anna"), to("bert"), of_task(&task, assignee, json!("anna")));
    let (task, _) = shop.task("calls-task-draft").await;
    let draft = |n: u8| json!({ "id": task, "draft": { "n": n } });
    let kept = of_task(&task, |task| task["draft"]["n"].clone(), json!(1));
    add("task_save_draft", draft(1), draft(2), kept);
    let (task, _) = shop.task("calls-task-comment").await;
    let comment = |text: &str| json!({ "id": task, "text": text });
    let said = |task: &Value| json!(task["comments"].as_array().unwrap().len());
    add("task_comment", comment("hello"), comment("bye"), of_task(&task, said, json!(1)));
    let (task, instance) = shop.task("calls-task-complete").await;
    let done = |ok: bool| json!({ "id": task, "variables": { "ok": ok } });
    add("task_complete", done(true), done(false), moved_on(&instance));

    shop.publish(
        "calls-task-reject",
        json!([
            { "id": "start", "type": "startEvent", "next": "work" },
            { "id": "work", "type": "userTask", "assignment": { "groups": "clerk" }, "next": "end" },
            { "id": "no", "type": "boundaryEvent", "attachedTo": "work",
              "event": { "error": "REJECTED" }, "next": "end" },
            { "id": "end", "type": "endEvent" }
        ]),
    )
    .await;
    let process = json!({ "process": "calls-task-reject" });
    let instance = shop.ask("process_start", process).await["id"].clone();
    let open = json!({ "filter": "all_open", "instance": instance });
    let task = shop.0.until("task_list", open, |page| page["items"].get(0).cloned()).await;
    let reject = |reason: &str| json!({ "id": task["id"], "reason": reason });
    add("task_reject", reject("no"), reject("never"), moved_on(&instance));
}
