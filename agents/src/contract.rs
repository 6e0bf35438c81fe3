//! What an answer has to look like: a JSON Schema that is ready to check, and what is wrong.
//!
//! A schema never makes the server fetch anything: the validator is built without resolvers.

use flowmaster_kernel::Error;
use jsonschema::{Draft, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How many findings are told at most.
const MAX_FINDINGS: usize = 20;
/// How long one finding is at most, in characters: it may quote the input.
const MAX_PROBLEM: usize = 300;

/// Something that does not fit, in words that help to correct it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Where, as a JSON Pointer (RFC 6901); empty for the whole.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

/// A schema that is ready to check values.
#[derive(Clone, Debug)]
pub struct Contract(Option<Validator>);

impl Contract {
    /// Compiles `schema`; without one every object fits.
    ///
    /// # Errors
    /// `schema_invalid`.
    pub fn compile(schema: Option<&Value>) -> Result<Self, Error> {
        let Some(schema) = schema else { return Ok(Self(None)) };
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(schema)
            .map_err(|error| {
                Error::invalid("schema_invalid", "the JSON Schema cannot be used")
                    .why(error.to_string())
                    .fix("correct the schema; references to other documents are not followed")
            })?;
        Ok(Self(Some(validator)))
    }

    /// What is wrong with `value`; empty if it fits.
    #[must_use]
    pub fn check(&self, value: &Value) -> Vec<Finding> {
        if !value.is_object() {
            return vec![Finding {
                path: String::new(),
                problem: "it must be one JSON object".to_owned(),
            }];
        }
        let Some(validator) = &self.0 else { return Vec::new() };
        validator
            .iter_errors(value)
            .take(MAX_FINDINGS)
            .map(|error| Finding {
                path: error.instance_path().as_str().to_owned(),
                problem: error.to_string().chars().take(MAX_PROBLEM).collect(),
            })
            .collect()
    }

    /// Reads the answer of a model: one JSON object, which may stand in a Markdown code block.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn read(&self, text: &str) -> Result<Map<String, Value>, Vec<Finding>> {
        let inner = unfenced(text.trim());
        let value = match serde_json::from_str::<Value>(inner) {
            Ok(value) => value,
            Err(_) if self.0.is_none() => {
                return Ok([("text".to_owned(), Value::from(text.trim()))].into_iter().collect());
            }
            Err(error) => {
                return Err(vec![Finding {
                    path: String::new(),
                    problem: format!("it is not JSON: {error}"),
                }]);
            }
        };
        let findings = self.check(&value);
        match value {
            Value::Object(output) if findings.is_empty() => Ok(output),
            _ => Err(findings),
        }
    }
}

/// Findings as text, one a line.
pub(crate) fn listed(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let path = if finding.path.is_empty() { "/" } else { &finding.path };
        format!("- {path}: {}", finding.problem)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn unfenced(text: &str) -> &str {
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let inner = inner.and_then(|rest| rest.split_once('\n'));
    inner.map_or(text, |(_language, body)| body.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_or_its_faults_are_told() {
        let schema = json!({
            "type": "object", "required": ["total"], "additionalProperties": false,
            "properties": { "total": { "type": "number" }, "due": { "format": "date" } }
        });
        let strict = Contract::compile(Some(&schema)).unwrap();
        let free = Contract::compile(None).unwrap();
        let check = |contract: &Contract, text: &str, expected: &str| {
            let got = match contract.read(text) {
                Ok(output) => Value::Object(output).to_string(),
                Err(findings) => listed(&findings),
            };
            assert!(got.contains(expected), "{text}: {got}");
        };
        check(&strict, r#" {"total": 5} "#, r#"{"total":5}"#);
        check(&strict, "```json\n{\"total\": 5}\n```", r#"{"total":5}"#);
        check(&strict, "```json\n{\"total\": 5", "not JSON");
        check(&strict, r#"{"total": "5"}"#, "- /total:");
        check(&strict, r#"{"total": 5, "due": "soon"}"#, "- /due:");
        check(&strict, "{}", "total");
        check(&strict, "[1]", "one JSON object");
        check(&strict, "The total is 5.", "not JSON");
        check(&free, "The total is 5.", r#"{"text":"The total is 5."}"#);
        check(&free, "[1]", "one JSON object");
    }

    #[test]
    fn a_schema_that_cannot_be_used_is_refused() {
        for schema in [json!({ "type": 7 }), json!({ "$ref": "https://example.org/other.json" })] {
            let error = Contract::compile(Some(&schema)).unwrap_err();
            assert_eq!(error.code(), "schema_invalid", "{schema}");
        }
    }
}
