use serde_json::json;

use super::*;
use crate::bpmn;

fn order() -> CompactProcess {
    serde_json::from_value(json!({
        "id": "order", "name": "Order", "tool": "order_handle", "when_to_use": "Handles an order.",
        "input": { "type": "object" }, "result": ["approved"],
        "policies": [{ "id": "daytime", "on": ["start"], "rule": { "condition": { "when": "hour < 18", "reason": "closed" } } }],
        "elements": [
            { "id": "start", "type": "startEvent", "next": "route" },
            { "id": "route", "type": "exclusiveGateway", "next": [
                { "to": "approve", "when": "amount >= 1000", "name": "large" }, { "to": "charge", "default": true }] },
            { "id": "approve", "type": "userTask", "next": "charge",
              "assignment": { "groups": "manager", "due": "PT4H", "form": { "type": "object" } },
              "policies": [{ "id": "eyes", "on": ["complete"], "rule": { "fourEyes": { "with": ["charge"], "starter": true } } },
                           { "id": "limit", "rule": { "mandate": { "domain": "finance", "action": "approve", "amount": "amount", "currency": "EUR", "unit": "=department" } } }] },
            { "id": "late", "type": "boundaryEvent", "attachedTo": "approve", "interrupting": false,
              "event": { "duration": "PT2H" }, "next": "end" },
            { "id": "charge", "type": "serviceTask", "job": "charge-card", "retries": "5", "priority": "=urgency", "next": "extract",
              "inputs": { "sum": "=amount" }, "outputs": { "receipt": "=receipt" }, "headers": { "currency": "EUR" },
              "forEach": { "collection": "cards", "item": "card", "sequential": true, "collect": "receipts", "collectValue": "receipt", "until": "numberOfCompletedInstances = 1" } },
            { "id": "declined", "type": "boundaryEvent", "attachedTo": "charge", "event": { "error": "DECLINED" }, "next": "end" },
            { "id": "extract", "type": "agentTask", "agent": "reader", "next": "decide" },
            { "id": "decide", "type": "businessRuleTask", "decision": "limits", "result": "route", "next": "wait" },
            { "id": "wait", "type": "receiveTask", "event": { "message": { "name": "paid", "correlation": "orderId" } }, "next": "sub" },
            { "id": "sub", "type": "subProcess", "next": "call", "elements": [
                { "id": "s2", "type": "startEvent", "next": "calc" },
                { "id": "calc", "type": "scriptTask", "script": "amount * 2", "result": "double" }] },
            { "id": "call", "type": "callActivity", "process": "child", "next": "end" },
            { "id": "end", "type": "endEvent", "event": { "terminate": true } },
            { "id": "until", "type": "intermediateCatchEvent", "event": { "condition": "amount > 5" }, "next": "go" },
            { "id": "enough", "type": "complexGateway", "activation": "activationCount >= 2", "next": [
                { "to": "again", "when": "waitingForStart" }, { "to": "end", "default": true }] },
            { "id": "again", "type": "task", "next": "checks",
              "loop": { "condition": "loopCounter < 3", "testBefore": true, "maximum": 5 } },
            { "id": "checks", "type": "adHocSubProcess", "next": "free", "elements": [
                { "id": "look", "type": "task", "next": "tell" }, { "id": "tell", "type": "task" }],
              "adHoc": { "activate": "[\"look\"]", "until": "done", "sequential": true, "cancelRemaining": false,
                          "collect": "seen", "collectValue": "answer" } },
            { "id": "desk", "type": "adHocSubProcess", "agent": "solver", "retries": "2", "elements": [{ "id": "tool", "type": "task" }] },
            { "id": "shelf", "type": "adHocSubProcess", "job": "clerk", "elements": [{ "id": "take", "type": "task" }] },
            { "id": "free", "type": "adHocSubProcess", "elements": [{ "id": "any", "type": "task", "loop": { "maximum": 2 } }] },
            { "id": "go", "type": "intermediateThrowEvent", "event": { "link": "A" } },
            { "id": "come", "type": "intermediateCatchEvent", "event": { "link": "A" }, "next": "end" }
        ]
    }))
    .unwrap()
}

/// Lanes, messages by business key, a call that passes what it does not name.
fn lending() -> CompactProcess {
    serde_json::from_value(json!({
        "id": "lending",
        "policies": [
            { "id": "sum", "field": "order.sum", "rule": { "condition": { "when": "attempt.value > 0", "reason": "none",
                "otherwise": "escalate", "approvers": ["cfo", "the board"] } } },
            { "id": "pair", "rule": { "condition": { "when": "true", "reason": "never", "otherwise": "second_person" } } },
            { "id": "tools", "tool": "payment_*", "rule": { "decision": { "decision": "may_pay" } } },
        ],
        "lanes": [{ "name": "House" }, { "name": "Desk", "group": "librarians", "in": "House" }],
        "elements": [
            { "id": "asked", "type": "startEvent", "event": { "message": { "name": "request", "businessKey": true } }, "next": "look" },
            { "id": "look", "type": "userTask", "lane": "Desk", "next": "check" },
            { "id": "check", "type": "callActivity", "process": "check", "next": "tell", "lane": "Office",
              "inputs": { "a": "=b" }, "propagateIn": true, "propagateOut": false },
            { "id": "tell", "type": "sendTask", "event": { "message": { "name": "answer", "businessKey": true } }, "next": "sub" },
            { "id": "sub", "type": "subProcess", "lane": "Office", "elements": [
                { "id": "s", "type": "startEvent", "next": "sign" }, { "id": "sign", "type": "userTask" }] }
        ]
    }))
    .unwrap()
}

#[test]
fn a_lane_says_who_does_a_task_that_names_nobody() {
    let process = lending().to_process().unwrap();
    let group = |id: &str| process.lane_group(process.node(process.find(id).unwrap()));
    assert_eq!(
        [group("look"), group("sign"), group("tell")],
        [Some("librarians"), Some("Office"), None]
    );
    let found = crate::validate::validate(&process, &crate::validate::Surroundings::default());
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["lane_group", "lane_group"], "{found:#?}");
}

#[test]
fn lanes_have_names_and_lie_in_lanes_before_them() {
    for (lanes, lane) in [
        (json!([{ "name": "a", "in": "a" }]), "a"),
        (json!([{ "name": "a", "in": "b" }, { "name": "b" }]), "a"),
        (json!([{ "name": "a" }, { "name": "a" }]), "a"),
        (json!([{ "name": " a" }]), "a"),
        (json!([]), ""),
    ] {
        let compact = json!({ "id": "p", "lanes": lanes, "elements": [{ "id": "t", "type": "task", "lane": lane }] });
        let compact: CompactProcess = serde_json::from_value(compact).unwrap();
        let findings = compact.to_process().unwrap_err();
        assert_eq!(findings[0].code, "lane_invalid", "{lanes}");
    }
}

/// Compensation, events with several definitions, and what starts without a start event.
fn booking() -> CompactProcess {
    serde_json::from_value(json!({
        "id": "booking",
        "elements": [
            { "id": "book", "type": "transaction", "next": "back", "elements": [
                { "id": "bs", "type": "startEvent", "next": "no" },
                { "id": "no", "type": "endEvent", "event": { "cancel": true } }] },
            { "id": "off", "type": "boundaryEvent", "attachedTo": "book", "event": { "cancel": true }, "next": "back" },
            { "id": "booked", "type": "boundaryEvent", "attachedTo": "book", "event": { "compensation": {} }, "handler": "undo" },
            { "id": "undo", "type": "task" },
            { "id": "back", "type": "intermediateThrowEvent", "event": { "compensation": { "activity": "book", "wait": false } } },
            { "id": "all", "type": "intermediateCatchEvent", "events": [{ "signal": "a" }, { "signal": "b" }], "parallel": true, "next": "tell" },
            { "id": "tell", "type": "endEvent", "events": [{ "signal": "c" }, { "error": "E" }] },
            { "id": "post", "type": "intermediateThrowEvent", "event": { "message": { "name": "letter", "correlation": "id" } },
              "job": "post", "retries": "5", "priority": "=urgency", "next": "call" },
            { "id": "call", "type": "endEvent", "events": [{ "signal": "c" }, { "message": { "name": "call" } }], "job": "=phone" },
            { "id": "come-in", "type": "receiveTask", "event": { "message": { "name": "hello" } }, "instantiate": true, "next": "all" },
            { "id": "gate", "type": "eventBasedGateway", "parallel": true, "instantiate": true, "next": ["g1", "g2"] },
            { "id": "g1", "type": "intermediateCatchEvent", "event": { "message": { "name": "x", "correlation": "id" } }, "next": "all" },
            { "id": "g2", "type": "intermediateCatchEvent", "event": { "signal": "y" }, "next": "all" }
        ]
    }))
    .unwrap()
}

/// Tokens: how many, what they wait for and what they cancel; what repetitions throw.
fn voting() -> CompactProcess {
    serde_json::from_value(json!({
        "id": "voting",
        "elements": [
            { "id": "begin", "type": "startEvent", "events": [{ "condition": "n > 1" }, { "signal": "a" }], "parallel": true, "next": "vote" },
            { "id": "vote", "type": "serviceTask", "job": "vote", "next": "count", "completionQuantity": 2,
              "forEach": { "times": "3", "sequential": false, "behavior": { "none": { "message": { "name": "voted", "correlation": "id" } } } } },
            { "id": "over", "type": "boundaryEvent", "attachedTo": "vote", "event": { "duration": "PT1H" }, "completesActivity": true },
            { "id": "count", "type": "task", "startQuantity": 2, "next": "tell", "criticalSection": "the desk",
              "forEach": { "times": "3", "sequential": true, "behavior": { "one": { "signal": "first" } } } },
            { "id": "tell", "type": "task", "cancellationSet": ["vote", "count--tell"],
              "forEach": { "times": "3", "sequential": true, "behavior": { "complex": [
                  { "when": "numberOfCompletedInstances = 2", "event": { "escalation": "TWO" } },
                  { "when": "loopCounter = 1", "event": { "signal": "one" } }] } } }
        ]
    }))
    .unwrap()
}

#[test]
fn the_compact_form_survives_the_model_and_xml() {
    for compact in [order(), booking(), lending(), voting()] {
        let process = compact.to_process().unwrap();
        assert_eq!(CompactProcess::from(&*process), compact);
        let xml = bpmn::write(&process).to_xml();
        let definitions = bpmn::read(xml.as_bytes()).unwrap();
        assert_eq!(CompactProcess::from(&**definitions.main_process().unwrap()), compact, "{xml}");
    }
}

#[test]
fn mistakes_are_all_told() {
    let broken: CompactProcess = serde_json::from_value(json!({
        "id": "p", "elements": [
            { "id": "a", "type": "scriptTask", "script": "1 +", "result": "x", "next": "b" },
            { "id": "b", "type": "agentTask" },
            { "id": "c", "type": "rocket", "next": "nowhere" },
            { "id": "d", "type": "userTask", "handler": "b" }
        ]
    }))
    .unwrap();
    let codes: Vec<String> =
        broken.to_process().unwrap_err().into_iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        [
            "expression_invalid",
            "field_missing",
            "unknown_type",
            "handler_without_event",
            "process_not_linked"
        ]
    );
    let unknown =
        serde_json::from_value::<CompactProcess>(json!({ "id": "p", "elements": [], "colour": 1 }));
    assert!(unknown.unwrap_err().to_string().contains("colour"));
}
