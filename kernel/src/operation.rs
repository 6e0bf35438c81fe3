//! The vocabulary in which rooms declare what they can do. MCP tools, REST routes, the command
//! line and our own agents are all made from these declarations.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{BoxFuture, Ctx, Error, Result, Role};

/// What a room declares about one operation.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// `noun_verb`, at most 30 characters of `[a-z_]`.
    pub name: &'static str,
    /// A short human title.
    pub title: &'static str,
    /// Begins with when to use it; read by models.
    pub description: &'static str,
    /// Whether it reads, writes or destroys.
    pub effect: Effect,
    /// What its scopes speak of: `tasks` for `tasks:read` and `tasks:write`.
    pub area: &'static str,
    /// The roles that may call it. Nobody else may.
    pub roles: &'static [Role],
    /// The list in which it is offered.
    pub toolset: Toolset,
}

impl Spec {
    /// The scope a credential needs: to read an area, or to change it.
    #[must_use]
    pub fn scope(&self) -> String {
        let access = if self.effect == Effect::Read { "read" } else { "write" };
        format!("{}:{access}", self.area)
    }
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Adds or changes.
    Write,
    /// Takes something away that cannot be brought back.
    Destroy,
}

/// The lists of tools a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toolset {
    /// What nearly every client needs; the default.
    Core,
    /// Modelling processes and testing them.
    Design,
    /// Decisions, mandates, and the organisation that they hold in.
    Rules,
    /// Documents.
    Documents,
    /// Agents and prompts.
    Agents,
    /// Systems that work on jobs.
    Integrations,
    /// Keys, users, audit.
    Admin,
}

/// How much a read operation should answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ResponseFormat {
    /// What is needed to decide the next step.
    #[default]
    Concise,
    /// Everything.
    Detailed,
}

/// An operation that is ready to be called.
#[derive(Clone)]
pub struct Operation {
    /// The declaration.
    pub spec: Spec,
    /// JSON Schema 2020-12 of the arguments; always an object.
    pub input: Arc<Value>,
    /// JSON Schema 2020-12 of the answer; always an object.
    pub output: Arc<Value>,
    /// The largest arguments in bytes, when they may be larger than those of other operations.
    pub max_argument_bytes: Option<usize>,
    verb: Arc<Verb>,
    again: Option<Arc<Again>>,
}

type Verb = dyn Fn(Ctx, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync;
type Again = dyn Fn(Ctx, Value, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync;

impl Operation {
    /// Binds a declaration to the verb that does it.
    ///
    /// `verb` gets the room, the context and the decoded parameters. Arguments that do not decode
    /// are refused with `invalid_arguments` before it runs.
    pub fn new<S, P, O, E, F, Fut>(spec: Spec, room: &Arc<S>, verb: F) -> Self
    where
        S: Send + Sync + 'static,
        P: DeserializeOwned + JsonSchema + 'static,
        O: Serialize + JsonSchema + 'static,
        E: Into<Error>,
        F: Fn(Arc<S>, Ctx, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let room = Arc::clone(room);
        let name = spec.name;
        let run = move |ctx: Ctx, arguments: Value| -> BoxFuture<'static, Result<Value>> {
            let params = match serde_json::from_value::<P>(arguments) {
                Ok(params) => params,
                Err(error) => return Box::pin(std::future::ready(Err(undecodable(name, &error)))),
            };
            let answer = verb(Arc::clone(&room), ctx, params);
            Box::pin(async move {
                let output = answer.await.map_err(Into::into)?;
                serde_json::to_value(output)
                    .map_err(|error| Error::internal("answer_encoding", error))
            })
        };
        Self {
            spec,
            input: schema_of::<P>(),
            output: schema_of::<O>(),
            max_argument_bytes: None,
            verb: Arc::new(run),
            again: None,
        }
    }

    /// Lets the arguments be as large as this, counted as compact JSON.
    #[must_use]
    pub fn with_arguments_up_to(self, bytes: usize) -> Self {
        Self { max_argument_bytes: Some(bytes), ..self }
    }

    /// Has a repeated call, under the idempotency key of one that was done, answered by `again`
    /// from the parameters and the recorded answer: for answers about something that goes on after
    /// the call. It must change nothing. Without it the recorded answer is given as it is.
    #[must_use]
    pub fn answered_again_by<S, P, O, E, F, Fut>(self, room: &Arc<S>, again: F) -> Self
    where
        S: Send + Sync + 'static,
        P: DeserializeOwned,
        O: Serialize + DeserializeOwned,
        E: Into<Error>,
        F: Fn(Arc<S>, Ctx, P, O) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let room = Arc::clone(room);
        let name = self.spec.name;
        let again = move |ctx: Ctx,
                          arguments: Value,
                          recorded: Value|
              -> BoxFuture<'static, Result<Value>> {
            let params =
                serde_json::from_value::<P>(arguments).map_err(|error| undecodable(name, &error));
            let recorded = serde_json::from_value::<O>(recorded)
                .map_err(|error| Error::internal("answer_decoding", error));
            let answer = match params.and_then(|params| Ok((params, recorded?))) {
                Ok((params, recorded)) => again(Arc::clone(&room), ctx, params, recorded),
                Err(error) => return Box::pin(std::future::ready(Err(error))),
            };
            Box::pin(async move {
                let output = answer.await.map_err(Into::into)?;
                serde_json::to_value(output)
                    .map_err(|error| Error::internal("answer_encoding", error))
            })
        };
        Self { again: Some(Arc::new(again)), ..self }
    }

    /// An operation whose schemas are known only at run time, such as a process offered as a tool.
    pub fn dynamic(
        spec: Spec,
        input: Value,
        output: Value,
        verb: impl Fn(Ctx, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            spec,
            input: Arc::new(input),
            output: Arc::new(output),
            max_argument_bytes: None,
            verb: Arc::new(verb),
            again: None,
        }
    }

    /// Runs the verb. Authorisation, limits and audit are the dispatcher's work.
    pub fn call(&self, ctx: Ctx, arguments: Value) -> BoxFuture<'static, Result<Value>> {
        (self.verb)(ctx, arguments)
    }

    /// Answers a call that was done before, from its recorded answer.
    pub fn answer_again(
        &self,
        ctx: Ctx,
        arguments: Value,
        recorded: Value,
    ) -> BoxFuture<'static, Result<Value>> {
        match &self.again {
            Some(again) => again(ctx, arguments, recorded),
            None => Box::pin(std::future::ready(Ok(recorded))),
        }
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// Every operation of the server, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue(BTreeMap<&'static str, Operation>);

impl Catalogue {
    /// Adds the operations of a room.
    ///
    /// # Errors
    /// A name that is taken, or that breaks the naming rule: the program must not start.
    pub fn add(&mut self, operations: Vec<Operation>) -> Result<()> {
        for operation in operations {
            let name = operation.spec.name;
            let well_formed = name.len() <= 30
                && name.contains('_')
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if !well_formed {
                return Err(Error::invalid("operation_name", format!("{name:?} is not noun_verb")));
            }
            if self.0.insert(name, operation).is_some() {
                return Err(Error::conflict(
                    "operation_twice",
                    format!("{name:?} is declared twice"),
                ));
            }
        }
        Ok(())
    }

    /// The operation called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Operation> {
        self.0.get(name)
    }

    /// All operations, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.0.values()
    }
}

fn undecodable(operation: &str, error: &serde_json::Error) -> Error {
    Error::invalid("invalid_arguments", format!("the arguments of {operation} are wrong"))
        .why(error.to_string())
        .fix("send one JSON object that matches the input schema of the operation")
}

/// The schema of `T`. It is made once, however often a catalogue is: that takes longer than all
/// else of it.
fn schema_of<T: JsonSchema + 'static>() -> Arc<Value> {
    static MADE: Mutex<BTreeMap<TypeId, Arc<Value>>> = Mutex::new(BTreeMap::new());
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = made().get(&TypeId::of::<T>()) {
        return Arc::clone(schema);
    }
    let schema = Arc::new(make_schema::<T>());
    made().insert(TypeId::of::<T>(), Arc::clone(&schema));
    schema
}

/// The schema of `T` with nothing behind a reference, because models read it best that way.
fn make_schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    drop_machine_formats(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        object.entry("type").or_insert_with(|| "object".into());
        if object.get("type").is_some_and(|kind| kind == "object") {
            object.entry("properties").or_insert_with(|| serde_json::json!({}));
        }
    }
    schema
}

/// Takes out `format: uint8` and the like: JSON Schema does not define them, and validators of
/// clients complain about each.
fn drop_machine_formats(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_machine = fields.get("format").and_then(Value::as_str).is_some_and(|format| {
                ["int", "uint", "float", "double"].iter().any(|kind| format.starts_with(kind))
            });
            if is_machine {
                fields.shift_remove("format");
            }
            fields.values_mut().for_each(drop_machine_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_machine_formats),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Double {
        /// The number to double.
        number: i64,
    }

    #[derive(Serialize, JsonSchema)]
    struct Doubled {
        result: i64,
    }

    fn double(name: &'static str) -> Operation {
        let spec = Spec {
            name,
            title: "Double a number",
            description: "Use this when a number must be doubled.",
            effect: Effect::Read,
            area: "numbers",
            roles: &[Role::Employee],
            toolset: Toolset::Core,
        };
        Operation::new(spec, &Arc::new(()), |_, _, params: Double| async move {
            Ok::<_, Error>(Doubled { result: params.number * 2 })
        })
    }

    #[test]
    fn schemas_are_flat_objects_with_descriptions() {
        let operation = double("number_double");
        assert_eq!(
            *operation.input,
            serde_json::json!({
                "type": "object",
                "properties": {
                    "number": { "type": "integer", "description": "The number to double." }
                },
                "required": ["number"],
                "additionalProperties": false
            })
        );
    }

    #[test]
    fn a_name_is_taken_once_and_well_formed() {
        let mut catalogue = Catalogue::default();
        catalogue.add(vec![double("number_double")]).unwrap();
        assert_eq!(
            catalogue.add(vec![double("number_double")]).unwrap_err().code(),
            "operation_twice"
        );
        for bad in ["number", "Number_double", "number_double_and_much_longer_x"] {
            assert_eq!(catalogue.add(vec![double(bad)]).unwrap_err().code(), "operation_name");
        }
    }
}
