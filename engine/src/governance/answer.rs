//! What a DMN decision says as the rule of a policy.

use serde_json::Value;

use super::hearing::Verdict;

/// The answer of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<String>,
    pub(super) approvers: Vec<String>,
}

/// Reads the value of a decision: true, false, or a context with `outcome`, `reason` and `approvers`.
///
/// # Errors
/// Any other value, in words: it cannot be taken for a yes or a no.
pub(super) fn said(value: &Value) -> Result<Said, String> {
    let plain = |verdict| Said { verdict, reason: None, approvers: Vec::new() };
    let context = match value {
        Value::Bool(true) => return Ok(plain(Verdict::Allow)),
        Value::Bool(false) => return Ok(plain(Verdict::Refuse)),
        Value::Object(context) => context,
        other => return Err(not_an_answer(other)),
    };
    let verdict = match context.get("outcome").and_then(Value::as_str) {
        Some("allow") => Verdict::Allow,
        Some("refuse") => Verdict::Refuse,
        Some("escalate") => Verdict::Escalate,
        Some("second_person") => Verdict::SecondPerson,
        _ => return Err(not_an_answer(value)),
    };
    let approvers = match context.get("approvers") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(names)) => split(names),
        Some(Value::Array(names)) => {
            let texts = names.iter().map(|name| name.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(|| not_an_answer(value))?
        }
        Some(_) => return Err(not_an_answer(value)),
    };
    let reason = context.get("reason").and_then(Value::as_str).map(str::to_owned);
    Ok(Said { verdict, reason, approvers })
}

fn split(names: &str) -> Vec<String> {
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn not_an_answer(value: &Value) -> String {
    let given: String = value.to_string().chars().take(80).collect();
    format!(
        "it gives {given}, and true, false or a context with outcome (allow, refuse, escalate, \
         second_person), reason and approvers is needed"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers() {
        for (value, verdict, reason, approvers) in [
            (json!(true), Verdict::Allow, None, &[][..]),
            (json!(false), Verdict::Refuse, None, &[]),
            (json!({ "outcome": "allow" }), Verdict::Allow, None, &[]),
            (json!({ "outcome": "refuse", "reason": "no" }), Verdict::Refuse, Some("no"), &[]),
            (
                json!({ "outcome": "escalate", "approvers": "cfo, board" }),
                Verdict::Escalate,
                None,
                &["cfo", "board"],
            ),
            (
                json!({ "outcome": "second_person", "approvers": ["cfo"], "reason": null }),
                Verdict::SecondPerson,
                None,
                &["cfo"],
            ),
        ] {
            let expected = Said {
                verdict,
                reason: reason.map(str::to_owned),
                approvers: approvers.iter().map(|name| (*name).to_owned()).collect(),
            };
            assert_eq!(said(&value), Ok(expected), "{value}");
        }
        for wrong in [
            json!(null),
            json!("yes"),
            json!([true]),
            json!({}),
            json!({ "outcome": "maybe" }),
            json!({ "outcome": "escalate", "approvers": [1] }),
            json!({ "outcome": "escalate", "approvers": 1 }),
        ] {
            assert!(said(&wrong).is_err(), "{wrong}");
        }
    }
}
