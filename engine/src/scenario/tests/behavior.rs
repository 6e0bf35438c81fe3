use super::check;

const VOTES: &str = "
    start s
    user vote
    each vote 3 times
    end e
    user tell
    end t
    s -> vote -> e
    told -> tell -> t";

fn votes(behavior: &str, boundary: &str) -> String {
    let model = VOTES.replace(
        "\n    end e",
        &format!("\n    behavior vote {behavior}\n    on vote {boundary}\n    end e"),
    );
    assert_ne!(model, VOTES);
    model
}

#[test]
fn each_instance_that_completes_throws() {
    for (behavior, boundary) in [
        ("none escalation VOTED", "~told escalation VOTED"),
        ("none signal voted", "~told signal voted"),
        ("none message voted key 1", "~told message voted key 1"),
        ("complex numberOfCompletedInstances > 0 => signal voted", "~told signal voted"),
    ] {
        check(
            &votes(behavior, boundary),
            "
            steps:
              - expect: { waiting: [vote, vote, vote] }
              - complete: vote
              - expect: { waiting: [tell, vote, vote], variables: { numberOfCompletedInstances: 1, numberOfActiveInstances: 2 } }
              - complete: vote
              - complete: vote
              - expect: { waiting: [tell, tell, tell], ended_at: [e] }
            expect: { counts: { told: 3, vote: 3 }, variables: { numberOfCompletedInstances: 3, numberOfInstances: 3 } }",
        );
    }
}

#[test]
fn the_first_instance_alone_throws() {
    check(
        &votes("one signal first", "~told signal first"),
        "
        steps:
          - complete: { node: vote, instance: 2 }
          - complete: vote
          - expect: { waiting: [tell, vote] }
          - complete: vote
          - complete: tell
        expect: { state: completed, counts: { told: 1 } }",
    );
}

#[test]
fn conditions_say_which_events_are_thrown() {
    check(
        &votes(
            "complex numberOfCompletedInstances = 2 => escalation TWO; loopCounter = 3 => signal last",
            "~told escalation TWO",
        ),
        "
        steps:
          - complete: { node: vote, instance: 2 }
          - expect: { waiting: [vote, vote], not_reached: [told] }
          - complete: vote
          - expect: { waiting: [tell, vote] }
        expect: { counts: { told: 1 } }",
    );
}

#[test]
fn an_event_that_interrupts_ends_the_activity() {
    check(
        &votes("none escalation VOTED", "told escalation *"),
        "
        steps:
          - complete: vote
          - expect: { waiting: [tell] }
          - complete: tell
        expect: { state: completed, counts: { told: 1 }, not_reached: [e] }",
    );
}

/// Nobody at the activity waits for it, so it goes where such a signal always goes.
#[test]
fn what_no_boundary_event_catches_is_sent_as_usual() {
    check(
        "
        start s
        user vote
        each vote 2 times
        behavior vote none signal voted
        end e
        catch heard signal voted
        end h
        s -> vote -> e
        s -> heard -> h",
        "
        steps:
          - complete: vote
          - expect: { waiting: [vote], ended_at: [h] }
          - complete: vote
        expect: { state: completed }",
    );
}

#[test]
fn a_condition_that_fails_is_an_incident_of_the_instance() {
    check(
        &votes("complex limit > 1 => escalation X", "~told escalation X"),
        "
        steps:
          - complete: vote
          - expect: { incidents: [ { node: vote, kind: expression_failed } ] }
          - resolve: { node: vote, variables: { limit: 2 } }
        expect: { waiting: [tell, vote, vote], incidents: [] }",
    );
}

#[test]
fn a_boundary_event_completes_the_activity_with_the_results_there_are() {
    let model = "
        start s
        user look
        each look items as item into found from r sequential
        on look enough timer PT1H
        completes enough
        user use
        end e
        s -> look -> use -> e";
    check(
        model,
        "
        start: { variables: { items: [a, b, c] } }
        steps:
          - complete: { node: look, variables: { r: 1 } }
          - advance: PT1H
        expect: { waiting: [use], counts: { enough: 1 }, variables: { found: [1, null, null] } }",
    );
    check(
        &format!("{model}\nend n\nenough -> n"),
        "
        start: { variables: { items: [a] } }
        steps:
          - advance: PT1H
          - expect: { waiting: [use], ended_at: [n], variables: { found: [null] } }
          - complete: use
        expect: { state: completed }",
    );
}
