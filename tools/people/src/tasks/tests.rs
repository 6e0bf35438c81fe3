//! Tests through the verbs, with the process engine behind them, on a database of their own.

mod archiving;
mod closing;
mod holding;
mod lists;

use std::sync::{Arc, Mutex};

use flowmaster_data::entities::{self, Entities};
use flowmaster_kernel::{
    Catalogue, Clock, Ctx, Error, IdSource, Idempotency, ManualClock, Principal, PrincipalKind,
    Result, Role, SequenceIds, TenantId, Timestamp,
};
use flowmaster_mind::mandates::{self, Mandates};
use flowmaster_mind::rules::{self, Rules};
use flowmaster_run::evaluations::Evaluations;
use flowmaster_run::execution::{
    Drivers, Execution, HUMAN_TASK_CLOSED, HUMAN_TASK_REQUESTED, Handler, History,
};
use flowmaster_run::processes::Processes;
use flowmaster_run::record::Record;
use flowmaster_store::Db;
use flowmaster_store::archive::Archive;
use flowmaster_store::outbox::Message;
use serde_json::{Value, json};

use super::*;

struct World {
    clock: Arc<ManualClock>,
    ids: Arc<SequenceIds>,
    db: Db,
    catalogue: Catalogue,
    drivers: Drivers,
    /// Every request for a person, as it was delivered.
    requested: Arc<Mutex<Vec<Message>>>,
    /// Ada, an administrator and manager, who starts processes.
    ada: Ctx,
    /// Ben and Cleo, who are clerks.
    ben: Ctx,
    cleo: Ctx,
    _archive: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T08:00:00Z").unwrap()));
        let ids = Arc::new(SequenceIds::default());
        let db = Db::temporary(clock.clone()).await;
        let mut sets = flowmaster_run::MIGRATIONS.to_vec();
        sets.extend(crate::MIGRATIONS);
        sets.extend([entities::MIGRATIONS, rules::MIGRATIONS, mandates::MIGRATIONS]);
        db.migrate(&sets).await.unwrap();
        let rules = Arc::new(Rules::new(db.clone()));
        let entities = Arc::new(Entities::new(db.clone()));
        let mandates = Arc::new(Mandates::new(db.clone(), entities));
        let archive = tempfile::tempdir().unwrap();
        let processes =
            Arc::new(Processes::new(db.clone(), Arc::clone(&rules), Arc::clone(&mandates)));
        let execution = Arc::new(Execution::new(
            db.clone(),
            Arc::clone(&processes),
            mandates,
            History::new(Archive::in_folder(archive.path()), vec![Arc::new(TaskKeeper)]),
            clock.clone() as Arc<dyn Clock>,
            ids.clone() as Arc<dyn IdSource>,
        ));
        let tasks = Arc::new(Tasks::new(db.clone(), Arc::clone(&execution)));
        let evaluations = Arc::new(Evaluations::new(db.clone(), rules));
        let record = Arc::new(Record::new(db.clone()));
        let mut catalogue = Catalogue::default();
        catalogue
            .add(flowmaster_run::catalogue(&processes, &execution, &evaluations, &record))
            .unwrap();
        catalogue.add(crate::catalogue(&tasks)).unwrap();
        let requested = Arc::<Mutex<Vec<Message>>>::default();
        let (on_open, on_close) = (db.clone(), db.clone());
        let kept = Arc::clone(&requested);
        let opened: Handler = Arc::new(move |ctx, message, mark| {
            let db = on_open.clone();
            kept.lock().unwrap().push(message.clone());
            Box::pin(async move { open(&db, &ctx, &message, mark).await })
        });
        let closed: Handler = Arc::new(move |ctx, message, mark| {
            let db = on_close.clone();
            Box::pin(async move { close(&db, &ctx, &message, mark).await })
        });
        let drivers =
            Drivers::new(execution).on(HUMAN_TASK_REQUESTED, opened).on(HUMAN_TASK_CLOSED, closed);
        let who = |id: &str, role: Role, groups: &[&str]| {
            person(&clock, &ids, "ten_a", id, &[role], groups)
        };
        let (ada, ben, cleo) = (
            who("ada", Role::Admin, &["manager"]),
            who("ben", Role::Employee, &["clerk"]),
            who("cleo", Role::Employee, &["clerk"]),
        );
        Self { clock, ids, db, catalogue, drivers, requested, ada, ben, cleo, _archive: archive }
    }

    fn person(&self, tenant: &str, id: &str, role: Role, groups: &[&str]) -> Ctx {
        person(&self.clock, &self.ids, tenant, id, &[role], groups)
    }

    /// Calls an operation with JSON, as every client does.
    async fn call(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Result<Value> {
        self.catalogue.get(operation).unwrap().call(ctx.clone(), arguments).await
    }

    async fn answer(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Value {
        self.call(ctx, operation, arguments).await.unwrap()
    }

    async fn refusal(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Error {
        self.call(ctx, operation, arguments).await.unwrap_err()
    }

    async fn settle(&self) {
        for _ in 0..200 {
            if !self.drivers.turn().await.unwrap() {
                return;
            }
        }
        panic!("the drivers do not come to rest");
    }

    async fn publish(&self, id: &str, elements: Value) {
        let process = json!({ "id": id, "elements": elements });
        self.answer(&self.ada, "process_save", json!({ "compact": process })).await;
        self.answer(&self.ada, "process_publish", json!({ "id": id })).await;
    }

    /// Starts an instance and says its id.
    async fn start(&self, process: &str, variables: Value) -> String {
        let params = json!({ "process": process, "variables": variables });
        let started = self.answer(&self.ada, "process_start", params).await;
        self.settle().await;
        started["id"].as_str().unwrap().to_owned()
    }

    /// Publishes a process with one task and starts it; says the ids of task and instance.
    async fn one_task(&self, fields: &Value) -> (String, String) {
        self.publish("order", one("approve", fields)).await;
        let instance =
            self.start("order", json!({ "amount": 100, "note": "n", "secret": 1 })).await;
        (self.task_of(&instance, "approve").await, instance)
    }

    /// The newest task of an element.
    async fn task_of(&self, instance: &str, element: &str) -> String {
        let all = json!({ "filter": "all", "instance": instance, "limit": 50 });
        let page = self.answer(&self.ada, "task_list", all).await;
        let items = page["items"].as_array().unwrap();
        let found = items.iter().rfind(|task| task["element"] == element).unwrap();
        found["id"].as_str().unwrap().to_owned()
    }

    async fn get(&self, ctx: &Ctx, id: &str) -> Value {
        self.answer(ctx, "task_get", json!({ "id": id })).await
    }

    async fn instance(&self, id: &str) -> Value {
        let params = json!({ "id": id, "response_format": "detailed" });
        self.answer(&self.ada, "instance_get", params).await
    }

    /// The ids of the tasks in a list.
    async fn list(&self, ctx: &Ctx, filter: &str) -> Vec<String> {
        let page = self.answer(ctx, "task_list", json!({ "filter": filter, "limit": 50 })).await;
        let items = page["items"].as_array().unwrap().iter();
        items.map(|task| task["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn person(
    clock: &Arc<ManualClock>,
    ids: &Arc<SequenceIds>,
    tenant: &str,
    id: &str,
    roles: &[Role],
    groups: &[&str],
) -> Ctx {
    let person = Principal::new(id, PrincipalKind::Person, roles, groups);
    Ctx::unrestricted(TenantId::from_text(tenant), person, clock.clone(), ids.clone())
}

/// The same caller, with an idempotency key.
fn keyed(ctx: &Ctx, operation: &str) -> Ctx {
    let call = Idempotency {
        key: "k1".to_owned(),
        operation: operation.to_owned(),
        body_hash: "body".to_owned(),
    };
    Ctx { idempotency: Some(Arc::new(call)), ..ctx.clone() }
}

/// A user task with `fields`.
fn task(id: &str, next: &str, fields: &Value) -> Value {
    let mut task = json!({ "id": id, "type": "userTask", "next": next });
    for (name, value) in fields.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

/// A process of one task.
fn one(id: &str, fields: &Value) -> Value {
    json!([
        { "id": "begin", "type": "startEvent", "next": id },
        task(id, "done", fields),
        { "id": "done", "type": "endEvent" },
    ])
}

/// A task for clerks.
fn clerks() -> Value {
    json!({ "assignment": { "groups": "clerk" } })
}
