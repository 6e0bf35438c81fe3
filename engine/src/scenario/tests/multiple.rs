use super::check;

#[test]
fn a_multiple_catch_event_goes_on_with_the_first() {
    let model = "
        start s
        catch any message paid key id | signal stop | timer PT1H | when n > 1
        end e
        s -> any -> e";
    for step in [
        "message: { name: paid, correlation: 1, variables: { got: 1 } }",
        "signal: { name: stop, variables: { got: 1 } }",
        "advance: PT1H",
        "set: { variables: { n: 2 } }",
    ] {
        check(
            model,
            &format!(
                "
        start: {{ variables: {{ id: 1, n: 0 }} }}
        steps: [ {{ expect: {{ waiting: [any] }} }}, {{ {step} }} ]
        expect: {{ state: completed, path: [s, any, e] }}"
            ),
        );
    }
}

#[test]
fn a_parallel_multiple_catch_event_goes_on_with_the_last_and_brings_everything() {
    check(
        "
        start s
        catch both message paid key id & signal go & timer PT1H & when n > 1 & when m
        output both total = a + b
        end e
        s -> both -> e",
        "
        start: { variables: { id: 1, n: 0, m: false } }
        steps:
          - set: { variables: { m: true } }
          - message: { name: paid, correlation: 1, variables: { a: 1 } }
          - advance: PT2H
          - signal: { name: go, variables: { b: 2 } }
          - signal: { name: go, variables: { b: 9 } }
          - set: { variables: { m: false } }
          - expect: { waiting: [both] }
          - set: { variables: { n: 2 } }
        expect: { state: completed, path: [s, both, e], variables: { total: 3 } }",
    );
}

#[test]
fn a_multiple_boundary_event_interrupts_or_is_triggered_by_each() {
    let model = "
        start s
        job work
        on work off error * | signal stop | escalation *
        output off heard = true
        on work ~note timer R/PT1H | message ask key 1
        end e
        end o
        end n
        s -> work -> e
        off -> o
        note -> n";
    for step in [
        "throw: { node: work, error: E }",
        "signal: { name: stop }",
        "escalate: { node: work, code: L }",
    ] {
        check(
            model,
            &format!(
                "
        steps: [ {{ {step} }} ]
        expect: {{ state: completed, ended_at: [o], variables: {{ heard: true }} }}"
            ),
        );
    }
    check(
        model,
        "
        steps:
          - advance: PT1H
          - message: { name: ask, correlation: 1 }
          - message: { name: ask, correlation: 1 }
          - advance: PT1H
          - complete: work
        expect: { state: completed, ended_at: [n, n, n, n, e] }",
    );
}

#[test]
fn a_parallel_multiple_boundary_event_counts_anew_after_each_time() {
    let model = "
        start s
        user work
        on work ~both signal a & signal b
        end e
        end h
        s -> work -> e
        both -> h";
    check(
        model,
        "
        steps:
          - signal: { name: a }
          - signal: { name: a }
          - expect: { counts: { both: 0 } }
          - signal: { name: b }
          - expect: { counts: { both: 1 }, waiting: [work] }
          - signal: { name: b }
          - expect: { counts: { both: 1 } }
          - signal: { name: a }
          - expect: { counts: { both: 2 } }
          - signal: { name: a }
          - complete: work
        expect: { state: completed, ended_at: [h, h, e], waiting: [] }",
    );
    check(
        &model.replace("~both", "both"),
        "
        steps: [ { signal: { name: b } }, { signal: { name: a } } ]
        expect: { state: completed, ended_at: [h] }",
    );
}

#[test]
fn a_condition_that_still_holds_does_not_count_again() {
    check(
        "
        start s
        user work
        on work ~both when a & when b
        on work ~tick signal t & when a
        end h
        s -> work
        both -> h
        tick -> h",
        "
        start: { variables: { a: true, b: true } }
        steps:
          - expect: { counts: { both: 1 } }
          - set: { variables: { a: false } }
          - set: { variables: { a: true } }
          - expect: { counts: { both: 1, tick: 0 } }
          - set: { variables: { b: false } }
          - set: { variables: { b: true } }
          - expect: { counts: { both: 2 } }
          - signal: { name: t }
          - signal: { name: t }
        expect: { counts: { tick: 1 } }",
    );
}

#[test]
fn event_sub_processes_start_by_one_of_several_or_by_all() {
    check(
        "
        start s
        user work
        end e
        s -> work -> e
        handler any
        in any ~start as signal a | when n > 1
        in any user look
        as -> look
        handler all
        in all start bs signal b & signal c
        in all user halt
        bs -> halt",
        "
        start: { variables: { n: 0 } }
        steps:
          - signal: { name: a }
          - set: { variables: { n: 2 } }
          - expect: { waiting: [work, look, look] }
          - signal: { name: c }
          - expect: { waiting: [work, look, look] }
          - signal: { name: b, variables: { last: true } }
          - expect: { waiting: [halt] }
          - complete: halt
        expect: { state: completed, not_reached: [e], variables: { last: true } }",
    );
}

#[test]
fn several_events_behind_an_event_based_gateway() {
    let model = "
        start s
        events g
        catch both signal a & signal b
        catch late timer PT1H | signal c
        end x
        end y
        s -> g -> both -> x
        g -> late -> y";
    check(
        model,
        "
        steps: [ { signal: { name: a } }, { signal: { name: b } } ]
        expect: { state: completed, ended_at: [x] }",
    );
    check(
        model,
        "
        steps: [ { signal: { name: a } }, { signal: { name: c } } ]
        expect: { state: completed, ended_at: [y] }",
    );
}

#[test]
fn everything_is_thrown() {
    check(
        "
        start s
        job a
        undo a user undo-a
        throw all signal go | undo | message paid key 7
        end both signal done | escalation L | terminate
        user other
        s -> a -> all -> both
        s -> other
        handler heard
        in heard ~start hs escalation *
        in heard end he
        hs -> he
        handler one
        in one ~start os signal go
        in one end oe
        os -> oe
        handler two
        in two ~start ts message paid key 7
        in two end te
        ts -> te",
        "
        steps:
          - complete: a
          - expect: { waiting: [undo-a, other], counts: { oe: 1, te: 1, all: 0 } }
          - complete: undo-a
        expect: { state: completed, counts: { both: 1 }, not_reached: [he] }",
    );
    check(
        "
        start s
        sub inner
        on inner off escalation L
        on inner bad error *
        in inner start is
        in inner end both escalation L | error E
        is -> both
        end o
        end b
        s -> inner -> b
        off -> o
        bad -> b",
        "expect: { state: completed, ended_at: [o] }",
    );
    check(
        "
        start s
        sub inner
        on inner bad error *
        in inner start is
        in inner end both error E | signal told
        is -> both
        user rest
        end b
        end e
        s -> inner -> e
        bad -> rest -> b
        handler heard
        in heard ~start hs signal told
        in heard end he
        hs -> he",
        "
        steps: [ { complete: rest } ]
        expect: { state: completed, ended_at: [b], counts: { he: 1 } }",
    );
}

#[test]
fn nothing_is_thrown_where_a_part_cannot_be() {
    check(
        "
        start s
        throw all signal go | message paid key id.x
        user rest
        s -> all -> rest
        handler one
        in one ~start os signal go
        in one end oe
        os -> oe",
        "
        start: { variables: { id: 7 } }
        steps:
          - expect: { incidents: [ { node: all } ], not_reached: [os] }
          - resolve: { node: all, variables: { id: { x: 1 } } }
        expect: { waiting: [rest], counts: { oe: 1 } }",
    );
}

#[test]
fn a_start_event_with_several_definitions_starts_by_each() {
    let model = "
        start s message order | signal go | timer PT1H
        user work
        s -> work";
    for start in [
        "start: { message: { name: order, variables: { n: 1 } } }",
        "start: { signal: { name: go, variables: { n: 1 } } }",
    ] {
        check(model, &format!("{start}\nexpect: {{ waiting: [work], variables: {{ n: 1 }} }}"));
    }
    check(model, "start: none\nsteps: [ { advance: PT1H } ]\nexpect: { waiting: [work] }");
}
