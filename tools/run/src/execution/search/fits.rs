//! What only the state of an instance tells: whether an element runs in it, what its variables are.

use std::cmp::Ordering;

use flowmaster_engine::model::Process;
use flowmaster_engine::{VariableMap, waiting_joins};
use flowmaster_kernel::Timestamp;
use serde_json::Value;

use super::super::error::ExecutionError;
use super::super::instance::Stored;
use super::super::types::{Comparison, VariableFilter};

/// The most variables that are compared.
const MAX_VARIABLES: usize = 10;

/// What instances are compared with.
pub(in super::super) struct Fits {
    element: Option<String>,
    variables: Vec<Condition>,
    ended: (Option<Timestamp>, Option<Timestamp>),
}

/// What a variable must be like.
struct Condition {
    name: String,
    op: Comparison,
    value: Value,
}

impl Fits {
    /// Instances in which `element` runs, whose variables are like that, and that ended from the
    /// first moment on and before the second.
    pub(in super::super) fn new(
        element: Option<String>,
        variables: Vec<VariableFilter>,
        ended: (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Self, ExecutionError> {
        if variables.len() > MAX_VARIABLES {
            return Err(ExecutionError::Choice("at most 10 variables are compared"));
        }
        let variables: Result<_, _> = variables.into_iter().map(Condition::new).collect();
        Ok(Self { element, variables: variables?, ended })
    }

    /// Whether every instance fits.
    pub(super) fn is_all(&self) -> bool {
        self.element.is_none() && self.variables.is_empty() && self.ended == (None, None)
    }

    /// `process` is needed where tokens wait at joins.
    pub(in super::super) fn holds(&self, stored: &Stored, process: Option<&Process>) -> bool {
        let instance = &stored.instance;
        let runs = |element: &str| {
            instance.elements().any(|(_, it)| &*it.element == element)
                || instance.waits().any(|(_, it)| &*it.element == element)
                || process.is_some_and(|process| {
                    waiting_joins(process, instance).iter().any(|it| &*it.gateway == element)
                })
        };
        let (from, before) = self.ended;
        let ended = |fits: &dyn Fn(Timestamp) -> bool| stored.ended_at.is_some_and(fits);
        self.element.as_deref().is_none_or(runs)
            && from.is_none_or(|from| ended(&|at| at >= from))
            && before.is_none_or(|before| ended(&|at| at < before))
            && self.variables.iter().all(|it| it.holds(instance.variables()))
    }
}

impl Condition {
    fn new(filter: VariableFilter) -> Result<Self, ExecutionError> {
        let VariableFilter { name, op, value } = filter;
        let value = match (op, value) {
            (Comparison::Exists, None) => Value::Bool(true),
            (Comparison::Exists, Some(value)) if !value.is_boolean() => {
                return Err(ExecutionError::Choice("exists is compared with true or false"));
            }
            (
                Comparison::Less | Comparison::AtMost | Comparison::Greater | Comparison::AtLeast,
                Some(value),
            ) if !value.is_number() && !value.is_string() => {
                return Err(ExecutionError::Choice("only numbers and texts have an order"));
            }
            (_, Some(value)) => value,
            (Comparison::Equal | Comparison::NotEqual, None) => Value::Null,
            (_, None) => return Err(ExecutionError::Choice("say the value to compare with")),
        };
        Ok(Self { name, op, value })
    }

    fn holds(&self, variables: &VariableMap) -> bool {
        let found = find(variables, &self.name);
        if self.op == Comparison::Exists {
            return Value::Bool(found.is_some()) == self.value;
        }
        let Some(found) = found else { return false };
        let order = || compare(found, &self.value);
        match self.op {
            Comparison::Equal => is_same(found, &self.value),
            Comparison::NotEqual => !is_same(found, &self.value),
            Comparison::Less => order() == Some(Ordering::Less),
            Comparison::AtMost => order().is_some_and(Ordering::is_le),
            Comparison::Greater => order() == Some(Ordering::Greater),
            Comparison::AtLeast => order().is_some_and(Ordering::is_ge),
            Comparison::Contains => match (found, &self.value) {
                (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                (Value::Array(items), item) => items.iter().any(|it| is_same(it, item)),
                _ => false,
            },
            Comparison::Exists => true,
        }
    }
}

/// The variable with this very name, else what the path leads to.
fn find<'v>(variables: &'v VariableMap, name: &str) -> Option<&'v Value> {
    variables.get(name).or_else(|| {
        let (first, path) = name.split_once('.')?;
        path.split('.').try_fold(variables.get(first)?, |value, step| value.get(step))
    })
}

fn is_same(a: &Value, b: &Value) -> bool {
    match compare(a, b) {
        Some(order) => order.is_eq(),
        None => a == b,
    }
}

/// The order of two numbers or two texts.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(filter: &Value, expected: bool) {
        let Value::Object(variables) = json!({
            "amount": 500, "rate": 0.5, "big": u64::MAX, "day": "2026-07-10", "tags": ["a", 2],
            "customer": { "city": "Ulm", "vip": true }, "a.b": 1, "none": null
        }) else {
            panic!("an object")
        };
        let read: VariableFilter = serde_json::from_value(filter.clone()).unwrap();
        let condition = Condition::new(read).unwrap_or_else(|_| panic!("{filter}"));
        assert_eq!(condition.holds(&variables.into()), expected, "{filter}");
    }

    #[test]
    fn variables_are_compared_by_value() {
        for (name, op, value, expected) in [
            ("amount", "=", json!(500.0), true),
            ("amount", "=", json!("500"), false),
            ("amount", "!=", json!("500"), true),
            ("amount", "<", json!(500), false),
            ("amount", "<=", json!(500), true),
            ("amount", ">", json!(499.5), true),
            ("amount", ">=", json!("1"), false),
            ("big", ">", json!(i64::MAX), true),
            ("rate", "<", json!(1), true),
            ("day", ">=", json!("2026-07"), true),
            ("day", "contains", json!("07-1"), true),
            ("day", "contains", json!(7), false),
            ("tags", "contains", json!(2.0), true),
            ("tags", "contains", json!("b"), false),
            ("tags", "=", json!(["a", 2]), true),
            ("customer.city", "=", json!("Ulm"), true),
            ("customer.vip", "=", json!(true), true),
            ("customer.zip", "!=", json!("x"), false),
            ("customer.zip", "exists", json!(false), true),
            ("customer.city.more", "exists", json!(true), false),
            ("a.b", "=", json!(1), true),
            ("none", "=", json!(null), true),
            ("none", "exists", json!(true), true),
            ("missing", "=", json!(null), false),
        ] {
            check(&json!({ "name": name, "op": op, "value": value }), expected);
        }
        check(&json!({ "name": "amount", "op": "exists" }), true);
        check(&json!({ "name": "amount", "value": 500 }), true);
        check(&json!({ "name": "none" }), true);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for filter in [
            json!({ "name": "a", "op": "<", "value": true }),
            json!({ "name": "a", "op": ">" }),
            json!({ "name": "a", "op": "contains" }),
            json!({ "name": "a", "op": "exists", "value": 1 }),
        ] {
            let read: VariableFilter = serde_json::from_value(filter.clone()).unwrap();
            assert!(Condition::new(read).is_err(), "{filter}");
        }
    }
}
