use super::check;

#[test]
fn failed_jobs_are_tried_again_and_then_an_incident() {
    let model = "start s\njob charge\nend e\ns -> charge -> e";
    check(
        model,
        "
        steps:
          - fail: { node: charge, message: '503' }
          - expect: { waiting: [charge], incidents: [] }
          - fail: { node: charge, message: '503', retries: 0 }
          - expect: { state: active, waiting: [], incidents: [ { node: charge, kind: job_failed } ] }
          - resolve: { node: charge, variables: { url: ok } }
          - expect: { waiting: [charge], incidents: [], variables: { url: ok } }
          - complete: charge
        expect: { state: completed }",
    );
    check(
        model,
        "
        mocks: { charge: { fail: no } }
        expect: { incidents: [ { node: charge, kind: job_failed } ], waiting: [] }",
    );
}

#[test]
fn what_cannot_be_evaluated_is_an_incident_and_can_be_resolved() {
    let cases = [
        ("script n x = y + 1", "expression_failed", "y: 2"),
        ("catch n timer =y", "timer_failed", "y: P0D"),
        ("catch n message m key y", "correlation_failed", "y: 1"),
        ("rule n nothing", "decision_failed", ""),
        ("job n\ninput n a = y", "mapping_failed", "y: 1"),
        ("pass n\noutput n a = y", "mapping_failed", "y: 1"),
        ("exclusive n", "", ""),
    ];
    for (node, kind, fix) in cases.into_iter().filter(|(_, kind, _)| !kind.is_empty()) {
        let model = format!("start s\n{node}\nend e\ns -> n -> e");
        check(
            &model,
            &format!(
                "expect: {{ state: active, waiting: [], incidents: [ {{ node: n, kind: {kind} }} ] }}"
            ),
        );
        if !fix.is_empty() {
            check(
                &model,
                &format!(
                    "
                    steps: [ {{ resolve: {{ node: n, variables: {{ {fix} }} }} }} ]
                    expect: {{ incidents: [] }}"
                ),
            );
        }
    }
}

#[test]
fn no_flow_and_bad_conditions_stop_at_the_gateway() {
    let model = "
        start s
        exclusive x
        end a
        end b
        s -> x
        x -> a if n > 10
        x -> b if n > 5";
    check(
        model,
        "
        start: { variables: { n: 1 } }
        steps:
          - expect: { incidents: [ { node: x, kind: no_flow_taken } ], path: [s] }
          - resolve: { node: x, variables: { n: 7 } }
        expect: { state: completed, ended_at: [b], path: [s, x, b] }",
    );
    check(model, "expect: { incidents: [ { node: x, kind: expression_failed } ] }");
}

#[test]
fn errors_that_nobody_catches() {
    check(
        "start s\njob charge\nend e\ns -> charge -> e",
        "
        steps:
          - throw: { node: charge, error: E }
          - expect: { state: active, incidents: [ { node: charge, kind: unhandled_error } ], waiting: [] }
          - resolve: { node: charge }
          - expect: { waiting: [charge] }
          - complete: charge
        expect: { state: completed }",
    );
    check(
        "start s\nend e error BOOM\ns -> e",
        "expect: { state: active, incidents: [ { node: e, kind: unhandled_error } ] }",
    );
}

#[test]
fn an_endless_loop_is_stopped_and_can_go_on() {
    check(
        "
        start s
        exclusive again
        script count n = n + 1
        exclusive x
        end e
        s -> again -> count -> x
        x -> again if n < limit
        x -> e default",
        "
        start: { variables: { n: 0, limit: 1000000 } }
        steps:
          - expect: { state: active, incidents: [ { node: again, kind: limit_exceeded } ] }
          - resolve: { node: again, variables: { limit: 0 } }
        expect: { state: completed, incidents: [] }",
    );
}

#[test]
fn a_wrong_timer_on_an_activity_keeps_it_from_starting() {
    check(
        "
        start s
        user work
        on work late timer =y
        end e
        s -> work -> e
        late -> e",
        "
        steps:
          - expect: { incidents: [ { node: work, kind: timer_failed } ], waiting: [] }
          - resolve: { node: work, variables: { y: PT1H } }
          - expect: { waiting: [work] }
          - advance: PT1H
        expect: { state: completed, path: [s, late, e] }",
    );
}

#[test]
fn one_failing_instance_of_many_stops_alone() {
    check(
        "
        start s
        job work
        each work items as item into out from item * factor
        end e
        s -> work -> e",
        "
        start: { variables: { items: [1, two, 3], factor: 2 } }
        mocks: { work: { variables: { } } }
        steps:
          - expect: { incidents: [ { node: work, kind: expression_failed } ], counts: { work: 2 } }
          - resolve: { node: work, variables: { item: 2 } }
        expect: { state: completed, variables: { out: [2, 4, 6] } }",
    );
}

#[test]
fn data_that_grows_without_end_is_stopped() {
    for growth in ["[x]", "[x, x]", "{ y: x }", "x + x"] {
        let first = if growth == "x + x" { "ab" } else { "[1]" };
        check(
            &format!(
                "
                start s
                exclusive again
                script grow x = {growth}
                end e
                s -> again -> grow -> again"
            ),
            &format!(
                "
                start: {{ variables: {{ x: {first} }} }}
                expect: {{ state: active, incidents: [ {{ node: grow, kind: limit_exceeded }} ] }}"
            ),
        );
    }
}

#[test]
fn an_event_sub_process_that_could_not_begin_begins_again() {
    check(
        "
        start s
        user work
        end e
        s -> work -> e
        handler watch
        in watch ~start note message note
        in watch user look
        note -> look
        in watch handler inner
        in inner start is message inner key y
        in inner user deep
        is -> deep",
        "
        steps:
          - message: { name: note }
          - expect: { incidents: [ { node: watch, kind: correlation_failed } ], waiting: [work] }
          - resolve: { node: watch, variables: { y: 1 } }
          - expect: { waiting: [look, work] }
          - message: { name: inner, correlation: 1 }
        expect: { waiting: [deep, work] }",
    );
}
