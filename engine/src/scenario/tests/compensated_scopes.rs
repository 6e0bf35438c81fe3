use super::check;

#[test]
fn a_sub_process_is_undone_by_what_undoes_its_inside_with_its_variables() {
    let model = "
        start s
        sub inner
        input inner room = 7
        output inner done = true
        in inner start is
        in inner job a
        undo a script undo-a log = append(log, \"a\" + string(room))
        in inner job b
        undo b user undo-b
        is -> a -> b
        job c
        undo c script undo-c log = append(log, \"c\")
        user ask
        end e undo
        s -> inner -> c -> ask -> e";
    check(
        model,
        "
        start: { variables: { log: [] } }
        steps:
          - complete: a
          - complete: b
          - complete: c
          - set: { variables: { done: false } }
          - complete: ask
          - expect: { waiting: [undo-b], variables: { log: [c] } }
          - set: { variables: { room: 8 }, scope: inner }
          - complete: undo-b
        expect:
          state: completed
          variables: { log: [c, a8], done: false }
          absent: [room]
          path: [s, is, a, b, inner, c, ask, undo-c, undo-b, undo-a, e]",
    );
}

#[test]
fn a_handler_of_a_sub_process_knows_its_variables_and_not_its_inside() {
    check(
        "
        start s
        sub inner
        input inner room = 7
        in inner start is
        in inner job a
        undo a job undo-a
        is -> a
        undo inner script undo-inner given-back = room
        end e undo inner
        s -> inner -> e",
        "
        steps: [ { complete: a } ]
        expect: { state: completed, variables: { given-back: 7 }, not_reached: [undo-a] }",
    );
    check(
        "
        start s
        sub inner
        in inner start is
        in inner job a
        undo a job undo-a
        is -> a
        undo inner sub back
        in back start bs
        in back throw again undo
        bs -> again
        end e undo
        s -> inner -> e",
        "
        steps: [ { complete: a } ]
        expect: { state: completed, counts: { again: 1 }, not_reached: [undo-a] }",
    );
}

#[test]
fn a_compensation_event_sub_process_decides_what_is_undone() {
    let model = "
        start s
        sub inner
        input inner room = 7
        in inner start is
        in inner job a
        undo a job undo-a
        in inner job b
        undo b job undo-b
        in inner handler back
        in back start bs undo
        in back user look
        in back throw only undo a
        in back end be
        is -> a -> b
        bs -> look -> only -> be
        end e undo
        s -> inner -> e";
    check(
        model,
        "
        steps:
          - complete: a
          - complete: b
          - expect: { waiting: [look] }
          - set: { variables: { room: 9 }, scope: look }
          - complete: look
          - expect: { waiting: [undo-a] }
          - complete: undo-a
        expect:
          state: completed
          not_reached: [undo-b]
          path: [s, is, a, b, inner, bs, look, undo-a, only, be, back, e]",
    );
}

#[test]
fn every_instance_of_a_sub_process_is_undone_with_its_own_variables() {
    check(
        "
        start s
        sub order
        each order items as item sequential
        in order start os
        in order job a
        undo a script undo-a undone = append(undone, item)
        os -> a
        end e undo
        s -> order -> e",
        "
        start: { variables: { items: [x, y], undone: [] } }
        steps: [ { complete: a }, { complete: a } ]
        expect: { state: completed, variables: { undone: [y, x] } }",
    );
}

#[test]
fn an_error_handler_of_a_sub_process_undoes_what_the_sub_process_did() {
    check(
        "
        start s
        job before
        undo before job undo-before
        sub inner
        in inner start is
        in inner job a
        undo a job undo-a
        in inner job b
        undo b job undo-b
        in inner handler failed
        in failed start fs error *
        in failed throw back undo
        in failed end fe
        is -> a -> b
        fs -> back -> fe
        end e
        s -> before -> inner -> e",
        "
        steps:
          - complete: before
          - complete: a
          - throw: { node: b, error: FULL }
          - expect: { waiting: [undo-a] }
          - complete: undo-a
        expect: { state: completed, ended_at: [e], not_reached: [undo-before, undo-b] }",
    );
}

#[test]
fn what_guarded_a_sub_process_does_not_guard_its_undoing() {
    check(
        "
        start s
        sub inner
        on inner failed error *
        in inner start is
        in inner job a
        undo a job undo-a
        in inner handler heard
        in heard start hs error *
        in heard user look
        hs -> look
        is -> a
        end e undo
        s -> inner -> e",
        "
        steps:
          - complete: a
          - throw: { node: undo-a, error: NO }
        expect: { incidents: [ { node: undo-a, kind: unhandled_error } ], not_reached: [look, failed] }",
    );
}
