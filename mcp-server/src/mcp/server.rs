//! The protocol handler: rmcp's requests turned into calls of the surface, and back.
//!
//! Over HTTP the visitor comes with every request, put there by the authentication layer; over
//! stdio the process has one visitor for its whole life. A request without a visitor is refused.

#![expect(
    deprecated,
    reason = "older clients subscribe and set levels with what newer ones have not"
)]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flowmaster_kernel::{Ctx, Error, ErrorKind};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
    CompleteResult, DiscoverResult, ErrorCode, GetPromptRequestParams, GetPromptResponse,
    GetTaskParams, GetTaskResult, Implementation, InitializeRequestParams, InitializeResult,
    InputResponses, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerConfig, SetLevelRequestMethod, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ErrorData, ServerHandler};
use serde_json::{Value, json};

use super::exchange::{self, Line};
use super::observe::{ClientSeen, printable};
use super::session::{self, Session};
use super::tools::{LIST_TTL_MS, server_info, signature, signed};
use super::watching::{LONGEST, MAX_URIS, Watch, Watched};
use super::{
    Surface, Visitor, notes, offered, ongoing, param_headers, prompts, resources, sealed, tools,
};

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
    session: Arc<Session>,
}

impl McpServer {
    /// A handler whose visitor comes with every HTTP request.
    #[must_use]
    pub fn for_requests(surface: Arc<Surface>) -> Self {
        Self { surface, visitor: None, session: Arc::default() }
    }

    /// A handler for one visitor.
    #[must_use]
    pub fn for_visitor(surface: Arc<Surface>, visitor: Visitor) -> Self {
        Self { surface, visitor: Some(visitor), session: Arc::default() }
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

    /// The line of a request that may be asked back.
    fn line(
        &self,
        context: &Context,
        request: &sealed::Request<'_>,
        responses: Option<InputResponses>,
        state: Option<&str>,
    ) -> Answer<Line> {
        let heard = exchange::heard(&self.surface.seal, request, responses, state)
            .map_err(|error| protocol_error(&error))?;
        Ok(Line::open(context, self.session.level(), heard))
    }

    /// A watch for `visitor`, if there is room for one.
    fn watch(&self, visitor: Visitor, since: u64) -> Result<Watch, Error> {
        let place = self.surface.watches.admit(&visitor)?;
        Ok(Watch::new(&self.surface, visitor, since, place))
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
        ServerConfig::new(offered::capabilities(&self.surface))
            .with_server_info(server_info())
            .with_instructions(INSTRUCTIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: Context,
    ) -> Answer<InitializeResult> {
        let visitor = self.visitor(&context)?;
        let mut result = self.negotiate_initialize(&request)?;
        offered::without_streams(&mut result.capabilities);
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
        let (visitor, mut ctx) = self.enter(&context)?;
        let CallToolRequestParams { name, arguments, input_responses, request_state, .. } = request;
        let arguments = Value::Object(arguments.unwrap_or_default());
        let request = sealed::Request {
            caller: &visitor.caller,
            method: "tools/call",
            name: &name,
            // They may be large, and nothing is sealed for those who take no questions.
            arguments: if takes_questions(&context) { arguments.clone() } else { Value::Null },
        };
        let mut line = self.line(&context, &request, input_responses, request_state.as_deref())?;
        ctx.exchange = Some(line.end());
        let headers = is_modern(&context).then(|| Some(&parts(&context)?.headers)).flatten();
        // Boxed, because rmcp moves the future of a request several times.
        let call = tools::call(&self.surface, &visitor, ctx.clone(), &name, arguments, headers);
        let answer = Box::pin(line.carry(&context, call)).await;
        let mut result = match answer {
            Ok(result) => match ongoing::begun(&self.surface, &ctx, &name, &result).await {
                Some(task) => return Ok(task.with_meta(signature()).into()),
                None => tools::shown(result, line.shown()),
            },
            // An unknown tool is an error of the protocol (MCP 2026-07-28, Tools, "Error handling").
            Err(error)
                if error.code() == "unknown_operation" && !name.starts_with("capability_") =>
            {
                return Err(invalid_params(&error));
            }
            Err(error) if error.code() == param_headers::MISMATCH => {
                let message = protocol_error(&error).message;
                return Err(ErrorData::new(ErrorCode::HEADER_MISMATCH, message, None));
            }
            Err(error) => match line.questions(&error, &self.surface.seal, &request) {
                Some(asked) => return Ok(asked?.with_meta(signature()).into()),
                None => tools::failure(&error),
            },
        };
        if is_modern(&context) {
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
        let result = resources::read(source, &ctx, &request.uri).await;
        Ok(result.map_err(|error| unreadable(&error, &request.uri))?.into())
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
        let (visitor, mut ctx) = self.enter(&context)?;
        let source = self.surface.prompts.as_deref().ok_or_else(unoffered)?;
        let GetPromptRequestParams { name, arguments, input_responses, request_state, .. } =
            request;
        let request = sealed::Request {
            caller: &visitor.caller,
            method: "prompts/get",
            name: &name,
            arguments: json!(arguments),
        };
        let mut line = self.line(&context, &request, input_responses, request_state.as_deref())?;
        ctx.exchange = Some(line.end());
        let get = prompts::get(source, &ctx, &name, arguments);
        match line.carry(&context, get).await {
            Ok(result) => Ok(result.into()),
            Err(error) => match line.questions(&error, &self.surface.seal, &request) {
                Some(asked) => Ok(asked?.with_meta(signature()).into()),
                // Only resources have a not-found code of their own.
                None if error.kind() == ErrorKind::NotFound => Err(invalid_params(&error)),
                None => Err(protocol_error(&error)),
            },
        }
    }

    async fn get_task(&self, request: GetTaskParams, context: Context) -> Answer<GetTaskResult> {
        let (_, ctx) = self.enter(&context)?;
        let takes = context.client_capabilities().unwrap_or_default();
        let found = ongoing::get(&self.surface, &ctx, &request.task_id, &takes).await;
        let mut result = found.map_err(|error| invalid_params(&error))?;
        result.meta = signed(result.meta);
        Ok(result)
    }

    async fn update_task(&self, request: UpdateTaskParams, context: Context) -> Answer<()> {
        let (visitor, ctx) = self.enter(&context)?;
        let UpdateTaskParams { task_id, input_responses, .. } = request;
        ongoing::update(&self.surface, &visitor, &ctx, &task_id, &input_responses)
            .await
            .map_err(|error| invalid_params(&error))
    }

    async fn cancel_task(&self, request: CancelTaskParams, context: Context) -> Answer<()> {
        let (visitor, ctx) = self.enter(&context)?;
        ongoing::cancel(&self.surface, &visitor, &ctx, &request.task_id)
            .await
            .map_err(|error| invalid_params(&error))
    }

    async fn set_level(&self, request: SetLevelRequestParams, context: Context) -> Answer<()> {
        if is_modern(&context) {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        self.session.set_level(notes::level(request.level));
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        self.session.written.store(self.surface.dispatcher.written(), Ordering::Release);
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Answer<()> {
        let visitor = self.visitor(subscription.request_context())?;
        let watched = Watched::of(subscription.accepted());
        if watched.len() > MAX_URIS {
            return Err(protocol_error(&session::too_many()));
        }
        let since = self.session.written.load(Ordering::Acquire);
        let mut watch = self.watch(visitor, since).map_err(|error| protocol_error(&error))?;
        let tell = async {
            loop {
                for difference in watch.next(watched.clone()).await {
                    if subscription.sink().send(difference.notification()).await.is_err() {
                        return;
                    }
                }
            }
        };
        tokio::select! {
            () = tell => {}
            () = subscription.cancelled() => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
        Ok(())
    }

    async fn subscribe(&self, request: SubscribeRequestParams, context: Context) -> Answer<()> {
        let (visitor, ctx) = self.enter(&context)?;
        let source = self.surface.resources.as_deref().ok_or_else(unoffered)?;
        let failed = |error: Error| protocol_error(&error);
        let since = self.surface.dispatcher.written();
        let read = resources::read(source, &ctx, &request.uri).await;
        read.map_err(|error| unreadable(&error, &request.uri))?;
        self.session.subscribe(request.uri).map_err(failed)?;
        if self.session.begins_to_watch() {
            match self.watch(visitor, since) {
                Ok(watch) => {
                    tokio::spawn(Arc::clone(&self.session).watch(watch, context.peer));
                }
                Err(error) => {
                    self.session.does_not_watch();
                    return Err(failed(error));
                }
            }
        }
        Ok(())
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, context: Context) -> Answer<()> {
        self.visitor(&context)?;
        self.session.unsubscribe(&request.uri);
        Ok(())
    }
}

fn is_modern(context: &Context) -> bool {
    context.protocol_version().is_some_and(|version| !version.has_initialize())
}

fn takes_questions(context: &Context) -> bool {
    context
        .client_capabilities()
        .is_some_and(|it| it.elicitation.is_some() || it.sampling.is_some() || it.roots.is_some())
}

fn invalid_params(error: &Error) -> ErrorData {
    let message = protocol_error(error).message;
    ErrorData::new(ErrorCode::INVALID_PARAMS, message, Some(json!(error.body())))
}

/// The error of a resource, which names its URI (MCP 2026-07-28, Resources, "Error handling").
fn unreadable(error: &Error, uri: &str) -> ErrorData {
    let mut wire = protocol_error(error);
    if let Some(Value::Object(data)) = &mut wire.data {
        data.insert("uri".to_owned(), json!(uri));
    }
    wire
}

fn unoffered() -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "this server does not offer that", None)
}
