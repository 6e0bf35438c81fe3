//! What is wrong with a model, said so that a person or a model can mend it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One observation about a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable code, e.g. `no_start_event`.
    pub code: String,
    /// Whether the model can be published in spite of it.
    pub severity: Severity,
    /// BPMN id of the element, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Severity {
    /// The model cannot be executed as it is.
    Error,
    /// It can, but probably not as meant.
    Warning,
    /// It can; this is how something is understood.
    Info,
}

impl Finding {
    /// Something that prevents execution.
    pub fn error(
        code: &str,
        element: &str,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Error, code, element, what.into(), fix.into())
    }

    /// Something that is probably not meant.
    pub fn warning(
        code: &str,
        element: &str,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, code, element, what.into(), fix.into())
    }

    /// How something is understood that could be meant otherwise.
    pub fn info(
        code: &str,
        element: &str,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Info, code, element, what.into(), fix.into())
    }

    fn new(severity: Severity, code: &str, element: &str, what: String, fix: String) -> Self {
        let element = (!element.is_empty()).then(|| element.to_owned());
        Self { code: code.to_owned(), severity, element, what, fix }
    }

    /// Whether any of `findings` prevents execution.
    #[must_use]
    pub fn any_error(findings: &[Self]) -> bool {
        findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}
