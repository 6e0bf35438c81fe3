//! The demo of the first start: the process *invoice approval* with its decision, mandates, prompts
//! and agents, published through the same operations that everyone uses.

use flowmaster_kernel::{Ctx, Error, Result, ToolCaller};
use serde_json::{Value, json};

const PROCESS: &str = include_str!("../../demo/invoice-approval.json");
const DECISION: &str = include_str!("../../demo/invoice-route.dmn");
const MANDATES: &str = include_str!("../../demo/mandates.json");
const AGENTS: &str = include_str!("../../demo/agents.json");

/// The invoice of the walk-through.
pub const INVOICE: &str = include_str!("../../demo/invoice-4711.md");

/// Publishes the demo for the tenant of `ctx`.
pub(super) async fn publish(caller: &dyn ToolCaller, ctx: &Ctx) -> Result<()> {
    for prompt in flowmaster_prompts::library() {
        caller.call(ctx, "prompt_save", json!({ "text": prompt.text })).await?;
    }
    caller.call(ctx, "rule_save", json!({ "dmn": DECISION })).await?;
    caller.call(ctx, "rule_publish", json!({ "id": "invoice-routing" })).await?;
    caller.call(ctx, "mandate_save", read(MANDATES)?).await?;
    for agent in read(AGENTS)?.as_array().into_iter().flatten() {
        caller.call(ctx, "agent_save", agent.clone()).await?;
    }
    caller.call(ctx, "process_save", json!({ "compact": read(PROCESS)? })).await?;
    caller.call(ctx, "process_publish", json!({ "id": "invoice-approval" })).await?;
    Ok(())
}

fn read(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::internal("demo_unreadable", error))
}

#[cfg(test)]
mod tests {
    use flowmaster_engine::governance::MandateSet;
    use flowmaster_engine::scenario::Scenario;

    use super::MANDATES;

    #[test]
    fn the_scenarios_of_the_demo_are_on_its_mandates() {
        let demo: MandateSet = serde_json::from_str(MANDATES).unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/scenarios/invoice");
        let mut checked = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let scenario = Scenario::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(scenario.mandates.unwrap().mandates, demo.mandates, "{}", path.display());
            checked += 1;
        }
        assert!(checked >= 7, "{checked}");
    }
}
