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
fn tools_are_guarded_by_their_names() {
    check(
        "
        policy process tool payment_* condition attempt.arguments.sum < 100
        start s
        agent think
        policy think tool * condition attempt.tool != \"case_delete\"
        end e
        s -> think -> e",
        "
        steps:
          - call: { node: think, tool: payment_start, arguments: { sum: 99 } }
          - refuse: { call: { node: think, tool: payment_start, arguments: { sum: 100 } }, reason: condition_failed }
          - refuse: { call: { node: think, tool: payment_start }, reason: policy_failed }
          - call: { node: think, tool: read, arguments: { sum: 100 } }
          - refuse: { call: { node: think, tool: case_delete }, reason: condition_failed }
          - complete: { node: think, variables: { sum: 100 } }
        expect: { state: completed }",
    );
}

#[test]
fn a_field_is_guarded_whatever_writes_it() {
    check(
        "
        policy process field invoice.iban condition actor.id = \"clerk\" and attempt.value != attempt.before
        start s
        user fill
        output fill invoice.iban = account
        catch told message told key id
        user rest
        end e
        s -> fill -> told -> rest -> e",
        "
        start: { variables: { id: 1, invoice: { iban: null, sum: 5 } } }
        steps:
          - refuse: { complete: { node: fill, variables: { account: DE1 } }, actor: eve, reason: condition_failed }
          - refuse: { complete: fill, actor: clerk, reason: policy_failed }
          - complete: { node: fill, actor: clerk, variables: { account: DE1 } }
          - expect: { variables: { invoice: { iban: DE1, sum: 5 } } }
          - refuse: { set: { variables: { invoice: { iban: DE2 } } }, actor: eve, reason: condition_failed }
          - set: { variables: { other: 1 } }
          - set: { variables: { invoice: { iban: DE1, sum: 6 } } }
          - refuse: { message: { name: told, correlation: 1, variables: { invoice: 7 } }, reason: condition_failed }
          - message: { name: told, correlation: 1, variables: { sum: 7 } }
          - complete: { node: rest, variables: { invoice: { iban: DE1 } } }
        expect: { state: completed }",
    );
}

#[test]
fn who_starts_and_who_delivers_is_guarded_where_a_policy_says_so() {
    check(
        "
        policy process field limit condition attempt.value <= 10
        policy process on control condition false
        start s
        catch told message told
        policy told on deliver condition attempt.code = 7
        end e
        s -> told -> e",
        "
        start: { variables: { limit: 10 } }
        steps:
          - refuse: { message: { name: told, variables: { code: 6 } }, reason: condition_failed }
          - expect: { waiting: [told] }
          - message: { name: told, variables: { code: 7 } }
        expect: { state: completed }",
    );
}

#[test]
fn an_escalated_completion_is_kept_for_its_approvers() {
    let model = "
        start s
        user approve
        policy approve on complete condition attempt.amount < 100 otherwise board dan
        end e
        s -> approve -> e";
    check(
        model,
        "
        people: { bob: [board], dan: [], eve: [] }
        steps:
          - refuse: { complete: { node: approve, variables: { amount: 500, note: a } }, actor: eve, reason: escalate, approvers: [board, dan], kept: true }
          - expect: { waiting: [approve], absent: [amount] }
          - refuse: { complete: { node: approve, actor: 'agent:x' }, reason: escalate, kept: false }
          - complete: { node: approve, actor: bob, variables: { note: b } }
        expect: { state: completed, variables: { amount: 500, note: b } }",
    );
    check(
        model,
        "
        people: { bob: [board] }
        steps:
          - refuse: { complete: { node: approve, variables: { amount: 500 } }, actor: eve, reason: escalate, kept: true }
          - complete: { node: approve, actor: eve, variables: { amount: 99 } }
        expect: { state: completed, variables: { amount: 99 } }",
    );
    check(
        model,
        "
        people: { bob: [board], tom: [] }
        steps:
          - refuse: { complete: { node: approve, variables: { amount: 500 } }, actor: tom, reason: escalate, kept: true }
          - refuse: { complete: approve, actor: eve, reason: escalate, kept: true }
          - complete: { node: approve, actor: bob }
        expect: { state: completed, variables: { amount: 500 } }",
    );
    check(
        model,
        "
        people: { bob: [board] }
        steps: [ { complete: { node: approve, actor: bob, variables: { amount: 500 } } } ]
        expect: { state: completed }",
    );
}

#[test]
fn each_policy_has_its_own_approval_of_the_same_data() {
    let model = "
        start s
        user approve
        policy approve named large on complete condition attempt.amount < 100 otherwise board
        policy approve named abroad on complete condition attempt.country = \"DE\" otherwise legal
        end e
        s -> approve -> e";
    let proposed = "
        people: { bob: [board], lea: [legal] }
        steps:
          - refuse: { complete: { node: approve, variables: { amount: 500, country: FR } }, actor: eve, reason: escalate, approvers: [board], kept: true }
          - refuse: { complete: approve, actor: bob, reason: escalate, approvers: [legal], kept: true }";
    let confirmed = "
          - complete: { node: approve, actor: lea }
        expect: { state: completed, variables: { amount: 500 } }";
    check(model, &format!("{proposed}{confirmed}"));
    let changed = "
          - refuse: { complete: { node: approve, variables: { amount: 900 } }, actor: lea, reason: escalate, approvers: [board], kept: true }
          - complete: { node: approve, actor: bob }
        expect: { state: completed, variables: { amount: 900 } }";
    check(model, &format!("{proposed}{changed}"));
}

#[test]
fn a_second_person_confirms() {
    check(
        "
        start s
        user write
        user approve
        policy approve on complete condition attempt.risk = \"low\" otherwise second-person
        user sign
        policy sign on complete four-eyes approve
        end e
        s -> write -> approve -> sign -> e",
        "
        steps:
          - complete: { node: write, actor: eve }
          - refuse: { complete: { node: approve, variables: { risk: high } }, actor: eve, reason: four_eyes, kept: true }
          - complete: { node: approve, actor: ben }
          - refuse: { complete: sign, actor: eve, reason: four_eyes, kept: true }
          - refuse: { complete: sign, actor: ben, reason: four_eyes, kept: true }
          - complete: { node: sign, actor: mia }
        expect: { state: completed, variables: { risk: high } }",
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
    assert_eq!(failure.actual, "it is for [sam]");
}
