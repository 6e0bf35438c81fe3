//! The resources of the suite, under `test://`.

use std::sync::Arc;

use flowmaster_kernel::{BoxFuture, Ctx, Error, Page, PageRequest, Result};
use serde_json::json;

use super::PIXEL;
use crate::ports::{
    ResourceBody, ResourceContents, ResourceEntry, ResourceSource, ResourceTemplate,
};

pub(super) struct Resources {
    pub(super) behind: Option<Arc<dyn ResourceSource>>,
}

const STATIC: [(&str, &str); 3] = [
    ("test://static-text", "text/plain"),
    ("test://static-binary", "image/png"),
    ("test://watched-resource", "text/plain"),
];

impl ResourceSource for Resources {
    fn schemes(&self) -> Vec<&'static str> {
        let behind = self.behind.iter().flat_map(|behind| behind.schemes());
        std::iter::once("test").chain(behind).collect()
    }

    fn list<'a>(
        &'a self,
        ctx: &'a Ctx,
        page: PageRequest,
    ) -> BoxFuture<'a, Result<Page<ResourceEntry>>> {
        Box::pin(async move {
            let is_first = page.cursor.is_none();
            let mut found = match &self.behind {
                Some(behind) => behind.list(ctx, page).await?,
                None => Page { items: Vec::new(), next_cursor: None },
            };
            if is_first {
                found.items.splice(
                    0..0,
                    STATIC.map(|(uri, mime_type)| ResourceEntry {
                        uri: uri.to_owned(),
                        name: uri.to_owned(),
                        title: None,
                        description: Some("A resource of the conformance suite.".to_owned()),
                        mime_type: mime_type.to_owned(),
                    }),
                );
            }
            Ok(found)
        })
    }

    fn templates(&self) -> Vec<ResourceTemplate> {
        let behind = self.behind.iter().flat_map(|behind| behind.templates());
        let template = ResourceTemplate {
            uri_template: "test://template/{id}/data".to_owned(),
            name: "test_template".to_owned(),
            title: None,
            description: Some("A family of the conformance suite.".to_owned()),
            mime_type: "application/json".to_owned(),
        };
        std::iter::once(template).chain(behind).collect()
    }

    fn read<'a>(&'a self, ctx: &'a Ctx, uri: &'a str) -> BoxFuture<'a, Result<ResourceContents>> {
        let text = |mime_type: &str, text: String| ResourceContents {
            mime_type: mime_type.to_owned(),
            body: ResourceBody::Text(text),
        };
        Box::pin(async move {
            let id =
                uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
            match (uri, id, &self.behind) {
                (_, Some(id), _) => {
                    let data = format!("Data for ID: {id}");
                    let body = json!({ "id": id, "templateTest": true, "data": data });
                    Ok(text("application/json", body.to_string()))
                }
                ("test://static-text", ..) => {
                    let said = "This is the content of the static text resource.";
                    Ok(text("text/plain", said.to_owned()))
                }
                ("test://watched-resource", ..) => {
                    Ok(text("text/plain", "What is watched.".to_owned()))
                }
                ("test://static-binary", ..) => Ok(ResourceContents {
                    mime_type: "image/png".to_owned(),
                    body: ResourceBody::Base64(PIXEL.to_owned()),
                }),
                (_, _, Some(behind)) if !uri.starts_with("test://") => behind.read(ctx, uri).await,
                _ => Err(Error::not_found("resource", uri)),
            }
        })
    }

    fn complete<'a>(
        &'a self,
        ctx: &'a Ctx,
        template: &'a str,
        variable: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        match &self.behind {
            Some(behind) => behind.complete(ctx, template, variable, prefix),
            None => Box::pin(std::future::ready(Ok(Vec::new()))),
        }
    }
}
