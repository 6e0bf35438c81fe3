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
            &["policy_unknown_element@a", "catches_nothing@late", "boundary_without_flow@late"],
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
            &["start_trigger@s", "cannot_throw@t", "cannot_throw@e"],
        ),
        (
            json!([{ "id": "s", "type": "startEvent", "next": ["a", "b"] },
                   { "id": "a", "type": "task", "loop": { "testBefore": true }, "next": "g" }, { "id": "b", "type": "task", "next": "g" },
                   { "id": "g", "type": "complexGateway", "loop": { "maximum": 2 }, "next": [{ "to": "x", "when": "waitingForStart" }, "y"] },
                   { "id": "x", "type": "adHocSubProcess", "adHoc": { "sequential": true }, "elements": [
                       { "id": "is", "type": "startEvent", "next": "it" }, { "id": "it", "type": "task", "next": "ie" },
                       { "id": "ie", "type": "endEvent" }, { "id": "c", "type": "task", "next": "d" },
                       { "id": "d", "type": "task", "next": "c" }] },
                   { "id": "y", "type": "adHocSubProcess" }]),
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
