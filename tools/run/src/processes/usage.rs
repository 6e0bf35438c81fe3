//! Where processes ask decisions: in their tasks, and as rules of their policies.

use flowmaster_engine::governance::{Policy, Rule};
use flowmaster_engine::model::{NodeKind, Process, Task, Text};
use flowmaster_kernel::{Ctx, Page, PageRequest, Result};
use flowmaster_mind::rules::RulePin;

use super::service::{Processes, off_thread};
use super::types::{AskingProcess, RulePlace, RuleUsage, UsageOfRule};
use super::{load, store};

impl Processes {
    /// Which processes ask decisions of a rule file, and where.
    pub(super) async fn usage(&self, ctx: &Ctx, params: UsageOfRule) -> Result<RuleUsage> {
        let UsageOfRule { id: file, decision, limit, cursor } = params;
        let limit = PageRequest { limit, cursor: None }.limit()?;
        let after = cursor.map(|cursor| cursor.0).unwrap_or_default();
        let mut session = self.db.read(ctx).await?;
        let found = store::pinning(&mut session, &file, &after, limit + 1).await?;
        drop(session);
        let page = Page::from_overfetched(found, limit, |(process, _)| process.clone());
        let asking = move |(process, row): (String, store::VersionRow)| {
            let RulePin { version: rule_version, .. } =
                row.rules.into_iter().find(|pin| pin.file == file)?;
            let model = load::from_xml(&row.xml, &process).ok()?;
            let wanted = |place: &RulePlace| {
                decision.as_ref().is_none_or(|wanted| *wanted == place.decision)
            };
            let places: Vec<RulePlace> = places(&model.process).filter(wanted).collect();
            let asking = AskingProcess { process, version: row.version, rule_version, places };
            (!asking.places.is_empty()).then_some(asking)
        };
        let items = page.items;
        let items = off_thread(move || items.into_iter().filter_map(asking).collect()).await?;
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// The places where a process asks a decision by a fixed id, in the order of the model; policies in the
/// order in which they are asked.
pub(super) fn places(process: &Process) -> impl Iterator<Item = RulePlace> {
    let of_process = of_policies(None, &process.policies);
    let of_nodes = process.nodes().flat_map(|(_, node)| {
        let task = match &node.kind {
            NodeKind::Task(Task::BusinessRule { decision: Text::Literal(id), .. }) => Some(id),
            _ => None,
        };
        let task = task.map(|decision| RulePlace {
            decision: decision.clone(),
            element: Some(node.id.to_string()),
            policy: None,
        });
        task.into_iter().chain(of_policies(Some(&node.id), &node.policies))
    });
    of_process.chain(of_nodes)
}

fn of_policies<'a>(
    element: Option<&'a str>,
    policies: &'a [Policy],
) -> impl Iterator<Item = RulePlace> + 'a {
    policies.iter().filter_map(move |policy| match &policy.rule {
        Rule::Decision { decision } => Some(RulePlace {
            decision: decision.clone(),
            element: element.map(str::to_owned),
            policy: Some(policy.id.clone()),
        }),
        Rule::FourEyes { .. } | Rule::Mandate { .. } | Rule::Condition { .. } => None,
    })
}
