use super::check;

const TRIP: &str = "
    start s
    job flight
    undo flight job cancel-flight
    job hotel
    undo hotel user cancel-hotel
    job car
    exclusive x
    throw back undo
    end e
    end sorry
    s -> flight -> hotel -> car -> x
    x -> back if failed
    x -> e default
    back -> sorry";

#[test]
fn what_completed_is_undone_the_latest_first() {
    let happy = "
        start: { variables: { failed: false } }
        steps: [ { complete: flight }, { complete: hotel }, { complete: car } ]
        expect: { state: completed, path: [s, flight, hotel, car, x, e] }";
    check(TRIP, happy);
    check(
        TRIP,
        "
        steps:
          - complete: flight
          - complete: hotel
          - complete: { node: car, variables: { failed: true } }
          - expect: { waiting: [cancel-hotel], not_reached: [cancel-flight, sorry] }
          - complete: { node: cancel-hotel, variables: { refund: 80 } }
          - expect: { waiting: [cancel-flight], variables: { refund: 80 } }
          - complete: cancel-flight
        expect:
          state: completed
          path: [s, flight, hotel, car, x, cancel-hotel, cancel-flight, back, sorry]",
    );
}

#[test]
fn without_anything_to_undo_the_event_goes_on() {
    check(
        "
        start s
        throw back undo
        end e undo
        s -> back -> e",
        "expect: { state: completed, path: [s, back, e] }",
    );
}

#[test]
fn one_activity_alone_is_undone_and_only_once() {
    check(
        "
        start s
        job a
        undo a job undo-a
        job b
        undo b job undo-b
        throw one undo a
        throw two undo a
        end all undo
        s -> a -> b -> one -> two -> all",
        "
        steps:
          - complete: a
          - complete: b
          - expect: { waiting: [undo-a] }
          - complete: undo-a
          - expect: { waiting: [undo-b], counts: { one: 1, two: 1 } }
          - complete: undo-b
        expect: { state: completed, counts: { undo-a: 1, undo-b: 1 } }",
    );
}

#[test]
fn each_turn_of_a_loop_is_undone() {
    check(
        "
        start s
        job a
        input a turn = n
        undo a script undo-a undone = append(undone, turn)
        script count n = n + 1
        exclusive x
        end e undo
        s -> a -> count -> x
        x -> a if n < 3
        x -> e default",
        "
        start: { variables: { n: 0, undone: [] } }
        steps: [ { complete: a }, { complete: a }, { complete: a } ]
        expect: { state: completed, variables: { undone: [2, 1, 0] } }",
    );
}

#[test]
fn the_thrower_need_not_wait() {
    check(
        "
        start s
        job a
        undo a user undo-a
        throw back undo &
        user next
        end e
        s -> a -> back -> next -> e",
        "
        steps:
          - complete: a
          - expect: { waiting: [undo-a, next], counts: { back: 1 } }
          - complete: next
          - expect: { state: active, waiting: [undo-a] }
          - complete: undo-a
        expect: { state: completed, ended_at: [e] }",
    );
}

#[test]
fn what_is_active_or_was_interrupted_is_not_undone() {
    check(
        "
        start s
        job a
        undo a job undo-a
        sub inner
        on inner late timer PT1H
        in inner start is
        in inner job b
        undo b job undo-b
        in inner user wait
        is -> b -> wait
        throw back undo
        end e
        s -> a
        s -> inner -> e
        late -> back -> e",
        "
        steps:
          - complete: b
          - advance: PT1H
        expect: { waiting: [a], counts: { back: 1 }, not_reached: [undo-a, undo-b] }",
    );
}

#[test]
fn every_completed_instance_of_a_multi_instance_activity_is_undone() {
    let model = "
        start s
        job send
        each send items as item
        undo send script undo-send undone = append(undone, item)
        end e undo
        s -> send -> e";
    check(
        model,
        "
        start: { variables: { items: [x, y, z], undone: [] } }
        steps:
          - complete: { node: send, instance: 1 }
          - complete: { node: send, instance: 1 }
          - complete: { node: send }
        expect: { state: completed, variables: { undone: [x, z, y] } }",
    );
    check(
        &model
            .replace("in items as item", "")
            .replace("end e undo", "user ask\nend e undo send")
            .replace("send -> e", "send -> ask -> e")
            .replace("as item", "as item until numberOfCompletedInstances >= 2"),
        "
        start: { variables: { items: [x, y, z], undone: [] } }
        steps: [ { complete: send }, { complete: send }, { complete: ask } ]
        expect: { state: completed, variables: { undone: [y, x] } }",
    );
}

#[test]
fn a_handler_that_is_multi_instance_undoes_all_at_once() {
    check(
        "
        start s
        job send
        each send items as item
        undo send job take-back
        each take-back items as item
        end e undo
        s -> send -> e",
        "
        start: { variables: { items: [x, y] } }
        steps:
          - complete: send
          - complete: send
          - expect: { waiting: [take-back, take-back] }
          - complete: take-back
          - complete: take-back
        expect: { state: completed, counts: { take-back: 2 } }",
    );
}

#[test]
fn two_throwers_share_what_there_is_to_undo() {
    check(
        "
        start s
        job a
        undo a user undo-a
        job b
        undo b user undo-b
        parallel fork
        throw one undo
        throw two undo
        end e
        end f
        s -> a -> b -> fork
        fork -> one -> e
        fork -> two -> f",
        "
        steps:
          - complete: a
          - complete: b
          - expect: { waiting: [undo-b], counts: { two: 1, one: 0 } }
          - complete: undo-b
          - complete: undo-a
        expect: { state: completed, ended_at: [f, e], counts: { undo-a: 1, undo-b: 1 } }",
    );
}

#[test]
fn a_handler_may_be_a_sub_process_that_throws_itself() {
    check(
        "
        start s
        job a
        undo a sub undo-a
        in undo-a start us
        in undo-a job one
        undo one job undo-one
        in undo-a user sure
        in undo-a throw again undo
        us -> one -> sure -> again
        end e undo
        s -> a -> e",
        "
        steps: [ { complete: a }, { complete: one }, { complete: sure }, { complete: undo-one } ]
        expect: { state: completed, path: [s, a, us, one, sure, undo-one, again, undo-a, e] }",
    );
}

#[test]
fn each_turn_of_a_loop_marker_is_undone() {
    check(
        "
        start s
        job a
        loop a while loopCounter < 2
        undo a script undo-a undone = append(undone, loopCounter)
        end e undo
        s -> a -> e",
        "
        start: { variables: { undone: [] } }
        steps: [ { complete: a }, { complete: a } ]
        expect: { state: completed, variables: { undone: [2, 1] } }",
    );
}

#[test]
fn what_undoes_is_none_of_the_activities_of_an_ad_hoc_sub_process() {
    check(
        "
        start s
        adhoc free begin [\"a\"] until done into out from n
        in free job a
        output a done = true
        output a n = 1
        undo a job undo-a
        end e undo
        s -> free -> e",
        "
        start: { variables: { done: false } }
        steps:
          - expect: { waiting: [a] }
          - complete: a
          - expect: { waiting: [undo-a], variables: { out: [1] } }
          - complete: { node: undo-a, variables: { n: 2 } }
        expect: { state: completed, variables: { out: [1] }, counts: { free: 1 } }",
    );
}

#[test]
fn a_call_is_undone_as_a_whole() {
    check(
        "
        start s
        call child other
        undo child call again other
        end e undo
        s -> child -> e
        process other
        start s
        job work
        end e
        s -> work -> e",
        "
        steps: [ { complete: work }, { complete: work } ]
        expect: { state: completed, path: [s, child, again, e] }",
    );
}

#[test]
fn a_handler_that_fails_is_an_incident_and_errors_are_caught_around_the_thrower() {
    let model = "
        start s
        sub inner
        on inner failed error NO
        in inner start is
        in inner job a
        undo a job undo-a
        in inner end back undo
        is -> a -> back
        end e
        end lost
        s -> inner -> e
        failed -> lost";
    check(
        model,
        "
        steps:
          - complete: a
          - fail: { node: undo-a, retries: 0, message: gone }
          - expect: { incidents: [ { node: undo-a, kind: job_failed } ], not_reached: [e] }
          - resolve: { node: undo-a }
          - complete: undo-a
        expect: { state: completed, ended_at: [e] }",
    );
    check(
        model,
        "
        steps:
          - complete: a
          - throw: { node: undo-a, error: NO }
        expect: { state: completed, ended_at: [lost], not_reached: [e] }",
    );
}

#[test]
fn an_interrupted_thrower_takes_its_handlers_with_it() {
    check(
        "
        start s
        sub inner
        on inner late timer PT1H
        in inner start is
        in inner job a
        undo a user undo-a
        in inner throw back undo
        is -> a -> back
        end e
        end l
        s -> inner -> e
        late -> l",
        "
        steps:
          - complete: a
          - expect: { waiting: [undo-a] }
          - advance: PT1H
        expect: { state: completed, ended_at: [l], waiting: [] }",
    );
}

#[test]
fn a_join_does_not_wait_for_what_is_undone() {
    check(
        "
        start s
        inclusive split
        sub inner
        in inner start is
        in inner job a
        undo a user undo-a
        is -> a
        job b
        throw back undo inner
        inclusive join
        end e
        parallel fork
        user slow
        s -> split
        split -> inner if true
        inner -> fork
        fork -> back -> slow -> e
        split -> b if true
        b -> join
        fork -> join -> e",
        "
        steps:
          - complete: a
          - expect: { waiting: [b, undo-a] }
          - complete: b
        expect: { waiting: [undo-a], counts: { join: 1 } }",
    );
}
