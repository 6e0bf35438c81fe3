//! Writes a tree as FEEL.

use super::parse::Tree;
use super::{Refusal, quoted};

/// How strongly the parts of FEEL bind (DMN 1.5 §10.3.1.2): the higher, the stronger.
const CHOICE: u8 = 0;
const COMPARISON: u8 = 3;
const PRODUCT: u8 = 5;
const SIGNED: u8 = 6;
const PATH: u8 = 7;

pub(super) fn feel(tree: &Tree) -> Result<String, Refusal> {
    written(tree).map(|(text, _)| text)
}

/// `tree` where something that binds as strongly as `least` is needed.
fn inside(tree: &Tree, least: u8) -> Result<String, Refusal> {
    let (text, strength) = written(tree)?;
    Ok(if strength < least { format!("({text})") } else { text })
}

fn written(tree: &Tree) -> Result<(String, u8), Refusal> {
    Ok(match tree {
        Tree::Name(name) => return variable(name),
        Tree::Number(number) => (number.clone(), PATH),
        Tree::Text(text) => (quoted(text), PATH),
        Tree::Member(of, name) => (format!("{}.{name}", inside(of, PATH)?), PATH),
        Tree::Index(of, index) => return element(of, index),
        Tree::Call(called, arguments) => return call(called, arguments),
        Tree::Unary("!", operand) => (format!("not({})", feel(operand)?), PATH),
        Tree::Unary("-", operand) => (format!("-{}", inside(operand, PATH)?), SIGNED),
        Tree::Unary(_, operand) => return empty(operand),
        Tree::Binary("%", left, right) => {
            (format!("modulo({}, {})", feel(left)?, feel(right)?), PATH)
        }
        Tree::Binary(operator, left, right) => {
            let strength = strength(operator);
            // Comparisons do not chain in FEEL.
            let left_least = if strength == COMPARISON { strength + 1 } else { strength };
            let left = inside(left, left_least)?;
            (format!("{left} {operator} {}", inside(right, strength + 1)?), strength)
        }
        Tree::Choice(condition, yes, no) => {
            let (condition, yes) = (feel(condition)?, inside(yes, CHOICE + 1)?);
            (format!("if {condition} then {yes} else {}", inside(no, CHOICE + 1)?), CHOICE)
        }
    })
}

fn strength(operator: &str) -> u8 {
    match operator {
        "or" => 1,
        "and" => 2,
        "=" | "!=" | "<" | ">" | "<=" | ">=" => COMPARISON,
        "+" | "-" => 4,
        _ => PRODUCT,
    }
}

/// A variable; the counters of a multi-instance activity have other names here.
fn variable(name: &str) -> Result<(String, u8), Refusal> {
    let name = match name {
        "nrOfInstances" => "numberOfInstances",
        "nrOfActiveInstances" => "numberOfActiveInstances",
        "nrOfCompletedInstances" => "numberOfCompletedInstances",
        // It counts from 1 here, and from 0 there.
        "loopCounter" => return Ok(("(loopCounter - 1)".to_owned(), PATH)),
        "execution" | "task" | "authenticatedUserId" | "historyService" | "runtimeService" => {
            return Err(Refusal {
                why: format!("{name} is an object of the engine that the model was made for"),
                fix: "give the process what is needed as a variable, and write its name",
            });
        }
        other => other,
    };
    Ok((name.to_owned(), PATH))
}

fn element(of: &Tree, index: &Tree) -> Result<(String, u8), Refusal> {
    let list = inside(of, PATH)?;
    match index {
        // FEEL counts from 1.
        Tree::Number(number) => {
            let number: u32 =
                number.parse().map_err(|_| Refusal::syntax(format!("{number} is no index")))?;
            Ok((format!("{list}[{}]", u64::from(number) + 1), PATH))
        }
        Tree::Text(key) => Ok((format!("get value({list}, {})", quoted(key)), PATH)),
        _ => Err(Refusal {
            why: format!("it is not known whether the index of {list} is a number or a key"),
            fix: "write list[index + 1] for the element of a list, get value(object, key) for an entry",
        }),
    }
}

/// Null, an empty text, list or object.
fn empty(operand: &Tree) -> Result<(String, u8), Refusal> {
    Ok((format!("list contains([null, \"\", [], {{}}], {})", feel(operand)?), PATH))
}

/// Reading a variable by a call is the one that means something elsewhere.
fn call(called: &Tree, arguments: &[Tree]) -> Result<(String, u8), Refusal> {
    if let Tree::Member(of, method) = called
        && matches!(&**of, Tree::Name(name) if name == "execution" || name == "variables")
        && let [Tree::Text(name)] = arguments
        && matches!(method.as_str(), "getVariable" | "get")
    {
        return variable(name);
    }
    Err(match called {
        Tree::Member(of, method) => Refusal {
            why: format!(
                "it calls the method {method} of {}",
                feel(of).unwrap_or_else(|_| "an object".to_owned())
            ),
            fix: "put the work into a service task before it, whose result is a variable, or write FEEL: \
                  count(list), string length(text), contains(text, part), list contains(list, item)",
        },
        _ => Refusal {
            why: "it calls a function".to_owned(),
            fix: "write the FEEL function that does it (DMN 1.5 §10.3.4), for example now()",
        },
    })
}
