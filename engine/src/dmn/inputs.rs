//! The inputs that models declare, and what they are given.

mod needs;

use std::collections::BTreeMap;
use std::sync::Arc;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;

use super::types::{self, Misfit, Type, Types, Unfit};
use super::{DecisionError, clock};
use crate::feel::Variables;
use crate::xml::Element;
use needs::{Column, Needs};

/// The inputs of some models, with how each is read, and which of them each decision of the last model
/// needs: worked out once.
pub(super) struct Inputs {
    all: Vec<Input>,
    needs: Needs,
}

struct Input {
    /// What variables call it.
    name: String,
    /// What expressions call it.
    variable: Name,
    /// Its types: several where models declare it with other allowed values. The first reads it.
    of: Vec<Arc<Type>>,
}

impl Inputs {
    /// The inputs of `models`, whose types have the names of the evaluator: two of one name are one.
    ///
    /// # Errors
    /// A type that is not there, or one input of two types.
    pub(super) fn of(models: &[Element]) -> Result<Self, DecisionError> {
        let mut types = Types::of(models)?;
        let mut all: Vec<Input> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let elements = models.iter().flat_map(|model| model.elements().map(move |it| (model, it)));
        for (model, data) in elements.filter(|(_, it)| &*it.name == "inputData") {
            let Some(name) = data.attribute("name").filter(|name| !clock::is_input(name)) else {
                continue;
            };
            let variable = data.elements().find(|it| &*it.name == "variable");
            let attribute = |of: &str| variable.and_then(|it| it.attribute(of));
            let type_name = attribute("typeRef").unwrap_or("Any");
            let of = types.get(types::namespace(model), type_name, name)?;
            match places.get(name).and_then(|place| all.get_mut(*place)) {
                Some(known) => known.join(of)?,
                None => {
                    places.insert(name, all.len());
                    let variable = types::feel_name(attribute("name").unwrap_or(name));
                    all.push(Input { name: name.to_owned(), variable, of: vec![of] });
                }
            }
        }
        let needs = Needs::of(models, &places);
        Ok(Self { all, needs })
    }

    /// The names of all.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|input| input.name.as_str())
    }

    /// The names of those that the decision with this id needs.
    pub(super) fn needed_by(&self, decision: &str) -> impl Iterator<Item = &str> {
        self.inputs_of(decision).map(|input| input.name.as_str())
    }

    fn inputs_of(&self, decision: &str) -> impl Iterator<Item = &Input> {
        self.needs.inputs(decision).filter_map(|place| self.all.get(place))
    }

    /// What the decision `decision` needs of `variables`.
    ///
    /// # Errors
    /// A variable that is not of the type of its input.
    pub(super) fn read(
        &self,
        decision: &str,
        variables: &dyn Variables,
    ) -> Result<FeelContext, DecisionError> {
        let mut context = FeelContext::new();
        for input in self.inputs_of(decision) {
            let Some(value) = variables.variable(&input.name) else { continue };
            let refuse = |misfit| refused(decision, &input.name, misfit);
            let mut read = None;
            for of in &input.of {
                let value = of.read(value).map_err(refuse)?;
                read.get_or_insert(value);
            }
            if let Some(value) = read {
                context.set_entry(&input.variable, value);
            }
        }
        Ok(context)
    }

    /// Whether the tables that `decision` asks allow these inputs, which [`Inputs::read`] has read.
    ///
    /// # Errors
    /// An input that a column allows not.
    pub(super) fn check_columns(
        &self,
        decision: &str,
        variables: &dyn Variables,
        read: &FeelContext,
    ) -> Result<(), DecisionError> {
        for Column { input, allowed, table } in self.needs.columns(decision) {
            let Some(Input { name, variable, .. }) = self.all.get(*input) else { continue };
            let (Some(given), Some(value)) = (variables.variable(name), read.get_entry(variable))
            else {
                continue;
            };
            // What is missing is told by the table, which may do without it.
            allowed
                .check(value, given)
                .map_err(|misfit| refused(decision, name, misfit).by(table))?;
        }
        Ok(())
    }
}

impl Input {
    fn join(&mut self, of: Arc<Type>) -> Result<(), DecisionError> {
        let Some(first) = self.of.first() else { return Ok(()) };
        if *of == Type::Any || self.of.contains(&of) {
            return Ok(());
        }
        match first.reads_like(&of) {
            true => self.of.push(of),
            false if **first == Type::Any => self.of = vec![of],
            false => {
                return Err(DecisionError::Invalid {
                    element: self.name.clone(),
                    what: "is an input of two types".to_owned(),
                    fix: "give the inputs names of their own, or one type",
                });
            }
        }
        Ok(())
    }
}

impl DecisionError {
    /// The same, by the table of the decision `name`.
    fn by(mut self, name: &str) -> Self {
        if let Self::NotAllowed { table, .. } = &mut self {
            *table = Some(name.to_owned());
        }
        self
    }
}

fn refused(decision: &str, name: &str, misfit: Misfit) -> DecisionError {
    let Misfit { place, given, reason } = misfit;
    let (decision, input) = (decision.to_owned(), format!("{name}{place}"));
    match reason {
        Unfit::Kind { expected, example } => {
            DecisionError::Input { decision, input, expected, given, example }
        }
        Unfit::NotAllowed(allowed) => {
            DecisionError::NotAllowed { decision, input, given, allowed, table: None }
        }
        Unfit::Untold(reason) => reason.of(&decision),
    }
}
