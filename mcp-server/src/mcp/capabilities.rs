//! The long tail: search, describe and call every operation that is not in the listed toolset.
//!
//! Reading and writing have a caller each, so that a client can ask its user before the one and
//! not before the other. Authorisation, schema and audit are those of the operation called.

use flowmaster_kernel::{Ctx, Effect, Error, Result};
use rmcp::model::{CallToolResult, Tool as WireTool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::selection::{Selection, name_of};
use super::tools::{annotations, first_sentence, object, operation, read_only, success};
use super::{Surface, Visitor, fit};
use crate::dispatch::Offer;

const SEARCH: &str = "capability_search";
const DESCRIBE: &str = "capability_describe";
const READ: &str = "capability_read";
const WRITE: &str = "capability_write";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// What you want to do, in a few words, e.g. "claim a task". Leave out to list everything.
    #[serde(default)]
    query: String,
    /// How many at most, 1 to 50. Default 10.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    limit: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Describe {
    /// The name of the operation, from capability_search.
    operation: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Call {
    /// The name of the operation.
    operation: String,
    /// Its arguments, as capability_describe gives them.
    #[serde(default)]
    arguments: serde_json::Map<String, Value>,
}

/// The tools of this module.
pub(super) fn wire_tools(selection: &Selection) -> Vec<WireTool> {
    let found = json!({
        "type": "object",
        "properties": {
            "items": { "type": "array", "items": { "type": "object" } },
            "matching": { "type": "integer" }
        },
        "required": ["items", "matching"]
    });
    let any = json!({ "type": "object" });
    let mut tools = vec![
        tool::<Search>(
            SEARCH,
            "Find operations",
            "Use this when no listed tool fits: finds any operation of this server by what it does.",
            Effect::Read,
            found,
        ),
        tool::<Describe>(
            DESCRIBE,
            "Describe an operation",
            "Use this before capability_read or capability_write: gives an operation's schemas.",
            Effect::Read,
            any.clone(),
        ),
        tool::<Call>(
            READ,
            "Call a reading operation",
            "Use this to call an operation that changes nothing and is not a listed tool.",
            Effect::Read,
            any.clone(),
        ),
    ];
    if !selection.is_read_only() {
        tools.push(tool::<Call>(
            WRITE,
            "Call a changing operation",
            "Use this to call an operation that changes or deletes something and is not a listed \
             tool.",
            Effect::Destroy,
            any,
        ));
    }
    tools
}

fn tool<P: JsonSchema>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    output: Value,
) -> WireTool {
    let mut input = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator()
        .into_root_schema_for::<P>()
        .to_value();
    if let Some(fields) = input.as_object_mut() {
        fields.remove("title");
    }
    WireTool::new(name, description, object(input))
        .with_title(title)
        .with_annotations(annotations(title, effect))
        .with_raw_output_schema(object(output))
}

/// Calls one of the tools of this module; `None` when `name` is none of them.
pub(super) async fn call(
    surface: &Surface,
    visitor: &Visitor,
    ctx: &Ctx,
    name: &str,
    arguments: &Value,
) -> Option<Result<CallToolResult>> {
    Some(match name {
        SEARCH => search(surface, visitor, ctx, arguments).await,
        DESCRIBE => describe(surface, visitor, ctx, arguments).await,
        READ | WRITE => forward(surface, visitor, ctx, name, arguments).await,
        _ => return None,
    })
}

async fn search(
    surface: &Surface,
    visitor: &Visitor,
    ctx: &Ctx,
    arguments: &Value,
) -> Result<CallToolResult> {
    let wanted: Search = parse(SEARCH, arguments)?;
    let limit @ 1..=50 = wanted.limit.unwrap_or(10) else {
        return Err(Error::invalid("invalid_limit", "limit is not from 1 to 50"));
    };
    let words: Vec<String> = wanted
        .query
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 1)
        .map(|word| word.strip_suffix('s').unwrap_or(word).to_owned())
        .take(16)
        .collect();
    let offers = surface.dispatcher.offers_to(ctx).await?;
    let mut ranked: Vec<_> = offers
        .iter()
        .filter(|offer| visitor.selection.permits(&offer.tool))
        .map(|offer| (score(offer, &words), offer))
        .filter(|(score, _)| words.is_empty() || *score > 0)
        .collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.tool.name.cmp(&b.1.tool.name)));
    let items: Vec<_> = ranked
        .iter()
        .take(limit)
        .map(|(_, offer)| {
            json!({
                "operation": offer.tool.name,
                "title": offer.tool.title,
                "when": first_sentence(&offer.tool.description),
                "effect": offer.tool.effect,
                "toolset": name_of(offer.tool.toolset),
            })
        })
        .collect();
    let answer = json!({ "items": items, "matching": ranked.len() });
    let (answer, text) = fit::fit(answer, Effect::Read, &json!({}))?;
    Ok(success(answer, text))
}

/// A word counts by where it is found: in the name most, in the description least.
fn score(offer: &Offer, words: &[String]) -> usize {
    let tool = &offer.tool;
    let name = tool.name.to_lowercase();
    let title = tool.title.to_lowercase();
    let description = tool.description.to_lowercase();
    words
        .iter()
        .map(|word| {
            8 * usize::from(
                name.split('_').any(|part| part.strip_suffix('s').unwrap_or(part) == word),
            ) + 4 * usize::from(name.contains(word.as_str()))
                + 2 * usize::from(title.contains(word.as_str()))
                + usize::from(description.contains(word.as_str()))
        })
        .sum()
}

async fn describe(
    surface: &Surface,
    visitor: &Visitor,
    ctx: &Ctx,
    arguments: &Value,
) -> Result<CallToolResult> {
    let wanted: Describe = parse(DESCRIBE, arguments)?;
    let offer = surface.dispatcher.find(ctx, &wanted.operation).await?;
    let tool = &offer.tool;
    let roles: Vec<_> = tool.roles.iter().map(|role| role.as_str()).collect();
    let answer = json!({
        "operation": tool.name,
        "title": tool.title,
        "description": tool.description,
        "effect": tool.effect,
        "toolset": name_of(tool.toolset),
        "roles": roles,
        "scope": tool.scope,
        "allowed": tool.is_allowed_to(ctx) && visitor.selection.permits(tool),
        "call_with": if tool.effect == Effect::Read { READ } else { WRITE },
        "input_schema": *offer.advertised_input(),
        "output_schema": *tool.output,
    });
    let (answer, text) = fit::fit(answer, Effect::Read, &json!({}))?;
    Ok(success(answer, text))
}

async fn forward(
    surface: &Surface,
    visitor: &Visitor,
    ctx: &Ctx,
    caller: &str,
    arguments: &Value,
) -> Result<CallToolResult> {
    let wanted: Call = parse(caller, arguments)?;
    if caller == WRITE && visitor.selection.is_read_only() {
        return Err(read_only(WRITE));
    }
    let offer = surface.dispatcher.find(ctx, &wanted.operation).await?;
    let proper = if offer.tool.effect == Effect::Read { READ } else { WRITE };
    if proper != caller {
        let does = if proper == READ { "changes nothing" } else { "changes something" };
        return Err(Error::invalid("wrong_caller", format!("{caller} is not for this operation"))
            .why(format!("{} {does}", wanted.operation))
            .fix(format!("call it with {proper}"))
            .next(proper));
    }
    let arguments = Value::Object(wanted.arguments);
    operation(surface, visitor, ctx.clone(), &wanted.operation, arguments, None).await
}

fn parse<P: DeserializeOwned>(tool: &str, arguments: &Value) -> Result<P> {
    P::deserialize(arguments).map_err(|error| {
        Error::invalid("invalid_arguments", format!("the arguments of {tool} are wrong"))
            .why(error.to_string())
            .fix("send the arguments that the input schema of the tool asks for")
    })
}
