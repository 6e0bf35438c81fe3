//! Tools on the wire: listing, paging, annotations, and the two shapes of an answer.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flowmaster_kernel::{Ctx, Effect, Error, ErrorKind, Result};
use rmcp::model::{
    CallToolResult, ContentBlock, Implementation, JsonObject, MetaObject, Tool as WireTool,
    ToolAnnotations,
};
use serde_json::{Value, json};

use super::{Surface, Visitor, capabilities, fit, param_headers};
use crate::dispatch::Offer;

/// How many entries a page of a list holds.
pub(super) const PAGE: usize = 50;
/// How long a list may be taken as fresh.
pub(super) const LIST_TTL_MS: u64 = 60_000;
/// How much a call may show besides its answer, in bytes.
const MAX_SHOWN: usize = 1024 * 1024;
/// Where the machine-readable error is in `_meta`. It cannot be `structuredContent`: that must
/// match the output schema of the tool (MCP 2026-07-28, Tools, "Structured content").
pub(super) const ERROR_META: &str = "flowmaster/error";

/// The tools of a visitor in the order of their names.
pub(super) async fn listed(
    surface: &Surface,
    visitor: &Visitor,
    ctx: &Ctx,
) -> Result<Vec<WireTool>> {
    let offers = surface.dispatcher.offers_to(ctx).await?;
    let mut tools: Vec<WireTool> = offers
        .iter()
        .filter(|offer| visitor.selection.lists(&offer.tool))
        .map(|offer| wire(offer))
        .collect();
    tools.extend(capabilities::wire_tools(&visitor.selection));
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tools)
}

/// One page of `entries`, which are sorted by `name`, and the cursor of the next.
///
/// # Errors
/// `invalid_cursor`.
pub(super) fn page<T>(
    mut entries: Vec<T>,
    cursor: Option<&str>,
    name: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>)> {
    if let Some(cursor) = cursor {
        let after = URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("after:").map(ToOwned::to_owned))
            .ok_or_else(|| {
                Error::invalid("invalid_cursor", "the cursor is not one of this list")
                    .fix("pass nextCursor of the page before, or none for the first page")
            })?;
        entries.retain(|entry| name(entry) > after.as_str());
    }
    let more = entries.len() > PAGE;
    entries.truncate(PAGE);
    let next = entries
        .last()
        .filter(|_| more)
        .map(|last| URL_SAFE_NO_PAD.encode(format!("after:{}", name(last))));
    Ok((entries, next))
}

fn wire(offer: &Offer) -> WireTool {
    let tool = &offer.tool;
    let mut wire =
        WireTool::new(tool.name.clone(), tool.description.clone(), offer.advertised_input())
            .with_title(tool.title.clone())
            .with_annotations(annotations(&tool.title, tool.effect));
    if let Some(output) = tool.output.as_object() {
        wire = wire.with_raw_output_schema(Arc::new(output.clone()));
    }
    wire
}

/// The four hints of a tool. Nothing here reaches beyond the server's own data, and repeating a
/// write without an idempotency key is a second write.
pub(super) fn annotations(title: &str, effect: Effect) -> ToolAnnotations {
    ToolAnnotations::with_title(title)
        .read_only(effect == Effect::Read)
        .destructive(effect == Effect::Destroy)
        .idempotent(effect == Effect::Read)
        .open_world(false)
}

/// Calls a tool by name for a visitor.
///
/// # Errors
/// What the dispatcher or the tool reports.
pub(super) async fn call(
    surface: &Surface,
    visitor: &Visitor,
    ctx: Ctx,
    name: &str,
    arguments: Value,
    headers: Option<&HeaderMap>,
) -> Result<CallToolResult> {
    if let Some(answer) = capabilities::call(surface, visitor, &ctx, name, &arguments).await {
        return answer;
    }
    operation(surface, visitor, ctx, name, arguments, headers).await
}

/// Calls an operation or a published process, listed or not. `headers` are those that repeat
/// arguments of the call.
pub(super) async fn operation(
    surface: &Surface,
    visitor: &Visitor,
    ctx: Ctx,
    name: &str,
    arguments: Value,
    headers: Option<&HeaderMap>,
) -> Result<CallToolResult> {
    let offer = match surface.dispatcher.find(&ctx, name).await {
        Ok(offer) => offer,
        // The dispatcher refuses it again, and writes that down.
        Err(error) => {
            return surface.dispatcher.call(ctx, name, arguments).await.and(Err(error));
        }
    };
    if !visitor.selection.permits(&offer.tool) {
        return Err(read_only(name));
    }
    if let Some(headers) = headers {
        param_headers::check(headers, &offer.advertised_input(), &arguments)?;
    }
    let answer = surface.dispatcher.call(ctx, name, arguments).await?;
    let (answer, text) = fit::fit(answer, offer.tool.effect, &offer.tool.input)?;
    Ok(success(answer, text))
}

/// The refusal of a write on a read-only connection.
pub(super) fn read_only(name: &str) -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "read_only_connection",
        format!("{name} changes something, and this connection is read-only"),
    )
    .fix("connect without read_only to make changes")
}

pub(super) fn success(answer: Value, text: String) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(answer);
    result
}

/// An error as the result of a tool, which models get to read (SEP-1303).
pub(super) fn failure(error: &Error) -> CallToolResult {
    let body = json!(error.body());
    let mut result = CallToolResult::error(vec![ContentBlock::text(body.to_string())]);
    result.meta.get_or_insert_default().insert(ERROR_META.to_owned(), body);
    result
}

/// The result with what the call showed in place of its answer's text.
pub(super) fn shown(mut result: CallToolResult, shown: Vec<ContentBlock>) -> CallToolResult {
    if shown.is_empty() {
        return result;
    }
    let bytes: usize = shown.iter().map(|block| json!(block).to_string().len()).sum();
    if bytes > MAX_SHOWN {
        return failure(
            &Error::new(
                ErrorKind::TooLarge,
                "result_too_large",
                "the result is too large to be shown",
            )
            .why(format!("{bytes} bytes; the limit is {MAX_SHOWN}"))
            .fix("ask for a smaller part of it"),
        );
    }
    result.content = shown;
    result.structured_content = result.structured_content.filter(Value::is_object);
    result
}

/// Says who answers (MCP 2026-07-28, "serverInfo").
pub(super) fn signed(meta: Option<MetaObject>) -> Option<MetaObject> {
    let mut meta = meta.unwrap_or_default();
    meta.extend(signature());
    Some(meta)
}

/// What says who answers.
pub(super) fn signature() -> MetaObject {
    static SIGNATURE: LazyLock<Value> = LazyLock::new(|| json!(server_info()));
    let mut meta = MetaObject::default();
    meta.insert("io.modelcontextprotocol/serverInfo".to_owned(), SIGNATURE.clone());
    meta
}

/// What the server calls itself.
pub(super) fn server_info() -> Implementation {
    Implementation::new("flowmaster", env!("CARGO_PKG_VERSION")).with_title("FlowMaster")
}

/// An object schema as rmcp wants it.
pub(super) fn object(schema: Value) -> Arc<JsonObject> {
    match schema {
        Value::Object(object) => Arc::new(object),
        _ => Arc::default(),
    }
}

/// The first sentence of a description.
pub(super) fn first_sentence(text: &str) -> Cow<'_, str> {
    text.split_once(". ").map_or(Cow::Borrowed(text), |(first, _)| Cow::Owned(format!("{first}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let names: Vec<String> = (0..120).map(|n| format!("tool_{n:03}")).collect();
        let mut seen = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let (part, next) =
                page(names.clone(), cursor.as_deref(), |name| name.as_str()).unwrap();
            assert!(part.len() <= PAGE);
            seen.extend(part);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, names);
        for bad in ["", "!", "dG9vbA"] {
            let error = page(names.clone(), Some(bad), |name| name.as_str()).unwrap_err();
            assert_eq!(error.code(), "invalid_cursor");
        }
    }
}
