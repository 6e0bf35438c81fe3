//! OpenAI-compatible endpoints: chat completions with tools and structured output.
//!
//! Endpoints differ in detail, so requests use the library's types and replies are read leniently:
//! what is missing is taken as missing, never made up. Nothing here acts on a reply.

use std::fmt;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls,
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestToolMessage,
    ChatCompletionRequestUserMessage, ChatCompletionTool, ChatCompletionTools,
    CreateChatCompletionRequest, FunctionCall, FunctionObject, ResponseFormat,
    ResponseFormatJsonSchema,
};
use serde::Deserialize;
use serde_json::Value;

use super::transport::{self, Undelivered};
use super::{Finish, Message, ModelError, RawToolCall, Reply, Request, Usage};

/// A secret on its way to an endpoint. It prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a model is, and how to speak to it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What stands before `/chat/completions`, e.g. `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key; empty where none is needed.
    pub api_key: Secret,
    /// The provider's name of the model.
    pub model: String,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often a failed attempt is repeated.
    pub max_retries: u32,
    /// How the length of a reply is limited.
    pub token_limit: TokenLimit,
    /// How a JSON answer is asked for.
    pub structured: Structured,
}

impl Endpoint {
    /// An endpoint with what fits most of them.
    #[must_use]
    pub fn new(base_url: impl Into<String>, api_key: Secret, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            model: model.into(),
            timeout: Duration::from_secs(120),
            max_retries: 3,
            token_limit: TokenLimit::default(),
            structured: Structured::default(),
        }
    }
}

/// The field that limits the length of a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenLimit {
    /// `max_completion_tokens`, as OpenAI has it now.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, as older servers have it.
    MaxTokens,
}

/// How an endpoint is asked for JSON. The answer is checked in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Structured {
    /// `response_format` with the schema.
    #[default]
    JsonSchema,
    /// `response_format` `json_object`.
    JsonObject,
    /// By words alone, for servers without `response_format`.
    Words,
}

/// A model behind an OpenAI-compatible endpoint.
pub struct OpenAi {
    client: Client<OpenAIConfig>,
    endpoint: Endpoint,
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAi").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl OpenAi {
    /// A model at `endpoint`.
    ///
    /// # Errors
    /// [`ModelError::Configuration`].
    pub fn new(endpoint: Endpoint) -> Result<Self, ModelError> {
        let unusable = |what: &str| ModelError::Configuration(what.to_owned());
        let url = reqwest::Url::parse(&endpoint.base_url)
            .map_err(|error| ModelError::Configuration(format!("base_url: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unusable("base_url is neither http nor https"));
        }
        if endpoint.model.is_empty() {
            return Err(unusable("model is empty"));
        }
        // The client library cannot cope with a key that does not fit into a header.
        if !endpoint.api_key.0.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("the API key has characters that no key has"));
        }
        let http = reqwest::Client::builder()
            .timeout(endpoint.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ModelError::Configuration(error.to_string()))?;
        // Every field is set, so that nothing of the environment counts.
        let config = OpenAIConfig::new()
            .with_api_base(endpoint.base_url.trim_end_matches('/'))
            .with_api_key(endpoint.api_key.0.clone())
            .with_org_id("")
            .with_project_id("");
        let (sender, max_retries) = (http.clone(), endpoint.max_retries);
        let service = tower::service_fn(move |request| {
            transport::deliver(sender.clone(), request, max_retries)
        });
        let client = Client::build(http, config).with_http_service(service);
        Ok(Self { client, endpoint })
    }

    /// Asks the model.
    ///
    /// # Errors
    /// Why there is no reply.
    pub async fn call(&self, request: &Request) -> Result<Reply, ModelError> {
        let wire = self.wire_request(request);
        let reply: WireReply = self.client.chat().create_byot(wire).await.map_err(undelivered)?;
        Ok(reply.into_reply(&self.endpoint.model))
    }

    fn wire_request(&self, request: &Request) -> CreateChatCompletionRequest {
        let limit = Some(request.max_output_tokens);
        let (max_tokens, max_completion_tokens) = match self.endpoint.token_limit {
            TokenLimit::MaxTokens => (limit, None),
            TokenLimit::MaxCompletionTokens => (None, limit),
        };
        let response_format = match (self.endpoint.structured, &request.output_schema) {
            (Structured::Words, _) | (_, None) => None,
            (Structured::JsonObject, Some(_)) => Some(ResponseFormat::JsonObject),
            (Structured::JsonSchema, Some(schema)) => Some(ResponseFormat::JsonSchema {
                json_schema: ResponseFormatJsonSchema {
                    description: None,
                    name: "output".to_owned(),
                    schema: schema.clone(),
                    // Strict mode takes a part of JSON Schema only; we check the answer ourselves.
                    strict: None,
                },
            }),
        };
        let tools: Vec<_> = request.tools.iter().map(wire_tool).collect();
        #[expect(deprecated, reason = "the only field for older servers")]
        CreateChatCompletionRequest {
            model: self.endpoint.model.clone(),
            messages: request.messages.iter().map(wire_message).collect(),
            tools: (!tools.is_empty()).then_some(tools),
            response_format,
            max_tokens,
            max_completion_tokens,
            ..CreateChatCompletionRequest::default()
        }
    }
}

fn wire_tool(tool: &super::ToolSpec) -> ChatCompletionTools {
    ChatCompletionTools::Function(ChatCompletionTool {
        function: FunctionObject {
            name: tool.name.clone(),
            description: Some(tool.description.clone()),
            parameters: Some(tool.input.clone()),
            strict: None,
        },
    })
}

fn wire_message(message: &Message) -> ChatCompletionRequestMessage {
    match message {
        Message::System { content } => {
            ChatCompletionRequestSystemMessage::from(content.as_str()).into()
        }
        Message::User { content } => {
            ChatCompletionRequestUserMessage::from(content.as_str()).into()
        }
        Message::Assistant { content, tool_calls } => {
            let calls: Vec<_> = tool_calls.iter().map(wire_call).collect();
            ChatCompletionRequestAssistantMessage {
                content: content.clone().map(Into::into),
                tool_calls: (!calls.is_empty()).then_some(calls),
                ..Default::default()
            }
            .into()
        }
        Message::Tool { call, content } => ChatCompletionRequestToolMessage {
            content: content.clone().into(),
            tool_call_id: call.clone(),
        }
        .into(),
    }
}

fn wire_call(call: &RawToolCall) -> ChatCompletionMessageToolCalls {
    ChatCompletionMessageToolCalls::Function(ChatCompletionMessageToolCall {
        id: call.id.clone(),
        function: FunctionCall { name: call.name.clone(), arguments: call.arguments.clone() },
    })
}

fn undelivered(error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(source) => match source.downcast::<Undelivered>() {
            Ok(ours) => ours.into_inner(),
            Err(other) => ModelError::Unreachable(other.to_string()),
        },
        // The content is left out: it may quote the conversation.
        OpenAIError::JSONDeserialize(error, _) => ModelError::Malformed(error.to_string()),
        other => ModelError::Malformed(other.to_string()),
    }
}

/// The parts of a chat completion that count; everything may be missing.
#[derive(Deserialize)]
struct WireReply {
    #[serde(default)]
    choices: Vec<WireChoice>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Deserialize)]
struct WireChoice {
    #[serde(default)]
    message: WireMessage,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct WireMessage {
    #[serde(default)]
    content: Option<Value>,
    #[serde(default)]
    tool_calls: Option<Vec<WireCall>>,
}

#[derive(Deserialize)]
struct WireCall {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: WireFunction,
}

#[derive(Default, Deserialize)]
struct WireFunction {
    #[serde(default)]
    name: String,
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<WireUsageDetails>,
    #[serde(default)]
    completion_tokens_details: Option<WireUsageDetails>,
}

#[derive(Default, Deserialize)]
struct WireUsageDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl WireReply {
    fn into_reply(self, asked: &str) -> Reply {
        let usage = self.usage.map(|usage| Usage {
            input: usage.prompt_tokens,
            output: usage.completion_tokens,
            cached: usage.prompt_tokens_details.unwrap_or_default().cached_tokens.unwrap_or(0),
            reasoning: usage
                .completion_tokens_details
                .unwrap_or_default()
                .reasoning_tokens
                .unwrap_or(0),
        });
        let model = self.model.unwrap_or_else(|| asked.to_owned());
        let Some(choice) = self.choices.into_iter().next() else {
            return Reply { usage, model, ..Reply::default() };
        };
        let calls = choice.message.tool_calls.unwrap_or_default();
        Reply {
            content: choice.message.content.and_then(words),
            tool_calls: (1..).zip(calls).map(|(place, call)| call.into_raw(place)).collect(),
            finish: finish(choice.finish_reason.as_deref()),
            usage,
            model,
        }
    }
}

impl WireCall {
    /// Some servers give no id, and some give the arguments as an object instead of as text.
    fn into_raw(self, place: usize) -> RawToolCall {
        let arguments = match self.function.arguments {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let id = self.id.filter(|id| !id.is_empty());
        RawToolCall {
            id: id.unwrap_or_else(|| format!("call_{place}")),
            name: self.function.name,
            arguments,
        }
    }
}

/// Text, or the text parts of a list of parts.
fn words(content: Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            Some(texts.collect::<String>()).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}

fn finish(reason: Option<&str>) -> Finish {
    match reason {
        Some("stop") => Finish::Stop,
        Some("tool_calls") => Finish::ToolCalls,
        Some("length") => Finish::Length,
        Some("content_filter") => Finish::ContentFilter,
        Some(other) if !other.is_empty() => Finish::Other(other.chars().take(50).collect()),
        _ => Finish::Missing,
    }
}

#[cfg(test)]
mod tests;
