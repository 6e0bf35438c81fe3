//! The machine, fed by hand.

use super::*;
use crate::model::Usage;

fn task() -> Task {
    Task {
        messages: vec![Message::User { content: "What does it cost?".to_owned() }],
        tools: vec![ToolSpec {
            name: "price_get".to_owned(),
            description: "Use this to get a price.".to_owned(),
            input: json!({
                "type": "object", "required": ["item"], "additionalProperties": false,
                "properties": { "item": { "type": "string" } }
            }),
        }],
        output_schema: Some(json!({
            "type": "object", "required": ["total"], "properties": { "total": { "type": "number" } }
        })),
        budgets: Budgets::default(),
    }
}

fn says(content: &str) -> Input {
    Input::Reply(Reply {
        content: Some(content.to_owned()),
        finish: Finish::Stop,
        usage: Some(Usage { input: 100, output: 10, ..Usage::default() }),
        ..Reply::default()
    })
}

fn wants(calls: &[(&str, &str)]) -> Reply {
    let call = |(place, (name, arguments)): (usize, &(&str, &str))| RawToolCall {
        id: format!("c{place}"),
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
    };
    Reply {
        tool_calls: calls.iter().enumerate().map(call).collect(),
        finish: Finish::ToolCalls,
        usage: Some(Usage { input: 100, output: 10, ..Usage::default() }),
        ..Reply::default()
    }
}

fn answer(value: Value) -> Input {
    Input::Tool(ToolOutcome::Answer(value))
}

/// The way through a run in short words, one for each input.
fn way(task: Task, inputs: impl IntoIterator<Item = Input>) -> Vec<String> {
    let mut turn = Turn::new(task).unwrap();
    let name = |action: Action| match action {
        Action::CallModel { ordinal, .. } => format!("model {ordinal}"),
        Action::CallTool { ordinal, call } => format!("{} {ordinal}", call.name),
        Action::Finish { output, .. } => Value::Object(output).to_string(),
        Action::Fail(failure) => failure.code().to_owned(),
    };
    let mut way = vec![name(turn.next(Input::Begin, 0))];
    way.extend(inputs.into_iter().map(|input| name(turn.next(input, 0))));
    way
}

#[test]
fn tools_are_called_one_after_the_other_and_the_answer_ends_the_run() {
    let two = [("price_get", r#"{"item":"a"}"#), ("price_get", r#"{"item":"b"}"#)];
    let inputs = [
        Input::Reply(wants(&two)),
        answer(json!({ "price": 2 })),
        answer(json!({ "price": 3 })),
        says(r#"{"total": 5}"#),
    ];
    assert_eq!(
        way(task(), inputs),
        ["model 1", "price_get 2", "price_get 3", "model 4", r#"{"total":5}"#]
    );
}

#[test]
fn no_tool_of_an_unsound_reply_is_called() {
    let good = ("price_get", r#"{"item":"a"}"#);
    let check = |reply: Reply, why: &str| {
        let way = way(task(), [Input::Reply(reply)]);
        assert_eq!(way, ["model 1", "model 2"], "{why}");
    };
    for finish in [Finish::Missing, Finish::Length, Finish::Other("error".to_owned())] {
        check(Reply { finish: finish.clone(), ..wants(&[good]) }, &format!("{finish:?}"));
    }
    for (name, arguments) in [
        ("price_get", r#"{"item":"#),
        ("price_get", r#"{"item":7}"#),
        ("price_get", r#"{"item":"a","more":1}"#),
        ("price_get", ""),
        ("price_get", "[]"),
        ("price_set", r#"{"item":"a"}"#),
        ("", "{}"),
    ] {
        check(wants(&[good, (name, arguments)]), &format!("{name}({arguments}) stops its sibling"));
    }
}

#[test]
fn an_answer_is_sent_back_twice_and_then_given_up() {
    let bad = || says(r#"{"total": "five"}"#);
    assert_eq!(
        way(task(), [bad(), bad(), says(r#"{"total": 5}"#)]),
        ["model 1", "model 2", "model 3", r#"{"total":5}"#]
    );
    assert_eq!(
        way(task(), [bad(), bad(), bad()]),
        ["model 1", "model 2", "model 3", "no_usable_answer"]
    );
    let kept_back = Reply { finish: Finish::ContentFilter, ..Reply::default() };
    assert_eq!(way(task(), [Input::Reply(kept_back)]), ["model 1", "content_filter"]);
}

#[test]
fn the_model_is_told_what_was_wrong() {
    let mut turn = Turn::new(task()).unwrap();
    turn.next(Input::Begin, 0);
    let Action::CallModel { request, .. } = turn.next(says(r#"{"total": "five"}"#), 0) else {
        panic!("the model is asked again");
    };
    let told = serde_json::to_string(&request.messages.last()).unwrap();
    assert!(told.contains("/total"), "{told}");
    let first = serde_json::to_string(&request.messages.first()).unwrap();
    assert!(first.contains("JSON Schema"), "{first}");
}

#[test]
fn every_budget_ends_the_run_before_the_call() {
    let check = |budgets: Budgets, inputs: Vec<Input>, expected: &[&str]| {
        assert_eq!(way(Task { budgets, ..task() }, inputs), expected);
    };
    let call = || Input::Reply(wants(&[("price_get", r#"{"item":"a"}"#)]));
    let defaults = Budgets::default();
    check(
        Budgets { max_steps: 1, ..defaults },
        vec![call(), answer(json!(1))],
        &["model 1", "price_get 2", "budget_exceeded"],
    );
    check(Budgets { max_tool_calls: 0, ..defaults }, vec![call()], &["model 1", "budget_exceeded"]);
    check(Budgets { max_tokens: 100, ..defaults }, vec![], &["budget_exceeded"]);
    check(Budgets { max_seconds: 0, ..defaults }, vec![], &["budget_exceeded"]);
    // A reply that does not say what it used costs all that was set aside.
    let silent = Reply { usage: None, ..wants(&[("price_get", r#"{"item":"a"}"#)]) };
    check(
        Budgets { max_tokens: 2_000, ..defaults },
        vec![Input::Reply(silent), answer(json!(1))],
        &["model 1", "price_get 2", "budget_exceeded"],
    );
}

#[test]
fn a_reservation_never_exceeds_what_is_left() {
    let budgets = Budgets { max_tokens: 3_000, ..Budgets::default() };
    let mut turn = Turn::new(Task { budgets, ..task() }).unwrap();
    let Action::CallModel { reserved, request, .. } = turn.next(Input::Begin, 0) else {
        panic!("the model is asked");
    };
    assert!(reserved <= 3_000 && u64::from(request.max_output_tokens) < reserved);
}

#[test]
fn the_same_call_is_not_made_a_third_time() {
    let call = |arguments| Input::Reply(wants(&[("price_get", arguments)]));
    let inputs = [
        call(r#"{"item":"a"}"#),
        answer(json!(1)),
        call(r#"{ "item" : "a" }"#),
        answer(json!(1)),
        call(r#"{"item":"a"}"#),
    ];
    assert_eq!(
        way(task(), inputs),
        ["model 1", "price_get 2", "model 3", "price_get 4", "model 5", "agent_loop"]
    );
}

#[test]
fn a_lost_reply_counts_and_keeps_its_place() {
    let inputs = [Input::ReplyLost, says(r#"{"total": 5}"#)];
    assert_eq!(way(task(), inputs), ["model 1", "model 1", r#"{"total":5}"#]);
    let once = Task { budgets: Budgets { max_steps: 1, ..Budgets::default() }, ..task() };
    assert_eq!(way(once, [Input::ReplyLost]), ["model 1", "budget_exceeded"]);
}

#[test]
fn what_a_tool_answers_is_held_at_a_size() {
    let mut turn = Turn::new(task()).unwrap();
    turn.next(Input::Begin, 0);
    turn.next(Input::Reply(wants(&[("price_get", r#"{"item":"a"}"#)])), 0);
    let Action::CallModel { request, .. } = turn.next(answer(json!("ä".repeat(1_000_000))), 0)
    else {
        panic!("the model is asked");
    };
    let size = serde_json::to_string(&request.messages.last()).unwrap().len();
    assert!(size < 2 * MAX_TOOL_BYTES, "{size}");
}

#[test]
fn the_same_inputs_lead_the_same_way() {
    let inputs = || {
        [
            says("nonsense"),
            Input::Reply(wants(&[("price_get", r#"{"item":"a"}"#)])),
            answer(json!({ "price": 2 })),
            says(r#"{"total": 2}"#),
        ]
    };
    let drive = || {
        let mut turn = Turn::new(task()).unwrap();
        let mut actions = vec![turn.next(Input::Begin, 0)];
        actions.extend(inputs().into_iter().map(|input| turn.next(input, 7)));
        actions
    };
    assert_eq!(drive(), drive());
}

#[test]
fn what_comes_out_of_turn_is_refused() {
    let check = |inputs: Vec<Input>| assert_eq!(way(task(), inputs).last().unwrap(), "out_of_turn");
    check(vec![answer(json!(1))]);
    check(vec![Input::Begin]);
    check(vec![says(r#"{"total": 5}"#), says(r#"{"total": 5}"#)]);
    check(vec![Input::Reply(wants(&[("price_get", r#"{"item":"a"}"#)])), Input::ReplyLost]);
}
