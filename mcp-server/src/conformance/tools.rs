//! The tools of the suite, offered as published processes are.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flowmaster_kernel::{BoxFuture, Content, Ctx, Effect, Error, NoteLevel, Result, Role, Toolset};
use flowmaster_reach::handles::Handles;
use serde_json::{Value, json};

use super::{PIXEL, Switches, asking, flip, tasks};
use crate::dispatch::{Declaration, Tool};
use crate::ports::ProcessTools;

/// Silence, as WAV in base64.
const SILENCE: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";
/// How long the tools that work for a while do so between two signs of life.
const STEP: Duration = Duration::from_millis(50);

pub(super) struct Tools {
    pub(super) switches: Arc<Switches>,
    pub(super) handles: Arc<Handles>,
    pub(super) behind: Option<Arc<dyn ProcessTools>>,
}

/// The tools without arguments, and those with: the names of required texts.
const TOOLS: [(&str, &[&str]); 35] = [
    ("greet", &["name"]),
    ("slow_compute", &[]),
    ("failing_job", &[]),
    ("protocol_error_job", &[]),
    ("confirm_delete", &[]),
    ("multi_input", &[]),
    ("test_tool_with_task", &[]),
    ("test_simple_text", &[]),
    ("test_image_content", &[]),
    ("test_audio_content", &[]),
    ("test_embedded_resource", &[]),
    ("test_multiple_content_types", &[]),
    ("test_tool_with_logging", &[]),
    ("test_logging_tool", &[]),
    ("test_tool_with_progress", &[]),
    ("test_error_handling", &[]),
    ("test_reconnection", &[]),
    ("test_trigger_tool_change", &[]),
    ("test_trigger_prompt_change", &[]),
    ("test_sampling", &["prompt"]),
    ("test_elicitation", &["message"]),
    ("test_elicitation_sep1034_defaults", &[]),
    ("test_elicitation_sep1330_enums", &[]),
    ("test_streaming_elicitation", &[]),
    ("test_missing_capability", &[]),
    ("test_input_required_result_elicitation", &[]),
    ("test_input_required_result_sampling", &[]),
    ("test_input_required_result_list_roots", &[]),
    ("test_input_required_result_request_state", &[]),
    ("test_input_required_result_tampered_state", &[]),
    ("test_input_required_result_multiple_inputs", &[]),
    ("test_input_required_result_capabilities", &[]),
    ("test_input_required_result_multi_round", &[]),
    ("test_custom_header", &["region"]),
    ("json_schema_2020_12_tool", &[]),
];
/// The tool that comes and goes.
const FLEETING: (&str, &[&str]) = ("test_fleeting_tool", &[]);

impl ProcessTools for Tools {
    fn tools<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Vec<Tool>>> {
        Box::pin(async move {
            let mut tools = match &self.behind {
                Some(behind) => behind.tools(ctx).await?,
                None => Vec::new(),
            };
            let fleeting = self.switches.more_tools.load(Ordering::Acquire).then_some(FLEETING);
            tools.extend(TOOLS.into_iter().chain(fleeting).map(|it| self.tool_of(it)));
            Ok(tools)
        })
    }
}

impl Tools {
    fn tool_of(&self, (name, texts): (&'static str, &[&str])) -> Tool {
        // Both change a list, which only writes do.
        let effect = if name.starts_with("test_trigger") { Effect::Write } else { Effect::Read };
        let declaration = Declaration {
            name: name.to_owned(),
            title: name.to_owned(),
            description: "Use this in the conformance suite only.".to_owned(),
            effect,
            scope: "execution:read".to_owned(),
            roles: vec![Role::Admin],
            toolset: Toolset::Core,
            input: input_of(name, texts),
            output: Value::Null,
        };
        let (switches, handles) = (Arc::clone(&self.switches), Arc::clone(&self.handles));
        Tool::published(
            declaration,
            move |ctx, arguments| {
                asking::call(name, ctx.clone(), &arguments)
                    .or_else(|| tasks::call(name, ctx.clone(), &arguments, &handles))
                    .unwrap_or_else(|| Box::pin(call(name, ctx, Arc::clone(&switches))))
            },
            |_, _, recorded| Box::pin(std::future::ready(Ok(recorded))),
        )
    }
}

fn input_of(name: &str, texts: &[&str]) -> Value {
    match name {
        "json_schema_2020_12_tool" => rich_schema(),
        "slow_compute" => json!({
            "type": "object",
            "properties": {
                "seconds": { "type": "number", "minimum": 0 },
                "label": { "type": "string" }
            }
        }),
        "test_custom_header" => json!({
            "type": "object",
            "properties": { "region": { "type": "string", "x-mcp-header": "Region" } }
        }),
        _ => {
            let properties: serde_json::Map<_, _> = texts
                .iter()
                .map(|text| ((*text).to_owned(), json!({ "type": "string" })))
                .collect();
            json!({ "type": "object", "properties": properties, "required": texts })
        }
    }
}

/// Every part of JSON Schema 2020-12 that has to come through.
fn rich_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
        }},
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" }
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false
    })
}

async fn call(name: &'static str, ctx: Ctx, switches: Arc<Switches>) -> Result<Value> {
    let image = || Content::Image { data: PIXEL.to_owned(), mime_type: "image/png".to_owned() };
    let resource = |uri: &str, mime_type: &str, text: &str| Content::Resource {
        uri: uri.to_owned(),
        mime_type: mime_type.to_owned(),
        text: text.to_owned(),
    };
    let text = |text: &str| Content::Text(text.to_owned());
    match name {
        "test_image_content" => ctx.show(image()),
        "test_audio_content" => {
            let (data, mime_type) = (SILENCE.to_owned(), "audio/wav".to_owned());
            ctx.show(Content::Audio { data, mime_type });
        }
        "test_embedded_resource" => ctx.show(resource(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )),
        "test_multiple_content_types" => {
            ctx.show(text("Multiple content types test:"));
            ctx.show(image());
            ctx.show(resource(
                "test://mixed-content-resource",
                "application/json",
                "{\"test\":\"data\",\"value\":123}",
            ));
        }
        "test_tool_with_logging" | "test_logging_tool" => {
            for step in
                ["Tool execution started", "Tool processing data", "Tool execution completed"]
            {
                ctx.note(NoteLevel::Info, step);
                tokio::time::sleep(STEP).await;
            }
            ctx.show(text("It has said what it did."));
        }
        "test_tool_with_progress" => {
            for done in [0, 50, 100] {
                ctx.progress(done, 100);
                tokio::time::sleep(STEP).await;
            }
            ctx.show(text("It has said how far it was."));
        }
        "test_error_handling" => {
            return Err(Error::invalid(
                "intended",
                "This tool intentionally returns an error for testing",
            ));
        }
        "test_trigger_tool_change" => {
            flip(&switches.more_tools);
            ctx.show(text("The tools have changed."));
        }
        "test_trigger_prompt_change" => {
            flip(&switches.more_prompts);
            ctx.show(text("The prompts have changed."));
        }
        _ => ctx.show(text("This is a simple text response for testing.")),
    }
    Ok(Value::Null)
}
