//! The inputs that models declare, and what they are given.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;

use super::types::{self, Misfit, Type, Types};
use super::{DecisionError, clock};
use crate::feel::Variables;
use crate::xml::Element;

/// The inputs of some models, with how each is read: worked out once.
pub(super) struct Inputs(Vec<Input>);

struct Input {
    /// What variables call it.
    name: String,
    /// What expressions call it.
    variable: Name,
    of: Arc<Type>,
}

impl Inputs {
    /// The inputs of `models`, whose types have the names of the evaluator: two of one name are one.
    ///
    /// # Errors
    /// A type that is not there, or one input of two types.
    pub(super) fn of(models: &[Element]) -> Result<Self, DecisionError> {
        let mut types = Types::of(models)?;
        let mut inputs = Self(Vec::new());
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
            match places.get(name).and_then(|place| inputs.0.get_mut(*place)) {
                Some(known) => known.join(of)?,
                None => {
                    places.insert(name, inputs.0.len());
                    let variable = types::feel_name(attribute("name").unwrap_or(name));
                    inputs.0.push(Input { name: name.to_owned(), variable, of });
                }
            }
        }
        Ok(inputs)
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|input| input.name.as_str())
    }

    /// Their values for the decision `decision`.
    ///
    /// # Errors
    /// A variable that is not of the type of its input.
    pub(super) fn read(
        &self,
        decision: &str,
        variables: &dyn Variables,
    ) -> Result<FeelContext, DecisionError> {
        let mut context = FeelContext::new();
        for Input { name, variable, of } in &self.0 {
            let Some(value) = variables.variable(name) else { continue };
            let value = of.read(value).map_err(|misfit| refused(decision, name, misfit))?;
            context.set_entry(variable, value);
        }
        Ok(context)
    }
}

impl Input {
    fn join(&mut self, of: Arc<Type>) -> Result<(), DecisionError> {
        match (&*self.of, &*of) {
            (known, other) if known == other => {}
            (_, Type::Any) => {}
            (Type::Any, _) => self.of = of,
            _ => {
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

fn refused(decision: &str, name: &str, misfit: Misfit) -> DecisionError {
    let Misfit { place, expected, given, example } = misfit;
    let input = format!("{name}{place}");
    DecisionError::Input { decision: decision.to_owned(), input, expected, given, example }
}
