//! A node that dies and starts again, and the world around it: clock, chance, fates of commits.

use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use flowmaster_kernel::{
    BoxFuture, Catalogue, Clock, Ctx, Error, IdSource, ManualClock, Result, Timestamp, ToolCaller,
};
use flowmaster_mcp_server::compose::{Idle, Rooms, compose_with};
use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::dispatch::{Dispatcher, Foundations, LateCaller};
use flowmaster_mcp_server::mcp::Observer;
use flowmaster_mcp_server::ports::{AnswerBook, Caller};
use flowmaster_store::{Db, Fate, Fates};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::coop;

use super::models;
use crate::proof::{Dice, Proof};

const DATABASE: [&str; 2] = ["flowmaster.db", "flowmaster.db-wal"];
const RESERVE: &str = "reserve";
/// What clients call; schemas of the others need not be read at each start.
const OPERATIONS: [&str; 18] = [
    "process_start",
    "instance_search",
    "instance_get",
    "instance_timeline",
    "instance_control",
    "instance_modify",
    "incident_resolve_all",
    "job_claim",
    "job_complete",
    "job_fail",
    "message_publish",
    "signal_broadcast",
    "task_list",
    "task_claim",
    "task_complete",
    "work_claim",
    "work_submit",
    "work_fail",
];
/// How many steps the runtime grants a task before it lets others go on.
const TURN: usize = 128;
/// The longest that a slow disk takes, in milliseconds.
const SLOWEST: usize = 90_000;

/// A data folder with the processes, which every run begins with.
pub(super) struct Origin {
    folder: PathBuf,
    owner: Caller,
    stranger: Caller,
}

impl Origin {
    pub(super) async fn prepare(folder: &Path, models: usize) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(beginning()));
        let config = config(folder);
        let server = compose_with(config, Observer::default(), Arc::clone(&clock)).await.unwrap();
        let ids: Arc<dyn IdSource> = Arc::new(Chance(Mutex::new(Dice::new(7))));
        let owner = server.owner.clone();
        let mut processes = vec![models::child()];
        processes.extend((0..models).map(models::model));
        let ask = async |operation: &str, arguments: Value| {
            let ctx = owner.ctx("origin".into(), &clock, &ids);
            server.app.surface.dispatcher.call(ctx, operation, arguments).await.unwrap()
        };
        ask("prompt_save", json!({ "text": models::PROMPT })).await;
        ask("agent_save", models::agent()).await;
        for process in processes {
            let id = process["id"].clone();
            ask("process_save", json!({ "compact": process })).await;
            ask("process_publish", json!({ "id": id })).await;
        }
        let stranger = server.rooms.identity.add_tenant(&ids, "other").await.unwrap().admin.into();
        server.background.stop().await;
        server.rooms.db.close().await;
        Self { folder: folder.to_owned(), owner, stranger }
    }
}

fn beginning() -> Timestamp {
    Timestamp::parse("2026-03-28T22:00:00Z").unwrap()
}

fn config(folder: &Path) -> Config {
    Config {
        data_dir: folder.to_owned(),
        calls_per_second: 1_000_000,
        burst: 1_000_000,
        ..Config::default()
    }
}

/// Ids that a seed repeats.
struct Chance(Mutex<Dice>);

impl IdSource for Chance {
    fn entropy(&self) -> u128 {
        let mut dice = self.0.lock();
        u128::from(dice.draw()) << 64 | u128::from(dice.draw())
    }
}

/// What becomes of commits: nothing bad until `chance` is more than 0.
pub(super) struct Weather(Mutex<Outlook>);

struct Outlook {
    dice: Dice,
    clock: Arc<ManualClock>,
    /// How many of a thousand commits fail.
    chance: usize,
    /// No commit succeeds until the node is started again.
    stopped: bool,
    happened: usize,
}

impl Fates for Weather {
    fn next(&self) -> Fate {
        let mut outlook = self.0.lock();
        if outlook.stopped {
            return Fate::Stopped;
        }
        if outlook.dice.under(1_000) >= outlook.chance {
            return Fate::Stored;
        }
        outlook.happened += 1;
        let fates = [Fate::Stored, Fate::RolledBack, Fate::Lost, Fate::Unanswered, Fate::Stopped];
        let fate = *outlook.dice.one_of(&fates);
        match fate {
            // A slow disk: leases and deadlines run out meanwhile.
            Fate::Stored => {
                let millis = outlook.dice.under(SLOWEST);
                outlook.clock.advance_millis(i64::try_from(millis).unwrap());
            }
            Fate::RolledBack => {}
            Fate::Lost | Fate::Unanswered | Fate::Stopped => outlook.stopped = true,
        }
        fate
    }
}

struct Answers(Db);

impl AnswerBook for Answers {
    fn recorded_answer<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Option<Value>>> {
        Box::pin(self.0.recorded_answer(ctx))
    }
}

/// A process of the server.
pub(super) struct Node {
    pub(super) rooms: Rooms,
    idle: Idle,
    dispatcher: Arc<Dispatcher>,
}

pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) trace: String,
    node: Option<Node>,
    folder: PathBuf,
    weather: Arc<Weather>,
    ids: Arc<dyn IdSource>,
    owner: Caller,
    stranger: Caller,
    tried: u64,
    succeeded: u64,
}

impl World {
    pub(super) async fn begin(origin: &Origin, folder: &Path, dice: &mut Dice) -> Self {
        std::fs::create_dir(folder).unwrap();
        for file in DATABASE {
            std::fs::copy(origin.folder.join(file), folder.join(file)).unwrap();
        }
        std::fs::hard_link(origin.folder.join(RESERVE), folder.join(RESERVE)).unwrap();
        let chance = *dice.one_of(&[0, 15, 40, 80]);
        let clock = Arc::new(ManualClock::at(beginning()));
        let outlook = Outlook {
            dice: Dice::new(dice.draw()),
            clock: Arc::clone(&clock),
            chance,
            stopped: false,
            happened: 0,
        };
        let mut world = Self {
            clock,
            trace: String::new(),
            node: None,
            folder: folder.to_owned(),
            weather: Arc::new(Weather(Mutex::new(outlook))),
            ids: Arc::new(Chance(Mutex::new(Dice::new(dice.draw())))),
            owner: origin.owner.clone(),
            stranger: origin.stranger.clone(),
            tried: 0,
            succeeded: 0,
        };
        world.start().await;
        world
    }

    async fn start(&mut self) {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let caller = Arc::new(LateCaller::default());
        let config = config(&self.folder);
        let late = Arc::clone(&caller) as Arc<dyn ToolCaller>;
        let (rooms, idle) = Rooms::open(&config, &clock, &self.ids, late).await.unwrap();
        let weather = Arc::clone(&self.weather);
        weather.0.lock().stopped = false;
        rooms.db.simulate(weather);
        let mut catalogue = Catalogue::default();
        let all = rooms.catalogue().unwrap();
        let wanted = all.iter().filter(|it| OPERATIONS.contains(&it.spec.name));
        catalogue.add(wanted.cloned().collect()).unwrap();
        let answers = Arc::new(Answers(rooms.db.clone()));
        let on = Foundations {
            limits: config.limits(),
            answers: Some(answers),
            ..Foundations::default()
        };
        let dispatcher = Arc::new(Dispatcher::new(&catalogue, on).unwrap());
        caller.bind(&dispatcher);
        self.node = Some(Node { rooms, idle, dispatcher });
    }

    /// The process ends, whatever it was doing, and another takes its place.
    pub(super) async fn restart(&mut self) {
        self.trace.push_str("restart\n");
        self.stop().await;
        self.start().await;
    }

    async fn stop(&mut self) {
        let node = self.node.take().unwrap();
        let db = node.rooms.db.clone();
        drop(node);
        db.close().await;
    }

    pub(super) async fn restart_if_stopped(&mut self) -> bool {
        let stopped = self.weather.0.lock().stopped;
        if stopped {
            self.restart().await;
        }
        stopped
    }

    /// From now on nothing fails any more.
    pub(super) async fn heal(&mut self) {
        self.weather.0.lock().chance = 0;
        self.restart().await;
    }

    pub(super) fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    pub(super) fn ctx(&self) -> Ctx {
        self.ctx_of(&self.owner)
    }

    pub(super) fn ctx_of_stranger(&self) -> Ctx {
        self.ctx_of(&self.stranger)
    }

    fn ctx_of(&self, caller: &Caller) -> Ctx {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        caller.ctx("simulated".into(), &clock, &self.ids)
    }

    /// Calls an operation as any client does; the code of its error.
    pub(super) async fn call(
        &mut self,
        operation: &str,
        arguments: Value,
    ) -> Result<Value, String> {
        let answer = self.node().dispatcher.call(self.ctx(), operation, arguments.clone()).await;
        let answer = answer.map_err(|error| error.code().to_owned());
        self.tried += 1;
        self.succeeded += u64::from(answer.is_ok());
        self.trace.push_str(&match &answer {
            Ok(value) => format!("{operation} {arguments} = {value}\n"),
            Err(code) => format!("{operation} {arguments} ! {code}\n"),
        });
        answer
    }

    /// Calls an operation, and goes away when the call waits after `steps` steps of its work: whoever
    /// asked does not know what became of it.
    pub(super) async fn call_and_leave(&mut self, operation: &str, arguments: Value, steps: usize) {
        // With a whole turn before it.
        tokio::task::yield_now().await;
        let ctx = self.ctx();
        let left = {
            let mut call = pin!(self.node().dispatcher.call(ctx, operation, arguments.clone()));
            poll_fn(|cx| {
                for _ in steps..TURN {
                    if let Poll::Ready(step) = coop::poll_proceed(cx) {
                        step.made_progress();
                    }
                }
                Poll::Ready(call.as_mut().poll(cx).is_pending())
            })
            .await
        };
        self.trace.push_str(&format!("{operation} {arguments} left: {left}\n"));
        self.weather.0.lock().happened += usize::from(left);
    }

    /// What another tenant sees.
    pub(super) async fn call_as_stranger(&self, operation: &str, arguments: Value) -> Value {
        let ctx = self.ctx_of_stranger();
        self.node().dispatcher.call(ctx, operation, arguments).await.unwrap()
    }

    /// Lets the drivers take a turn; whether there was something to do.
    pub(super) async fn turn(&mut self) -> bool {
        let busy = self.node().idle.drivers.turn().await;
        self.trace.push_str(&format!("turn {:?}\n", busy.as_ref().map_err(Error::code)));
        self.restart_if_stopped().await;
        busy.unwrap_or(true)
    }

    /// Ends it all; gives what happened.
    pub(super) async fn end(mut self, proof: &Proof) -> String {
        self.stop().await;
        proof.operations(self.tried, self.succeeded);
        proof.faults(self.weather.0.lock().happened);
        self.trace
    }
}
