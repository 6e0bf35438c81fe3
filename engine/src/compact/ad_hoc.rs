//! Ad-hoc sub-processes in the compact form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}

impl From<&AdHoc> for CompactAdHoc {
    fn from(ad_hoc: &AdHoc) -> Self {
        let text = |program: &crate::feel::Program| program.text().to_owned();
        Self {
            activate: ad_hoc.active_elements.as_ref().map(text),
            until: ad_hoc.completion_condition.as_ref().map(text),
            sequential: ad_hoc.sequential,
            cancel_remaining: (!ad_hoc.cancel_remaining).then_some(false),
        }
    }
}
