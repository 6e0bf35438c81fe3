//! Every operation answers what its output schema says: nothing is missing, of another type, or
//! undescribed. The operations come from the catalogue, so one that is not asked here fails.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::calls::{Call, calls, reads};
use crate::harness::TestServer;

/// A server whose answers are looked at.
struct Asked {
    server: TestServer,
    schemas: BTreeMap<String, Validator>,
    /// How often each operation was asked.
    times: BTreeMap<String, usize>,
    faults: Vec<String>,
}

impl Asked {
    async fn start() -> Self {
        let server = TestServer::start().await;
        let offers = server.server.app.surface.dispatcher.offers();
        let schemas = offers.map(|offer| {
            let schema = closed(&offer.tool.output);
            (offer.tool.name.to_string(), jsonschema::validator_for(&schema).unwrap())
        });
        let schemas = schemas.collect();
        Self { server, schemas, times: BTreeMap::new(), faults: Vec::new() }
    }

    /// Asks, and looks at the answer.
    async fn ask(&mut self, operation: &str, arguments: Value) {
        let answer = self.server.admin.call(operation, arguments.clone()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{operation} {arguments}: {error:?}"));
        *self.times.entry(operation.to_owned()).or_default() += 1;
        for fault in self.schemas[operation].iter_errors(&answer) {
            let fault = format!("{operation} {}: {fault}", fault.instance_path());
            self.faults.push(fault.chars().take(400).collect());
        }
    }
}

/// The schema with every object closed, so that what it does not describe is a fault.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut fields: serde_json::Map<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), closed(value))).collect();
            let lists_fields = fields.get("properties").is_some_and(Value::is_object);
            if lists_fields && !fields.contains_key("additionalProperties") {
                fields.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            Value::Object(fields)
        }
        Value::Array(items) => items.iter().map(closed).collect(),
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_what_its_output_schema_says() {
    let mut asked = Asked::start().await;
    let table = calls(&asked.server.admin).await;
    for (operation, Call { arguments, seen, .. }) in table {
        asked.ask(operation, arguments).await;
        asked.ask(seen.operation, seen.arguments).await;
    }
    for (operation, arguments) in reads(&asked.server.admin).await {
        asked.ask(operation, arguments).await;
    }
    let never: Vec<_> = asked.schemas.keys().filter(|it| !asked.times.contains_key(*it)).collect();
    assert_eq!(never, Vec::<&String>::new(), "operations that were not asked");
    assert_eq!(asked.faults, Vec::<String>::new());
}
