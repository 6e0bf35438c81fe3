use super::{check, outcome};

const CHECKS: &str = "
    start s
    adhoc checks begin first
    in checks user a
    in checks user b
    in checks user c
    a -> c
    end e
    s -> checks -> e";

#[test]
fn a_collection_says_what_begins() {
    check(
        CHECKS,
        "
        start: { variables: { first: [b, a, b] } }
        steps:
          - expect: { waiting: [a, b, b] }
          - complete: b
          - complete: { node: a, variables: { seen: true } }
          - expect: { waiting: [b, c], state: active, variables: { seen: true } }
          - complete: c
          - complete: b
        expect: { state: completed, path: [s, b, a, c, b, checks, e] }",
    );
}

#[test]
fn what_is_named_twice_in_a_row_begins_twice_one_after_the_other() {
    check(
        "
    start s
    adhoc turns begin first sequential
    in turns user a
    in turns user b
    end e
    s -> turns -> e",
        "
        start: { variables: { first: [a, a, b, b] } }
        steps:
          - expect: { waiting: [a] }
          - complete: a
          - expect: { waiting: [a], state: active }
          - complete: a
          - expect: { waiting: [b] }
          - complete: b
          - complete: b
        expect: { state: completed, path: [s, a, a, b, b, turns, e] }",
    );
}

#[test]
fn without_anything_to_begin_it_waits_to_be_told() {
    check(
        CHECKS,
        "
        start: { variables: { first: [] } }
        steps:
          - expect: { state: active, waiting: [] }
          - activate: { node: b, variables: { why: late } }
          - activate: a
          - expect: { waiting: [a, b], absent: [why] }
          - complete: b
          - complete: a
          - activate: b
          - complete: c
          - complete: b
        expect: { state: completed, ended_at: [e] }"
            .replace("activate: a", "activate: { node: a }")
            .replace("activate: b", "activate: { node: b }")
            .as_str(),
    );
}

#[test]
fn what_undoes_an_activity_is_none_of_those_that_run_one_at_a_time() {
    check(
        "
    start s
    adhoc turns until over sequential
    in turns user book
    in turns undo book user unbook
    in turns throw back undo
    in turns user call
    end e
    s -> turns -> e",
        "
        start: { variables: { over: false } }
        steps:
          - activate: { node: book }
          - complete: book
          - activate: { node: back }
          - expect: { waiting: [unbook] }
          - activate: { node: call }
          - expect: { waiting: [unbook, call] }
          - complete: { node: call, variables: { over: true } }
        expect: { state: completed, ended_at: [e] }",
    );
}

#[test]
fn the_conditions_of_a_gateway_see_what_it_is_activated_with() {
    for gateway in ["exclusive", "inclusive"] {
        check(
            &"
    start s
    adhoc route
    in route GATEWAY kind
    in route user letter
    in route user parcel
    kind -> letter if weight <= 20
    kind -> parcel default
    end e
    s -> route -> e"
                .replace("GATEWAY", gateway),
            "
        start: { variables: { weight: 5 } }
        steps:
          - activate: { node: kind, variables: { weight: 50 } }
          - activate: { node: kind }
          - expect: { waiting: [parcel, letter], variables: { weight: 5 } }
          - complete: parcel
          - complete: letter
        expect: { state: completed, ended_at: [e] }",
        );
    }
}

#[test]
fn only_what_nothing_leads_to_is_enabled() {
    let steps = "
        start: { variables: { first: [] } }
        steps: [ { activate: { node: c } } ]";
    let wrong = outcome(CHECKS, steps).unwrap();
    assert!(wrong.actual.contains("what can: a, b"), "{wrong}");
    for first in ["[c]", "[nobody]", "[s]", "[7]", "b"] {
        check(
            CHECKS,
            &format!(
                "
                start: {{ variables: {{ first: {first} }} }}
                steps:
                  - expect: {{ incidents: [ {{ node: checks, kind: expression_failed }} ] }}
                  - resolve: {{ node: checks, variables: {{ first: [b] }} }}
                  - complete: b
                expect: {{ state: completed }}"
            ),
        );
    }
}

/// Ends when enough was done; the flow leads on as long as it is not.
const UNTIL: &str = "
    start s
    adhoc checks until done
    in checks user a
    in checks user b
    in checks catch note message note
    a -> b
    end e
    s -> checks -> e";

#[test]
fn the_completion_condition_cancels_what_remains() {
    check(
        UNTIL,
        "
        start: { variables: { done: false } }
        steps:
          - activate: { node: a }
          - activate: { node: a }
          - activate: { node: note }
          - expect: { waiting: [a, a, note] }
          - complete: a
          - expect: { waiting: [a, b, note] }
          - complete: b
          - expect: { waiting: [a, note], state: active }
          - complete: { node: a, variables: { done: true } }
        expect: { state: completed, path: [s, a, b, a, checks, e] }",
    );
}

#[test]
fn or_lets_it_come_to_its_end_without_anything_new() {
    let keeping = UNTIL.replace("until done", "until done keeping");
    check(
        &keeping,
        "
        start: { variables: { done: false } }
        steps:
          - activate: { node: a }
          - activate: { node: a }
          - activate: { node: note }
          - complete: { node: a, variables: { done: true } }
          - expect: { waiting: [a], state: active }
          - complete: { node: a, variables: { done: false } }
        expect: { state: completed, path: [s, a, a, checks, e], not_reached: [b] }",
    );
    let late = "
        start: { variables: { done: true } }
        steps:
          - activate: { node: a }
          - activate: { node: a }
          - complete: a
          - activate: { node: a }";
    assert!(outcome(&keeping, late).is_some());
}

#[test]
fn a_sub_process_with_a_condition_stays_open_until_it_holds() {
    check(
        UNTIL,
        "
        start: { variables: { done: false } }
        steps:
          - activate: { node: a }
          - complete: a
          - complete: b
          - expect: { state: active, waiting: [] }
          - set: { variables: { done: true } }
          - expect: { state: active }
          - activate: { node: a }
          - complete: a
        expect: { state: completed, counts: { a: 2, b: 1 } }",
    );
}

/// A before B; C whenever; never two at once.
const TURNS: &str = "
    start s
    adhoc turns until n >= 3 sequential
    in turns user a
    output a n = n + 1
    in turns user b
    output b n = n + 1
    in turns user c
    output c n = n + 1
    a -> b
    end e
    s -> turns -> e";

#[test]
fn a_sequential_one_does_one_activity_at_a_time() {
    for order in [["a", "b", "c"], ["a", "c", "b"], ["c", "a", "b"]] {
        let steps: String = order
            .iter()
            .map(|id| {
                format!(
                    "
          - activate: {{ node: {id} }}
          - expect: {{ waiting: [{id}] }}
          - complete: {id}"
                )
            })
            .collect();
        check(
            TURNS,
            &format!(
                "
        start: {{ variables: {{ n: 0 }} }}
        steps:{steps}
        expect: {{ state: completed, path: [s, {}, turns, e] }}",
                order.join(", ")
            ),
        );
    }
    for (steps, why) in [
        ("[ { activate: { node: a } }, { activate: { node: c } } ]", "one activity at a time"),
        ("[ { activate: { node: b } } ]", "what can: a, c"),
        (
            "[ { activate: { node: a } }, { complete: a }, { activate: { node: nobody } } ]",
            "no element",
        ),
    ] {
        let text = format!("start: {{ variables: {{ n: 0 }} }}\nsteps: {steps}");
        let wrong = outcome(TURNS, &text).unwrap();
        assert!(wrong.actual.contains(why), "{wrong}");
    }
}

#[test]
fn a_sequential_collection_goes_by_itself() {
    let model = TURNS.replace("until n >= 3 sequential", "begin [\"a\", \"c\"] sequential");
    check(
        &model,
        "
        start: { variables: { n: 0 } }
        steps:
          - expect: { waiting: [a] }
          - complete: a
          - expect: { waiting: [c] }
          - complete: c
          - expect: { waiting: [b] }
          - complete: b
        expect: { state: completed, path: [s, a, c, b, turns, e], variables: { n: 3 } }",
    );
}

#[test]
fn boundaries_handlers_and_markers_work_inside_and_around() {
    check(
        "
        start s
        adhoc checks until false
        on checks stop signal stop
        in checks user a
        each a [1, 2] as item
        in checks job b
        on b failed error E
        in checks user repair
        failed -> repair
        in checks handler watch
        in watch ~start ws signal look
        in watch user look
        ws -> look
        end e
        end stopped
        s -> checks -> e
        stop -> stopped",
        "
        steps:
          - activate: { node: a }
          - activate: { node: b }
          - expect: { waiting: [a, a, b] }
          - throw: { node: b, error: E }
          - signal: { name: look }
          - expect: { waiting: [a, a, repair, look] }
          - complete: look
          - complete: a
          - complete: a
          - complete: repair
          - expect: { state: active, waiting: [] }
          - signal: { name: stop }
        expect: { state: completed, ended_at: [stopped] }",
    );
}

#[test]
fn an_interrupting_handler_takes_its_place() {
    check(
        "
        start s
        adhoc checks until false
        in checks user a
        in checks handler halt
        in halt start hs signal halt
        in halt user clean
        hs -> clean
        end e
        s -> checks -> e",
        "
        steps:
          - activate: { node: a }
          - signal: { name: halt }
          - expect: { waiting: [clean] }
          - complete: clean
        expect: { state: completed, path: [s, hs, clean, halt, checks, e] }",
    );
}

#[test]
fn a_modification_starts_what_is_inside() {
    check(
        "
        start s
        user before
        adhoc checks
        in checks sub deep
        in deep start ds
        in deep user a
        ds -> a
        end e
        s -> before -> checks -> e",
        "
        steps:
          - activate: { node: a }
          - expect: { waiting: [a, before] }
          - complete: a
          - expect: { waiting: [before], counts: { checks: 1, e: 1 } }
          - complete: before
          - expect: { state: active, waiting: [] }
          - activate: { node: deep }
          - complete: a
        expect: { state: completed, counts: { checks: 2, e: 2 } }",
    );
}

#[test]
fn results_are_collected_when_nothing_follows() {
    let model = "
        start s
        adhoc checks begin [\"b\", \"a\"] into results from answer keeping
        in checks user a
        in checks user b
        in checks user c
        output c answer = [answer, said]
        in checks throw go link over
        in checks catch come link over
        a -> go
        come -> c
        end e
        end none
        s -> checks
        checks -> e if count(results) = 2
        checks -> none default";
    check(
        model,
        "
        steps:
          - complete: { node: a, variables: { answer: 1 } }
          - complete: { node: b, variables: { answer: 2 } }
          - expect: { waiting: [c], absent: [results] }
          - complete: { node: c, variables: { said: 3 } }
        expect:
          state: completed
          ended_at: [e]
          variables: { results: [2, [2, 3]] }
          absent: [said]",
    );
    check(
        model,
        "
        steps:
          - complete: b
          - expect: { waiting: [a], incidents: [ { node: b, kind: expression_failed } ] }
          - resolve: { node: b, variables: { answer: 2 } }
          - complete: a
          - complete: { node: c, variables: { said: 3 } }
        expect: { state: completed, variables: { results: [2, [2, 3]] } }",
    );
}

#[test]
fn one_that_repeats_and_one_in_a_called_process() {
    check(
        "
        start s
        call child other
        end e
        s -> child -> e
        process other
        start os
        adhoc some
        loop some max 2
        in some user a
        end oe
        os -> some -> oe",
        "
        steps:
          - activate: { node: a }
          - complete: a
          - expect: { state: active }
          - activate: { node: a }
          - complete: a
        expect: { state: completed }",
    );
}

#[test]
fn a_condition_that_fails_is_an_incident_of_the_activity() {
    check(
        UNTIL,
        "
        steps:
          - activate: { node: a }
          - complete: a
          - expect: { incidents: [ { node: a, kind: expression_failed } ] }
          - resolve: { node: a, variables: { done: true } }
        expect: { state: completed, counts: { a: 1 }, not_reached: [b] }",
    );
}

#[test]
fn policies_guard_what_is_activated() {
    let guarded = format!(
        "{UNTIL}
    policy a on activate condition attempt.why != null"
    );
    let steps = |variables: &str| {
        format!(
            "
        start: {{ variables: {{ done: true }} }}
        steps: [ {{ activate: {{ node: a, variables: {variables} }} }}, {{ complete: a }} ]
        expect: {{ state: completed }}"
        )
    };
    check(&guarded, &steps("{ why: late }"));
    let wrong = outcome(&guarded, &steps("{}")).unwrap();
    assert!(wrong.actual.contains("refused as"), "{wrong}");
}
