use super::{check, outcome};

const ALL: &str = "
    start s message order key id & message paid key id & signal go
    user pack
    end e
    s -> pack -> e";

#[test]
fn a_parallel_multiple_start_event_waits_for_its_other_parts() {
    check(
        ALL,
        "
        start: { message: { name: paid, correlation: 7, variables: { id: 7, sum: 10 } } }
        steps:
          - expect: { waiting: [s], variables: { sum: 10 }, not_reached: [pack] }
          - message: { name: order, correlation: 8 }
          - expect: { waiting: [s] }
          - message: { name: order, correlation: 7, variables: { item: x } }
          - expect: { waiting: [s], absent: [item] }
          - set: { variables: { sum: 11 } }
          - signal: { name: go }
        expect: { waiting: [pack], variables: { item: x, sum: 11 }, counts: { s: 1 } }",
    );
}

#[test]
fn started_by_hand_it_waits_for_nothing() {
    check(ALL, "expect: { waiting: [pack] }");
}

#[test]
fn a_timer_or_a_condition_may_begin_it_and_be_waited_for() {
    let model = "
        start s timer R/PT1H & when n > 1
        output s seen = n
        user pack
        end e
        s -> pack -> e";
    check(
        model,
        "
        start: none
        steps:
          - advance: PT1H
          - expect: { waiting: [s] }
          - set: { variables: { n: 2 } }
        expect: { waiting: [pack], variables: { seen: 2 } }",
    );
    let duration = model.replace("R/PT1H", "PT1H");
    check(
        &duration,
        "
        start: { evaluate: { variables: { n: 2 } } }
        steps:
          - expect: { waiting: [s], absent: [n] }
          - advance: PT1H
        expect: { waiting: [pack], variables: { seen: 2 }, absent: [n] }",
    );
}

#[test]
fn a_correlation_key_that_is_missing_is_an_incident_that_can_be_resolved() {
    check(
        ALL,
        "
        start: { signal: { name: go } }
        steps:
          - expect: { incidents: [ { node: s, kind: correlation_failed } ] }
          - resolve: { node: s, variables: { id: 7 } }
          - expect: { incidents: [], waiting: [s] }
          - message: { name: order, correlation: 7 }
          - message: { name: paid, correlation: 7 }
        expect: { waiting: [pack] }",
    );
}

#[test]
fn event_sub_processes_run_while_it_waits() {
    check(
        &format!(
            "{ALL}\nhandler watch\nin watch ~start ws message changed key id\nin watch end we\nws -> we"
        ),
        "
        start: { message: { name: paid, correlation: 7, variables: { id: 7 } } }
        steps:
          - message: { name: changed, correlation: 7 }
          - expect: { counts: { watch: 1 }, waiting: [s] }
          - signal: { name: go }
          - message: { name: order, correlation: 7 }
        expect: { waiting: [pack], counts: { watch: 1 } }",
    );
}

const HOT: &str = "
    start cold when temperature < 5
    start hot when temperature > 40 | signal alarm
    user heat
    user cool
    end e
    cold -> heat -> e
    hot -> cool -> e";

#[test]
fn a_process_begins_where_a_condition_holds() {
    for (temperature, waiting) in [(50, "cool"), (1, "heat")] {
        check(
            HOT,
            &format!(
                "
        start: {{ evaluate: {{ variables: {{ temperature: {temperature} }} }} }}
        expect: {{ waiting: [{waiting}], variables: {{ temperature: {temperature} }} }}"
            ),
        );
    }
    check(HOT, "start: { signal: { name: alarm } }\nexpect: { waiting: [cool] }");
    for nothing in ["{ temperature: 20 }", "{}"] {
        let start = format!("start: {{ evaluate: {{ variables: {nothing} }} }}");
        assert!(outcome(HOT, &start).is_some(), "{nothing}");
    }
}

#[test]
fn of_several_conditions_those_that_do_not_hold_are_waited_for() {
    check(
        "
        start s when a > 1 & when b > 1
        user pack
        end e
        s -> pack -> e",
        "
        start: { evaluate: { variables: { a: 0, b: 2 } } }
        steps:
          - expect: { waiting: [s] }
          - set: { variables: { b: 0 } }
          - set: { variables: { a: 2 } }
        expect: { waiting: [pack] }",
    );
}
