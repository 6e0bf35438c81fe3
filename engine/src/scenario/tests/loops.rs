use super::check;

#[test]
fn a_condition_tested_after_or_before() {
    for (before, x, times) in [("", 5, 1), ("before ", 5, 0), ("", 1, 2), ("before ", 1, 2)] {
        check(
            &format!(
                "
                start s
                script work x = x + 1
                loop work {before}while x < 3
                end e
                s -> work -> e"
            ),
            &format!(
                "
                start: {{ variables: {{ x: {x} }} }}
                expect: {{ state: completed, counts: {{ work: {times}, e: 1 }}, variables: {{ x: {} }} }}",
                x + times
            ),
        );
    }
}

#[test]
fn the_counter_counts_the_times_there_were() {
    for marker in ["while loopCounter < 3", "before while loopCounter < 3", "max 3", "before max 3"]
    {
        check(
            &format!(
                "
                start s
                script work seen = append(seen, loopCounter)
                loop work {marker}
                end e
                s -> work -> e"
            ),
            "
            start: { variables: { seen: [] } }
            expect:
              state: completed
              counts: { work: 3 }
              variables: { seen: [1, 2, 3] }
              absent: [loopCounter]",
        );
    }
}

#[test]
fn a_person_repeats_a_task_until_it_is_good() {
    let model = "
        start s
        user write
        loop write while not(good) max 3
        output write text = text
        on write late timer PT5H
        on write ~remind timer PT1H
        end e
        end r
        end gone
        s -> write -> e
        remind -> r
        late -> gone";
    check(
        model,
        "
        steps:
          - complete: { node: write, variables: { text: a, good: false } }
          - expect: { waiting: [write], variables: { text: a }, absent: [good] }
          - advance: PT1H
          - complete: { node: write, variables: { text: b, good: true } }
        expect: { state: completed, counts: { write: 2 }, variables: { text: b }, ended_at: [r, e] }",
    );
    check(
        model,
        "
        steps:
          - complete: { node: write, variables: { text: a, good: false } }
          - complete: { node: write, variables: { text: b, good: false } }
          - complete: { node: write, variables: { text: c, good: false } }
        expect: { state: completed, counts: { write: 3 }, ended_at: [e] }",
    );
    check(
        model,
        "
        steps:
          - complete: { node: write, variables: { text: a, good: false } }
          - advance: PT5H
        expect: { state: completed, counts: { write: 1 }, ended_at: [r, gone] }",
    );
}

#[test]
fn sub_processes_and_calls_repeat() {
    check(
        "
        start s
        sub inner
        loop inner while n < 3
        in inner start is
        in inner user work
        in inner end ie
        is -> work -> ie
        call child other
        loop child before while n < 5
        end e
        s -> inner -> child -> e
        process other
        start os
        script add n = n + 1
        end oe
        os -> add -> oe",
        "
        start: { variables: { n: 1 } }
        steps:
          - complete: { node: work, variables: { n: 2 } }
          - expect: { waiting: [work], counts: { inner: 1 } }
          - complete: { node: work, variables: { n: 3 } }
        expect: { state: completed, counts: { inner: 2, child: 2 }, variables: { n: 5 } }",
    );
}

#[test]
fn an_endless_loop_is_an_incident() {
    check(
        "
        start s
        pass spin
        loop spin while true
        end e
        s -> spin -> e",
        "expect: { state: active, incidents: [ { node: spin, kind: limit_exceeded } ] }",
    );
}

#[test]
fn a_condition_that_fails_is_an_incident_and_is_tried_again() {
    check(
        "
        start s
        user first
        loop first while again
        user second
        loop second before while again
        end e
        s -> first -> second -> e",
        "
        steps:
          - complete: first
          - expect: { incidents: [ { node: first, kind: expression_failed } ] }
          - resolve: { node: first, variables: { again: true } }
          - expect: { waiting: [first], incidents: [] }
          - complete: { node: first, variables: { again: false } }
        expect: { state: completed, counts: { first: 2, second: 0 } }",
    );
}
