use super::check;

const BOOKING: &str = "
    start s
    transaction book
    on book cancelled cancel
    on book broken error *
    on book late timer PT1H
    in book start bs
    in book parallel fork
    in book job pay
    undo pay job refund
    in book sub seat
    input seat place = 7
    in seat start ss
    in seat job hold
    undo hold script undo-hold released = place
    in seat user confirm
    ss -> hold -> confirm
    in book exclusive x
    in book end no cancel
    in book end yes
    bs -> fork
    fork -> pay -> x
    fork -> seat -> yes
    x -> no if declined
    x -> yes default
    end e
    end sorry
    end failed
    s -> book -> e
    cancelled -> sorry
    broken -> failed
    late -> failed";

#[test]
fn a_transaction_that_is_not_cancelled_is_a_sub_process() {
    check(
        BOOKING,
        "
        start: { variables: { declined: false } }
        steps: [ { complete: hold }, { complete: pay }, { complete: confirm } ]
        expect: { state: completed, ended_at: [e], not_reached: [refund, cancelled] }",
    );
}

#[test]
fn a_cancelled_transaction_undoes_what_was_done_and_leaves_by_its_cancel_event() {
    check(
        BOOKING,
        "
        steps:
          - complete: hold
          - complete: { node: pay, variables: { declined: true } }
          - expect: { waiting: [refund], variables: { released: 7 }, not_reached: [sorry] }
          - complete: refund
        expect:
          state: completed
          ended_at: [sorry]
          path: [s, bs, fork, ss, hold, pay, x, undo-hold, refund, no, cancelled, sorry]",
    );
}

#[test]
fn an_error_and_a_timer_leave_without_undoing() {
    for step in ["throw: { node: pay, error: NO }", "advance: PT1H"] {
        check(
            BOOKING,
            &format!(
                "
        steps: [ {{ complete: hold }}, {{ {step} }} ]
        expect: {{ state: completed, ended_at: [failed], not_reached: [refund, undo-hold] }}"
            ),
        );
    }
}

#[test]
fn an_error_while_it_is_undone_leaves_by_the_error_event() {
    check(
        BOOKING,
        "
        steps:
          - complete: hold
          - complete: { node: pay, variables: { declined: true } }
          - throw: { node: refund, error: NO }
        expect: { state: completed, ended_at: [failed], not_reached: [sorry] }",
    );
}

#[test]
fn a_completed_transaction_can_be_undone_from_outside() {
    check(
        &BOOKING.replace("end e\n", "end e undo book\n"),
        "
        start: { variables: { declined: false } }
        steps:
          - complete: hold
          - complete: pay
          - complete: confirm
          - complete: refund
        expect: { state: completed, ended_at: [e], variables: { released: 7 } }",
    );
}

#[test]
fn the_first_instance_that_is_cancelled_leaves_with_all_of_them() {
    check(
        "
        start s
        transaction book
        each book items as item
        on book cancelled cancel
        in book start bs
        in book job pay
        undo pay script undo-pay undone = append(undone, item)
        in book exclusive x
        in book end no cancel
        in book user wait
        bs -> pay -> x
        x -> no if item = declined
        x -> wait default
        end e
        end sorry
        s -> book -> e
        cancelled -> sorry",
        "
        start: { variables: { items: [a, b], undone: [], declined: b } }
        steps: [ { complete: pay }, { complete: pay } ]
        expect: { state: completed, ended_at: [sorry], variables: { undone: [b] } }",
    );
}
