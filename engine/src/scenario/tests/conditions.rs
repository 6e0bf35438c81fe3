use super::check;

#[test]
fn a_catch_event_waits_until_its_condition_is_true() {
    let model = "
        start s
        catch hot when temperature > 40
        end e
        s -> hot -> e";
    check(
        model,
        "
        steps:
          - expect: { waiting: [hot], incidents: [] }
          - set: { variables: { other: 1 } }
          - set: { variables: { temperature: 40 } }
          - expect: { waiting: [hot] }
          - set: { variables: { temperature: 41 } }
        expect: { state: completed, path: [s, hot, e] }",
    );
    check(model, "start: { variables: { temperature: 50 } }\nexpect: { path: [s, hot, e] }");
}

#[test]
fn jobs_mappings_and_messages_change_what_conditions_see() {
    let model = "
        start s
        job measure
        output measure n = result
        catch hear message m key 1
        end e
        catch high when n > 1
        end h
        s -> measure -> hear -> e
        s -> high -> h";
    check(
        model,
        "
        steps:
          - complete: { node: measure, variables: { result: 1 } }
          - expect: { waiting: [hear, high] }
          - message: { name: m, correlation: 1, variables: { n: 2 } }
        expect: { state: completed, path_any_order: [s, measure, hear, e, high, h] }",
    );
    check(
        model,
        "
        steps:
          - complete: { node: measure, variables: { result: 2 } }
        expect: { waiting: [hear], ended_at: [h] }",
    );
}

#[test]
fn a_boundary_event_interrupts_and_sees_the_variables_of_its_activity() {
    let model = "
        start s
        user work
        input work limit = 10
        on work high when n > limit
        end e
        end h
        s -> work -> e
        high -> h";
    check(
        model,
        "
        start: { variables: { n: 1 } }
        steps:
          - set: { variables: { n: 10 } }
          - expect: { waiting: [work] }
          - set: { variables: { limit: 5 }, scope: work }
        expect: { state: completed, ended_at: [h], waiting: [] }",
    );
    check(model, "start: { variables: { n: 11 } }\nexpect: { path: [s, high, h] }");
    // What an activity brings when it completes comes too late to interrupt it.
    check(
        model,
        "
        start: { variables: { n: 1 } }
        steps: [ { complete: { node: work, variables: { n: 99 } } } ]
        expect: { state: completed, path: [s, work, e] }",
    );
}

#[test]
fn one_that_does_not_interrupt_is_triggered_by_each_change_from_false_to_true() {
    check(
        "
        start s
        user work
        on work ~high when n > 1
        end e
        end h
        s -> work -> e
        high -> h",
        "
        start: { variables: { n: 2 } }
        steps:
          - expect: { counts: { high: 1 }, waiting: [work] }
          - set: { variables: { n: 3 } }
          - expect: { counts: { high: 1 } }
          - set: { variables: { n: 0 } }
          - set: { variables: { n: 2 } }
          - expect: { counts: { high: 2 } }
          - complete: work
        expect: { state: completed, ended_at: [h, h, e] }",
    );
}

#[test]
fn the_inside_of_a_sub_process_triggers_its_boundary_at_once() {
    check(
        "
        start s
        sub inner
        each inner items as item
        in inner start is
        in inner script count n = n + item
        in inner pass rest
        on inner high when n >= 3
        end e
        end h
        is -> count -> rest
        s -> inner -> e
        high -> h",
        "
        start: { variables: { n: 0, items: [1, 2, 3] } }
        expect: { state: completed, ended_at: [h], counts: { rest: 0 }, variables: { n: 3 } }",
    );
}

#[test]
fn event_sub_processes_start_by_a_condition() {
    let model = "
        start s
        user work
        end e
        s -> work -> e
        handler watch
        in watch ~start low when n < 0
        in watch user look
        low -> look
        handler halt
        in halt start high when n > 9
        in halt user clean
        high -> clean";
    check(
        model,
        "
        start: { variables: { n: 0 } }
        steps:
          - set: { variables: { n: -1 } }
          - expect: { waiting: [look, work] }
          - set: { variables: { n: -2 } }
          - expect: { waiting: [look, work] }
          - set: { variables: { n: 10 } }
          - expect: { waiting: [clean] }
          - set: { variables: { n: -1 } }
          - expect: { waiting: [clean] }
          - complete: clean
        expect: { state: completed, not_reached: [e] }",
    );
    check(
        model,
        "
        start: { variables: { n: 10 } }
        expect: { waiting: [clean], not_reached: [work], path: [s, high] }",
    );
}

#[test]
fn a_condition_may_win_at_an_event_based_gateway() {
    let model = "
        start s
        events g
        catch ready when ready
        catch late timer PT1H
        end r
        end l
        s -> g -> ready -> r
        g -> late -> l";
    check(
        model,
        "
        steps:
          - expect: { waiting: [g] }
          - set: { variables: { ready: true } }
        expect: { state: completed, path: [s, g, ready, r] }",
    );
    check(model, "start: { variables: { ready: true } }\nexpect: { ended_at: [r] }");
    check(model, "steps: [ { advance: PT1H } ]\nexpect: { ended_at: [l] }");
}

#[test]
fn a_condition_that_fails_is_an_incident_of_its_event_alone() {
    check(
        "
        start s
        catch wait when n
        end e
        s -> wait -> e",
        "
        start: { variables: { n: 7 } }
        steps:
          - expect: { incidents: [ { node: wait, kind: expression_failed } ], waiting: [] }
          - set: { variables: { n: true } }
          - expect: { incidents: [ { node: wait } ] }
          - resolve: { node: wait }
        expect: { state: completed, incidents: [] }",
    );
    let model = "
        start s
        job work
        on work high when n
        end e
        end h
        s -> work -> e
        high -> h
        handler watch
        in watch ~start odd when m
        in watch user look
        odd -> look";
    let start = "start: { variables: { n: 'x', m: 3 } }";
    check(
        model,
        &format!(
            "{start}
steps:
  - expect: {{ incidents: [ {{ node: high }}, {{ node: odd }} ], waiting: [work] }}
  - complete: work
expect: {{ state: completed, ended_at: [e] }}"
        ),
    );
    check(
        model,
        &format!(
            "{start}
steps:
  - resolve: {{ node: odd, variables: {{ m: false }} }}
  - expect: {{ incidents: [ {{ node: high }} ], waiting: [work] }}
  - resolve: {{ node: high, variables: {{ n: true }} }}
expect: {{ state: completed, ended_at: [h] }}"
        ),
    );
}

#[test]
fn conditions_that_wake_each_other_for_ever_are_stopped() {
    check(
        "
        start s
        user work
        on work ~third when n = 2
        output third n = 0
        on work ~second when n = 1
        output second n = 2
        on work ~first when n = 0
        output first n = 1
        end e
        s -> work -> e",
        "
        start: { variables: { n: 0 } }
        expect: { state: active, waiting: [work], incidents: [ { node: third, kind: limit_exceeded } ] }",
    );
}
