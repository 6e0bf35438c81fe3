use super::{check, outcome};

#[test]
fn a_script_a_user_task_and_an_end() {
    check(
        "
        start s
        script calc total = amount * 1.2
        user approve
        end e
        s -> calc -> approve -> e",
        "
        start: { variables: { amount: 100 }, business_key: INV-1 }
        steps:
          - expect: { state: active, waiting: [approve], variables: { total: 120 }, path: [s, calc] }
          - complete: { node: approve, variables: { approved: true }, actor: anna }
        expect:
          state: completed
          path: [s, calc, approve, e]
          ended_at: [e]
          variables: { amount: 100.0, total: 120, approved: true }
          absent: [other]
          counts: { approve: 1, calc: 1 }
          incidents: []",
    );
}

#[test]
fn mappings_make_and_take_variables() {
    let model = "
        start s
        job work
        input work a = order.id
        input work b = a + \"!\"
        output work result.inner.code = code
        output work note = b
        end e
        s -> work -> e";
    check(
        model,
        "
        start: { variables: { order: { id: x }, result: { kept: 1 } } }
        steps: [ { complete: { node: work, variables: { code: 7, noise: 1 } } } ]
        expect:
          state: completed
          variables: { result: { kept: 1, inner: { code: 7 } }, note: 'x!' }
          absent: [a, b, code, noise]",
    );
}

#[test]
fn results_go_where_the_variable_lives() {
    check(
        "
        start s
        sub inner
        input inner local = 1
        in inner start is
        in inner script one local = local + 1
        in inner script two outside = local
        is -> one -> two
        end e
        s -> inner -> e",
        "expect: { state: completed, variables: { outside: 2 }, absent: [local] }",
    );
    check(
        "
        start s
        sub inner
        input inner local = 1
        in inner start is
        in inner user wait
        is -> wait
        end e
        s -> inner -> e",
        "
        steps:
          - set: { variables: { local: 5 }, scope: inner }
          - set: { variables: { global: 6 } }
          - complete: wait
        expect: { state: completed, variables: { global: 6 }, absent: [local] }",
    );
}

#[test]
fn jobs_answer_by_mocks() {
    let model = "
        start s
        job extract
        job flaky
        job erp
        on erp down error ERP_DOWN
        end e
        end manual
        s -> extract -> flaky -> erp -> e
        down -> manual";
    check(
        model,
        "
        mocks:
          extract: { variables: { amount: 1200 } }
          flaky: [ { fail: '503' }, { fail: '503' }, { variables: { ok: true } } ]
          erp: { error: { code: ERP_DOWN, message: timeout } }
        expect:
          state: completed
          path: [s, extract, flaky, down, manual]
          variables: { amount: 1200, ok: true, errorMessage: timeout }",
    );
}

#[test]
fn parallel_instances_collect_in_input_order() {
    let model = "
        start s
        user review
        each review items as item into results from verdict + loopCounter
        end e
        s -> review -> e";
    check(
        model,
        "
        start: { variables: { items: [10, 20, 30] } }
        steps:
          - expect: { waiting: [review, review, review] }
          - complete: { node: review, instance: 2, variables: { verdict: 3 } }
          - complete: { node: review, instance: 0, variables: { verdict: 1 } }
          - complete: { node: review, variables: { verdict: 2 } }
        expect:
          state: completed
          path: [s, review, review, review, e]
          counts: { review: 3 }
          variables: { results: [2, 4, 6] }
          absent: [item, loopCounter]",
    );
    check(
        model,
        "
        start: { variables: { items: [] } }
        expect: { state: completed, variables: { results: [] }, path: [s, e] }",
    );
}

#[test]
fn a_plain_result_stays_with_its_instance() {
    check(
        "
        start s
        job work
        each work items as item into results from result
        end e
        s -> work -> e",
        "
        start: { variables: { items: [a, b] } }
        mocks: { work: [ { variables: { result: 1 } }, { variables: { result: 2 } } ] }
        expect: { state: completed, variables: { results: [1, 2] }, absent: [result] }",
    );
}

#[test]
fn sequential_instances_come_one_by_one_and_may_stop() {
    let model = "
        start s
        user ask
        each ask people as person into answers from answer until numberOfCompletedInstances = 2 sequential
        end e
        s -> ask -> e";
    check(
        model,
        "
        start: { variables: { people: [x, y, z] } }
        steps:
          - expect: { waiting: [ask] }
          - complete: { node: ask, variables: { answer: yes } }
          - expect: { waiting: [ask], state: active }
          - complete: { node: ask, variables: { answer: no } }
        expect: { state: completed, counts: { ask: 2 }, variables: { answers: [yes, no, null] } }",
    );
    check(
        "
        start s
        script count n = n + loopCounter
        each count 2000 times sequential
        end e
        s -> count -> e",
        "
        start: { variables: { n: 0 } }
        expect: { state: completed, variables: { n: 2001000 }, counts: { count: 2000 } }",
    );
}

#[test]
fn a_condition_ends_parallel_instances_early() {
    check(
        "
        start s
        sub vote
        each vote 3 times until veto
        on vote late timer PT1H
        in vote start vs
        in vote user ballot
        vs -> ballot
        end e
        end timeout
        s -> vote -> e
        late -> timeout",
        "
        start: { variables: { veto: false } }
        steps:
          - expect: { waiting: [ballot, ballot, ballot] }
          - complete: { node: ballot, instance: 1, variables: { veto: true } }
        expect: { state: completed, ended_at: [e], counts: { ballot: 1, vote: 1 } }",
    );
    check(
        "
        start s
        user vote
        each vote 3 times
        on vote late timer PT1H
        end e
        end timeout
        s -> vote -> e
        late -> timeout",
        "
        steps: [ { complete: vote }, { advance: PT1H } ]
        expect: { state: completed, ended_at: [timeout], waiting: [] }",
    );
}

const PARENT: &str = "
    start s
    call invoke child
    on invoke failed error E
    on invoke ~noted escalation *
    end e
    end broken
    end heard
    s -> invoke -> e
    failed -> broken
    noted -> heard
    process child
    start cs
    user work
    end ce
    cs -> work -> ce";

#[test]
fn called_processes_return_results_errors_and_escalations() {
    check(
        PARENT,
        "
        start: { variables: { a: 1 } }
        steps:
          - expect: { waiting: [work], called: { child: { state: active, variables: { a: 1 }, waiting: [work] } } }
          - escalate: { node: work, code: HEY }
          - expect: { waiting: [work], counts: { heard: 1 } }
          - complete: { node: child/work, variables: { b: 2 } }
        expect:
          state: completed
          path: [s, noted, heard, invoke, e]
          variables: { a: 1, b: 2 }
          called: { child: { state: completed, ended_at: [ce] } }",
    );
    check(
        PARENT,
        "
        steps: [ { throw: { node: work, error: E, message: bad } } ]
        expect: { state: completed, ended_at: [broken], called: { child: { state: failed } }, variables: { errorMessage: bad } }",
    );
    check(
        PARENT,
        "
        steps: [ { cancel: true } ]
        expect: { state: cancelled, waiting: [], called: { child: { state: cancelled } } }",
    );
}

#[test]
fn calls_that_go_wrong_are_incidents() {
    check(
        "start s\ncall invoke =target\nend e\ns -> invoke -> e\nprocess there\nstart ts\nend te\nts -> te",
        "
        start: { variables: { target: nowhere } }
        steps:
          - expect: { state: active, waiting: [], incidents: [ { node: invoke, kind: called_process_missing } ] }
          - resolve: { node: invoke, variables: { target: there } }
        expect: { state: completed, incidents: [] }",
    );
    check(
        PARENT,
        "
        steps: [ { throw: { node: work, error: OTHER } } ]
        expect: { state: active, incidents: [ { node: invoke, kind: unhandled_error } ] }",
    );
}

#[test]
fn a_wrong_expectation_names_the_difference() {
    let model = "start s\nuser a\nend e\ns -> a -> e";
    for (steps, difference) in [
        ("expect: { state: completed }", "scenario, state: expected completed, actual active"),
        ("expect: { waiting: [b] }", "scenario, waiting: expected [b], actual [a]"),
        ("expect: { path: [s, a] }", "scenario, path: expected [s, a], actual [s]"),
        ("expect: { variables: { x: 1 } }", "scenario, variables.x: expected 1, actual nothing"),
        (
            "expect: { not_reached: [a] }",
            "scenario, not_reached: expected a never began, actual a began",
        ),
        ("expect: { counts: { s: 2 } }", "scenario, counts.s: expected 2, actual 1"),
        (
            "steps: [ { complete: a }, { complete: a } ]",
            "step 2, step: expected \"a\" can be completed, actual it is not open; waiting are []",
        ),
        ("expect: { incidents: [ { node: a } ] }", "scenario, incidents: expected [a], actual []"),
        (
            "expect: { called: { c: { } } }",
            "scenario, called.c: expected a called instance, actual none",
        ),
    ] {
        assert_eq!(outcome(model, steps).unwrap().to_string(), difference, "{steps}");
    }
}

#[test]
fn elements_can_be_started_and_the_instance_cancelled() {
    let model = "
        start s
        sub inner
        in inner start is
        in inner user a
        in inner user extra
        is -> a
        user b
        end e
        s -> b -> inner -> e";
    check(
        model,
        "
        steps:
          - activate: { node: extra, variables: { why: late } }
          - expect: { waiting: [b, extra], absent: [why] }
          - complete: extra
          - expect: { waiting: [b], ended_at: [e] }
          - cancel: true
        expect: { state: cancelled, waiting: [] }",
    );
}

#[test]
fn an_interrupted_call_cancels_the_called_instance() {
    check(
        &PARENT.replace("on invoke failed error E", "on invoke failed timer PT1H"),
        "
        steps: [ { advance: PT1H } ]
        expect: { state: completed, ended_at: [broken], waiting: [], called: { child: { state: cancelled } } }",
    );
}

#[test]
fn many_sub_processes_complete_together() {
    check(
        "
        start s
        sub inner
        each inner 3000 times
        in inner start is
        in inner end ie
        is -> ie
        end e
        s -> inner -> e",
        "expect: { state: completed, counts: { inner: 3000 } }",
    );
}
