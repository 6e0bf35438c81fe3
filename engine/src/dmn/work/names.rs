//! Every name that models declare somewhere: names can have several words or signs, and the parser
//! finds those that it knows.

use std::collections::BTreeSet;

use dsntk_feel::Name;
use dsntk_model::{
    Definitions, DrgElement, ExpressionInstance, FunctionDefinition, ItemDefinition, NamedElement,
    RequiredVariable,
};

/// The names in `definitions`.
pub(super) fn names(definitions: &[Definitions]) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    for model in definitions {
        names.extend(model.imports().iter().map(|it| it.feel_name().clone()));
        model.item_definitions().iter().for_each(|it| add_components(&mut names, it));
        for element in model.drg_elements() {
            match element {
                DrgElement::Decision(it) => {
                    names.insert(it.variable().feel_name().clone());
                    it.decision_logic().iter().for_each(|it| add(&mut names, it));
                }
                DrgElement::BusinessKnowledgeModel(it) => {
                    names.insert(it.variable().feel_name().clone());
                    it.encapsulated_logic().iter().for_each(|it| add_function(&mut names, it));
                }
                DrgElement::DecisionService(it) => {
                    names.insert(it.variable().feel_name().clone());
                }
                DrgElement::InputData(it) => {
                    names.insert(it.variable().feel_name().clone());
                }
                DrgElement::KnowledgeSource(_) => {}
            }
        }
    }
    names
}

fn add_components(names: &mut BTreeSet<Name>, item: &ItemDefinition) {
    for component in item.item_components() {
        names.insert(component.feel_name().clone());
        add_components(names, component);
    }
}

fn add_function(names: &mut BTreeSet<Name>, function: &FunctionDefinition) {
    names.extend(function.formal_parameters().iter().map(|it| it.feel_name().clone()));
    function.body().iter().for_each(|it| add(names, it));
}

/// The names that an expression declares.
fn add(names: &mut BTreeSet<Name>, instance: &ExpressionInstance) {
    match instance {
        ExpressionInstance::LiteralExpression(_) => {}
        ExpressionInstance::DecisionTable(table) => {
            let outputs = table.output_clauses().filter_map(|it| it.name.as_deref());
            names.extend(outputs.map(Name::from));
        }
        ExpressionInstance::Context(context) => {
            for entry in context.context_entries() {
                names.extend(entry.variable.iter().map(|it| it.feel_name().clone()));
                add(names, &entry.value);
            }
        }
        ExpressionInstance::List(list) => {
            list.elements().iter().for_each(|it| add(names, it));
        }
        ExpressionInstance::Relation(relation) => {
            names.extend(relation.columns().iter().map(|it| it.feel_name().clone()));
            let cells = relation.rows().iter().flat_map(dsntk_model::List::elements);
            cells.for_each(|it| add(names, it));
        }
        ExpressionInstance::Invocation(invocation) => {
            let formulas = invocation.bindings().iter();
            let formulas = formulas.filter_map(|it| it.binding_formula().as_ref());
            formulas.for_each(|it| add(names, it));
        }
        ExpressionInstance::FunctionDefinition(function) => add_function(names, function),
        ExpressionInstance::Conditional(it) => {
            add(names, it.if_expression().value());
            add(names, it.then_expression().value());
            add(names, it.else_expression().value());
        }
        ExpressionInstance::Filter(it) => {
            add(names, it.in_expression().value());
            add(names, it.match_expression().value());
        }
        ExpressionInstance::For(it) => {
            names.insert(Name::from(it.iterator_variable().as_str()));
            add(names, it.in_expression().value());
            add(names, it.return_expression().value());
        }
        ExpressionInstance::Some(it) => {
            names.insert(Name::from(it.iterator_variable().as_str()));
            add(names, it.in_expression().value());
            add(names, it.satisfies_expression().value());
        }
        ExpressionInstance::Every(it) => {
            names.insert(Name::from(it.iterator_variable().as_str()));
            add(names, it.in_expression().value());
            add(names, it.satisfies_expression().value());
        }
    }
}
