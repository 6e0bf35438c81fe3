//! Resources, their templates, and the completion of template variables.
//!
//! A URI is checked for its form here; whether the caller may read it is for the room to decide.

use flowmaster_kernel::{Ctx, Cursor, Error, PageRequest, Result};
use rmcp::model::{
    CacheScope, CompleteRequestParams, CompletionInfo, ListResourceTemplatesResult,
    ListResourcesResult, ReadResourceResult, Reference, Resource, ResourceContents,
    ResourceTemplate as WireTemplate,
};

use super::tools::LIST_TTL_MS;
use crate::ports::{ResourceBody, ResourceSource};

const MAX_URI: usize = 2_048;
const MAX_PREFIX: usize = 256;

pub(super) async fn list(
    source: &dyn ResourceSource,
    ctx: &Ctx,
    cursor: Option<String>,
) -> Result<ListResourcesResult> {
    let page = PageRequest { limit: Some(50), cursor: cursor.map(Cursor) };
    let page = source.list(ctx, page).await?;
    let resources = page
        .items
        .into_iter()
        .map(|entry| {
            let mut resource = Resource::new(entry.uri, entry.name).with_mime_type(entry.mime_type);
            resource.title = entry.title;
            resource.description = entry.description;
            resource
        })
        .collect();
    let mut result = ListResourcesResult::with_all_items(resources)
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private);
    result.next_cursor = page.next_cursor.map(|cursor| cursor.0);
    Ok(result)
}

pub(super) fn templates(source: &dyn ResourceSource) -> ListResourceTemplatesResult {
    let templates = source
        .templates()
        .into_iter()
        .map(|entry| {
            let mut template =
                WireTemplate::new(entry.uri_template, entry.name).with_mime_type(entry.mime_type);
            template.title = entry.title;
            template.description = entry.description;
            template
        })
        .collect();
    ListResourceTemplatesResult::with_all_items(templates)
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

pub(super) async fn read(
    source: &dyn ResourceSource,
    ctx: &Ctx,
    uri: &str,
) -> Result<ReadResourceResult> {
    check_uri(&source.schemes(), uri)?;
    let found = source.read(ctx, uri).await?;
    let contents = match found.body {
        ResourceBody::Text(text) => ResourceContents::text(text, uri),
        ResourceBody::Base64(blob) => ResourceContents::blob(blob, uri),
    };
    let contents = contents.with_mime_type(found.mime_type);
    // What stands behind a URI changes at any time, so it is never fresh for longer than this read.
    Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

pub(super) async fn complete(
    source: &dyn ResourceSource,
    ctx: &Ctx,
    request: &CompleteRequestParams,
) -> Result<CompletionInfo> {
    let Reference::Resource(template) = &request.r#ref else {
        return Ok(CompletionInfo::default());
    };
    if request.argument.value.len() > MAX_PREFIX || template.uri.len() > MAX_URI {
        return Err(Error::invalid("completion_too_long", "the text to complete is too long"));
    }
    let mut values = source
        .complete(ctx, &template.uri, &request.argument.name, &request.argument.value)
        .await?;
    let more = values.len() > CompletionInfo::MAX_VALUES;
    values.truncate(CompletionInfo::MAX_VALUES);
    let mut completion = CompletionInfo::default();
    completion.values = values;
    completion.has_more = Some(more);
    Ok(completion)
}

/// Refuses what is not a plain `scheme://kind/id`, escapes and dot segments included, so that
/// no room ever has to normalise a URI.
fn check_uri(schemes: &[&str], uri: &str) -> Result<()> {
    let path = uri.split_once("://").filter(|(scheme, _)| schemes.contains(scheme));
    let well_formed = uri.len() <= MAX_URI
        && path.is_some_and(|(_, path)| {
            path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
                && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
                && !path.contains("%2f")
                && !path.contains("%2F")
        });
    if well_formed {
        return Ok(());
    }
    Err(Error::invalid("invalid_uri", "the URI is not one of this server")
        .fix("use a URI such as flowmaster://process/ID from resources/templates/list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_uris_pass() {
        let check = |uri: &str, passes| {
            assert_eq!(check_uri(&["flowmaster"], uri).is_ok(), passes, "{uri}");
        };
        check("flowmaster://process/invoice", true);
        check("flowmaster://instance/ins_1/timeline", true);
        check("file:///etc/passwd", false);
        check("flowmaster://", false);
        check("flowmaster://process/../secret", false);
        check("flowmaster://process//x", false);
        check("flowmaster://process/a%2fb", false);
        check("flowmaster://process/a b", false);
        check(&format!("flowmaster://process/{}", "x".repeat(MAX_URI)), false);
    }
}
