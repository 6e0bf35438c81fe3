//! The prompts of the suite.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flowmaster_kernel::{Answer, BoxFuture, Content, Ctx, Error, Result};
use serde_json::json;

use super::asking::{form, one};
use super::{PIXEL, Switches};
use crate::ports::{PromptArgument, PromptEntry, PromptSource, PromptText, Speaker};

pub(super) struct Prompts {
    pub(super) switches: Arc<Switches>,
    pub(super) behind: Option<Arc<dyn PromptSource>>,
}

const PROMPTS: [(&str, &[&str]); 5] = [
    ("test_simple_prompt", &[]),
    ("test_prompt_with_arguments", &["arg1", "arg2"]),
    ("test_prompt_with_embedded_resource", &["resourceUri"]),
    ("test_prompt_with_image", &[]),
    ("test_input_required_result_prompt", &[]),
];
/// The prompt that comes and goes.
const FLEETING: (&str, &[&str]) = ("test_fleeting_prompt", &[]);

impl PromptSource for Prompts {
    fn list<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Vec<PromptEntry>>> {
        Box::pin(async move {
            let mut entries = match &self.behind {
                Some(behind) => behind.list(ctx).await?,
                None => Vec::new(),
            };
            let fleeting = self.switches.more_prompts.load(Ordering::Acquire).then_some(FLEETING);
            entries.extend(PROMPTS.into_iter().chain(fleeting).map(entry));
            Ok(entries)
        })
    }

    fn get<'a>(
        &'a self,
        ctx: &'a Ctx,
        name: &'a str,
        arguments: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<PromptText>> {
        Box::pin(async move {
            let given = |name: &str| arguments.get(name).cloned().unwrap_or_default();
            let contents = match (name, &self.behind) {
                ("test_simple_prompt", _) => {
                    vec![text("This is a simple prompt for testing.".to_owned())]
                }
                ("test_prompt_with_arguments", _) => vec![text(format!(
                    "Prompt with arguments: arg1='{}', arg2='{}'",
                    given("arg1"),
                    given("arg2")
                ))],
                ("test_prompt_with_embedded_resource", _) => vec![
                    Content::Resource {
                        uri: given("resourceUri"),
                        mime_type: "text/plain".to_owned(),
                        text: "Embedded resource content for testing.".to_owned(),
                    },
                    text("Please process the embedded resource above.".to_owned()),
                ],
                ("test_prompt_with_image", _) => vec![
                    Content::Image { data: PIXEL.to_owned(), mime_type: "image/png".to_owned() },
                    text("Please analyze the image above.".to_owned()),
                ],
                ("test_input_required_result_prompt", _) => {
                    let question =
                        form("What context should the prompt use?", json!({ "context": "string" }));
                    let answer = one(ctx, "user_context", question).await?;
                    let context = match answer {
                        Answer::Form(fields) => json!(fields).to_string(),
                        _ => "none".to_owned(),
                    };
                    vec![text(format!("Use this context: {context}"))]
                }
                (_, Some(behind)) => return behind.get(ctx, name, arguments).await,
                (_, None) => return Err(Error::not_found("prompt", name)),
            };
            let messages = contents.into_iter().map(|content| (Speaker::User, content)).collect();
            Ok(PromptText { description: None, messages })
        })
    }
}

fn text(text: String) -> Content {
    Content::Text(text)
}

fn entry((name, arguments): (&str, &[&str])) -> PromptEntry {
    let argument = |name: &&str| PromptArgument {
        name: (*name).to_owned(),
        description: Some("An argument of the conformance suite.".to_owned()),
        required: true,
    };
    PromptEntry {
        name: name.to_owned(),
        title: None,
        description: Some("A prompt of the conformance suite.".to_owned()),
        arguments: arguments.iter().map(argument).collect(),
    }
}
