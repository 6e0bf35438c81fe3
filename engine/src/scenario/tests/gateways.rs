use super::check;

const AMOUNTS: &str = "
    start s
    exclusive x
    user approve
    pass auto
    end paid
    end done
    s -> x
    x -> approve if amount > 1000
    x -> auto default
    approve -> paid
    auto -> done";

#[test]
fn exclusive_takes_the_first_that_holds_or_the_default() {
    check(
        AMOUNTS,
        "
        start: { variables: { amount: 1200 } }
        steps:
          - expect: { waiting: [approve], state: active }
          - complete: approve
        expect: { state: completed, path: [s, x, approve, paid], ended_at: [paid], not_reached: [auto] }",
    );
    check(
        AMOUNTS,
        "
        start: { variables: { amount: 10.5 } }
        expect: { state: completed, path: [s, x, auto, done], waiting: [] }",
    );
}

#[test]
fn parallel_forks_and_joins() {
    let model = "
        start s
        parallel fork
        user a
        user b
        parallel join
        end e
        s -> fork -> a -> join -> e
        fork -> b -> join";
    check(
        model,
        "
        steps:
          - expect: { waiting: [b, a] }
          - complete: b
          - expect: { waiting: [a], state: active }
          - complete: a
        expect:
          state: completed
          path: [s, fork, b, a, join, e]
          counts: { join: 1, fork: 1, e: 1 }",
    );
}

#[test]
fn a_parallel_join_in_a_loop_joins_each_time() {
    let model = "
        start s
        exclusive again
        parallel fork
        pass a
        pass b
        parallel join
        script count n = n + 1
        exclusive more
        end e
        s -> again -> fork -> a -> join -> count -> more
        fork -> b -> join
        more -> again if n < 3
        more -> e default";
    check(
        model,
        "
        start: { variables: { n: 0 } }
        expect: { state: completed, counts: { join: 3, e: 1 }, variables: { n: 3.0 } }",
    );
}

const MULTI: &str = "
    start s
    inclusive split
    user a
    user b
    user c
    inclusive join
    end e
    s -> split
    split -> a if x > 1
    split -> b if x > 2
    split -> c default
    a -> join
    b -> join
    c -> join
    join -> e";

#[test]
fn inclusive_takes_all_that_hold_and_joins_what_can_come() {
    check(
        MULTI,
        "
        start: { variables: { x: 3 } }
        steps:
          - expect: { waiting: [a, b] }
          - complete: a
          - expect: { waiting: [b], not_reached: [join] }
          - complete: b
        expect: { state: completed, counts: { join: 1, e: 1 } }",
    );
    check(
        MULTI,
        "
        start: { variables: { x: 2 } }
        steps: [ { complete: a } ]
        expect: { state: completed, counts: { join: 1 }, not_reached: [b, c] }",
    );
    check(
        MULTI,
        "
        start: { variables: { x: 0 } }
        steps: [ { complete: c } ]
        expect: { state: completed, path: [s, split, c, join, e] }",
    );
}

#[test]
fn an_inclusive_join_no_longer_waits_for_a_path_that_ended() {
    let model = "
        start s
        inclusive split
        user a
        user b
        exclusive x
        end aside
        inclusive join
        end e
        s -> split
        split -> a if true
        split -> b if true
        a -> join
        b -> x
        x -> join if back
        x -> aside default
        join -> e";
    check(
        model,
        "
        start: { variables: { back: false } }
        steps:
          - complete: a
          - expect: { waiting: [b] }
          - complete: b
        expect: { state: completed, ended_at: [aside, e] }",
    );
}

#[test]
fn several_flows_fork_and_an_activity_may_choose() {
    check(
        "
        start s
        user a
        user b
        end e
        s -> a -> e
        s -> b -> e",
        "
        steps: [ { complete: a }, { complete: b } ]
        expect: { state: completed, counts: { e: 2 }, ended_at: [e, e] }",
    );
    let model = "
        start s
        pass choose
        pass big
        pass even
        pass other
        end e
        s -> choose
        choose -> big if n > 10
        choose -> even if modulo(n, 2) = 0
        choose -> other default
        big -> e
        even -> e
        other -> e";
    for (n, path) in [(12, "big, even"), (11, "big"), (3, "other")] {
        let ends = path.split(',').map(|_| "e").collect::<Vec<_>>().join(", ");
        check(
            model,
            &format!(
                "
                start: {{ variables: {{ n: {n} }} }}
                expect: {{ state: completed, path_any_order: [s, choose, {path}, {ends}] }}"
            ),
        );
    }
}

#[test]
fn the_first_event_decides_the_path() {
    let model = "
        start s
        events g
        catch paid message paid key order
        catch late timer PT24H
        receive call call-back
        end done
        end reminded
        end called
        s -> g -> paid -> done
        g -> late -> reminded
        g -> call -> called";
    let start = "start: { variables: { order: 42 } }";
    check(
        model,
        &format!(
            "{start}
steps:
  - expect: {{ waiting: [g], path: [s] }}
  - message: {{ name: paid, correlation: \"41\", ttl: PT0S }}
  - expect: {{ waiting: [g] }}
  - message: {{ name: paid, correlation: 42.0, variables: {{ sum: 3 }} }}
expect: {{ state: completed, path: [s, g, paid, done], variables: {{ sum: 3 }} }}"
        ),
    );
    check(
        model,
        &format!(
            "{start}
steps:
  - advance: PT23H59M59S
  - expect: {{ waiting: [g] }}
  - advance: PT1S
expect: {{ state: completed, ended_at: [reminded] }}"
        ),
    );
    check(
        model,
        &format!(
            "{start}
steps: [ {{ message: {{ name: call-back }} }} ]
expect: {{ state: completed, path: [s, g, call, called] }}"
        ),
    );
}
