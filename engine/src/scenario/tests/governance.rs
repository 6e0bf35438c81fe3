use std::collections::BTreeSet;

use flowmaster_kernel::PrincipalKind;

use super::{Cast, check, outcome_as, principal};
use crate::governance::{Authority, Chart, MandateSet};

#[test]
fn four_eyes() {
    let model = "
        start s
        user request
        user approve
        policy approve on complete four-eyes request
        end e
        s -> request -> approve -> e";
    check(
        model,
        "
        steps:
          - complete: { node: request, actor: anna }
          - refuse: { complete: approve, actor: anna, reason: four_eyes }
          - expect: { waiting: [approve], state: active }
          - complete: { node: approve, actor: ben }
        expect: { state: completed }",
    );
    check(
        model,
        "
        steps:
          - complete: { node: request, actor: 'agent:a' }
          - refuse: { complete: { node: approve, actor: 'agent:b' }, reason: four_eyes }
          - complete: { node: approve, actor: ben }
        expect: { state: completed }",
    );
}

#[test]
fn the_starter_can_be_excluded() {
    check(
        "start s\nuser approve\npolicy approve four-eyes starter\nend e\ns -> approve -> e",
        "
        steps:
          - refuse: { complete: approve, actor: scenario, reason: four_eyes }
          - complete: { node: approve, actor: mia }
        expect: { state: completed }",
    );
}

#[test]
fn conditions_see_the_actor_the_attempt_and_the_variables() {
    let model = "
        start s
        user approve
        policy approve on complete condition attempt.amount <= limit and actor.kind = \"person\"
        end e
        s -> approve -> e";
    check(
        model,
        "
        start: { variables: { limit: 100 } }
        steps:
          - refuse: { complete: { node: approve, variables: { amount: 101 } }, reason: condition_failed }
          - refuse: { complete: { node: approve, actor: 'agent:x', variables: { amount: 1 } }, reason: condition_failed }
          - refuse: { complete: approve, reason: policy_failed }
          - complete: { node: approve, variables: { amount: 100 } }
        expect: { state: completed, variables: { amount: 100 } }",
    );
}

#[test]
fn data_and_control_are_guarded_too() {
    check(
        "
        policy process on set_variables condition actor.id = \"admin\"
        policy process on control condition actor.id = \"admin\"
        start s
        user work
        end e
        s -> work -> e",
        "
        steps:
          - refuse: { set: { variables: { a: 1 } }, actor: eve, reason: condition_failed }
          - refuse: { cancel: true, actor: eve, reason: condition_failed }
          - complete: work
        expect: { state: completed, absent: [a] }",
    );
}

#[test]
fn mandates_allow_deny_and_escalate() {
    let model = "
        start s
        user approve
        policy approve on complete mandate finance approve amount EUR
        end e
        s -> approve -> e";
    let mandates: MandateSet = serde_json::from_str(
        r#"{ "mandates": [
            { "id": "small", "domain": "finance", "action": "approve", "holder": "manager",
              "authority": "allow", "below": 1000, "currency": "EUR", "level": 1 },
            { "id": "big", "domain": "finance", "action": "approve", "holder": "director",
              "authority": "allow", "currency": "EUR", "level": 2 },
            { "id": "never", "domain": "finance", "action": "approve", "holder": "intern",
              "authority": "deny" }
        ] }"#,
    )
    .unwrap();
    let with = |id: &str, group: &str| {
        let mut one = principal(id, PrincipalKind::Person);
        one.groups = BTreeSet::from([group.to_owned()]);
        (id.to_owned(), one)
    };
    let principals =
        [with("mia", "manager"), with("dan", "director"), with("ivo", "intern")].into();
    let authority = Authority::new(mandates.into(), Chart::default().into());
    let cast = Cast { authority: authority.into(), principals };
    let steps = "
        start: { variables: { amount: 1000 } }
        steps:
          - refuse: { complete: approve, actor: mia, reason: escalate }
          - refuse: { complete: approve, actor: ivo, reason: mandate_denied }
          - refuse: { complete: approve, actor: nobody, reason: escalate }
          - refuse: { complete: { node: approve, variables: { amount: 2000 } }, actor: mia, reason: escalate }
          - expect: { variables: { amount: 1000 } }
          - complete: { node: approve, actor: mia, variables: { amount: 999.99 } }
        expect: { state: completed }";
    assert_eq!(outcome_as(model, steps, &cast), None);
    let steps = "
        start: { variables: { amount: 1000000 } }
        steps: [ { complete: { node: approve, actor: dan } } ]
        expect: { state: completed }";
    assert_eq!(outcome_as(model, steps, &cast), None);
}

#[test]
fn a_scenario_brings_its_own_mandates_and_organisation() {
    let model = "
        start s
        user approve
        policy approve on complete mandate finance approve amount EUR unit
        end e
        s -> approve -> e";
    let steps = |approvers: &str| {
        format!(
            "
        organisation:
          units: [ {{ id: company, name: C }}, {{ id: sales, name: S, parent: company }} ]
          positions: [ {{ id: lead, title: L, unit: sales, roles: [head] }} ]
          holders: [ {{ person: sam, position: lead }} ]
        mandates:
          mandates:
            - {{ id: m, domain: finance, action: approve, holder: {{ role: head }}, unit: company, inherited: true,
                authority: allow, below: 1000.50, currency: EUR }}
        start: {{ variables: {{ amount: 1000.49, unit: sales }} }}
        steps:
          - refuse: {{ complete: approve, actor: tina, reason: escalate, approvers: [{approvers}] }}
          - refuse: {{ complete: {{ node: approve, variables: {{ unit: company }} }}, actor: sam, reason: escalate }}
          - refuse: {{ complete: {{ node: approve, variables: {{ amount: 1000.5 }} }}, actor: sam, reason: escalate }}
          - complete: {{ node: approve, actor: sam }}
        expect: {{ state: completed }}"
        )
    };
    check(model, &steps("sam"));
    let failure = outcome_as(model, &steps("sam, tina"), &Cast::default()).unwrap();
    assert_eq!(failure.actual, "those who may are told: [sam]");
}
