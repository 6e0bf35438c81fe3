use super::check;

#[test]
fn an_activity_takes_several_tokens_whichever_flows_they_come_on() {
    check(
        "
        start s
        user a
        user b
        user both
        quantity both 2 1
        end e
        s -> a -> both
        s -> b -> both
        both -> e",
        "
        steps:
          - complete: a
          - expect: { waiting: [b], not_reached: [both] }
          - complete: b
          - expect: { waiting: [both] }
          - complete: both
        expect: { state: completed, counts: { both: 1 } }",
    );
}

#[test]
fn an_activity_gives_several_tokens_on_each_flow() {
    check(
        "
        start s
        user cut
        quantity cut 1 3
        user eat
        user clean
        user end-of-day
        quantity end-of-day 6 1
        end e
        s -> cut -> eat -> end-of-day -> e
        cut -> clean -> end-of-day",
        "
        steps:
          - complete: cut
          - expect: { waiting: [clean, clean, clean, eat, eat, eat] }
          - complete: eat
          - complete: eat
          - complete: eat
          - complete: clean
          - complete: clean
          - expect: { waiting: [clean], not_reached: [end-of-day] }
          - complete: clean
          - complete: end-of-day
        expect: { state: completed, counts: { eat: 3, clean: 3, end-of-day: 1 } }",
    );
}

#[test]
fn tokens_that_become_more_and_more_are_stopped() {
    check(
        "
        start s
        pass more
        quantity more 1 1000
        s -> more -> more",
        "expect: { state: active, waiting: [] }",
    );
    check(
        "
        start s
        pass many
        quantity many 1 4000000000
        end e
        s -> many -> e",
        "expect: { incidents: [ { node: many, kind: limit_exceeded } ] }",
    );
}

#[test]
fn a_multi_instance_activity_begins_once_with_its_tokens() {
    check(
        "
        start s
        user a
        quantity a 1 2
        user each
        each each 2 times
        quantity each 2 2
        user then
        end e
        s -> a -> each -> then -> e",
        "
        steps:
          - complete: a
          - expect: { waiting: [each, each] }
          - complete: each
          - complete: each
        expect: { waiting: [then, then] }",
    );
}

#[test]
fn tokens_that_are_too_few_keep_their_scope_until_it_ends_otherwise() {
    check(
        "
        start s
        sub part
        on part late timer PT1H
        in part start ps
        in part user a
        in part user b
        quantity b 2 1
        end e
        ps -> a -> b
        s -> part -> e
        late -> e",
        "
        steps:
          - complete: a
          - expect: { state: active, waiting: [], not_reached: [b] }
          - advance: PT1H
        expect: { state: completed, path: [s, ps, a, late, e] }",
    );
}

const SECTIONS: &str = "
    start s
    user a
    user x
    section x device
    user b
    sub y
    section y device
    in y start ys
    in y user z
    ys -> z
    on y off message off key 1
    user other
    section other desk
    end e
    s -> a -> x -> e
    s -> b -> y -> e
    s -> other -> e
    off -> e";

#[test]
fn one_critical_section_of_a_name_runs_at_a_time() {
    check(
        SECTIONS,
        "
        steps:
          - expect: { waiting: [a, b, other] }
          - complete: b
          - complete: a
          - expect: { waiting: [other, z], not_reached: [x] }
          - complete: z
          - expect: { waiting: [other, x] }
          - complete: x
          - complete: other
        expect: { state: completed, counts: { x: 1, y: 1 } }",
    );
}

#[test]
fn a_section_that_is_interrupted_is_left() {
    check(
        SECTIONS,
        "
        steps:
          - complete: b
          - complete: a
          - message: { name: off, correlation: 1 }
        expect: { waiting: [other, x], counts: { off: 1 } }",
    );
}

#[test]
fn a_cancellation_set_ends_what_runs_and_takes_the_tokens_before_it() {
    check(
        "
        start s
        user a
        user b
        sub c
        in c start cs
        in c user d
        cs -> d
        user keep
        user stop
        cancels stop a b c join
        parallel join
        user then
        end e
        s -> a -> join
        s -> b -> join
        s -> c -> join
        s -> stop -> e
        s -> keep -> e
        join -> then -> e",
        "
        steps:
          - complete: b
          - expect: { waiting: [a, d, keep, stop] }
          - complete: stop
          - expect: { waiting: [keep], ended_at: [e] }
          - complete: keep
        expect: { state: completed, not_reached: [then, join] }",
    );
}

#[test]
fn a_cancellation_set_leaves_other_scopes_alone() {
    check(
        "
        start s
        sub part
        each part 2 times
        in part start ps
        in part user a
        in part user stop
        cancels stop a
        in part end pe
        ps -> a -> pe
        ps -> stop -> pe
        end e
        s -> part -> e",
        "
        steps:
          - expect: { waiting: [a, a, stop, stop] }
          - complete: stop
          - expect: { waiting: [a, stop] }
          - complete: a
          - complete: stop
        expect: { state: completed }",
    );
}

#[test]
fn conditions_see_which_elements_are_active() {
    check(
        "
        start s
        user work
        user rest
        end e
        catch asleep when list contains(activeElements, \"rest\")
        user dream
        on dream woken when not(list contains(activeElements, \"rest\"))
        end d
        s -> work -> rest -> e
        s -> asleep -> dream -> d
        woken -> d",
        "
        steps:
          - expect: { waiting: [asleep, work] }
          - complete: work
          - expect: { waiting: [dream, rest] }
          - complete: rest
        expect: { state: completed, counts: { woken: 1 } }",
    );
}
