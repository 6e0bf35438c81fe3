//! Arguments against their JSON Schema, compiled once, and the schema that is shown to callers.
//!
//! A schema never makes the server fetch anything: the validator is built without resolvers.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Error, Result};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

/// How many findings an answer carries at most.
const MAX_FINDINGS: usize = 20;
/// How long the description of one finding is at most, in characters: it may quote the input.
const MAX_PROBLEM: usize = 300;
/// The argument that every mutating operation takes besides its own.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency_key";

/// A schema that is ready to check arguments.
pub(super) struct Contract {
    validator: Validator,
    pub(super) advertised: Arc<Map<String, Value>>,
}

impl Contract {
    /// Compiles the input schema of `operation`.
    pub(super) fn compile(operation: &str, effect: Effect, input: &Value) -> Result<Self> {
        let broken = |why: String| {
            Error::invalid("operation_schema", format!("the input schema of {operation} is wrong"))
                .why(why)
        };
        let own = input.as_object().ok_or_else(|| broken("it is not an object".to_owned()))?;
        if own.get("type").is_some_and(|kind| kind != "object") {
            return Err(broken("its root is not of type object".to_owned()));
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(input)
            .map_err(|error| broken(error.to_string()))?;
        let mut advertised = own.clone();
        advertised.entry("type").or_insert_with(|| json!("object"));
        if effect != Effect::Read {
            let properties = advertised
                .entry("properties")
                .or_insert_with(|| json!({}))
                .as_object_mut()
                .ok_or_else(|| broken("its properties are not an object".to_owned()))?;
            if properties.contains_key(IDEMPOTENCY_KEY) {
                return Err(broken(format!("{IDEMPOTENCY_KEY} is added to every write; drop it")));
            }
            properties.insert(
                IDEMPOTENCY_KEY.to_owned(),
                json!({
                    "type": "string",
                    "minLength": 1,
                    "maxLength": flowmaster_kernel::MAX_IDEMPOTENCY_KEY,
                    "description": "Same key, same answer, one effect: repeat it to retry safely."
                }),
            );
        }
        Ok(Self { validator, advertised: Arc::new(advertised) })
    }

    /// Checks `arguments`, which no longer hold the common ones.
    pub(super) fn check(&self, operation: &str, arguments: &Value) -> Result<()> {
        if self.validator.is_valid(arguments) {
            return Ok(());
        }
        let mut findings: Vec<Value> = Vec::new();
        let mut more = 0_usize;
        for error in self.validator.iter_errors(arguments) {
            if findings.len() == MAX_FINDINGS {
                more += 1;
                continue;
            }
            let mut problem: String = error.to_string().chars().take(MAX_PROBLEM).collect();
            if let Some(names) = self.names_taken(&error) {
                problem.push_str("; what it takes: ");
                problem.push_str(&names);
            }
            findings.push(json!({ "path": error.instance_path().as_str(), "problem": problem }));
        }
        let why = findings
            .iter()
            .take(3)
            .map(|finding| {
                let path = finding.get("path").and_then(Value::as_str).unwrap_or_default();
                let problem = finding.get("problem").and_then(Value::as_str).unwrap_or_default();
                format!("{}: {problem}", if path.is_empty() { "/" } else { path })
            })
            .collect::<Vec<_>>()
            .join("; ");
        let details = json!({ "findings": findings, "more_findings": more });
        Err(Error::invalid("invalid_arguments", format!("the arguments of {operation} are wrong"))
            .why(why)
            .fix("correct the arguments; capability_describe gives the input schema")
            .next("capability_describe")
            .details(details))
    }
    /// The names that are taken where `error` found one that is not.
    fn names_taken(&self, error: &ValidationError<'_>) -> Option<String> {
        let ValidationErrorKind::AdditionalProperties { .. } = error.kind() else { return None };
        let at = error.schema_path().as_str().strip_suffix("/additionalProperties")?;
        let mut steps = at.splitn(3, '/').skip(1);
        let properties = match (steps.next(), steps.next()) {
            (None, _) => self.advertised.get("properties"),
            (Some(first), rest) => {
                let rest = rest.map(|rest| format!("/{rest}")).unwrap_or_default();
                self.advertised.get(first)?.pointer(&format!("{rest}/properties"))
            }
        };
        let names: Vec<&str> = properties?.as_object()?.keys().map(String::as_str).collect();
        Some(names.join(", "))
    }
}
