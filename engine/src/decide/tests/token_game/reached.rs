//! How much of BPMN a run played.

use std::collections::BTreeMap;

use super::super::*;
use super::model::{Ix, Kind, Model, Repeat, Thrown};

/// Nesting that is rare in practice, and where scopes go wrong.
const DEEP: usize = 5;

#[derive(Default)]
pub(super) struct Reached {
    pub(super) paths: u64,
    pub(super) ended: u64,
    pub(super) commands: u64,
    /// Those with one outcome, whatever the order of concurrent tokens.
    pub(super) certain: u64,
    /// Paths that were left because of too many orders.
    pub(super) left: u64,
    /// How often each of [`CONSTRUCTS`] happened.
    constructs: BTreeMap<&'static str, u64>,
}

/// What has to happen often: at least once in so many paths.
const CONSTRUCTS: [(&str, u64); 15] = [
    ("input mappings", 10),
    ("output mappings", 10),
    ("links", 10),
    ("loops", 10),
    ("multi-instances", 10),
    ("undone", 20),
    ("event sub-processes", 10),
    ("complex gateways", 10),
    ("cancelled", 50),
    ("ad-hoc sub-processes", 10),
    ("calls", 10),
    ("selected", 10),
    ("multi-instances five deep", 100),
    ("undone five deep", 300),
    ("event sub-processes five deep", 200),
];

impl Reached {
    /// Notes what happened on a path.
    pub(super) fn note(&mut self, model: &Model, journal: &[Event]) {
        let place = |id: &str| model.nodes.iter().position(|node| node.id == id);
        for event in journal {
            if matches!(event, Event::ActivitiesActivated(_)) {
                *self.constructs.entry("selected").or_default() += 1;
            }
            if let Event::ElementActivated { element, .. } = event
                && let Some(ix) = place(element)
            {
                for construct in constructs(model, ix) {
                    *self.constructs.entry(construct).or_default() += 1;
                }
            }
        }
    }

    /// What was reached; a failure where that is too little to prove anything.
    pub(super) fn proof(&self) -> String {
        let Self { paths, ended, commands, certain, left, constructs } = self;
        let count = |name: &str| constructs.get(name).copied().unwrap_or_default();
        let counts: Vec<String> =
            CONSTRUCTS.iter().map(|(name, _)| format!("{name} {}", count(name))).collect();
        let counts = counts.join(", ");
        let proof = format!(
            "{paths} paths, {ended} to an end, {commands} commands, {certain} with one outcome, \
             {left} left; {counts}"
        );
        assert!(certain * 100 >= commands * 90 && left * 100 <= *paths, "{proof}");
        assert!(ended * 100 >= paths * 30, "{proof}");
        for (name, once_in) in CONSTRUCTS {
            assert!(count(name) * once_in >= *paths, "too few {name}: {proof}");
        }
        proof
    }
}

/// What the element at `ix` shows when it is activated.
fn constructs(model: &Model, ix: Ix) -> Vec<&'static str> {
    let node = &model.nodes[ix];
    let mut found = Vec::new();
    found.extend(node.own.map(|_| "input mappings"));
    found.extend(node.leaves.map(|_| "output mappings"));
    found.extend(node.repeat.map(|repeat| match repeat {
        Repeat::Each(_) => "multi-instances",
        Repeat::While(_) => "loops",
    }));
    found.extend(match node.kind {
        Kind::Leap => Some("links"),
        Kind::Undoes(_) => Some("undone"),
        Kind::Handler => Some("event sub-processes"),
        Kind::Complex(_) => Some("complex gateways"),
        Kind::Call { .. } => Some("calls"),
        Kind::AdHoc(_) => Some("ad-hoc sub-processes"),
        Kind::End(Thrown::Cancel) => Some("cancelled"),
        _ => None,
    });
    let around = std::iter::successors(node.parent, |ix| model.nodes[*ix].parent);
    if around.count() >= DEEP {
        found.extend(found.clone().into_iter().filter_map(|it| match it {
            "multi-instances" => Some("multi-instances five deep"),
            "undone" => Some("undone five deep"),
            "event sub-processes" => Some("event sub-processes five deep"),
            _ => None,
        }));
    }
    found
}
