//! The rooms on the store, and the tasks that run beside the entrances.

use std::sync::Arc;

use flowmaster_data::documents::{Documents, PdfReader};
use flowmaster_kernel::{Catalogue, Clock, Error, IdSource, Result};
use flowmaster_mind::prompts::Prompts;
use flowmaster_mind::rules::Rules;
use flowmaster_people::tasks::{self, Tasks};
use flowmaster_prompts::Registry;
use flowmaster_run::execution::{
    Drivers, Execution, HUMAN_TASK_CLOSED, HUMAN_TASK_REQUESTED, Handler,
};
use flowmaster_run::processes::Processes;
use flowmaster_store::{Db, DbConfig, Migrations};
use flowmaster_trust::audit::Audit;
use flowmaster_trust::identity::Identity;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;

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
    /// Decisions and mandates.
    pub rules: Arc<Rules>,
    /// Prompts.
    pub prompts: Arc<Prompts>,
    /// Process definitions.
    pub processes: Arc<Processes>,
    /// Process instances.
    pub execution: Arc<Execution>,
    /// Human tasks.
    pub tasks: Arc<Tasks>,
}

/// What runs beside the entrances, until it is told to stop.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
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
    ) -> Result<(Self, Background)> {
        let url = match &config.database_url {
            Some(url) => url.expose().to_owned(),
            None => format!("sqlite:{}", config.data_dir.display()),
        };
        let cannot_open = |error: flowmaster_store::OpenError| {
            Error::invalid("store_not_opened", "the data cannot be opened")
                .why(error.to_string())
                .fix(error.fix())
        };
        let db = Db::open(&DbConfig::new(url), Arc::clone(clock)).await.map_err(cannot_open)?;
        db.migrate(&migrations()).await.map_err(cannot_open)?;

        let (audit, write_audit) = Audit::new(db.clone());
        let rules = Arc::new(Rules::new(db.clone()));
        let processes = Arc::new(Processes::new(db.clone(), Arc::clone(&rules)));
        let execution = Arc::new(Execution::new(
            db.clone(),
            Arc::clone(&processes),
            Arc::clone(&rules),
            Arc::clone(clock),
            Arc::clone(ids),
        ));
        let rooms = Self {
            identity: Arc::new(Identity::new(db.clone(), Arc::clone(clock))),
            audit: Arc::new(audit),
            documents: Arc::new(Documents::new(db.clone(), pdf_reader()?)),
            prompts: Arc::new(Prompts::new(Registry::new(db.clone()))),
            tasks: Arc::new(Tasks::new(db.clone(), Arc::clone(&execution))),
            rules,
            processes,
            execution,
            db,
        };
        let (stop, stopping) = watch::channel(false);
        let drivers = rooms.drivers();
        let tasks = vec![tokio::spawn(drivers.run(stopping)), tokio::spawn(write_audit)];
        Ok((rooms, Background { stop, tasks }))
    }

    /// The operations of all rooms.
    ///
    /// # Errors
    /// Two operations of one name: the program must not start.
    pub fn catalogue(&self) -> Result<Catalogue> {
        let mut catalogue = Catalogue::default();
        catalogue.add(flowmaster_trust::catalogue(&self.identity, &self.audit))?;
        catalogue.add(flowmaster_data::catalogue(&self.documents))?;
        catalogue.add(flowmaster_mind::catalogue(&self.rules, &self.prompts))?;
        catalogue.add(flowmaster_run::catalogue(&self.processes, &self.execution))?;
        catalogue.add(flowmaster_people::catalogue(&self.tasks))?;
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
        Drivers::new(Arc::clone(&self.execution))
            .on(HUMAN_TASK_REQUESTED, on_requested)
            .on(HUMAN_TASK_CLOSED, on_closed)
    }
}

impl Background {
    /// Ends the drivers after what they have in hand.
    pub async fn stop(mut self) {
        // Without receivers there is nothing left to stop.
        let _ = self.stop.send(true);
        if let Some(drivers) = self.tasks.first_mut() {
            let _ = drivers.await;
        }
        for task in self.tasks.iter().skip(1) {
            task.abort();
        }
    }
}

fn migrations() -> Vec<Migrations> {
    let mut sets = flowmaster_trust::MIGRATIONS.to_vec();
    sets.extend(flowmaster_data::MIGRATIONS);
    sets.extend(flowmaster_mind::MIGRATIONS);
    sets.extend(flowmaster_run::MIGRATIONS);
    sets.extend(flowmaster_people::MIGRATIONS);
    sets
}

/// Untrusted PDFs are read by a child of this very program, under limits.
fn pdf_reader() -> Result<PdfReader> {
    let program =
        std::env::current_exe().map_err(|error| Error::internal("own_program_unknown", error))?;
    Ok(PdfReader::ChildProcess { program, arguments: vec!["read-pdf".to_owned()] })
}
