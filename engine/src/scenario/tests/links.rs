use super::check;

const TWO_TO_ONE: &str = "
    start s
    exclusive x
    user a
    throw from-a link done
    throw from-b link done
    catch here link done
    user last
    end e
    s -> x
    x -> a if big
    x -> from-b default
    a -> from-a
    here -> last -> e";

#[test]
fn several_throw_events_lead_to_one_catch_event() {
    check(
        TWO_TO_ONE,
        "
        start: { variables: { big: true } }
        steps:
          - complete: a
          - expect: { waiting: [last] }
          - complete: last
        expect: { state: completed, path: [s, x, a, from-a, here, last, e] }",
    );
    check(
        TWO_TO_ONE,
        "
        start: { variables: { big: false } }
        steps: [ { complete: last } ]
        expect: { state: completed, path: [s, x, from-b, here, last, e], not_reached: [a] }",
    );
}

#[test]
fn a_link_may_lead_back_and_an_endless_one_is_stopped() {
    let model = "
        start s
        catch again link again
        script count n = n + 1
        exclusive x
        throw back link again
        end e
        s -> count
        again -> count -> x
        x -> back if n < limit
        x -> e default";
    check(
        model,
        "
        start: { variables: { n: 0, limit: 3 } }
        expect: { state: completed, variables: { n: 3 }, counts: { back: 2, again: 2, count: 3 } }",
    );
    check(
        model,
        "
        start: { variables: { n: 0, limit: 1000000 } }
        steps:
          - expect: { state: active, incidents: [ { node: again, kind: limit_exceeded } ] }
          - resolve: { node: again, variables: { limit: 0 } }
        expect: { state: completed, incidents: [] }",
    );
}

#[test]
fn links_stay_inside_their_scope() {
    let model = "
        start s
        sub inner
        each inner items as item into out from seen
        in inner start is
        in inner throw go link next
        in inner catch come link next
        in inner script look seen = item
        is -> go
        come -> look
        throw out link next
        catch on link next
        user after
        end e
        s -> inner -> out
        on -> after -> e";
    check(
        model,
        "
        start: { variables: { items: [1, 2] } }
        steps:
          - expect: { waiting: [after], variables: { out: [1, 2] }, counts: { come: 2, on: 1 } }
          - complete: after
        expect: { state: completed }",
    );
}

#[test]
fn an_inclusive_join_waits_for_what_comes_by_a_link() {
    check(
        "
        start s
        inclusive split
        user a
        user b
        throw go link join
        catch come link join
        inclusive join
        end e
        s -> split
        split -> a if true
        split -> b if true
        a -> join
        b -> go
        come -> join
        join -> e",
        "
        steps:
          - complete: a
          - expect: { waiting: [b], not_reached: [join] }
          - complete: b
        expect: { state: completed, counts: { join: 1, e: 1 } }",
    );
}

#[test]
fn an_output_that_fails_keeps_the_token_before_the_link() {
    check(
        "
        start s
        throw go link l
        output go x = y
        catch come link l
        end e
        s -> go
        come -> e",
        "
        steps:
          - expect: { incidents: [ { node: go, kind: mapping_failed } ], not_reached: [come] }
          - resolve: { node: go, variables: { y: 1 } }
        expect: { state: completed, path: [s, go, come, e], variables: { x: 1 } }",
    );
}

#[test]
fn an_interrupted_scope_takes_its_links_with_it() {
    check(
        "
        start s
        sub inner
        on inner stop signal stop
        in inner start is
        in inner user work
        in inner throw go link l
        in inner catch come link l
        in inner user more
        is -> work -> go
        come -> more
        end e
        end stopped
        s -> inner -> e
        stop -> stopped",
        "
        steps:
          - complete: work
          - expect: { waiting: [more] }
          - signal: { name: stop }
        expect: { state: completed, ended_at: [stopped], waiting: [] }",
    );
}

#[test]
fn a_scope_without_a_start_event_does_not_begin_at_a_link() {
    check(
        "
        start s
        sub inner
        in inner user work
        in inner throw go link l
        in inner catch come link l
        in inner user more
        work -> go
        come -> more
        end e
        s -> inner -> e",
        "
        steps:
          - expect: { waiting: [work] }
          - complete: work
          - expect: { waiting: [more] }
          - complete: more
        expect: { state: completed, ended_at: [e] }",
    );
}
