//! The verbs of the prompts room.

use flowmaster_kernel::{Ctx, Page, Result};
use flowmaster_prompts::{FrontMatter, Registry, Saved, VersionInfo, library};
use serde_json::Value;

use super::types::{
    FoundPrompts, GetPrompt, Prompt, RenderPrompt, RenderedPrompt, SavePrompt, SearchPrompts,
    Variable,
};

/// How many prompts are looked at in one step of a search.
const STEP: usize = 200;

/// The prompts room.
pub struct Prompts {
    registry: Registry,
}

impl Prompts {
    /// The room on `registry`.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self { registry }
    }

    /// Saves the prompts that come with the product for the tenant of `ctx`. Content that the
    /// tenant has in any version is not saved again, so its own later versions stay the newest.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn publish_library(&self, ctx: &Ctx) -> Result<Vec<Saved>> {
        // Each prompt is a transaction of its own: a key of the call would belong to the first.
        let ctx = Ctx { idempotency: None, ..ctx.clone() };
        let mut saved = Vec::new();
        for prompt in library() {
            saved.push(self.registry.save(&ctx, prompt.text).await?);
        }
        Ok(saved)
    }

    pub(super) async fn search(&self, ctx: &Ctx, params: SearchPrompts) -> Result<FoundPrompts> {
        let limit = params.page().limit()?;
        let wanted = params.text.map(|text| text.to_lowercase());
        let mut from = params.cursor.map(|cursor| cursor.0).unwrap_or_default();
        let mut found = Vec::new();
        loop {
            let step = self.registry.list(ctx, &from, STEP).await?;
            let is_last = step.len() < STEP;
            from = step.last().map(|prompt| prompt.id.clone()).unwrap_or_default();
            let matching = step
                .into_iter()
                .filter(|prompt| wanted.as_ref().is_none_or(|text| says(prompt, text)));
            found.extend(matching);
            if is_last || found.len() > limit {
                return Ok(Page::from_overfetched(found, limit, |prompt| prompt.id.clone()));
            }
            ctx.check_deadline()?;
        }
    }

    pub(super) async fn get(&self, ctx: &Ctx, params: GetPrompt) -> Result<Prompt> {
        let version = self.registry.get(ctx, &params.id, params.version).await?;
        let text = version.file.to_text()?;
        Ok(Prompt { info: version.info, text, variables: variables(&version.file.front) })
    }

    /// Saves a prompt file: a new version if its content is new.
    ///
    /// # Errors
    /// `prompt_invalid`, or what the store reports.
    pub async fn save(&self, ctx: &Ctx, params: SavePrompt) -> Result<Saved> {
        self.registry.save(ctx, &params.text).await
    }

    /// Renders a prompt.
    ///
    /// # Errors
    /// `prompt_not_found`, `prompt_variables`, `prompt_render`.
    pub async fn render(&self, ctx: &Ctx, params: RenderPrompt) -> Result<RenderedPrompt> {
        let version = self.registry.get(ctx, &params.id, params.version).await?;
        let rendered = version.file.render(&Value::Object(params.variables))?;
        Ok(RenderedPrompt {
            id: version.info.id,
            version: version.info.version,
            hash: version.info.hash,
            messages: rendered.messages,
            output_schema: version.file.front.output.schema,
        })
    }
}

/// Whether id or description contain `text`, which is in lower case.
fn says(prompt: &VersionInfo, text: &str) -> bool {
    prompt.id.contains(text) || prompt.description.to_lowercase().contains(text)
}

fn variables(front: &FrontMatter) -> Vec<Variable> {
    let Some(schema) = &front.input.schema else { return Vec::new() };
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|it| it == name))
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| Variable {
            name: name.clone(),
            required: required(name),
            description: property.get("description").and_then(Value::as_str).map(str::to_owned),
        })
        .collect()
}
