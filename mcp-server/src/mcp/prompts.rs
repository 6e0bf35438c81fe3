//! Prompts that a person starts from their client.

use std::collections::BTreeMap;

use flowmaster_kernel::{Ctx, Error, Result};
use rmcp::model::{
    CacheScope, GetPromptResult, JsonObject, ListPromptsResult, Prompt,
    PromptArgument as WireArgument, PromptMessage, Role,
};
use serde_json::Value;

use super::content::block;
use super::tools::{LIST_TTL_MS, page};
use crate::ports::{PromptSource, Speaker};

const MAX_ARGUMENT: usize = 64 * 1024;

pub(super) async fn list(
    source: &dyn PromptSource,
    ctx: &Ctx,
    cursor: Option<&str>,
) -> Result<ListPromptsResult> {
    let mut entries = source.list(ctx).await?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let (entries, next) = page(entries, cursor, |entry| entry.name.as_str())?;
    let prompts = entries
        .into_iter()
        .map(|entry| {
            let arguments = entry
                .arguments
                .into_iter()
                .map(|argument| {
                    let mut wire =
                        WireArgument::new(argument.name).with_required(argument.required);
                    wire.description = argument.description;
                    wire
                })
                .collect();
            let mut prompt = Prompt::new(entry.name, entry.description, Some(arguments));
            prompt.title = entry.title;
            prompt
        })
        .collect();
    let mut result = ListPromptsResult::with_all_items(prompts)
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private);
    result.next_cursor = next;
    Ok(result)
}

pub(super) async fn get(
    source: &dyn PromptSource,
    ctx: &Ctx,
    name: &str,
    arguments: Option<JsonObject>,
) -> Result<GetPromptResult> {
    let mut texts = BTreeMap::new();
    for (argument, value) in arguments.unwrap_or_default() {
        match value {
            Value::String(text) if text.len() <= MAX_ARGUMENT => {
                texts.insert(argument, text);
            }
            _ => {
                return Err(Error::invalid("invalid_arguments", "a prompt argument is wrong")
                    .why(format!("{argument:?} is not a text of at most {MAX_ARGUMENT} bytes")));
            }
        }
    }
    let rendered = source.get(ctx, name, texts).await?;
    let messages = rendered
        .messages
        .into_iter()
        .map(|(speaker, said)| {
            let role = match speaker {
                Speaker::User => Role::User,
                Speaker::Assistant => Role::Assistant,
            };
            PromptMessage::new(role, block(said))
        })
        .collect();
    let mut result = GetPromptResult::new(messages);
    result.description = rendered.description;
    Ok(result)
}
