use super::check;

#[test]
fn timers_and_boundaries() {
    let model = "
        start s
        user approve
        on approve remind~ timer PT1H
        end e
        s -> approve -> e"
        .replace("remind~", "~remind");
    let model =
        format!("{model}\n        pass mail\n        end mailed\n        remind -> mail -> mailed");
    check(
        &model,
        "
        steps:
          - advance: PT1H
          - expect: { waiting: [approve], path: [s, remind, mail, mailed] }
          - advance: P1D
          - complete: approve
        expect: { state: completed, ended_at: [mailed, e], counts: { remind: 1 } }",
    );
    let model = "
        start s
        user approve
        on approve late timer PT1H
        end e
        end escalated
        s -> approve -> e
        late -> escalated";
    check(
        model,
        "
        steps: [ { advance: PT2H } ]
        expect: { state: completed, path: [s, late, escalated], ended_at: [escalated] }",
    );
    check(
        model,
        "
        steps: [ { advance: PT59M }, { complete: approve }, { advance: PT2H } ]
        expect: { state: completed, path: [s, approve, e], not_reached: [late] }",
    );
}

#[test]
fn a_cycle_fires_as_often_as_it_says() {
    let model = "
        start s
        user approve
        on approve ~remind timer R3/PT10M
        end e
        end reminded
        s -> approve -> e
        remind -> reminded";
    check(
        model,
        "
        steps:
          - advance: PT25M
          - expect: { counts: { remind: 2 }, waiting: [approve] }
          - advance: P10D
        expect: { counts: { remind: 3 }, state: active }",
    );
    check(
        &model.replace("R3/", "R/"),
        "
        steps: [ { advance: PT2H } ]
        expect: { counts: { remind: 12 } }",
    );
}

#[test]
fn timers_fire_in_due_order_and_past_ones_at_once() {
    check(
        "
        start s
        catch late timer PT20M
        catch soon timer PT10M
        catch past timer 2020-01-01T00:00:00Z
        catch computed timer =string(15) + \"\"
        end e
        s -> late -> e
        s -> soon -> e
        s -> past -> e",
        "
        steps:
          - expect: { waiting: [soon, late], path: [s, past, e] }
          - advance: PT1H
        expect: { state: completed, path: [s, past, e, soon, e, late, e] }",
    );
}

const INVOICE: &str = "
    start s
    receive wait paid key id
    output wait sum = paid_sum * 2
    end e
    s -> wait -> e";

#[test]
fn messages_correlate_and_are_buffered() {
    check(
        INVOICE,
        "
        start: { variables: { id: 7 } }
        steps:
          - message: { name: paid, correlation: '8', variables: { paid_sum: 1 } }
          - message: { name: other, correlation: '7' }
          - expect: { waiting: [wait], state: active }
          - message: { name: paid, correlation: '7', variables: { paid_sum: 21 } }
        expect: { state: completed, variables: { sum: 42 }, absent: [paid_sum] }",
    );
    let late = INVOICE.replace("s -> wait", "s -> first -> wait") + "\n    user first";
    for (ttl, waits, state) in
        [("PT1H", "PT59M", "completed"), ("PT1H", "PT2H", "active"), ("PT0S", "PT0S", "active")]
    {
        check(
            &late,
            &format!(
                "
                start: {{ variables: {{ id: A }} }}
                steps:
                  - message: {{ name: paid, correlation: A, variables: {{ paid_sum: 1 }}, ttl: {ttl} }}
                  - advance: {waits}
                  - complete: first
                expect: {{ state: {state} }}"
            ),
        );
    }
}

#[test]
fn a_non_interrupting_message_is_heard_again_and_again() {
    check(
        "
        start s
        user work
        on work ~note message note
        end e
        end noted
        s -> work -> e
        note -> noted",
        "
        steps:
          - message: { name: note }
          - message: { name: note }
          - expect: { waiting: [work] }
          - complete: work
          - message: { name: note }
        expect: { state: completed, counts: { noted: 2 } }",
    );
}

#[test]
fn processes_send_each_other_messages_and_signals() {
    check(
        "
        start s
        throw ask message question key id
        input ask text = \"how much?\"
        receive answer answer key id
        end e
        s -> ask -> answer -> e
        process helper
        start q message question
        user think
        throw reply message answer key id
        input reply price = price
        end done
        q -> think -> reply -> done",
        "
        start: { variables: { id: 5 } }
        steps:
          - expect: { waiting: [answer], path: [s, ask] }
          - complete: { node: helper/think, variables: { price: 9, id: 5 } }
        expect: { state: completed, variables: { price: 9 }, path: [s, ask, answer, e] }",
    );
    check(
        "
        start s
        parallel fork
        catch go signal go
        user a
        throw shout signal go
        input shout who = \"me\"
        end e
        s -> fork -> go -> e
        fork -> a -> shout -> e",
        "
        steps: [ { complete: a } ]
        expect: { state: completed, path: [s, fork, a, shout, e, go, e], variables: { who: me } }",
    );
}

#[test]
fn processes_start_by_message_signal_and_timer() {
    let model = "
        start m message order
        start g signal alarm
        start t timer R2/P1D
        user work
        end e
        m -> work -> e
        g -> work
        t -> work";
    check(
        model,
        "
        start: { message: { name: order, variables: { n: 1 } } }
        expect: { path: [m], waiting: [work], variables: { n: 1 } }",
    );
    check(model, "start: { signal: { name: alarm } }\nexpect: { path: [g] }");
    check(
        model,
        "
        start: none
        steps:
          - advance: P1D
          - expect: { path: [t], waiting: [work] }
          - complete: work
        expect: { state: completed }",
    );
}

const ERRORS: &str = "
    start s
    sub inner
    on inner declined error DECLINED
    on inner any error *
    in inner start is
    in inner job charge
    in inner end ie
    is -> charge -> ie
    end paid
    end refused
    end broken
    s -> inner -> paid
    declined -> refused
    any -> broken";

#[test]
fn errors_go_to_the_nearest_that_catches_the_code() {
    for (code, end) in [("DECLINED", "refused"), ("OTHER", "broken")] {
        check(
            ERRORS,
            &format!(
                "
                steps: [ {{ throw: {{ node: charge, error: {code}, message: no money, variables: {{ rest: 3 }} }} }} ]
                expect:
                  state: completed
                  ended_at: [{end}]
                  not_reached: [ie, paid]
                  variables: {{ errorCode: {code}, errorMessage: no money, rest: 3 }}"
            ),
        );
    }
    check(
        "
        start s
        sub outer
        on outer caught error E
        in outer start os
        in outer sub mid
        in mid start ms
        in mid end me error E
        ms -> me
        in outer user other
        in outer parallel fork
        os -> fork -> mid
        fork -> other
        end e
        end failed
        s -> outer -> e
        caught -> failed",
        "expect: { state: completed, path: [s, os, fork, ms, me, caught, failed], waiting: [] }",
    );
}

#[test]
fn escalations_are_heard_without_stopping() {
    let model = "
        start s
        sub inner
        on inner ~late escalation LATE
        on inner ~any escalation *
        in inner start is
        in inner throw shout escalation LATE
        in inner user work
        in inner end ie
        is -> shout -> work -> ie
        end e
        end heard
        s -> inner -> e
        late -> heard
        any -> heard";
    check(
        model,
        "
        steps:
          - expect: { waiting: [work], counts: { late: 1, any: 0, heard: 1 } }
          - escalate: { node: work, code: OTHER, variables: { why: slow } }
          - expect: { counts: { any: 1 }, variables: { why: slow } }
          - complete: work
        expect: { state: completed, ended_at: [heard, heard, e] }",
    );
    check(
        &model.replace("~late", "late").replace("~any", "any"),
        "expect: { state: completed, path: [s, is, shout, late, heard], not_reached: [ie, e] }",
    );
    check(
        "start s\nthrow t escalation NOBODY\nend e\ns -> t -> e",
        "expect: { state: completed, path: [s, t, e] }",
    );
}

#[test]
fn terminate_ends_its_scope_alone() {
    check(
        "
        start s
        sub inner
        in inner start is
        in inner user a
        in inner user b
        in inner end stop terminate
        is -> a
        is -> b -> stop
        user after
        end e
        s -> inner -> after -> e",
        "
        steps:
          - expect: { waiting: [a, b] }
          - complete: b
          - expect: { waiting: [after], path: [s, is, b, stop, inner] }
          - complete: after
        expect: { state: completed }",
    );
    check(
        "
        start s
        user a
        user b
        on b ~tick timer PT1H
        end stop terminate
        end e
        s -> a -> stop
        s -> b -> e",
        "
        steps: [ { complete: a } ]
        expect: { state: completed, waiting: [], ended_at: [stop] }",
    );
}

const HANDLER: &str = "
    start s
    user work
    end e
    s -> work -> e
    handler watch
    in watch ~start note message note
    in watch user look
    in watch end seen
    note -> look -> seen
    handler stop
    in stop start halt message halt
    in stop user clean
    in stop end cleaned
    halt -> clean -> cleaned";

#[test]
fn event_sub_processes_run_beside_or_instead() {
    check(
        HANDLER,
        "
        steps:
          - message: { name: note, variables: { n: 1 } }
          - message: { name: note }
          - expect: { waiting: [look, look, work], variables: { n: 1 } }
          - complete: work
          - expect: { state: active, waiting: [look, look] }
          - complete: { node: look, instance: 1 }
          - complete: look
        expect: { state: completed, path: [s, note, note, work, e, look, seen, watch, look, seen, watch] }",
    );
    check(
        HANDLER,
        "
        steps:
          - message: { name: note }
          - message: { name: halt }
          - expect: { waiting: [clean] }
          - message: { name: note, ttl: PT0S }
          - expect: { waiting: [clean] }
          - complete: clean
        expect: { state: completed, ended_at: [], path: [s, note, halt, clean, cleaned, stop] }",
    );
}

#[test]
fn errors_reach_event_sub_processes_first() {
    let model = "
        start s
        sub inner
        on inner outside error *
        in inner start is
        in inner job work
        in inner handler rescue
        in rescue start caught error E
        in rescue script fix fixed = errorCode
        in rescue end fixed_end
        caught -> fix -> fixed_end
        is -> work
        end e
        end failed
        s -> inner -> e
        outside -> failed";
    check(
        model,
        "
        steps: [ { throw: { node: work, error: E } } ]
        expect: { state: completed, variables: { fixed: E }, path: [s, is, caught, fix, fixed_end, rescue, inner, e] }",
    );
    check(
        model,
        "
        steps: [ { throw: { node: work, error: F } } ]
        expect: { state: completed, ended_at: [failed], not_reached: [rescue] }",
    );
}

#[test]
fn an_interrupted_scope_forgets_tokens_at_joins() {
    check(
        "
        start s
        parallel fork
        pass a
        user b
        parallel join
        end e
        s -> fork -> a -> join -> e
        fork -> b -> join
        handler stop
        in stop start halt signal halt
        in stop end halted
        halt -> halted",
        "
        steps: [ { signal: { name: halt } } ]
        expect: { state: completed, not_reached: [join] }",
    );
}
