use super::check;

#[test]
fn a_receive_task_starts_the_process_with_its_message() {
    let model = "
        instantiate receive order new-order
        user work
        end e
        order -> work -> e";
    check(
        &format!("{model}\noutput order id = number"),
        "
        start: { message: { name: new-order, variables: { number: 7, noise: 1 } } }
        expect: { waiting: [work], variables: { id: 7 }, absent: [noise], path: [order] }",
    );
    let watched = "
        handler watch
        in watch ~start ws message changed key id
        in watch end we
        ws -> we";
    check(
        &format!("{model}{watched}"),
        "
        start: { message: { name: new-order, variables: { id: 7 } } }
        steps:
          - message: { name: changed, correlation: 7 }
          - complete: work
        expect: { state: completed, path: [order, ws, we, watch, work, e] }",
    );
}

const EITHER: &str = "
    instantiate events g
    catch by-mail message mail
    receive by-post letter
    catch by-rumour signal rumour
    user read
    end e
    g -> by-mail -> read -> e
    g -> by-post -> read
    g -> by-rumour -> read";

#[test]
fn the_event_that_comes_first_starts_the_process_and_is_the_only_one() {
    for (start, event) in [
        ("message: { name: mail, variables: { n: 1 } }", "by-mail"),
        ("message: { name: letter, variables: { n: 1 } }", "by-post"),
        ("signal: { name: rumour, variables: { n: 1 } }", "by-rumour"),
    ] {
        check(
            EITHER,
            &format!(
                "
        start: {{ {start} }}
        expect: {{ waiting: [read], variables: {{ n: 1 }}, path: [g, {event}] }}"
            ),
        );
    }
}

const BOTH: &str = "
    instantiate events g all
    catch order message order key id
    receive payment paid key id
    catch stock signal stock
    parallel join
    user ship
    end e
    g -> order -> join
    g -> payment -> join
    g -> stock -> join
    join -> ship -> e";

#[test]
fn the_other_events_find_the_instance_that_the_first_one_started() {
    check(
        BOTH,
        "
        start: { message: { name: paid, correlation: 7, variables: { id: 7, sum: 10 } } }
        steps:
          - expect: { waiting: [g], path: [payment] }
          - message: { name: order, correlation: 8, variables: { id: 8 } }
          - expect: { waiting: [g], path: [payment] }
          - message: { name: order, correlation: 7, variables: { item: x } }
          - expect: { waiting: [g], path: [payment, order] }
          - signal: { name: stock }
          - expect: { waiting: [ship] }
          - complete: ship
        expect: { state: completed, variables: { sum: 10, item: x }, counts: { g: 1, e: 1 } }",
    );
}

#[test]
fn an_event_that_cannot_be_waited_for_is_its_own_incident() {
    check(
        BOTH,
        "
        start: { signal: { name: stock } }
        steps:
          - expect:
              incidents: [ { node: order, kind: correlation_failed }, { node: payment } ]
              path: [stock]
          - resolve: { node: order, variables: { id: 7 } }
          - message: { name: order, correlation: 7 }
          - expect: { incidents: [ { node: payment } ], path: [stock, order] }
          - resolve: { node: payment }
          - message: { name: paid, correlation: 7 }
        expect: { waiting: [ship], incidents: [] }",
    );
}

#[test]
fn what_waits_beside_the_process_is_opened_by_its_first_event() {
    check(
        &format!(
            "{EITHER}
    handler watch
    in watch ~start ws message changed key id
    in watch end we
    ws -> we"
        ),
        "
        start: { message: { name: mail } }
        steps:
          - expect: { incidents: [ { node: by-mail, kind: correlation_failed } ], path: [g] }
          - resolve: { node: by-mail, variables: { id: 7 } }
          - expect: { waiting: [read], incidents: [] }
          - message: { name: changed, correlation: 7 }
        expect: { waiting: [read], counts: { we: 1 } }",
    );
}
