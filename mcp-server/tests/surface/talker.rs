//! Tools that say and ask something while they run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flowmaster_kernel::{
    Answer, BoxFuture, Content, Ctx, Effect, NoteLevel, Question, Result, Role, Toolset,
};
use flowmaster_mcp_server::dispatch::{Declaration, Tool};
use flowmaster_mcp_server::ports::ProcessTools;
use serde_json::{Value, json};

#[derive(Clone, Default)]
pub(crate) struct Talker {
    /// How often a tool got all its answers.
    pub(crate) heard: Arc<AtomicUsize>,
    offers_more: Arc<AtomicBool>,
}

impl ProcessTools for Talker {
    fn tools<'a>(&'a self, _: &'a Ctx) -> BoxFuture<'a, Result<Vec<Tool>>> {
        let more = self.offers_more.load(Ordering::Acquire).then_some("talk_more");
        let tools = ["talk_ask", "talk_say", "talk_route", "talk_change"].into_iter().chain(more);
        let tools = tools.map(|name| tool(self, name)).collect();
        Box::pin(std::future::ready(Ok(tools)))
    }
}

fn tool(talker: &Talker, name: &'static str) -> Tool {
    let declaration = Declaration {
        name: name.to_owned(),
        title: name.to_owned(),
        description: "Use this in tests only.".to_owned(),
        effect: Effect::Write,
        scope: "notes:write".to_owned(),
        roles: vec![Role::Admin, Role::Employee],
        toolset: Toolset::Core,
        input: json!({
            "type": "object",
            "properties": { "topic": { "type": "string", "x-mcp-header": "Topic" } }
        }),
        output: Value::Null,
    };
    let talker = talker.clone();
    Tool::published(
        declaration,
        move |ctx, _| {
            let talker = talker.clone();
            Box::pin(async move { talker.call(name, &ctx).await })
        },
        |_, _, recorded| Box::pin(std::future::ready(Ok(recorded))),
    )
}

impl Talker {
    async fn call(&self, name: &str, ctx: &Ctx) -> Result<Value> {
        match name {
            "talk_ask" => {
                let name = ask(ctx, "name").await?;
                let color = ask(ctx, "color").await?;
                self.heard.fetch_add(1, Ordering::AcqRel);
                ctx.show(Content::Text(format!("{name} likes {color}")));
            }
            "talk_say" => {
                for done in [1, 1, 2] {
                    ctx.progress(done, 2);
                }
                ctx.note(NoteLevel::Debug, "a detail");
                ctx.note(NoteLevel::Warning, "look at this");
                ctx.show(Content::Image {
                    data: "cGl4ZWw=".to_owned(),
                    mime_type: "image/png".to_owned(),
                });
            }
            "talk_change" => {
                self.offers_more.fetch_xor(true, Ordering::AcqRel);
            }
            _ => {}
        }
        Ok(Value::Null)
    }
}

async fn ask(ctx: &Ctx, field: &str) -> Result<String> {
    let schema = json!({
        "type": "object",
        "properties": { field: { "type": "string" } },
        "required": [field]
    });
    let question = Question::Form { message: format!("Which {field}?"), schema };
    let answers = ctx.ask(BTreeMap::from([(field.to_owned(), question)])).await?;
    Ok(match &answers[field] {
        Answer::Form(fields) => fields[field].as_str().unwrap().to_owned(),
        other => format!("{other:?}"),
    })
}
