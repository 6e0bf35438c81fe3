//! The protocol handler: rmcp's requests turned into calls of the surface, and back.
//!
//! Over HTTP the visitor comes with every request, put there by the authentication layer; over
//! stdio the process has one visitor for its whole life. A request without a visitor is refused.

use std::sync::Arc;

use flowmaster_kernel::{Ctx, Error, ErrorKind};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    DiscoverResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, Implementation,
    InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use serde_json::json;

use super::observe::{ClientSeen, printable};
use super::tools::{LIST_TTL_MS, server_info, signed};
use super::{Surface, Visitor, prompts, resources, tools};

const INSTRUCTIONS: &str = "FlowMaster runs business processes with people, systems and agents. \
    Listed tools cover the common work; find anything else with capability_search, then \
    capability_describe, then capability_read or capability_write. Errors say what to do next.";

type Context = RequestContext<RoleServer>;
type Answer<T> = Result<T, ErrorData>;

/// A protocol handler for one connection, or for all requests of Streamable HTTP.
#[derive(Clone)]
pub struct McpServer {
    surface: Arc<Surface>,
    visitor: Option<Visitor>,
}

impl McpServer {
    /// A handler whose visitor comes with every HTTP request.
    #[must_use]
    pub fn for_requests(surface: Arc<Surface>) -> Self {
        Self { surface, visitor: None }
    }

    /// A handler for one visitor.
    #[must_use]
    pub fn for_visitor(surface: Arc<Surface>, visitor: Visitor) -> Self {
        Self { surface, visitor: Some(visitor) }
    }

    fn visitor(&self, context: &Context) -> Answer<Visitor> {
        parts(context)
            .and_then(|parts| parts.extensions.get::<Visitor>())
            .or(self.visitor.as_ref())
            .cloned()
            .ok_or_else(|| ErrorData::internal_error("the request has no verified caller", None))
    }

    fn enter(&self, context: &Context) -> Answer<(Visitor, Ctx)> {
        let visitor = self.visitor(context)?;
        let traceparent = context.meta.get_traceparent().or_else(|| {
            parts(context)?.headers.get("traceparent").and_then(|value| value.to_str().ok())
        });
        let ctx = self.surface.ctx(&visitor.caller, traceparent);
        Ok((visitor, ctx))
    }

    fn report(&self, visitor: &Visitor, client: &Client, tools: Option<usize>) {
        self.surface.observer.saw(&ClientSeen {
            name: printable(&client.info.name),
            version: printable(&client.info.version),
            revision: client.revision.clone(),
            principal: visitor.caller.principal.id.clone(),
            tools,
        });
    }
}

struct Client {
    info: Implementation,
    revision: String,
}

impl Client {
    fn of(context: &Context) -> Self {
        Self {
            info: context
                .client_info()
                .unwrap_or_else(|| Implementation::new("unnamed client", "?")),
            revision: context.protocol_version().map(|v| v.to_string()).unwrap_or_default(),
        }
    }
}

fn parts(context: &Context) -> Option<&axum::http::request::Parts> {
    context.extensions.get()
}

/// A kernel error as a protocol error, for requests whose result has no place for errors.
fn protocol_error(error: &Error) -> ErrorData {
    let code = match error.kind() {
        ErrorKind::NotFound => ErrorCode::RESOURCE_NOT_FOUND,
        ErrorKind::Invalid | ErrorKind::Forbidden | ErrorKind::TooLarge => {
            ErrorCode::INVALID_PARAMS
        }
        _ => ErrorCode::INTERNAL_ERROR,
    };
    let body = error.body();
    let message = match &body.fix {
        Some(fix) => format!("{}; {fix}", body.what),
        None => body.what.clone(),
    };
    ErrorData::new(code, message, Some(json!(body)))
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(rmcp::model::ToolsCapability::default());
        if self.surface.resources.is_some() {
            capabilities.resources = Some(rmcp::model::ResourcesCapability::default());
            capabilities.completions = Some(rmcp::model::JsonObject::default());
        }
        if self.surface.prompts.is_some() {
            capabilities.prompts = Some(rmcp::model::PromptsCapability::default());
        }
        ServerConfig::new(capabilities)
            .with_server_info(server_info())
            .with_instructions(INSTRUCTIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: Context,
    ) -> Answer<InitializeResult> {
        let visitor = self.visitor(&context)?;
        let result = self.negotiate_initialize(&request)?;
        let revision = result.protocol_version.to_string();
        self.report(&visitor, &Client { info: request.client_info.clone(), revision }, None);
        context.peer.set_peer_info(request);
        Ok(result)
    }

    async fn discover(&self, context: Context) -> Answer<DiscoverResult> {
        let visitor = self.visitor(&context)?;
        self.report(&visitor, &Client::of(&context), None);
        Ok(DiscoverResult::from_server_info(
            self.supported_protocol_versions().into_owned(),
            self.get_info(),
        )
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Answer<ListToolsResult> {
        let (visitor, ctx) = self.enter(&context)?;
        let listed = tools::listed(&self.surface, &visitor, &ctx)
            .await
            .map_err(|error| protocol_error(&error))?;
        self.report(&visitor, &Client::of(&context), Some(listed.len()));
        let cursor = request.and_then(|request| request.cursor);
        let (page, next) = tools::page(listed, cursor.as_deref(), |tool| tool.name.as_ref())
            .map_err(|error| protocol_error(&error))?;
        let mut result = ListToolsResult::with_all_items(page)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private);
        result.next_cursor = next;
        result.meta = signed(result.meta);
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Answer<CallToolResponse> {
        let (visitor, ctx) = self.enter(&context)?;
        // Boxed, because rmcp moves the future of a request several times.
        let call = tools::call(&self.surface, &visitor, ctx, &request.name, request.arguments);
        let answer = Box::pin(call).await;
        let mut result = match answer {
            Ok(result) => result,
            // An unknown tool is an error of the protocol (MCP 2026-07-28, Tools, "Error handling").
            Err(error)
                if error.code() == "unknown_operation"
                    && !request.name.starts_with("capability_") =>
            {
                return Err(ErrorData::new(
                    ErrorCode::INVALID_PARAMS,
                    protocol_error(&error).message,
                    Some(json!(error.body())),
                ));
            }
            Err(error) => tools::failure(&error),
        };
        if context.protocol_version().is_some_and(|version| !version.has_initialize()) {
            result.meta = signed(result.meta);
        }
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Answer<ListResourcesResult> {
        let (_, ctx) = self.enter(&context)?;
        let source = self.surface.resources.as_deref().ok_or_else(unoffered)?;
        let cursor = request.and_then(|request| request.cursor);
        let mut result =
            resources::list(source, &ctx, cursor).await.map_err(|error| protocol_error(&error))?;
        result.meta = signed(result.meta);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Answer<ListResourceTemplatesResult> {
        self.visitor(&context)?;
        let source = self.surface.resources.as_deref().ok_or_else(unoffered)?;
        let mut result = resources::templates(source);
        result.meta = signed(result.meta);
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Answer<ReadResourceResponse> {
        let (_, ctx) = self.enter(&context)?;
        let source = self.surface.resources.as_deref().ok_or_else(unoffered)?;
        let result = resources::read(source, &ctx, &request.uri)
            .await
            .map_err(|error| protocol_error(&error))?;
        Ok(result.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: Context,
    ) -> Answer<CompleteResult> {
        let (_, ctx) = self.enter(&context)?;
        let source = self.surface.resources.as_deref().ok_or_else(unoffered)?;
        let completion = resources::complete(source, &ctx, &request)
            .await
            .map_err(|error| protocol_error(&error))?;
        Ok(CompleteResult::new(completion))
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Answer<ListPromptsResult> {
        let (_, ctx) = self.enter(&context)?;
        let source = self.surface.prompts.as_deref().ok_or_else(unoffered)?;
        let cursor = request.and_then(|request| request.cursor);
        let mut result = prompts::list(source, &ctx, cursor.as_deref())
            .await
            .map_err(|error| protocol_error(&error))?;
        result.meta = signed(result.meta);
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Answer<GetPromptResponse> {
        let (_, ctx) = self.enter(&context)?;
        let source = self.surface.prompts.as_deref().ok_or_else(unoffered)?;
        let result = prompts::get(source, &ctx, &request.name, request.arguments).await.map_err(
            |error| match error.kind() {
                // Only resources have a not-found code of their own.
                ErrorKind::NotFound => ErrorData::new(
                    ErrorCode::INVALID_PARAMS,
                    protocol_error(&error).message,
                    Some(json!(error.body())),
                ),
                _ => protocol_error(&error),
            },
        )?;
        Ok(result.into())
    }
}

fn unoffered() -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "this server does not offer that", None)
}
