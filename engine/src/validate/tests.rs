use serde_json::{Value, json};

use super::*;
use crate::compact::CompactProcess;

fn findings(elements: &Value) -> Vec<String> {
    let compact: CompactProcess =
        serde_json::from_value(json!({ "id": "p", "elements": elements })).unwrap();
    let known = |ids: &[&str]| Some(ids.iter().map(|&id| id.to_owned()).collect());
    let surroundings = Surroundings {
        decisions: known(&["limits"]),
        processes: known(&["child"]),
        agents: known(&["reader"]),
    };
    validate(&compact.to_process().unwrap(), &surroundings)
        .into_iter()
        .map(|finding| format!("{}@{}", finding.code, finding.element.unwrap_or_default()))
        .collect()
}

fn check(elements: &Value, expected: &[&str]) {
    assert_eq!(findings(elements), expected, "{elements}");
}

#[test]
fn sound_processes_have_no_findings() {
    check(
        &json!([
            { "id": "s", "type": "startEvent", "next": "g" },
            { "id": "g", "type": "exclusiveGateway",
              "next": [{ "to": "a", "when": "x > 1" }, { "to": "b", "default": true }] },
            { "id": "a", "type": "agentTask", "agent": "reader", "next": "e" },
            { "id": "b", "type": "businessRuleTask", "decision": "limits", "result": "r", "next": "c" },
            { "id": "c", "type": "callActivity", "process": "child", "next": "e" },
            { "id": "late", "type": "boundaryEvent", "attachedTo": "a", "event": { "duration": "PT1H" }, "next": "e" },
            { "id": "e", "type": "endEvent" }
        ]),
        &[],
    );
}

#[test]
fn each_mistake_has_its_finding() {
    for (elements, expected) in [
        (json!([{ "id": "e", "type": "endEvent" }]), &["no_start_event@p", "unreachable@e"][..]),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "e" }, { "id": "t", "type": "startEvent", "next": "e" },
                   { "id": "e", "type": "endEvent" }]),
            &["several_start_events@p"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": ["a", "e"] }, { "id": "a", "type": "task", "next": "e" },
                   { "id": "e", "type": "endEvent" }]),
            &["start_to_end_bypass@p"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "g" },
                   { "id": "g", "type": "exclusiveGateway", "next": ["a", { "to": "e", "when": "x" }] },
                   { "id": "a", "type": "task", "next": "e" }, { "id": "e", "type": "endEvent" }]),
            &["flow_without_condition@g--a", "no_default_flow@g"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "g" },
                   { "id": "g", "type": "eventBasedGateway", "next": ["a"] }, { "id": "a", "type": "task" }]),
            &["event_gateway_target@g"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "r" },
                   { "id": "r", "type": "receiveTask", "event": { "message": { "name": "m" } } }]),
            &["no_correlation_key@r"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "d" },
                   { "id": "d", "type": "businessRuleTask", "decision": "gone", "result": "r", "next": "a" },
                   { "id": "a", "type": "agentTask", "agent": "gone", "next": "c" },
                   { "id": "c", "type": "callActivity", "process": "gone", "next": "u" },
                   { "id": "u", "type": "userTask" }]),
            &[
                "decision_missing@d",
                "agent_missing@a",
                "called_process_missing@c",
                "nobody_assigned@u",
            ],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "x" },
                   { "id": "x", "type": "subProcess", "elements": [{ "id": "i", "type": "task", "next": "o" }] },
                   { "id": "o", "type": "task" }]),
            &["no_start_event@x", "unreachable@i", "flow_across_scopes@i--o", "unreachable@o"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "a" },
                   { "id": "a", "type": "task",
                     "policies": [{ "id": "eyes", "rule": { "fourEyes": { "with": ["gone"] } } }] },
                   { "id": "late", "type": "boundaryEvent", "attachedTo": "a" }]),
            &["catches_nothing@late", "boundary_without_flow@late", "policy_unknown_element@a"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "a" },
                   { "id": "a", "type": "task", "next": "e", "policies": [
                       { "id": "one", "rule": { "decision": { "decision": "gone" } } },
                       { "id": "one", "rule": { "condition": { "when": "true", "reason": "r", "otherwise": "escalate" } } },
                       { "id": "two", "tool": "pay_*", "on": ["complete"], "rule": { "fourEyes": {} } },
                       { "id": "three", "field": "x", "on": ["tool_call"], "rule": { "fourEyes": {} } }] },
                   { "id": "e", "type": "endEvent" }]),
            &[
                "decision_missing@a",
                "policy_duplicate@a",
                "policy_without_approvers@a",
                "policy_never_asked@a",
                "policy_never_asked@a",
            ],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": ["t", "u", "x"] },
                   { "id": "t", "type": "intermediateThrowEvent", "event": { "link": "gone" } },
                   { "id": "u", "type": "intermediateThrowEvent", "event": { "link": "" }, "next": "c" },
                   { "id": "c", "type": "intermediateCatchEvent", "event": { "link": "lonely" } },
                   { "id": "d", "type": "intermediateCatchEvent", "event": { "link": "alone" } },
                   { "id": "x", "type": "subProcess", "next": "e", "elements": [
                       { "id": "is", "type": "startEvent", "next": "it" },
                       { "id": "it", "type": "intermediateThrowEvent", "event": { "link": "alone" } }] },
                   { "id": "e", "type": "endEvent", "event": { "link": "alone" } }]),
            &[
                "link_without_target@t",
                "link_without_name@u",
                "flow_out_of_link@u",
                "flow_into_link@c",
                "link_without_source@d",
                "link_without_target@it",
                "link_place@e",
            ],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "t" },
                   { "id": "t", "type": "intermediateThrowEvent", "event": { "link": "A" } },
                   { "id": "c", "type": "intermediateCatchEvent", "event": { "link": "A" }, "next": "e" },
                   { "id": "d", "type": "intermediateCatchEvent", "event": { "link": "A" }, "next": "e" },
                   { "id": "e", "type": "endEvent" }]),
            &["link_ambiguous@c", "link_ambiguous@d"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "event": { "condition": "x" }, "next": "t" },
                   { "id": "t", "type": "intermediateThrowEvent", "event": { "condition": "x" }, "next": "c" },
                   { "id": "c", "type": "intermediateCatchEvent", "event": { "condition": "x" }, "next": "e" },
                   { "id": "e", "type": "endEvent", "event": { "condition": "x" } }]),
            &["cannot_throw@t", "cannot_throw@e"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "t" },
                   { "id": "t", "type": "intermediateThrowEvent", "event": { "duration": "PT1H" }, "next": "u" },
                   { "id": "u", "type": "intermediateThrowEvent", "event": { "error": "E" }, "next": "v" },
                   { "id": "v", "type": "intermediateThrowEvent", "event": { "terminate": true }, "next": "e" },
                   { "id": "e", "type": "endEvent", "event": { "cycle": "R/PT1H" } }]),
            &["cannot_throw@t", "cannot_throw@u", "cannot_throw@v", "cannot_throw@e"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "event": { "compensation": {} }, "next": "a" },
                   { "id": "a", "type": "task", "next": "b" },
                   { "id": "ab", "type": "boundaryEvent", "attachedTo": "a", "event": { "compensation": {} } },
                   { "id": "b", "type": "task", "next": "x" },
                   { "id": "bb", "type": "boundaryEvent", "attachedTo": "b", "event": { "compensation": {} },
                     "handler": "c", "next": "x" },
                   { "id": "x", "type": "subProcess", "next": "c", "elements": [
                       { "id": "is", "type": "startEvent", "next": "i" },
                       { "id": "i", "type": "task" },
                       { "id": "ib", "type": "boundaryEvent", "attachedTo": "i", "event": { "compensation": {} }, "handler": "c" },
                       { "id": "h", "type": "eventSubProcess", "elements": [
                           { "id": "hs", "type": "startEvent", "event": { "compensation": {} }, "next": "he" },
                           { "id": "he", "type": "endEvent", "event": { "compensation": { "activity": "i" } } }] }] },
                   { "id": "xb", "type": "boundaryEvent", "attachedTo": "x", "event": { "compensation": {} }, "handler": "d" },
                   { "id": "c", "type": "task", "next": "t" },
                   { "id": "d", "type": "task" },
                   { "id": "t", "type": "intermediateThrowEvent", "event": { "compensation": { "activity": "i" } }, "next": "u" },
                   { "id": "u", "type": "intermediateThrowEvent", "event": { "compensation": { "activity": "a" } }, "next": "v" },
                   { "id": "v", "type": "intermediateThrowEvent", "event": { "compensation": { "activity": "gone" } }, "next": "w" },
                   { "id": "w", "type": "intermediateCatchEvent", "event": { "compensation": {} } },
                   { "id": "top", "type": "eventSubProcess", "elements": [
                       { "id": "ts", "type": "startEvent", "event": { "compensation": {} } }] }]),
            &[
                "start_trigger@s",
                "compensation_without_handler@ab",
                "flow_out_of_compensation@bb",
                "compensation_handler@ib",
                "several_compensations@x",
                "flow_at_compensation_handler@c",
                "compensation_unreachable@t",
                "compensation_unreachable@u",
                "compensation_unreachable@v",
                "catches_nothing@w",
                "start_trigger@ts",
            ],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "events": [{ "signal": "a" }, { "error": "E" }], "next": "c" },
                   { "id": "z", "type": "startEvent", "parallel": true, "next": "c",
                     "events": [{ "duration": "PT1H" }, { "duration": "PT2H" }, { "message": { "name": "m" } }] },
                   { "id": "c", "type": "intermediateCatchEvent", "next": "t",
                     "events": [{ "message": { "name": "m" } }, { "error": "E" }, { "compensation": {} }, { "link": "A" }] },
                   { "id": "t", "type": "intermediateThrowEvent", "next": "w",
                     "events": [{ "signal": "a" }, { "error": "E" }, { "duration": "PT1H" }, { "link": "A" }] },
                   { "id": "w", "type": "task", "next": "e" },
                   { "id": "b", "type": "boundaryEvent", "attachedTo": "w", "next": "e", "parallel": true,
                     "events": [{ "signal": "a" }, { "escalation": "L" }, { "cancel": true }] },
                   { "id": "e", "type": "endEvent", "events": [{ "terminate": true }, { "error": "E" }] }]),
            &[
                "start_trigger@s",
                "start_trigger@z",
                "no_correlation_key@z",
                "no_correlation_key@c",
                "catches_nothing@c",
                "catches_nothing@c",
                "multiple_event@c",
                "multiple_event@c",
                "cannot_throw@t",
                "cannot_throw@t",
                "multiple_event@t",
                "multiple_event@t",
                "cancel_place@b",
                "multiple_event@b",
                "multiple_event@b",
                "multiple_event@e",
            ],
        ),
        (
            json!([{ "id": "g", "type": "eventBasedGateway", "instantiate": true, "next": ["a", "b", "c"] },
                   { "id": "a", "type": "intermediateCatchEvent", "event": { "message": { "name": "m" } }, "next": "x" },
                   { "id": "b", "type": "intermediateCatchEvent", "event": { "condition": "n > 1" }, "next": "x" },
                   { "id": "c", "type": "intermediateCatchEvent", "events": [{ "signal": "a" }, { "signal": "b" }],
                     "parallel": true, "next": "x" },
                   { "id": "h", "type": "eventBasedGateway", "instantiate": true, "parallel": true, "next": ["d", "r"] },
                   { "id": "d", "type": "intermediateCatchEvent", "event": { "message": { "name": "m" } }, "next": "x" },
                   { "id": "r", "type": "receiveTask", "event": { "message": { "name": "m" } }, "next": "x" },
                   { "id": "q", "type": "receiveTask", "event": { "message": { "name": "m" } }, "instantiate": true, "next": "x" },
                   { "id": "x", "type": "subProcess", "next": ["q", "i"], "elements": [
                       { "id": "is", "type": "startEvent", "next": "ie" },
                       { "id": "ie", "type": "endEvent" },
                       { "id": "ir", "type": "receiveTask", "event": { "message": { "name": "m" } }, "instantiate": true }] },
                   { "id": "i", "type": "eventBasedGateway", "parallel": true, "next": ["k"] },
                   { "id": "k", "type": "intermediateCatchEvent", "event": { "signal": "a" } }]),
            &[
                "no_correlation_key@d",
                "no_correlation_key@r",
                "flow_into_start@q",
                "instantiate_place@ir",
                "parallel_event_gateway@i",
            ],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": "a" },
                   { "id": "a", "type": "task", "next": "x" },
                   { "id": "off", "type": "boundaryEvent", "attachedTo": "a", "event": { "cancel": true }, "next": "e" },
                   { "id": "x", "type": "transaction", "next": "y", "elements": [
                       { "id": "is", "type": "startEvent", "next": "ie" },
                       { "id": "ie", "type": "endEvent", "event": { "cancel": true } }] },
                   { "id": "y", "type": "transaction", "next": "back", "elements": [
                       { "id": "js", "type": "startEvent", "next": "je" },
                       { "id": "je", "type": "endEvent", "event": { "cancel": true } }] },
                   { "id": "one", "type": "boundaryEvent", "attachedTo": "y", "event": { "cancel": true }, "next": "e" },
                   { "id": "two", "type": "boundaryEvent", "attachedTo": "y", "event": { "cancel": true }, "next": "e" },
                   { "id": "back", "type": "intermediateThrowEvent", "event": { "compensation": {} }, "next": "e" },
                   { "id": "e", "type": "endEvent", "event": { "cancel": true } }]),
            &[
                "cancel_place@off",
                "cancel_without_boundary@ie",
                "cancel_ambiguous@one",
                "cancel_ambiguous@two",
                "cancel_place@e",
                "nothing_to_compensate@back",
            ],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": ["a", "b"] },
                   { "id": "a", "type": "task", "loop": { "testBefore": true }, "next": "g" }, { "id": "b", "type": "task", "next": "g" },
                   { "id": "g", "type": "complexGateway", "loop": { "maximum": 2 }, "next": [{ "to": "x", "when": "waitingForStart" }, "y"] },
                   { "id": "x", "type": "adHocSubProcess", "adHoc": { "sequential": true }, "elements": [
                       { "id": "is", "type": "startEvent", "next": "it" }, { "id": "it", "type": "task", "next": "ie" },
                       { "id": "ie", "type": "endEvent" }, { "id": "c", "type": "task", "next": "d" },
                       { "id": "d", "type": "task", "next": "c" }] },
                   { "id": "y", "type": "adHocSubProcess", "next": "z" },
                   { "id": "z", "type": "adHocSubProcess", "agent": "solver", "elements": [
                       { "id": "look.up", "type": "task" }, { "id": "tell", "type": "task" }] }]),
            &[
                "loop_without_end@a",
                "no_activation_condition@g",
                "repeats_no_activity@g",
                "flow_without_condition@g--y",
                "no_default_flow@g",
                "ad_hoc_ends_early@x",
                "ad_hoc_start_or_end@is",
                "ad_hoc_start_or_end@ie",
                "unreachable@c",
                "unreachable@d",
                "ad_hoc_empty@y",
                "tool_name@look.up",
            ],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": ["a", "x"] },
                   { "id": "a", "type": "task", "startQuantity": 0, "next": "b" },
                   { "id": "b", "type": "task", "completionQuantity": 1001, "cancellationSet": ["gone", "b", "is", "a--b", "g"], "next": "g" },
                   { "id": "g", "type": "parallelGateway", "startQuantity": 2, "criticalSection": "k", "cancellationSet": ["a"], "next": "m" },
                   { "id": "m", "type": "task", "next": "n", "forEach": { "times": "2", "behavior": { "one": { "error": "E" } } } },
                   { "id": "mb", "type": "boundaryEvent", "attachedTo": "m", "event": { "signal": "a" }, "completesActivity": true, "interrupting": false },
                   { "id": "n", "type": "task", "next": "e", "forEach": { "times": "2", "behavior": { "complex": [] } } },
                   { "id": "nb", "type": "boundaryEvent", "attachedTo": "n", "event": { "signal": "a" }, "completesActivity": true },
                   { "id": "x", "type": "subProcess", "criticalSection": "k", "next": "y", "elements": [
                       { "id": "is", "type": "startEvent", "next": "it" },
                       { "id": "it", "type": "task", "criticalSection": "k" }] },
                   { "id": "y", "type": "adHocSubProcess", "next": "e", "adHoc": { "sequential": true, "until": "x" }, "elements": [
                       { "id": "p", "type": "task", "next": "q" }, { "id": "q", "type": "task", "startQuantity": 2 }] },
                   { "id": "yb", "type": "boundaryEvent", "attachedTo": "y", "event": { "signal": "a" }, "completesActivity": true },
                   { "id": "e", "type": "endEvent" }]),
            &[
                "token_quantity@a",
                "token_quantity@b",
                "cancellation_set@b",
                "cancellation_set@b",
                "cancellation_set@b",
                "token_quantity@g",
                "critical_section@g",
                "cancellation_set@g",
                "multi_instance_behavior@m",
                "completes_activity@mb",
                "multi_instance_behavior@n",
                "critical_section@it",
                "begins_without_token@q",
                "completes_activity@yb",
            ],
        ),
    ] {
        let mut found = findings(&elements);
        let mut expected: Vec<String> = expected.iter().map(|&code| code.to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{elements}");
    }
}
