//! Questions and answers on the wire: elicitation, sampling and roots.
//!
//! Invariants: a client is asked only what it says it takes; an answer counts only when it fits its
//! question, and one that does not is as if it had not been given.

use flowmaster_kernel::{Answer, Question};
use rmcp::model::{ClientCapabilities, InputRequest, ServerRequest};
use serde_json::{Map, Value, json};

/// The request that asks `question`.
pub(super) fn request(question: &Question) -> serde_json::Result<InputRequest> {
    let (method, params) = match question {
        Question::Form { message, schema } => {
            ("elicitation/create", json!({ "message": message, "requestedSchema": schema }))
        }
        Question::Model { prompt, max_tokens } => (
            "sampling/createMessage",
            json!({
                "messages": [{ "role": "user", "content": { "type": "text", "text": prompt } }],
                "maxTokens": max_tokens
            }),
        ),
        Question::Folders => return serde_json::from_value(json!({ "method": "roots/list" })),
    };
    serde_json::from_value(json!({ "method": method, "params": params }))
}

/// The same for a client of the revisions with `initialize`, where the server sends requests.
pub(super) fn pushed(request: InputRequest) -> Option<ServerRequest> {
    match request {
        InputRequest::Elicitation(request) => Some(ServerRequest::ElicitRequest(request)),
        InputRequest::CreateMessage(request) => Some(ServerRequest::CreateMessageRequest(request)),
        InputRequest::ListRoots(request) => Some(ServerRequest::ListRootsRequest(request)),
        _ => None,
    }
}

/// Whether a client with these capabilities takes `question`.
pub(super) fn is_taken(question: &Question, by: &ClientCapabilities) -> bool {
    match question {
        // An empty capability means forms (MCP 2026-07-28, Elicitation, "Capabilities").
        Question::Form { .. } => by
            .elicitation
            .as_ref()
            .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none()),
        Question::Model { .. } => by.sampling.is_some(),
        Question::Folders => by.roots.is_some(),
    }
}

/// The capability that `question` needs.
pub(super) fn needs(question: &Question) -> ClientCapabilities {
    let name = match question {
        Question::Form { .. } => "elicitation",
        Question::Model { .. } => "sampling",
        Question::Folders => "roots",
    };
    serde_json::from_value(json!({ name: {} })).unwrap_or_default()
}

/// What `given` says to `question`, when it fits.
pub(super) fn answer(question: &Question, given: &Value) -> Option<Answer> {
    match question {
        Question::Form { schema, .. } => match given.get("action")?.as_str()? {
            "accept" => filled_in(schema, given.get("content")).map(Answer::Form),
            "decline" => Some(Answer::Declined),
            "cancel" => Some(Answer::Cancelled),
            _ => None,
        },
        Question::Model { .. } => {
            let said = match given.get("content")? {
                Value::Array(blocks) => blocks.iter().find_map(text_of)?,
                block => text_of(block)?,
            };
            Some(Answer::Model(said.to_owned()))
        }
        Question::Folders => {
            let roots = given.get("roots")?.as_array()?;
            let uri = |root: &Value| root.get("uri")?.as_str().map(str::to_owned);
            roots.iter().map(uri).collect::<Option<_>>().map(Answer::Folders)
        }
    }
}

fn text_of(block: &Value) -> Option<&str> {
    block.get("text")?.as_str()
}

fn filled_in(schema: &Value, content: Option<&Value>) -> Option<Map<String, Value>> {
    let content = content.cloned().unwrap_or_else(|| json!({}));
    let fits = jsonschema::validator_for(schema).is_ok_and(|form| form.is_valid(&content));
    match content {
        Value::Object(fields) if fits => Some(fields),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Question {
        let schema = json!({
            "type": "object",
            "properties": { "name": { "type": "string" } },
            "required": ["name"]
        });
        Question::Form { message: "Who?".to_owned(), schema }
    }

    fn model() -> Question {
        Question::Model { prompt: "What?".to_owned(), max_tokens: 10 }
    }

    #[test]
    fn an_answer_counts_when_it_fits_its_question() {
        let check = |question: &Question, given: Value, expected: Option<Answer>| {
            assert_eq!(answer(question, &given), expected, "{given}");
        };
        let name = json!({ "name": "Ada" });
        let filled = Answer::Form(name.as_object().unwrap().clone());
        check(&form(), json!({ "action": "accept", "content": name }), Some(filled));
        check(&form(), json!({ "action": "decline" }), Some(Answer::Declined));
        check(&form(), json!({ "action": "cancel" }), Some(Answer::Cancelled));
        check(&form(), json!({ "action": "accept", "content": { "name": 5 } }), None);
        check(&form(), json!({ "action": "accept" }), None);
        check(&form(), json!({ "action": "maybe" }), None);
        check(&form(), json!(12345), None);
        let said = json!({ "role": "assistant", "content": { "type": "text", "text": "Paris" } });
        check(&model(), said, Some(Answer::Model("Paris".to_owned())));
        check(&model(), json!({ "content": [] }), None);
        let folders = json!({ "roots": [{ "uri": "file:///a", "name": "A" }] });
        check(&Question::Folders, folders, Some(Answer::Folders(vec!["file:///a".to_owned()])));
        check(&Question::Folders, json!({ "roots": [{}] }), None);
    }

    #[test]
    fn a_question_is_the_request_of_its_method() {
        let check = |question: &Question, method: &str, capability: &str| {
            let wire = serde_json::to_value(request(question).unwrap()).unwrap();
            assert_eq!(wire["method"], method, "{wire}");
            let capabilities = needs(question);
            assert!(json!(capabilities).get(capability).is_some(), "{capability}");
            assert!(is_taken(question, &capabilities));
            assert!(!is_taken(question, &ClientCapabilities::default()));
            assert!(pushed(request(question).unwrap()).is_some());
        };
        check(&form(), "elicitation/create", "elicitation");
        check(&model(), "sampling/createMessage", "sampling");
        check(&Question::Folders, "roots/list", "roots");
    }
}
