//! The composition root: rooms, store and surface become one application here and nowhere else.

mod demo;
mod guides;
mod ports;
mod process_tools;
mod resources;
mod rooms;
mod signing;
mod started;
mod upkeep;

use std::sync::Arc;

use flowmaster_kernel::{Catalogue, Clock, IdSource, Result, ToolCaller};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::{Config, Secret};
use crate::dispatch::{Dispatcher, Foundations, LateCaller};
use crate::mcp::{Observer, Seal, Surface, Watches};
use crate::ports::{
    AnswerBook, AuditLog, Authenticator, Caller, Continuations, ProcessTools, PromptSource,
    Readiness, ResourceSource,
};
use crate::system::{RandomIds, SystemClock, secret};
use crate::telemetry;
use guides::Guides;
use ports::{AuditTrail, Keys, Store};
use process_tools::PublishedProcesses;
use resources::Resources;
use started::StartedProcesses;

pub use demo::INVOICE;
pub use rooms::{Background, Idle, Rooms};

/// What the rooms give to the surface.
pub struct Ports {
    /// Every operation.
    pub catalogue: Catalogue,
    /// Verifies credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// Recorded answers; needed as soon as one operation writes.
    pub answers: Option<Arc<dyn AnswerBook>>,
    /// Where calls are written down.
    pub audit: Option<Arc<dyn AuditLog>>,
    /// Processes published as tools.
    pub processes: Option<Arc<dyn ProcessTools>>,
    /// What can be read by URI.
    pub resources: Option<Arc<dyn ResourceSource>>,
    /// What a person can start from a client.
    pub prompts: Option<Arc<dyn PromptSource>>,
    /// What calls have begun, for those who follow it.
    pub continuations: Option<Arc<dyn Continuations>>,
    /// Whether the server can do its work.
    pub readiness: Option<Arc<dyn Readiness>>,
    /// Who is told about clients.
    pub observer: Observer,
    /// Signs what clients carry between the rounds of a call; every node has the same.
    pub signing_key: Secret,
    /// The source of "now".
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdSource>,
}

impl Ports {
    /// Ports with what every server needs; the rest is added field by field.
    #[must_use]
    pub fn new(catalogue: Catalogue, authenticator: Arc<dyn Authenticator>) -> Self {
        Self {
            catalogue,
            authenticator,
            answers: None,
            audit: None,
            processes: None,
            resources: None,
            prompts: None,
            continuations: None,
            readiness: None,
            observer: Observer::default(),
            signing_key: Secret::new(secret()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }
}

/// The application: what the entrances serve.
pub struct App {
    /// The configuration.
    pub config: Config,
    /// What can be called and read.
    pub surface: Arc<Surface>,
    /// Verifies credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// Whether the server can do its work.
    pub readiness: Option<Arc<dyn Readiness>>,
    /// The counters.
    pub metrics: PrometheusHandle,
}

/// Puts the application together.
///
/// # Errors
/// A catalogue that cannot be served: the program must not start.
pub fn assemble(ports: Ports, config: Config) -> Result<Arc<App>> {
    // Before the dispatcher, whose counters belong to it.
    let metrics = telemetry::prometheus()?;
    let dispatcher = Dispatcher::new(
        &ports.catalogue,
        Foundations {
            limits: config.limits(),
            answers: ports.answers,
            audit: ports.audit,
            processes: ports.processes,
        },
    )?;
    let surface = Arc::new(Surface {
        dispatcher: Arc::new(dispatcher),
        resources: ports.resources,
        prompts: ports.prompts,
        continuations: ports.continuations,
        observer: ports.observer,
        seal: Seal::new(ports.signing_key.expose())?,
        watches: Watches::default(),
        clock: ports.clock,
        ids: ports.ids,
    });
    Ok(Arc::new(App {
        config,
        surface,
        authenticator: ports.authenticator,
        readiness: ports.readiness,
        metrics,
    }))
}

/// A server that is ready to be served.
pub struct Server {
    /// The application.
    pub app: Arc<App>,
    /// A key made just now, to be shown once.
    pub new_key: Option<Secret>,
    /// Who uses the server through stdio when no key is configured.
    pub owner: Caller,
    /// The rooms.
    pub rooms: Rooms,
    /// What runs beside the entrances.
    pub background: Background,
}

/// Opens the store, makes the rooms, and on the very first start a tenant, an administrator's key
/// and the demo process.
///
/// # Errors
/// What keeps the server from starting.
pub async fn compose(config: Config, observer: Observer) -> Result<Server> {
    compose_with(config, observer, Arc::new(SystemClock)).await
}

/// As [`compose`], with another source of "now".
///
/// # Errors
/// As [`compose`].
pub async fn compose_with(
    config: Config,
    observer: Observer,
    clock: Arc<dyn Clock>,
) -> Result<Server> {
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    let late = Arc::new(LateCaller::default());
    let caller: Arc<dyn ToolCaller> = Arc::clone(&late) as Arc<dyn ToolCaller>;
    let (rooms, idle) = Rooms::open(&config, &clock, &ids, caller).await?;
    let signing_key = signing::key(&config)?;
    let store = Arc::new(Store(rooms.db.clone()));
    let processes: Arc<dyn ProcessTools> = Arc::new(PublishedProcesses {
        processes: Arc::clone(&rooms.processes),
        execution: Arc::clone(&rooms.execution),
    });
    let ports = Ports {
        answers: Some(Arc::clone(&store) as Arc<dyn AnswerBook>),
        audit: Some(Arc::new(AuditTrail(Arc::clone(&rooms.audit)))),
        continuations: Some(Arc::new(StartedProcesses {
            handles: Arc::clone(&rooms.handles),
            processes: Arc::clone(&processes),
            caller: Arc::clone(&late),
        })),
        processes: Some(processes),
        resources: Some(Arc::new(Resources(Arc::clone(&late)))),
        prompts: Some(Arc::new(Guides)),
        readiness: Some(store),
        observer,
        signing_key,
        clock,
        ids: Arc::clone(&ids),
        ..Ports::new(rooms.catalogue()?, Arc::new(Keys(Arc::clone(&rooms.identity))))
    };
    #[cfg(feature = "conformance")]
    let ports = crate::conformance::mounted(ports, &rooms.handles);
    let app = assemble(ports, config)?;
    late.bind(&app.surface.dispatcher);
    let first = rooms.identity.bootstrap(&ids).await?;
    let owner = Caller::from(first.admin);
    let new_key = first.new_key.map(|key| Secret::new(key.reveal().to_owned()));
    if new_key.is_some() {
        demo::publish(&*late, &app.surface.ctx(&owner, None)).await?;
    }
    Ok(Server { app, new_key, owner, rooms, background: idle.start() })
}
