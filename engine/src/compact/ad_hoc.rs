//! Ad-hoc sub-processes in the compact form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feel::Program;
use crate::model::AdHoc;

/// What is particular to an ad-hoc sub-process: elements in it that no `next` leads to are activated
/// from outside, any number of times and in any order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactAdHoc {
    /// FEEL list of the ids of elements that begin by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activate: Option<String>,
    /// FEEL that is looked at when an activity inside completes: true ends it. Without one it is over
    /// when something was activated and all of it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// One activity at a time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sequential: bool,
    /// False lets running activities come to their end when `until` holds. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_remaining: Option<bool>,
    /// The variable that collects results, in order of completion; together with `collectValue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect: Option<String>,
    /// FEEL for the result of what was activated, looked at when nothing follows it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_value: Option<String>,
}

impl From<&AdHoc> for CompactAdHoc {
    fn from(ad_hoc: &AdHoc) -> Self {
        let text = |program: &Program| program.text().to_owned();
        let output = ad_hoc.output.as_ref();
        Self {
            activate: ad_hoc.active_elements.as_ref().map(text),
            until: ad_hoc.completion_condition.as_ref().map(text),
            sequential: ad_hoc.sequential,
            cancel_remaining: (!ad_hoc.cancel_remaining).then_some(false),
            collect: output.map(|output| output.collection.clone()),
            collect_value: output.map(|output| text(&output.element)),
        }
    }
}
