//! The composition root: rooms, store and surface become one application here and nowhere else.

use std::sync::Arc;

use flowmaster_kernel::BoxFuture;
use flowmaster_kernel::{
    Catalogue, Clock, Error, ErrorKind, IdSource, Principal, PrincipalKind, Result, Role, Scopes,
    TenantId,
};
use metrics_exporter_prometheus::PrometheusHandle;
use sha2::{Digest as _, Sha256};

use crate::config::{Config, Secret};
use crate::dispatch::{Dispatcher, Foundations};
use crate::mcp::{Observer, Surface};
use crate::ports::{
    AnswerBook, AuditLog, Authenticator, Caller, ProcessTools, PromptSource, Readiness,
    ResourceSource,
};
use crate::system::{RandomIds, SystemClock, secret};
use crate::telemetry;

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
    /// Whether the server can do its work.
    pub readiness: Option<Arc<dyn Readiness>>,
    /// Who is told about clients.
    pub observer: Observer,
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
            readiness: None,
            observer: Observer::default(),
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
        observer: ports.observer,
        clock: ports.clock,
        ids: ports.ids,
    });
    Ok(Arc::new(App {
        config,
        surface,
        authenticator: ports.authenticator,
        readiness: ports.readiness,
        metrics: telemetry::prometheus()?,
    }))
}

/// What the command line needs to run a server.
pub struct Composition {
    /// What the rooms give.
    pub ports: Ports,
    /// A key made just now, to be shown once.
    pub new_key: Option<Secret>,
    /// Who uses the server through stdio when no key is configured.
    pub owner: Caller,
}

/// Makes the rooms and the store that the configuration asks for.
///
/// # Errors
/// What keeps a room from starting.
pub fn compose(config: &Config) -> Result<Composition> {
    let owner = Caller {
        tenant: TenantId::from_text("ten_local"),
        principal: Arc::new(Principal {
            id: "owner".to_owned(),
            kind: PrincipalKind::Person,
            roles: Role::ALL.into_iter().collect(),
            groups: std::collections::BTreeSet::new(),
        }),
        scopes: Arc::new(Scopes::all()),
    };
    let (key, new_key) = match &config.key {
        Some(key) => (key.clone(), None),
        None => {
            let key = Secret::new(format!("fm_{}", secret()));
            (key.clone(), Some(key))
        }
    };
    let authenticator = Arc::new(OneKey::new(&key, owner.clone()));
    Ok(Composition { ports: Ports::new(Catalogue::default(), authenticator), new_key, owner })
}

/// The authentication of a server with one key.
pub struct OneKey {
    digest: [u8; 32],
    owner: Caller,
}

impl OneKey {
    /// Whoever has `key` is `owner`.
    #[must_use]
    pub fn new(key: &Secret, owner: Caller) -> Self {
        Self { digest: Sha256::digest(key.expose()).into(), owner }
    }
}

impl Authenticator for OneKey {
    fn verify<'a>(&'a self, bearer: &'a str) -> BoxFuture<'a, Result<Caller>> {
        // Digests are compared, so that time tells nothing about the key.
        let given: [u8; 32] = Sha256::digest(bearer).into();
        let result = if given == self.digest {
            Ok(self.owner.clone())
        } else {
            Err(Error::new(ErrorKind::Unauthenticated, "invalid_key", "the key is not valid")
                .fix("use the key that the server printed when it started"))
        };
        Box::pin(std::future::ready(result))
    }
}
