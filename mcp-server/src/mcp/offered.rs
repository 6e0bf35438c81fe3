//! What the server says that it can.

use rmcp::model::{
    JsonObject, PromptsCapability, ResourcesCapability, ServerCapabilities, TASKS_EXTENSION_ID,
    ToolsCapability,
};

use super::Surface;

/// What the server can. Resources come with completion.
pub(super) fn capabilities(surface: &Surface) -> ServerCapabilities {
    let mut capabilities = ServerCapabilities::default();
    let mut tools = ToolsCapability::default();
    tools.list_changed = Some(true);
    capabilities.tools = Some(tools);
    capabilities.logging = Some(JsonObject::default());
    if surface.resources.is_some() {
        let mut resources = ResourcesCapability::default();
        resources.subscribe = Some(true);
        resources.list_changed = Some(true);
        capabilities.resources = Some(resources);
        capabilities.completions = Some(JsonObject::default());
    }
    if surface.prompts.is_some() {
        let mut prompts = PromptsCapability::default();
        prompts.list_changed = Some(true);
        capabilities.prompts = Some(prompts);
    }
    if surface.continuations.is_some() {
        let tasks = (TASKS_EXTENSION_ID.to_owned(), JsonObject::default());
        capabilities.extensions = Some([tasks].into_iter().collect());
    }
    capabilities
}

/// Takes back what only newer clients have: tasks, and lists that are told on streams. A session would
/// have to be watched from its beginning, whether its client listens or not.
pub(super) fn without_streams(capabilities: &mut ServerCapabilities) {
    capabilities.extensions = None;
    if let Some(tools) = &mut capabilities.tools {
        tools.list_changed = None;
    }
    if let Some(prompts) = &mut capabilities.prompts {
        prompts.list_changed = None;
    }
    if let Some(resources) = &mut capabilities.resources {
        resources.list_changed = None;
    }
}
