//! A world for the tests of the wing: the rooms on a database of their own, a clock that moves when
//! told to, and drivers that take a turn when told to.

use std::path::Path;
use std::sync::Arc;

use flowmaster_data::entities::{self, Entities};
use flowmaster_engine::{Instance, replay};
use flowmaster_kernel::{
    Catalogue, Clock, Ctx, Error, IdSource, Idempotency, ManualClock, Principal, PrincipalKind,
    Result, Role, SequenceIds, TenantId, Timestamp,
};
use flowmaster_mind::mandates::{self, Mandates};
use flowmaster_mind::rules::{self, Rules};
use flowmaster_store::archive::Archive;
use flowmaster_store::{Db, WriteSet, journal, outbox};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::announced::{self, ANNOUNCED, Announced};
use crate::evaluations::{EvaluationKeeper, Evaluations};
use crate::execution::{Drivers, Execution, Handler, History, Stored, WorkRef, recorded_events};
use crate::processes::Processes;
use crate::record::Record;

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) execution: Arc<Execution>,
    pub(crate) catalogue: Catalogue,
    /// Ada, who may do everything.
    pub(crate) ctx: Ctx,
    /// Where instances are archived.
    pub(crate) archive: tempfile::TempDir,
    /// What was announced.
    pub(crate) heard: Arc<Mutex<Vec<Announced>>>,
    drivers: Drivers,
    ids: Arc<SequenceIds>,
}

/// The rooms of one node.
pub(crate) fn node(
    db: &Db,
    clock: &Arc<ManualClock>,
    ids: &Arc<SequenceIds>,
    archive: &Path,
) -> (Arc<Execution>, Catalogue) {
    let rules = Arc::new(Rules::new(db.clone()));
    let entities = Arc::new(Entities::new(db.clone()));
    let mandates = Arc::new(Mandates::new(db.clone(), Arc::clone(&entities)));
    let processes = Arc::new(Processes::new(db.clone(), Arc::clone(&rules), Arc::clone(&mandates)));
    let execution = Arc::new(Execution::new(
        db.clone(),
        Arc::clone(&processes),
        Arc::clone(&mandates),
        History::new(Archive::in_folder(archive), vec![Arc::new(EvaluationKeeper)]),
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::clone(ids) as Arc<dyn IdSource>,
    ));
    let mut catalogue = Catalogue::default();
    let evaluations = Arc::new(Evaluations::new(db.clone(), Arc::clone(&rules)));
    let record = Arc::new(Record::new(db.clone()));
    catalogue.add(crate::catalogue(&processes, &execution, &evaluations, &record)).unwrap();
    catalogue.add(rules::operations(&rules)).unwrap();
    catalogue.add(mandates::operations(&mandates)).unwrap();
    catalogue.add(entities::operations(&entities)).unwrap();
    (execution, catalogue)
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T08:00:00Z").unwrap()));
        let ids = Arc::new(SequenceIds::default());
        let db = Db::temporary(clock.clone()).await;
        let mut sets = crate::MIGRATIONS.to_vec();
        sets.extend([entities::MIGRATIONS, rules::MIGRATIONS, mandates::MIGRATIONS]);
        db.migrate(&sets).await.unwrap();
        let archive = tempfile::tempdir().unwrap();
        let (execution, catalogue) = node(&db, &clock, &ids, archive.path());
        let (heard, ears) = (Arc::default(), db.clone());
        let notes: Arc<Mutex<Vec<Announced>>> = Arc::clone(&heard);
        let hear: Handler = Arc::new(move |ctx, message: outbox::Message, mark| {
            notes.lock().extend(announced::read(&message.payload).unwrap());
            let db = ears.clone();
            Box::pin(async move { db.submit(&ctx, mark).await })
        });
        let drivers = Drivers::new(Arc::clone(&execution)).on(ANNOUNCED, hear);
        let mut world = Self {
            ctx: Ctx::system(tenant("ten_a"), &(clock.clone() as _), &(ids.clone() as _)),
            db,
            clock,
            execution,
            catalogue,
            drivers,
            ids,
            archive,
            heard,
        };
        world.ctx = world.person("ada", &["director"]);
        world
    }

    /// A second node on the same database.
    pub(crate) fn other_node(&self) -> (Arc<Execution>, Catalogue) {
        node(&self.db, &self.clock, &self.ids, self.archive.path())
    }

    pub(crate) fn person(&self, id: &str, groups: &[&str]) -> Ctx {
        self.principal("ten_a", id, PrincipalKind::Person, groups)
    }

    pub(crate) fn principal(
        &self,
        of: &str,
        id: &str,
        kind: PrincipalKind,
        groups: &[&str],
    ) -> Ctx {
        let principal = Principal::new(id, kind, &[Role::Admin], groups);
        Ctx::unrestricted(tenant(of), principal, self.clock.clone(), self.ids.clone())
    }

    /// Ada, with an idempotency key.
    pub(crate) fn keyed(&self, operation: &str, key: &str) -> Ctx {
        let call = Idempotency {
            key: key.to_owned(),
            operation: operation.to_owned(),
            body_hash: "body".to_owned(),
        };
        Ctx { idempotency: Some(Arc::new(call)), ..self.ctx.clone() }
    }

    /// Calls an operation with JSON, as every client does. Its answer is what its schema says.
    pub(crate) async fn call(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Result<Value> {
        let operation = self.catalogue.get(operation).unwrap();
        let answer = operation.call(ctx.clone(), arguments).await?;
        if let Err(fault) = jsonschema::validate(&operation.output, &answer) {
            panic!("{} at {}: {fault}", operation.spec.name, fault.instance_path());
        }
        Ok(answer)
    }

    pub(crate) async fn answer(&self, operation: &str, arguments: Value) -> Value {
        self.call(&self.ctx, operation, arguments).await.unwrap()
    }

    pub(crate) async fn refusal(&self, operation: &str, arguments: Value) -> Error {
        self.call(&self.ctx, operation, arguments).await.unwrap_err()
    }

    /// Lets the drivers do everything that is due. Says how many turns there was something to do.
    pub(crate) async fn settle(&self) -> usize {
        for turns in 0..500 {
            if !self.drivers.turn().await.unwrap() {
                return turns;
            }
        }
        panic!("the drivers do not come to rest");
    }

    /// Moves the clock, and lets the drivers do what is due then.
    pub(crate) async fn after(&self, minutes: i64) {
        self.clock.advance_millis(minutes * 60_000);
        self.settle().await;
    }

    /// Saves and publishes a process.
    pub(crate) async fn publish(&self, id: &str, elements: Value) -> Value {
        self.publish_as(json!({ "id": id, "elements": elements })).await
    }

    pub(crate) async fn publish_as(&self, process: Value) -> Value {
        let id = process["id"].clone();
        self.answer("process_save", json!({ "compact": process })).await;
        self.answer("process_publish", json!({ "id": id })).await
    }

    /// Starts an instance and says its id.
    pub(crate) async fn start(&self, process: &str, variables: Value) -> String {
        let params = json!({ "process": process, "variables": variables });
        let started = self.answer("process_start", params).await;
        self.settle().await;
        started["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, id: &str) -> Value {
        self.answer("instance_get", json!({ "id": id, "response_format": "detailed" })).await
    }

    pub(crate) async fn state(&self, id: &str) -> String {
        self.get(id).await["state"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn variable(&self, id: &str, name: &str) -> Value {
        self.get(id).await["variables"][name].clone()
    }

    /// The elements that wait, in order.
    pub(crate) async fn waiting(&self, id: &str) -> Vec<String> {
        texts(&self.get(id).await["waits"], "element")
    }

    /// The id of the wait of an element.
    pub(crate) async fn wait_of(&self, id: &str, element: &str) -> String {
        let view = self.get(id).await;
        let waits = view["waits"].as_array().unwrap();
        let wait = waits.iter().find(|wait| wait["element"] == element).unwrap();
        wait["id"].as_str().unwrap().to_owned()
    }

    /// Completes the human task at `element`.
    pub(crate) async fn complete(
        &self,
        ctx: &Ctx,
        id: &str,
        element: &str,
        variables: Value,
    ) -> Result<Arc<Stored>> {
        self.complete_work(ctx, &self.wait_of(id, element).await, variables).await
    }

    /// Completes the human task with the id `work`.
    pub(crate) async fn complete_work(
        &self,
        ctx: &Ctx,
        work: &str,
        variables: Value,
    ) -> Result<Arc<Stored>> {
        let work: WorkRef = work.parse().unwrap();
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        let nothing = |_: &Stored| Ok(WriteSet::new());
        self.execution.complete_human_task(ctx, &work, variables, &nothing).await
    }

    /// Everything the timeline says, one sentence after the other.
    pub(crate) async fn timeline(&self, id: &str) -> Vec<String> {
        let page = self.answer("instance_timeline", json!({ "id": id, "limit": 50 })).await;
        let entries = page["items"].as_array().unwrap().iter();
        entries
            .flat_map(|entry| entry["what"].as_array().unwrap())
            .map(|sentence| sentence.as_str().unwrap().to_owned())
            .collect()
    }

    /// Takes jobs of a type.
    pub(crate) async fn claim(&self, job_type: &str, limit: usize) -> Vec<Value> {
        let claimed =
            self.answer("job_claim", json!({ "job_type": job_type, "limit": limit })).await;
        claimed["jobs"].as_array().unwrap().clone()
    }

    /// Takes one job and completes it.
    pub(crate) async fn work(&self, job_type: &str, variables: Value) -> Value {
        let job = self.claim(job_type, 1).await.remove(0);
        let done = json!({ "id": job["id"], "epoch": job["epoch"], "variables": variables });
        let answer = self.answer("job_complete", done).await;
        self.settle().await;
        answer
    }

    /// Ids of all instances, the newest first.
    pub(crate) async fn instances(&self) -> Vec<String> {
        texts(&self.answer("instance_search", json!({ "limit": 50 })).await["items"], "id")
    }

    /// Checks that the journal of every instance leads to its stored state and is whole, and that
    /// ended ones have left nothing behind. Says how many there are.
    pub(crate) async fn check_journals(&self) -> usize {
        let ids = self.instances().await;
        for id in &ids {
            let stored = self.execution.stored(&self.ctx, id).await.unwrap();
            let mut session = self.db.read(&self.ctx).await.unwrap();
            let rows = journal::read(&mut session, id, 0, 1_000).await.unwrap();
            let events: Vec<_> =
                rows.iter().flat_map(|row| recorded_events(&row.events).unwrap()).collect();
            let replayed: Instance = replay(id, &events);
            assert_eq!(replayed, stored.instance);
            let (tenant, head) = (&self.ctx.tenant, Some(&stored.head));
            journal::verify(&mut session, tenant, id, head).await.unwrap();
            if stored.instance.state.is_ended() {
                let timers =
                    flowmaster_store::timers::list(&mut session, Some(id), None, 10).await.unwrap();
                let jobs = flowmaster_store::jobs::list(&mut session, Some(id), None, None, 10)
                    .await
                    .unwrap();
                assert_eq!((timers.len(), jobs.len()), (0, 0), "{id} left work behind");
            }
        }
        ids.len()
    }
}

pub(crate) fn tenant(id: &str) -> TenantId {
    TenantId::from_text(id)
}

/// A field of every item of a list.
pub(crate) fn texts(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// A plain start event.
pub(crate) fn begin(next: &str) -> Value {
    json!({ "id": "begin", "type": "startEvent", "next": next })
}

/// An element with `fields`.
pub(crate) fn element(id: &str, kind: &str, next: &str, fields: Value) -> Value {
    let mut element = Map::from_iter([
        ("id".to_owned(), Value::from(id)),
        ("type".to_owned(), Value::from(kind)),
    ]);
    if !next.is_empty() {
        element.insert("next".to_owned(), Value::from(next));
    }
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    element.extend(fields);
    Value::Object(element)
}

/// A plain end event.
pub(crate) fn end(id: &str) -> Value {
    json!({ "id": id, "type": "endEvent" })
}
