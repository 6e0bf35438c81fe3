//! The tools of the suite that ask the client something, in both eras.

use std::collections::BTreeMap;

use flowmaster_kernel::{Answer, BoxFuture, Content, Ctx, Error, Question, Result};
use serde_json::{Map, Value, json};

/// A form with required fields of simple types, e.g. `{"name": "string"}`.
pub(super) fn form(message: &str, fields: Value) -> Question {
    let Value::Object(fields) = fields else { return Question::Folders };
    let required: Vec<_> = fields.keys().cloned().collect();
    let properties: Map<_, _> =
        fields.into_iter().map(|(name, kind)| (name, json!({ "type": kind }))).collect();
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    Question::Form { message: message.to_owned(), schema }
}

/// The answer to one question.
pub(super) async fn one(ctx: &Ctx, key: &str, question: Question) -> Result<Answer> {
    let mut answers = ctx.ask(BTreeMap::from([(key.to_owned(), question)])).await?;
    answers.remove(key).ok_or_else(|| Error::internal("unanswered", "an answer is missing"))
}

fn model(prompt: &str, max_tokens: u32) -> Question {
    Question::Model { prompt: prompt.to_owned(), max_tokens }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Form(fields) => format!("action=accept, content={}", json!(fields)),
        Answer::Declined => "action=decline".to_owned(),
        Answer::Cancelled => "action=cancel".to_owned(),
        Answer::Model(text) => text.clone(),
        Answer::Folders(uris) => uris.join(", "),
    }
}

fn field(answer: &Answer, name: &str) -> String {
    match answer {
        Answer::Form(fields) => {
            fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        other => said(other),
    }
}

fn done(ctx: &Ctx, text: String) -> Result<Value> {
    ctx.show(Content::Text(text));
    Ok(Value::Null)
}

/// What the tool called `name` does; `None` when it is not one of these.
pub(super) fn call(
    name: &'static str,
    ctx: Ctx,
    arguments: &Value,
) -> Option<BoxFuture<'static, Result<Value>>> {
    let given =
        |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(match name {
        "test_sampling" => {
            let question = model(&given("prompt"), 100);
            plain(ctx, "answer", question, |said| format!("LLM response: {said}"))
        }
        "test_elicitation" => {
            let fields = json!({ "username": "string", "email": "string" });
            let question = form(&given("message"), fields);
            plain(ctx, "answer", question, |said| format!("User response: {said}"))
        }
        "test_elicitation_sep1034_defaults" => {
            plain(ctx, "answer", defaults(), |said| format!("Elicitation completed: {said}"))
        }
        "test_elicitation_sep1330_enums" => {
            plain(ctx, "answer", choices(), |said| format!("Elicitation completed: {said}"))
        }
        "test_streaming_elicitation" => {
            let question = form("Shall it go on?", json!({ "ok": "boolean" }));
            plain(ctx, "answer", question, |said| format!("Elicitation completed: {said}"))
        }
        "test_missing_capability" => plain(ctx, "answer", model("Anything", 10), str::to_owned),
        "test_input_required_result_elicitation" => Box::pin(async move {
            let question = form("What is your name?", json!({ "name": "string" }));
            let answer = one(&ctx, "user_name", question).await?;
            done(&ctx, format!("Hello, {}!", field(&answer, "name")))
        }),
        "test_input_required_result_sampling" => {
            let question = model("What is the capital of France?", 100);
            plain(ctx, "capital_question", question, |said| format!("LLM response: {said}"))
        }
        "test_input_required_result_list_roots" => {
            plain(ctx, "client_roots", Question::Folders, |said| format!("Roots: {said}"))
        }
        "test_input_required_result_request_state"
        | "test_input_required_result_tampered_state" => {
            let question = form("Please confirm", json!({ "ok": "boolean" }));
            plain(ctx, "confirm", question, |said| format!("state-ok: {said}"))
        }
        "test_input_required_result_multiple_inputs" => Box::pin(async move {
            let answers = ctx.ask(all()).await?;
            let said: Vec<_> = answers.values().map(said).collect();
            done(&ctx, format!("Heard: {}", said.join("; ")))
        }),
        "test_input_required_result_capabilities" => Box::pin(async move {
            let mut questions = all();
            questions.retain(|_, question| ctx.takes(question));
            let answers = ctx.ask(questions).await?;
            let said: Vec<_> = answers.values().map(said).collect();
            done(&ctx, format!("Heard: {}", said.join("; ")))
        }),
        "test_input_required_result_multi_round" => Box::pin(async move {
            let question = form("Step 1: What is your name?", json!({ "name": "string" }));
            let name = one(&ctx, "step1", question).await?;
            let question =
                form("Step 2: What is your favorite color?", json!({ "color": "string" }));
            let color = one(&ctx, "step2", question).await?;
            done(&ctx, format!("{} likes {}", field(&name, "name"), field(&color, "color")))
        }),
        _ => return None,
    })
}

fn plain(
    ctx: Ctx,
    key: &'static str,
    question: Question,
    text: fn(&str) -> String,
) -> BoxFuture<'static, Result<Value>> {
    Box::pin(async move {
        let answer = one(&ctx, key, question).await?;
        done(&ctx, text(&said(&answer)))
    })
}

fn all() -> BTreeMap<String, Question> {
    BTreeMap::from([
        ("user_name".to_owned(), form("What is your name?", json!({ "name": "string" }))),
        ("greeting".to_owned(), model("Generate a greeting", 50)),
        ("client_roots".to_owned(), Question::Folders),
    ])
}

fn defaults() -> Question {
    let schema = json!({ "type": "object", "properties": {
        "name": { "type": "string", "default": "John Doe" },
        "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 },
        "status": {
            "type": "string", "enum": ["active", "inactive", "pending"], "default": "active"
        },
        "verified": { "type": "boolean", "default": true }
    }});
    Question::Form { message: "Please check the defaults".to_owned(), schema }
}

fn choices() -> Question {
    let titled = |titles: [&str; 3]| {
        let values = ["value1", "value2", "value3"];
        let choices = values.iter().zip(titles);
        choices.map(|(value, title)| json!({ "const": value, "title": title })).collect::<Vec<_>>()
    };
    let options = json!(["option1", "option2", "option3"]);
    let schema = json!({ "type": "object", "properties": {
        "untitledSingle": { "type": "string", "enum": options },
        "titledSingle": {
            "type": "string", "oneOf": titled(["First Option", "Second Option", "Third Option"])
        },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"]
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
        "titledMulti": {
            "type": "array", "items": { "anyOf": titled(["First Choice", "Second Choice", "Third Choice"]) }
        }
    }});
    Question::Form { message: "Please choose".to_owned(), schema }
}
