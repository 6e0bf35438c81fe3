//! How much work an expression can be, before it is evaluated: the evaluator has no limit of its own,
//! and copies the list of a `for` at every turn.
//!
//! The estimate is an interpretation of the syntax tree with bounds instead of values: how long a
//! list can be, how large what is in it, between which numbers it lies. It is never too low: what
//! cannot be bounded, such as a range to a number read from a text, is refused.

mod bound;
mod builtin;
mod function;

use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;

use super::Variables;
pub(crate) use bound::Bound;

/// The most work, in copies of a value: about two seconds.
pub(crate) const MAX_WORK: f64 = 2e7;
/// The most steps of the estimate itself.
const MAX_STEPS: usize = 500_000;
/// The most subtractions that are evaluated without an estimate: each doubles the work of those
/// inside it.
const MAX_SUBTRACTIONS: usize = 8;
/// The deepest calls of functions by functions.
const MAX_CALLS: usize = 16;
/// The deepest nesting of expressions, functions that are called included: the evaluator recurses
/// over it.
const MAX_DEPTH: usize = 1_500;
/// Stack for the estimate itself, which recurses as deep.
pub(crate) const STACK: usize = MAX_DEPTH * 16 * 1024;

/// Why an expression is not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch(pub(crate) &'static str);

/// What a name stands for.
#[derive(Clone, Copy)]
pub(crate) enum Meaning<'a> {
    Value(Bound),
    Function(&'a AstNode),
}

/// Names that are known at some place.
enum Frame<'a> {
    Names(Vec<(&'a Name, Meaning<'a>)>),
    /// The entries of an item that a filter looks at.
    Entries(Bound),
}

impl<'a> Frame<'a> {
    fn names(&self) -> &[(&'a Name, Meaning<'a>)] {
        match self {
            Self::Names(names) => names,
            Self::Entries(_) => &[],
        }
    }

    fn functions(&self, name: &Name) -> impl Iterator<Item = &'a AstNode> {
        let named = self.names().iter().filter(move |(known, _)| *known == name);
        named.filter_map(|(_, meaning)| match meaning {
            Meaning::Function(node) => Some(*node),
            Meaning::Value(_) => None,
        })
    }
}

/// A function that is an entry of a context, and so can be called from anywhere as that entry.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    name: &'a Name,
    function: &'a AstNode,
    /// The names that its body sees where it is written.
    sees: Vec<(&'a Name, Meaning<'a>)>,
}

impl<'a> Entry<'a> {
    fn also_sees(&mut self, names: &[(&'a Name, Meaning<'a>)]) {
        for (name, meaning) in names {
            let known = self.sees.iter_mut().find(|(known, it)| match (it, meaning) {
                (Meaning::Value(_), Meaning::Value(_)) => known == name,
                (Meaning::Function(one), Meaning::Function(other)) => std::ptr::eq(*one, *other),
                _ => false,
            });
            match (known, meaning) {
                (Some((_, Meaning::Value(bound))), Meaning::Value(other)) => {
                    *bound = bound.or(*other);
                }
                (Some(_), _) => {}
                (None, _) => self.sees.push((name, *meaning)),
            }
        }
    }
}

/// What a loop has given so far, by the name `partial`.
struct Partial {
    list: Bound,
    is_used: bool,
}

struct Estimate<'a> {
    variables: &'a dyn Variables,
    frames: Vec<Frame<'a>>,
    entries: Vec<Entry<'a>>,
    partials: Vec<Partial>,
    work: f64,
    steps: usize,
    calls: usize,
    depth: usize,
    deepest: usize,
}

/// What evaluating an expression takes and gives, at most.
pub(crate) struct Estimated<'a> {
    /// In copies of a value.
    pub(crate) work: f64,
    /// How deep expressions are nested, functions that are called included.
    pub(crate) depth: usize,
    /// What it gives.
    pub(crate) bound: Bound,
    /// The functions that can be in what it gives, and those that were known before.
    pub(crate) entries: Vec<Entry<'a>>,
}

/// Whether evaluating `tree` can take more work than its text is long.
pub(crate) fn can_be_much(tree: &AstNode) -> bool {
    // The tree says what it is made of in its own words; strings in it at worst cost an estimate.
    let text = format!("{tree:?}");
    text.matches("Sub(").nth(MAX_SUBTRACTIONS).is_some()
        || ["For(", "Some(", "Every(", "Filter(", "Context(", "Function", "List("]
            .iter()
            .any(|kind| text.contains(kind))
}

/// What evaluating `tree` takes and gives with these variables, where also the names `known` mean
/// something, and values hold the functions `entries`. Needs [`STACK`].
///
/// # Errors
/// Too much.
pub(crate) fn estimate<'a>(
    tree: &'a AstNode,
    variables: &'a dyn Variables,
    known: Vec<(&'a Name, Meaning<'a>)>,
    entries: Vec<Entry<'a>>,
) -> Result<Estimated<'a>, TooMuch> {
    let mut estimate = Estimate {
        variables,
        frames: vec![Frame::Names(known)],
        entries,
        partials: Vec::new(),
        work: 0.0,
        steps: 0,
        calls: 0,
        depth: 0,
        deepest: 0,
    };
    let bound = estimate.value(tree)?;
    let Estimate { work, deepest: depth, entries, .. } = estimate;
    Ok(Estimated { work, depth, bound, entries })
}

impl<'a> Estimate<'a> {
    /// Adds work.
    fn charge(&mut self, work: f64) -> Result<(), TooMuch> {
        self.work += work;
        if self.work <= MAX_WORK { Ok(()) } else { Err(TooMuch("its loops and lists")) }
    }

    /// The bound of what `node` gives.
    fn value(&mut self, node: &'a AstNode) -> Result<Bound, TooMuch> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > MAX_DEPTH {
            return Err(TooMuch("functions inside functions"));
        }
        let bound = self.value_of(node)?;
        self.depth -= 1;
        Ok(bound)
    }

    fn value_of(&mut self, node: &'a AstNode) -> Result<Bound, TooMuch> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(TooMuch("calls of its functions"));
        }
        let bound = match node {
            AstNode::Numeric(..) => Bound::number(numeric(node)),
            AstNode::String(text) | AstNode::At(text) => Bound::text(text),
            AstNode::Name(name) | AstNode::QualifiedNameSegment(name) => self.named(name),
            AstNode::QualifiedName(segments) => match segments.first() {
                Some(first) => self.value(first)?,
                None => Bound::ONE,
            },
            AstNode::Neg(inner) => self.value(inner)?.negated(),
            AstNode::Add(a, b) => self.value(a)?.plus(self.value(b)?),
            AstNode::Sub(a, b) => {
                let before = self.work;
                let bound = self.value(a)?.minus(self.value(b)?);
                // For the message of a subtraction that fails, both sides are evaluated again.
                self.charge(self.work - before)?;
                bound
            }
            AstNode::Mul(a, b) => self.value(a)?.times(self.value(b)?),
            AstNode::Div(a, b) => self.value(a)?.over(self.value(b)?),
            AstNode::Exp(a, b) => {
                self.value(a)?;
                self.value(b)?;
                Bound::UNKNOWN_NUMBER
            }
            AstNode::If(condition, yes, no) => {
                self.value(condition)?;
                self.value(yes)?.or(self.value(no)?)
            }
            AstNode::List(items) | AstNode::CommaList(items) | AstNode::ExpressionList(items) => {
                let mut list = Bound::EMPTY;
                for item in items {
                    list = list.with(self.value(item)?);
                }
                list
            }
            AstNode::Context(entries) => self.context(entries)?,
            AstNode::Path(base, _) => self.value(base)?.entry(),
            AstNode::Filter(base, predicate) => self.filter(base, predicate)?,
            AstNode::For(contexts, body) => self.loop_of(contexts, body)?,
            AstNode::Some(contexts, body) | AstNode::Every(contexts, body) => {
                self.loop_of(contexts, body)?;
                Bound::ONE
            }
            AstNode::EvaluatedExpression(inner) | AstNode::Satisfies(inner) => self.value(inner)?,
            // It is one value, and may be gone through by a loop elsewhere.
            AstNode::Range(start, end) => {
                let (start, end) = (self.value(start)?, self.value(end)?);
                Bound { len: start.up_to(end).len.max(1.0), ..start.or(end) }
            }
            AstNode::IntervalStart(inner, _) | AstNode::IntervalEnd(inner, _) => {
                self.value(inner)?
            }
            AstNode::FunctionInvocation(callee, arguments) => self.call(callee, arguments)?,
            // A function can hide in a value only where one is made.
            AstNode::FunctionDefinition(..) => {
                return Err(TooMuch("a function that is neither named nor an argument"));
            }
            AstNode::Between(a, b, c) => {
                self.compared(a)?;
                self.compared(b)?;
                self.compared(c)?;
                Bound::ONE
            }
            AstNode::And(a, b)
            | AstNode::Or(a, b)
            | AstNode::Eq(a, b)
            | AstNode::Nq(a, b)
            | AstNode::Lt(a, b)
            | AstNode::Le(a, b)
            | AstNode::Gt(a, b)
            | AstNode::Ge(a, b)
            | AstNode::In(a, b)
            | AstNode::Out(a, b) => {
                self.compared(a)?;
                self.compared(b)?;
                Bound::ONE
            }
            AstNode::InstanceOf(a, _) if matches!(**a, AstNode::FunctionDefinition(..)) => {
                Bound::ONE
            }
            AstNode::InstanceOf(a, _)
            | AstNode::UnaryEq(a)
            | AstNode::UnaryNe(a)
            | AstNode::UnaryLt(a)
            | AstNode::UnaryLe(a)
            | AstNode::UnaryGt(a)
            | AstNode::UnaryGe(a) => {
                self.compared(a)?;
                Bound::ONE
            }
            AstNode::NegatedList(items) => {
                for item in items {
                    self.compared(item)?;
                }
                Bound::ONE
            }
            // Literals, types and the parts of nodes that are looked at with those.
            _ => Bound::ONE,
        };
        self.charge(bound.total)?;
        Ok(bound)
    }

    fn compared(&mut self, node: &'a AstNode) -> Result<(), TooMuch> {
        let size = self.value(node)?.total;
        self.charge(size)
    }

    fn named(&mut self, name: &Name) -> Bound {
        let text = name.to_string();
        if text == "partial"
            && let Some(partial) = self.partials.last_mut()
        {
            partial.is_used = true;
            return partial.list;
        }
        let mut found: Option<Bound> = None;
        for frame in self.frames.iter().rev() {
            match frame {
                Frame::Names(names) => {
                    // Files that import each other can have one name for several things.
                    let known = names.iter().filter(|(known, _)| *known == name);
                    let bounds = known.map(|(_, meaning)| match meaning {
                        Meaning::Value(bound) => *bound,
                        Meaning::Function(_) => Bound::ONE,
                    });
                    if let Some(bound) = bounds.reduce(Bound::or) {
                        return found.map_or(bound, |it| it.or(bound));
                    }
                }
                Frame::Entries(item) => found = Some(found.map_or(*item, |it| it.or(*item))),
            }
        }
        let variable = self.variables.variable(&text).map(Bound::of);
        match (found, variable) {
            (Some(found), Some(variable)) => found.or(variable),
            (Some(bound), None) | (None, Some(bound)) => bound,
            (None, None) => Bound::UNKNOWN_NUMBER,
        }
    }

    /// The functions that have the name `name` where it is nearest.
    fn functions(&self, name: &Name) -> Vec<&'a AstNode> {
        let found = self.frames.iter().rev().map(|frame| frame.functions(name).collect());
        found.into_iter().find(|found: &Vec<_>| !found.is_empty()).unwrap_or_default()
    }

    /// What an argument or an entry stands for.
    fn meaning(&mut self, node: &'a AstNode) -> Result<Meaning<'a>, TooMuch> {
        match node {
            AstNode::FunctionDefinition(..) => Ok(Meaning::Function(node)),
            AstNode::Name(name) => match self.functions(name).as_slice() {
                [] => self.value(node).map(Meaning::Value),
                [function] => Ok(Meaning::Function(function)),
                _ => Err(TooMuch("a function that is passed on under a name of several")),
            },
            _ => self.value(node).map(Meaning::Value),
        }
    }

    fn context(&mut self, entries: &'a [AstNode]) -> Result<Bound, TooMuch> {
        let mut whole = Bound::EMPTY;
        self.frames.push(Frame::Names(Vec::new()));
        for entry in entries {
            let AstNode::ContextEntry(key, value) = entry else { continue };
            let meaning = self.meaning(value)?;
            if let Meaning::Value(bound) = meaning {
                whole = whole.with(bound);
            }
            if let (AstNode::ContextEntryKey(name), Some(Frame::Names(names))) =
                (&**key, self.frames.last_mut())
            {
                names.push((name, meaning));
            }
        }
        self.keep_functions();
        self.frames.pop();
        Ok(whole.as_one())
    }

    /// Remembers the functions of the context that ends.
    fn keep_functions(&mut self) {
        let names = self.frames.last().map_or(&[][..], Frame::names);
        if !names.iter().any(|(_, meaning)| matches!(meaning, Meaning::Function(_))) {
            return;
        }
        let sees: Vec<(&'a Name, Meaning<'a>)> =
            self.frames.iter().skip(1).flat_map(Frame::names).copied().collect();
        for (name, meaning) in names {
            let Meaning::Function(function) = meaning else { continue };
            let is_it = |it: &&mut Entry<'_>| std::ptr::eq(it.function, *function);
            match self.entries.iter_mut().find(is_it) {
                // The same text, in another turn or call.
                Some(known) => known.also_sees(&sees),
                None => self.entries.push(Entry { name, function, sees: sees.clone() }),
            }
        }
    }

    fn filter(&mut self, base: &'a AstNode, predicate: &'a AstNode) -> Result<Bound, TooMuch> {
        let list = self.value(base)?;
        let is_index = match predicate {
            AstNode::Numeric(..) => true,
            AstNode::Neg(inner) => matches!(**inner, AstNode::Numeric(..)),
            _ => false,
        };
        if is_index {
            self.charge(list.total)?;
            return Ok(list.element());
        }
        self.frames.push(Frame::Entries(list.element()));
        let body = self.repeated(list.len, predicate);
        self.frames.pop();
        body?;
        Ok(list)
    }

    /// Estimates `body` once and charges it `times` times.
    fn repeated(&mut self, times: f64, body: &'a AstNode) -> Result<Bound, TooMuch> {
        let before = self.work;
        let bound = self.value(body)?;
        let once = self.work - before + 1.0;
        self.charge(once * times)?;
        Ok(bound)
    }

    /// A `for`, `some` or `every`: the results of all turns.
    fn loop_of(&mut self, contexts: &'a AstNode, body: &'a AstNode) -> Result<Bound, TooMuch> {
        let (AstNode::IterationContexts(contexts) | AstNode::QuantifiedContexts(contexts)) =
            contexts
        else {
            return Err(TooMuch("a loop"));
        };
        self.frames.push(Frame::Names(Vec::new()));
        let (mut turns, mut copied) = (1.0_f64, 0.0);
        for context in contexts {
            let (variable, over) = match context {
                AstNode::IterationContextInterval(variable, start, end) => {
                    (variable, self.range(start, end)?)
                }
                AstNode::IterationContextSingle(variable, over)
                | AstNode::QuantifiedContext(variable, over) => match &**over {
                    AstNode::Range(start, end) => (variable, self.range(start, end)?),
                    over => (variable, self.value(over)?),
                },
                _ => return Err(TooMuch("a loop")),
            };
            // Also a list that is empty is looked at once for every turn of the others.
            turns *= over.len.max(1.0);
            copied += over.item;
            if let (AstNode::Name(name), Some(Frame::Names(names))) =
                (&**variable, self.frames.last_mut())
            {
                names.push((name, Meaning::Value(over.element())));
            }
        }
        self.charge(turns * (1.0 + copied))?;
        let results = self.turns(turns, body)?;
        self.frames.pop();
        Ok(results)
    }

    /// The results of so many turns of a loop.
    fn turns(&mut self, turns: f64, body: &'a AstNode) -> Result<Bound, TooMuch> {
        let mut item = 1.0;
        for _ in 0..2 {
            self.partials.push(Partial { list: Bound::results(turns, item), is_used: false });
            let result = self.repeated(turns, body);
            let is_used = self.partials.pop().is_some_and(|partial| partial.is_used);
            let result = result?;
            if !is_used || result.total <= item {
                // The list so far is copied at every turn.
                self.charge(turns * turns * result.total)?;
                return Ok(Bound {
                    len: turns,
                    item: result.total,
                    total: turns * result.total,
                    ..result
                });
            }
            item = result.total;
        }
        Err(TooMuch("a result that grows with the results before it"))
    }

    fn range(&mut self, start: &'a AstNode, end: &'a AstNode) -> Result<Bound, TooMuch> {
        let (start, end) = (self.value(start)?, self.value(end)?);
        let bound = start.up_to(end);
        if bound.len.is_finite() { Ok(bound) } else { Err(TooMuch("a range without a known end")) }
    }
}

fn numeric(node: &AstNode) -> f64 {
    let AstNode::Numeric(before, after, sign, exponent) = node else { return f64::NAN };
    let exponent = if exponent.is_empty() { "0" } else { exponent };
    format!("{before}.{after}0e{sign}{exponent}").parse().unwrap_or(f64::NAN)
}
