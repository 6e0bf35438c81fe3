//! Calls: of functions that an expression defines, and of the built-in ones.

use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;

use super::bound::Bound;
use super::{Entry, Estimate, Frame, MAX_CALLS, Meaning, TooMuch, builtin};

impl<'a> Estimate<'a> {
    pub(super) fn call(
        &mut self,
        callee: &'a AstNode,
        arguments: &'a AstNode,
    ) -> Result<Bound, TooMuch> {
        let given: Vec<(Option<&'a Name>, &'a AstNode)> = match arguments {
            AstNode::PositionalParameters(items) => items.iter().map(|item| (None, item)).collect(),
            AstNode::NamedParameters(items) => items
                .iter()
                .filter_map(|item| match item {
                    AstNode::NamedParameter(name, value) => match &**name {
                        AstNode::ParameterName(name) => Some((Some(name), &**value)),
                        _ => Some((None, &**value)),
                    },
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let mut meanings = Vec::with_capacity(given.len());
        for (name, node) in given {
            meanings.push((name, self.meaning(node)?));
        }
        let name = match callee {
            AstNode::Name(name) => name,
            AstNode::Path(base, name) => match &**name {
                AstNode::Name(name) => return self.call_of_entry(base, name, &meanings),
                _ => return Err(TooMuch("a call of a function that is not named")),
            },
            AstNode::FunctionDefinition(..) => return self.call_of(callee, &meanings),
            _ => return Err(TooMuch("a call of a function that is not named")),
        };
        let functions = self.functions(name);
        if !functions.is_empty() {
            return self.call_of_any(&functions, &meanings);
        }
        let values: Vec<Bound> = meanings
            .iter()
            .filter_map(|(_, meaning)| match meaning {
                Meaning::Value(bound) => Some(*bound),
                Meaning::Function(_) => None,
            })
            .collect();
        let all = values.iter().fold(Bound::EMPTY, |all, value| all.joined(*value));
        for (_, meaning) in &meanings {
            // Sorting or replacing asks the function about every pair, at most.
            if let Meaning::Function(function) = meaning {
                let item = Meaning::Value(all.element());
                let before = self.work;
                self.call_of(function, &[(None, item), (None, item)])?;
                let once = self.work - before + 1.0;
                self.charge(once * all.len * all.len)?;
            }
        }
        let (work, result) = builtin::call(&name.to_string(), &values, all);
        self.charge(work)?;
        Ok(result)
    }

    /// A call of `base.name`: of a function of a file that is imported, or of one that is an entry of
    /// some context.
    fn call_of_entry(
        &mut self,
        base: &'a AstNode,
        name: &'a Name,
        arguments: &[(Option<&'a Name>, Meaning<'a>)],
    ) -> Result<Bound, TooMuch> {
        self.value(base)?;
        let functions: Vec<&'a AstNode> =
            self.frames.iter().flat_map(|frame| frame.functions(name)).collect();
        let mut bound = self.call_of_any(&functions, arguments)?;
        let entries: Vec<Entry<'a>> =
            self.entries.iter().filter(|entry| entry.name == name).cloned().collect();
        for entry in entries {
            self.frames.push(Frame::Names(entry.sees));
            let result = self.call_of(entry.function, arguments);
            self.frames.pop();
            bound = bound.or(result?);
        }
        Ok(bound)
    }

    /// A call of one of `functions`: no less than the work of all.
    fn call_of_any(
        &mut self,
        functions: &[&'a AstNode],
        arguments: &[(Option<&'a Name>, Meaning<'a>)],
    ) -> Result<Bound, TooMuch> {
        let mut bound = Bound::ONE;
        for function in functions {
            bound = bound.or(self.call_of(function, arguments)?);
        }
        Ok(bound)
    }

    /// A call of a function of the expression: its body with these arguments.
    fn call_of(
        &mut self,
        function: &'a AstNode,
        arguments: &[(Option<&'a Name>, Meaning<'a>)],
    ) -> Result<Bound, TooMuch> {
        let AstNode::FunctionDefinition(parameters, body) = function else {
            return Err(TooMuch("a function"));
        };
        let (AstNode::FormalParameters(parameters), AstNode::FunctionBody(body, false)) =
            (&**parameters, &**body)
        else {
            return Err(TooMuch("a function that is not FEEL"));
        };
        if self.calls == MAX_CALLS {
            return Err(TooMuch("calls of functions by functions"));
        }
        let mut names = Vec::with_capacity(parameters.len());
        for (place, parameter) in parameters.iter().enumerate() {
            let AstNode::FormalParameter(name, _) = parameter else { continue };
            let AstNode::ParameterName(name) = &**name else { continue };
            let by_name = arguments.iter().find(|(given, _)| *given == Some(name));
            let given = by_name.or_else(|| arguments.get(place).filter(|(name, _)| name.is_none()));
            names.push((name, given.map_or(Meaning::Value(Bound::ONE), |(_, meaning)| *meaning)));
        }
        self.calls += 1;
        self.frames.push(Frame::Names(names));
        let bound = self.value(body);
        self.frames.pop();
        self.calls -= 1;
        bound
    }
}
