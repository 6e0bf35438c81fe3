//! Lanes in the compact form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::to_process::Reader;
use crate::finding::Finding;
use crate::model::{Lane, Process};

/// A lane: who is responsible for what lies in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactLane {
    /// Its name.
    pub name: String,
    /// The group that does its user tasks. Default: the one of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The name of the lane around it, which is listed before it.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub inside: Option<String>,
}

impl Reader {
    pub(super) fn lanes(&mut self, lanes: &[CompactLane]) {
        for (at, lane) in lanes.iter().enumerate() {
            let name = self.lane_name("", &lane.name);
            let mut before = lanes.iter().take(at);
            if before.clone().any(|known| known.name == name) {
                self.lane_finding("", format!("the lane {name:?} is listed twice"));
            }
            if let Some(around) = &lane.inside
                && !before.any(|known| known.name == *around)
            {
                self.lane_finding("", format!("no lane before {name:?} has the name {around:?}"));
            }
            let CompactLane { group, inside, .. } = lane.clone();
            self.builder.lane(Lane { name, group, inside });
        }
    }

    /// The name of a lane, at `element`.
    pub(super) fn lane_name(&mut self, element: &str, name: &str) -> String {
        if name.is_empty() || name.trim() != name {
            let what = format!(
                "{name:?} is no name of a lane: it is empty, or begins or ends with white space"
            );
            self.lane_finding(element, what);
        }
        name.to_owned()
    }

    fn lane_finding(&mut self, element: &str, what: String) {
        let fix = "list each lane once, by its name, outer ones first";
        self.findings.push(Finding::error("lane_invalid", element, what, fix));
    }
}

/// The lanes of `process` that say more than their name, outer ones before what is in them.
pub(super) fn lanes(process: &Process) -> Vec<CompactLane> {
    let mut compact = Vec::new();
    inside(process, None, &mut compact);
    compact
}

fn inside(process: &Process, around: Option<&str>, compact: &mut Vec<CompactLane>) {
    for lane in process.lanes.iter().filter(|lane| lane.inside.as_deref() == around) {
        let at = compact.len();
        inside(process, Some(&lane.name), compact);
        if lane.group.is_some() || around.is_some() || compact.len() > at {
            let Lane { name, group, inside } = lane.clone();
            compact.insert(at, CompactLane { name, group, inside });
        }
    }
}
