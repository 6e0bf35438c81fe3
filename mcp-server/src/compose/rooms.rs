//! The rooms on the store, and the tasks that run beside the entrances.

use std::sync::Arc;

use flowmaster_agents::{Endpoint, OpenAi, Routes, Secret as ModelKey};
use flowmaster_data::documents::{Documents, PdfReader};
use flowmaster_data::entities::Entities;
use flowmaster_kernel::{BoxFuture, Catalogue, Clock, Error, IdSource, Result, ToolCaller};
use flowmaster_mind::agents::{Agents, Driver, Pace, RunKeeper};
use flowmaster_mind::mandates::Mandates;
use flowmaster_mind::prompts::Prompts;
use flowmaster_mind::rules::Rules;
use flowmaster_people::tasks::{self, TaskKeeper, Tasks};
use flowmaster_prompts::Registry;
use flowmaster_reach::handles::Handles;
use flowmaster_reach::webhooks::{Deliverer, SigningKey, Webhooks};
use flowmaster_run::announced::ANNOUNCED;
use flowmaster_run::evaluations::{EvaluationKeeper, Evaluations};
use flowmaster_run::execution::{
    Drivers, Execution, HUMAN_TASK_CLOSED, HUMAN_TASK_REQUESTED, Handler, History,
};
use flowmaster_run::processes::Processes;
use flowmaster_run::record::Record;
use flowmaster_store::archive::Archive;
use flowmaster_store::{Db, DbConfig, Migrations};
use flowmaster_trust::audit::Audit;
use flowmaster_trust::identity::Identity;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::signing;
use super::upkeep::Upkeep;
use crate::config::{Config, Retention};
use crate::system::secret;

/// Every room.
pub struct Rooms {
    /// The store they share.
    pub db: Db,
    /// Who calls.
    pub identity: Arc<Identity>,
    /// What was called.
    pub audit: Arc<Audit>,
    /// Documents.
    pub documents: Arc<Documents>,
    /// Units, positions, and who is who.
    pub entities: Arc<Entities>,
    /// Decisions.
    pub rules: Arc<Rules>,
    /// Who may decide what.
    pub mandates: Arc<Mandates>,
    /// Prompts.
    pub prompts: Arc<Prompts>,
    /// Agents and their work.
    pub agents: Arc<Agents>,
    /// Process definitions.
    pub processes: Arc<Processes>,
    /// Process instances.
    pub execution: Arc<Execution>,
    /// What decisions were asked by processes, and answered.
    pub evaluations: Arc<Evaluations>,
    /// What the policies were asked, and said.
    pub record: Arc<Record>,
    /// Human tasks.
    pub tasks: Arc<Tasks>,
    /// Who is told what happens.
    pub webhooks: Arc<Webhooks>,
    /// What clients hold on to.
    pub handles: Arc<Handles>,
}

/// What is to run beside the entrances.
pub struct Idle {
    /// Timers, errands between instances, and what rooms subscribe to.
    pub drivers: Drivers,
    /// The work of agents.
    pub agents: Driver,
    /// What is sent to those who subscribed.
    pub webhooks: Deliverer,
    upkeep: Upkeep,
    audit: BoxFuture<'static, ()>,
}

/// What runs beside the entrances, until it is told to stop.
pub struct Background {
    stop: watch::Sender<bool>,
    working: Vec<JoinHandle<()>>,
    audit: JoinHandle<()>,
}

impl Rooms {
    /// Opens the store that the configuration names and builds the rooms on it.
    ///
    /// # Errors
    /// A store that cannot be opened or whose tables are newer than this program.
    pub async fn open(
        config: &Config,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdSource>,
        caller: Arc<dyn ToolCaller>,
    ) -> Result<(Self, Idle)> {
        let cannot_open = |error: flowmaster_store::OpenError| {
            Error::invalid("store_not_opened", "the data cannot be opened")
                .why(error.to_string())
                .fix(error.fix())
        };
        let db = Db::open(&DbConfig::new(config.store_url()), Arc::clone(clock))
            .await
            .map_err(cannot_open)?;
        db.migrate(&migrations()).await.map_err(cannot_open)?;

        let (audit, write_audit) = Audit::new(db.clone());
        let rules = Arc::new(Rules::new(db.clone()));
        let entities = Arc::new(Entities::new(db.clone()));
        let mandates = Arc::new(Mandates::new(db.clone(), Arc::clone(&entities)));
        let processes =
            Arc::new(Processes::new(db.clone(), Arc::clone(&rules), Arc::clone(&mandates)));
        let execution = Arc::new(Execution::new(
            db.clone(),
            Arc::clone(&processes),
            Arc::clone(&mandates),
            History::new(
                Archive::in_folder(&config.archive_dir()),
                vec![Arc::new(TaskKeeper), Arc::new(RunKeeper), Arc::new(EvaluationKeeper)],
            ),
            Arc::clone(clock),
            Arc::clone(ids),
        ));
        let registry = Registry::new(db.clone());
        let agents = Agents::new(db.clone(), registry.clone(), caller, Arc::new(routes(config)?));
        let agents = Arc::new(agents);
        let rooms = Self {
            agents: Arc::clone(&agents),
            identity: Arc::new(Identity::new(db.clone(), Arc::clone(clock))),
            audit: Arc::new(audit),
            documents: Arc::new(Documents::new(db.clone(), pdf_reader()?)),
            prompts: Arc::new(Prompts::new(registry)),
            tasks: Arc::new(Tasks::new(db.clone(), Arc::clone(&execution))),
            webhooks: Arc::new(Webhooks::new(
                db.clone(),
                SigningKey::new(signing::key(config)?.expose()),
                config.webhook_networks()?,
            )),
            evaluations: Arc::new(Evaluations::new(db.clone(), Arc::clone(&rules))),
            record: Arc::new(Record::new(db.clone())),
            handles: Arc::new(Handles::new(db.clone())),
            entities,
            rules,
            mandates,
            processes,
            execution,
            db,
        };
        let owner = format!("node-{}", secret());
        let upkeep = Upkeep {
            db: rooms.db.clone(),
            execution: Arc::clone(&rooms.execution),
            record: Arc::clone(&rooms.record),
            retention: config.retention.map(Retention::as_duration),
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
            owner: owner.clone(),
        };
        let webhooks = Deliverer::new(
            Arc::clone(&rooms.webhooks),
            Arc::clone(clock),
            Arc::clone(ids),
            owner.clone(),
        );
        let agents =
            Driver::new(agents, Arc::clone(clock), Arc::clone(ids), owner, Pace::default());
        let drivers = rooms.drivers();
        Ok((rooms, Idle { drivers, agents, webhooks, upkeep, audit: Box::pin(write_audit) }))
    }

    /// The operations of all rooms.
    ///
    /// # Errors
    /// Two operations of one name: the program must not start.
    pub fn catalogue(&self) -> Result<Catalogue> {
        let mut catalogue = Catalogue::default();
        catalogue.add(flowmaster_trust::catalogue(&self.identity, &self.audit))?;
        catalogue.add(flowmaster_data::catalogue(&self.documents, &self.entities))?;
        catalogue.add(flowmaster_mind::catalogue(
            &self.rules,
            &self.mandates,
            &self.prompts,
            &self.agents,
        ))?;
        catalogue.add(flowmaster_run::catalogue(
            &self.processes,
            &self.execution,
            &self.evaluations,
            &self.record,
        ))?;
        catalogue.add(flowmaster_people::catalogue(&self.tasks))?;
        catalogue.add(flowmaster_reach::catalogue(&self.webhooks))?;
        self.agents.know_tools(&catalogue);
        Ok(catalogue)
    }

    /// Timers, errands between instances, and what rooms subscribe to.
    fn drivers(&self) -> Drivers {
        let (open, close) = (self.db.clone(), self.db.clone());
        let on_requested: Handler = Arc::new(move |ctx, message, mark| {
            let db = open.clone();
            Box::pin(async move { tasks::open(&db, &ctx, &message, mark).await })
        });
        let on_closed: Handler = Arc::new(move |ctx, message, mark| {
            let db = close.clone();
            Box::pin(async move { tasks::close(&db, &ctx, &message, mark).await })
        });
        let webhooks = Arc::clone(&self.webhooks);
        let on_announced: Handler = Arc::new(move |ctx, message, mark| {
            let webhooks = Arc::clone(&webhooks);
            Box::pin(async move { webhooks.hear(&ctx, &message, mark).await })
        });
        Drivers::new(Arc::clone(&self.execution))
            .on(HUMAN_TASK_REQUESTED, on_requested)
            .on(HUMAN_TASK_CLOSED, on_closed)
            .on(ANNOUNCED, on_announced)
    }
}

impl Idle {
    /// Lets it all run.
    #[must_use]
    pub fn start(self) -> Background {
        let (stop, stopping) = watch::channel(false);
        let working = vec![
            tokio::spawn(self.drivers.run(stopping.clone())),
            tokio::spawn(self.agents.run(stopping.clone())),
            tokio::spawn(self.webhooks.run(stopping.clone())),
            tokio::spawn(self.upkeep.run(stopping)),
        ];
        Background { stop, working, audit: tokio::spawn(self.audit) }
    }
}

impl Background {
    /// Ends the drivers after what they have in hand.
    pub async fn stop(self) {
        // Without receivers there is nothing left to stop.
        let _ = self.stop.send(true);
        for working in self.working {
            // A driver that broke has ended too; the log says why.
            let _ = working.await;
        }
        self.audit.abort();
    }
}

/// The models that the configuration names.
fn routes(config: &Config) -> Result<Routes> {
    let mut routes = Routes::default();
    let (Some(url), Some(name)) = (&config.model_base_url, &config.model_name) else {
        return Ok(routes);
    };
    let key = config.model_key.as_ref().map_or("", |key| key.expose());
    let endpoint = Endpoint::new(url, ModelKey::new(key), name);
    let model = OpenAi::new(endpoint).map_err(|error| {
        Error::invalid("model_unusable", "the model cannot be used").why(error.to_string())
    })?;
    routes.add("default", model);
    Ok(routes)
}

fn migrations() -> Vec<Migrations> {
    let mut sets = flowmaster_trust::MIGRATIONS.to_vec();
    sets.extend(flowmaster_data::MIGRATIONS);
    sets.extend(flowmaster_mind::MIGRATIONS);
    sets.extend(flowmaster_run::MIGRATIONS);
    sets.extend(flowmaster_people::MIGRATIONS);
    sets.extend(flowmaster_reach::MIGRATIONS);
    sets
}

/// Untrusted PDFs are read by a child of this very program, under limits.
fn pdf_reader() -> Result<PdfReader> {
    let program =
        std::env::current_exe().map_err(|error| Error::internal("own_program_unknown", error))?;
    Ok(PdfReader::ChildProcess { program, arguments: vec!["read-pdf".to_owned()] })
}
