use super::check;

/// Two of three are enough; what comes later is counted by its own path.
const TWO_OF_THREE: &str = "
    start s
    parallel fork
    user a
    user b
    user c
    complex join activationCount >= 2
    user next
    script count late = late + 1
    end e
    end counted
    s -> fork -> a -> join
    fork -> b -> join
    fork -> c -> join
    join -> next if waitingForStart
    join -> count if not(waitingForStart)
    next -> e
    count -> counted";

#[test]
fn enough_tokens_start_it_and_the_others_reset_it() {
    check(
        TWO_OF_THREE,
        "
        start: { variables: { late: 0 } }
        steps:
          - complete: b
          - expect: { waiting: [a, c], not_reached: [join] }
          - complete: c
          - expect: { waiting: [a, next], counts: { join: 1 } }
          - complete: a
          - expect: { waiting: [next], counts: { join: 2 }, variables: { late: 1 } }
          - complete: next
        expect: { state: completed, ended_at: [counted, e], counts: { next: 1 } }",
    );
}

#[test]
fn a_reset_sends_nothing_along_a_flow_without_a_condition() {
    check(
        "
        start s
        parallel fork
        user a
        user b
        complex first activationCount >= 1
        user next
        end e
        s -> fork -> a -> first
        fork -> b -> first
        first -> next -> e",
        "
        steps:
          - complete: b
          - expect: { waiting: [a, next] }
          - complete: next
          - expect: { waiting: [a], state: active, ended_at: [e] }
          - complete: a
        expect: { state: completed, counts: { first: 1, next: 1 }, ended_at: [e] }",
    );
}

#[test]
fn the_default_flow_takes_what_comes_late() {
    check(
        "
        start s
        parallel fork
        pass a
        user b
        complex first activationCount >= 1
        pass next
        pass late
        end e
        s -> fork -> a -> first
        fork -> b -> first
        first -> next if waitingForStart
        first -> late default
        next -> e
        late -> e",
        "
        steps: [ { expect: { waiting: [b], counts: { next: 1 } } }, { complete: b } ]
        expect: { state: completed, counts: { first: 2, next: 1, late: 1, e: 2 } }",
    );
}

/// The gateway lies in a loop: a turn ends with the reset.
const IN_A_LOOP: &str = "
    start s
    exclusive again
    inclusive fork
    user a
    user b
    user c
    exclusive x
    end aside
    complex join activationCount >= 1
    user next
    exclusive more
    end e
    s -> again -> fork
    fork -> a if true
    fork -> b if with_b
    fork -> c if with_c
    a -> join
    b -> join
    c -> x
    x -> join if back
    x -> aside default
    join -> next -> more
    more -> again if n < 2
    more -> e default";

#[test]
fn it_is_reset_when_nothing_more_can_come() {
    check(
        IN_A_LOOP,
        "
        start: { variables: { n: 1, with_b: false, with_c: true, back: false } }
        steps:
          - complete: a
          - expect: { waiting: [c, next] }
          - complete: { node: next, variables: { n: 2 } }
          - expect: { state: active, waiting: [c] }
          - complete: c
        expect: { state: completed, ended_at: [e, aside], counts: { join: 1 } }",
    );
}

#[test]
fn a_second_token_on_a_flow_waits_for_the_next_turn() {
    check(
        IN_A_LOOP,
        "
        start: { variables: { n: 1, with_b: true, with_c: false, back: false } }
        steps:
          - complete: a
          - complete: next
          - expect: { waiting: [a, b, b], counts: { join: 1 } }
          - complete: a
          - expect: { waiting: [b, b], counts: { join: 1 } }
          - complete: b
          - expect: { waiting: [b, next], counts: { join: 2 } }
          - complete: { node: next, variables: { n: 2 } }
          - complete: b
        expect: { state: completed, ended_at: [e], counts: { join: 2, next: 2, b: 2 } }",
    );
}

#[test]
fn the_condition_is_looked_at_again_when_data_changes() {
    check(
        TWO_OF_THREE.replace(">= 2", ">= enough").as_str(),
        "
        start: { variables: { late: 0 } }
        steps:
          - complete: a
          - expect: { waiting: [b, c] }
          - set: { variables: { enough: 1 } }
          - expect: { waiting: [b, c, next], counts: { join: 1 } }
          - complete: b
          - complete: c
        expect: { waiting: [next], counts: { join: 2 }, variables: { late: 1 } }",
    );
}

#[test]
fn it_splits_by_conditions() {
    let model = "
        start s
        complex split
        pass a
        pass b
        pass other
        end e
        s -> split
        split -> a if n > 1
        split -> b if n > 2
        split -> other default
        a -> e
        b -> e
        other -> e";
    for (n, path) in [(3, "a, b, e"), (2, "a"), (1, "other")] {
        check(
            model,
            &format!(
                "
                start: {{ variables: {{ n: {n} }} }}
                expect: {{ state: completed, path_any_order: [s, split, e, {path}] }}"
            ),
        );
    }
}

#[test]
fn what_fails_is_an_incident_and_is_tried_again() {
    let wrong = TWO_OF_THREE.replace("activationCount >= 2", "enough");
    check(
        &wrong,
        "
        start: { variables: { late: 0, enough: 1 } }
        steps:
          - complete: a
          - expect: { waiting: [b, c], incidents: [ { node: join, kind: expression_failed } ] }
          - complete: b
          - expect: { waiting: [c], incidents: [ { node: join, kind: expression_failed } ] }
          - resolve: { node: join, variables: { enough: true } }
          - expect: { waiting: [c, next], incidents: [], counts: { join: 1 } }
          - complete: next
          - complete: c
        expect: { state: completed, variables: { late: 1 } }",
    );
    let inside = "
        start s
        sub inner
        in inner start is
        in inner user a
        in inner complex only enough
        in inner user next
        is -> a -> only -> next
        end e
        s -> inner -> e";
    check(
        inside,
        "
        start: { variables: { enough: 1 } }
        steps:
          - complete: a
          - expect: { incidents: [ { node: only, kind: expression_failed } ] }
          - resolve: { node: only, variables: { enough: true } }
          - complete: next
        expect: { state: completed, path: [s, is, a, only, next, inner, e] }",
    );
    let no_way = "
        start s
        parallel fork
        user a
        user b
        complex first activationCount >= 1
        end e
        s -> fork -> a -> first
        fork -> b -> first
        first -> e if go";
    check(
        no_way,
        "
        start: { variables: { go: false } }
        steps:
          - complete: a
          - expect: { waiting: [b], incidents: [ { node: first, kind: no_flow_taken } ] }
          - complete: b
          - expect: { waiting: [], incidents: [ { node: first, kind: no_flow_taken } ] }
          - resolve: { node: first, variables: { go: true } }
        expect: { state: completed, ended_at: [e, e], counts: { first: 2 } }",
    );
}

#[test]
fn an_interrupted_scope_forgets_what_its_gateway_waited_for() {
    check(
        "
        start s
        sub inner
        in inner start is
        in inner parallel fork
        in inner user a
        in inner user b
        in inner complex first activationCount >= 1
        in inner user next
        is -> fork -> a -> first
        fork -> b -> first
        first -> next
        in inner handler halt
        in halt start hs signal halt
        in halt user clean
        hs -> clean
        end e
        s -> inner -> e",
        "
        steps:
          - complete: a
          - expect: { waiting: [b, next] }
          - signal: { name: halt }
          - expect: { waiting: [clean] }
          - complete: clean
        expect: { state: completed, ended_at: [e] }",
    );
}
