//! Every operation answers what its output schema says: nothing is missing, of another type, or
//! undescribed. The operations come from the catalogue, so one that is not asked here fails.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::calls::{Call, calls};
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

    /// The answer, after a look at it.
    async fn ask(&mut self, operation: &str, arguments: Value) -> Value {
        let answer = self.server.admin.call(operation, arguments.clone()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{operation} {arguments}: {error:?}"));
        *self.times.entry(operation.to_owned()).or_default() += 1;
        for fault in self.schemas[operation].iter_errors(&answer) {
            let fault = format!("{operation} {}: {fault}", fault.instance_path());
            self.faults.push(fault.chars().take(400).collect());
        }
        answer
    }

    /// Asks for everything that `search` lists, as `forms` say.
    async fn ask_for_all(&mut self, search: &str, list: Value, get: &str, forms: &[Value]) {
        let found = self.ask(search, list).await;
        for item in found["items"].as_array().unwrap() {
            for form in forms {
                let mut arguments = form.clone();
                arguments["id"] = item["id"].clone();
                self.ask(get, arguments).await;
            }
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
    let plain = || vec![json!({})];
    let both = || ["concise", "detailed"].map(|it| json!({ "response_format": it })).to_vec();
    let written = || ["compact", "xml"].map(|it| json!({ "format": it })).to_vec();
    for (search, list, get, forms) in [
        ("process_search", json!({ "limit": 50 }), "process_get", written()),
        ("process_search", json!({}), "process_validate", plain()),
        ("instance_search", json!({ "limit": 50 }), "instance_get", both()),
        ("instance_search", json!({ "limit": 50 }), "instance_timeline", both()),
        ("task_list", json!({ "filter": "all_open" }), "task_get", both()),
        ("document_search", json!({}), "document_get", both()),
        ("rule_search", json!({}), "rule_get", both()),
        ("agent_search", json!({}), "agent_get", plain()),
        ("prompt_search", json!({}), "prompt_get", plain()),
        ("run_search", json!({}), "run_get", both()),
    ] {
        asked.ask_for_all(search, list, get, &forms).await;
    }
    let scenario = "name: waits\nmodels: [process.bpmn]\nsteps: []\nexpect: { state: completed }\n";
    for (operation, arguments) in [
        ("me_get", json!({})),
        ("user_search", json!({})),
        ("key_list", json!({})),
        ("audit_search", json!({})),
        ("incident_list", json!({})),
        ("mandate_get", json!({})),
        ("mandate_check", json!({ "domain": "calls", "action": "approve", "actor": "anna" })),
        (
            "mandate_check",
            json!({ "domain": "finance", "action": "approve_invoice", "amount": "10000", "currency": "EUR" }),
        ),
        ("prompt_render", json!({ "id": "calls/total" })),
        ("rule_evaluate", json!({ "decision": "calls-decision" })),
        ("scenario_run", json!({ "scenario": scenario, "process": "calls-start" })),
    ] {
        asked.ask(operation, arguments).await;
    }
    let never: Vec<_> = asked.schemas.keys().filter(|it| !asked.times.contains_key(*it)).collect();
    assert_eq!(never, Vec::<&String>::new(), "operations that were not asked");
    assert_eq!(asked.faults, Vec::<String>::new());
}
