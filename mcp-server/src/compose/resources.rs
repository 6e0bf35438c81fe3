//! What can be read by URI: `flowmaster://process|rule|instance|task|prompt|document/{id}`, and versions:
//! `flowmaster://process|rule/{id}/versions/{version}`.
//!
//! Reading a resource is calling the operation that reads it, through the same dispatch: so the
//! same roles, scopes and limits hold.

use std::sync::Arc;

use flowmaster_kernel::{BoxFuture, Ctx, Error, Page, PageRequest, Result, ToolCaller};
use serde_json::{Value, json};

use crate::dispatch::LateCaller;
use crate::ports::{
    ResourceBody, ResourceContents, ResourceEntry, ResourceSource, ResourceTemplate,
};

/// A family of resources and the operations behind it.
struct Family {
    kind: &'static str,
    title: &'static str,
    about: &'static str,
    read: &'static str,
    search: &'static str,
    /// Whether older versions can be read too.
    has_versions: bool,
}

/// What stands between an id and the number of a version.
const VERSIONS: &str = "/versions/";

const FAMILIES: [Family; 6] = [
    Family {
        kind: "process",
        title: "Process",
        about: "The model of a process and its versions.",
        read: "process_get",
        search: "process_search",
        has_versions: true,
    },
    Family {
        kind: "rule",
        title: "Rule file",
        about: "The decisions of a rule file with their tables and tests.",
        read: "rule_get",
        search: "rule_search",
        has_versions: true,
    },
    Family {
        kind: "instance",
        title: "Process instance",
        about: "Where an instance is and what it waits for.",
        read: "instance_get",
        search: "instance_search",
        has_versions: false,
    },
    Family {
        kind: "task",
        title: "Task",
        about: "A human task with its form.",
        read: "task_get",
        search: "task_list",
        has_versions: false,
    },
    Family {
        kind: "prompt",
        title: "Prompt",
        about: "A prompt file with its versions.",
        read: "prompt_get",
        search: "prompt_search",
        has_versions: false,
    },
    Family {
        kind: "document",
        title: "Document",
        about: "The text of a document and the places in it.",
        read: "document_get",
        search: "document_search",
        has_versions: false,
    },
];

/// The read operations as resources.
pub(super) struct Resources(pub(super) Arc<LateCaller>);

impl ResourceSource for Resources {
    fn list<'a>(
        &'a self,
        ctx: &'a Ctx,
        page: PageRequest,
    ) -> BoxFuture<'a, Result<Page<ResourceEntry>>> {
        Box::pin(async move {
            let arguments = json!({ "limit": page.limit, "cursor": page.cursor });
            let answer = self.0.call(ctx, "process_search", without_nulls(arguments)).await?;
            let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            let entry = |item: &Value| {
                let id = item.get("id")?.as_str()?;
                Some(ResourceEntry {
                    uri: format!("flowmaster://process/{id}"),
                    name: id.to_owned(),
                    title: item.get("name").and_then(Value::as_str).map(str::to_owned),
                    description: Some("The model of a process.".to_owned()),
                    mime_type: "application/json".to_owned(),
                })
            };
            let next_cursor = answer.get("next_cursor").and_then(Value::as_str);
            Ok(Page {
                items: items.iter().filter_map(entry).collect(),
                next_cursor: next_cursor.map(|cursor| flowmaster_kernel::Cursor(cursor.to_owned())),
            })
        })
    }

    fn templates(&self) -> Vec<ResourceTemplate> {
        // Ids of tasks hold a slash, so the rest of the path is the id (RFC 6570 §3.2.3).
        let newest = FAMILIES.iter().map(|it| (it, "{+id}", "", ""));
        let versioned = FAMILIES.iter().filter(|family| family.has_versions);
        let versions =
            versioned.map(|it| (it, "{id}/versions/{version}", "-version", " (version)"));
        newest
            .chain(versions)
            .map(|(family, path, name_ending, title_ending)| ResourceTemplate {
                uri_template: format!("flowmaster://{}/{path}", family.kind),
                name: format!("{}{name_ending}", family.kind),
                title: Some(format!("{}{title_ending}", family.title)),
                description: Some(family.about.to_owned()),
                mime_type: "application/json".to_owned(),
            })
            .collect()
    }

    fn read<'a>(&'a self, ctx: &'a Ctx, uri: &'a str) -> BoxFuture<'a, Result<ResourceContents>> {
        Box::pin(async move {
            let unknown = || {
                Error::not_found("resource", uri)
                    .fix("use flowmaster://process|rule|instance|task|prompt|document/ID")
            };
            let path = uri.strip_prefix("flowmaster://").ok_or_else(unknown)?;
            let (kind, id) = path.split_once('/').ok_or_else(unknown)?;
            let family = FAMILIES.iter().find(|family| family.kind == kind).ok_or_else(unknown)?;
            let mut arguments = json!({ "id": id });
            if family.has_versions
                && let Some((id, version)) = id.split_once(VERSIONS)
            {
                let version: i64 = version.parse().map_err(|_| unknown())?;
                arguments = json!({ "id": id, "version": version });
            }
            if family.read == "rule_get" {
                arguments["response_format"] = json!("detailed");
            }
            let value = self.0.call(ctx, family.read, arguments).await?;
            let text = serde_json::to_string_pretty(&value)
                .map_err(|error| Error::internal("resource_encoding", error))?;
            let mime_type = "application/json".to_owned();
            Ok(ResourceContents { mime_type, body: ResourceBody::Text(text) })
        })
    }

    fn complete<'a>(
        &'a self,
        ctx: &'a Ctx,
        template: &'a str,
        variable: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            let kind =
                template.strip_prefix("flowmaster://").and_then(|rest| rest.split('/').next());
            let family = FAMILIES.iter().find(|family| Some(family.kind) == kind);
            let Some(family) = family.filter(|_| variable == "id") else {
                return Ok(Vec::new());
            };
            let answer = self.0.call(ctx, family.search, json!({ "limit": 50 })).await?;
            let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            Ok(items
                .iter()
                .filter_map(|item| item.get("id")?.as_str())
                .filter(|id| id.starts_with(prefix))
                .map(str::to_owned)
                .collect())
        })
    }
}

fn without_nulls(mut arguments: Value) -> Value {
    if let Some(object) = arguments.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    arguments
}
