//! A database for one case, and the few words the cases share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use flowmaster_kernel::{
    Clock, Ctx, Id, Idempotency, ManualClock, Principal, PrincipalKind, SequenceIds, Timestamp,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Db, DbConfig, Migrations, Session, Tx, WriteSet, params};

/// A long lease.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
/// A lease that has run out at once.
pub(crate) const RAN_OUT: Duration = Duration::ZERO;

/// The tables of a room made up for the tests.
pub(crate) const ROOM: Migrations = Migrations {
    room: "test",
    steps: &["CREATE TABLE test_rows (
        tenant_id TEXT NOT NULL, id TEXT NOT NULL, n BIGINT, note TEXT, share DOUBLE PRECISION,
        raw BYTEA, PRIMARY KEY (tenant_id, id))"],
};

pub(crate) const INSERT: &str = "INSERT INTO test_rows (tenant_id, id, n) VALUES ($1, $2, $3)";

static DATABASES: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Bed {
    pub(crate) db: Db,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: DbConfig,
    _place: Place,
}

enum Place {
    Folder { _folder: TempDir },
    Server { _database: Database },
}

/// A database of a server, dropped with this.
struct Database {
    admin: String,
    name: String,
}

impl Bed {
    pub(crate) async fn sqlite() -> Self {
        Self::sqlite_with(|_| {}).await
    }

    /// SQLite with other limits.
    pub(crate) async fn sqlite_with(change: impl FnOnce(&mut DbConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().display());
        let mut config = DbConfig { reserve_bytes: 64 * 1024, ..DbConfig::new(url) };
        change(&mut config);
        Self::open(config, Place::Folder { _folder: folder }).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::postgres_with(|_| {}).await
    }

    /// PostgreSQL with other limits.
    pub(crate) async fn postgres_with(change: impl FnOnce(&mut DbConfig)) -> Self {
        #[expect(clippy::disallowed_methods, reason = "where the test server is")]
        let admin = std::env::var("FLOWMASTER_TEST_POSTGRES").unwrap_or_else(|_| {
            panic!(
                "no PostgreSQL for this test: run `cargo xtask test`, which starts one, or set \
                 FLOWMASTER_TEST_POSTGRES=postgres://… to a role that may create databases"
            )
        });
        let number = DATABASES.fetch_add(1, Ordering::SeqCst);
        let name = format!("flowmaster_store_{}_{number}", std::process::id());
        let database = Database { admin, name };
        database.create().await;
        let mut config = DbConfig::new(database.url());
        change(&mut config);
        Self::open(config, Place::Server { _database: database }).await
    }

    /// Has the server speak TLS with this certificate; its port on the loopback address.
    pub(crate) async fn serve_tls(&self, certificate: &str, key: &str) -> u16 {
        let Place::Server { _database: database } = &self._place else { panic!("no server") };
        let file = |name: &str, pem: &str| {
            // By the server, so that they are its own and nobody else's.
            format!(
                "COPY (SELECT unnest(string_to_array($${pem}$$, E'\\n')))
                 TO PROGRAM 'umask 077; cat > flowmaster-test.{name}'"
            )
        };
        database.run(&file("crt", certificate)).await;
        database.run(&file("key", key)).await;
        for setting in [
            "ssl_cert_file = 'flowmaster-test.crt'",
            "ssl_key_file = 'flowmaster-test.key'",
            "ssl = on",
        ] {
            database.run(&format!("ALTER SYSTEM SET {setting}")).await;
        }
        database.run("SELECT pg_reload_conf()").await;
        let (client, connection) =
            tokio_postgres::connect(&database.admin, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let row = client.query_one("SHOW port", &[]).await.unwrap();
        row.get::<_, String>(0).parse().unwrap()
    }

    /// The URL of the database on its server, reached at `host`.
    pub(crate) fn url_at(&self, host: &str, parameters: &str) -> String {
        let Place::Server { _database: database } = &self._place else { panic!("no server") };
        format!("postgres://{name}:{name}@{host}/{name}?{parameters}", name = database.name)
    }

    async fn open(config: DbConfig, place: Place) -> Self {
        let start = Timestamp::parse("2026-01-05T09:00:00Z").unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let db = Db::open(&config, clock.clone()).await.unwrap();
        db.migrate(&[ROOM]).await.unwrap();
        Self { db, clock, config, _place: place }
    }

    /// The same database, closed and opened again.
    pub(crate) async fn reopen(self) -> Self {
        let Self { db, clock, config, _place } = self;
        drop(db);
        let db = Db::open(&config, clock.clone()).await.unwrap();
        db.migrate(&[ROOM]).await.unwrap();
        Self { db, clock, config, _place }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A caller of tenant `tenant` without an idempotency key.
    pub(crate) fn ctx(&self, tenant: &str) -> Ctx {
        ctx(tenant, self.clock.clone())
    }

    /// The same with a key for operation `op` and arguments `body`.
    pub(crate) fn keyed(&self, tenant: &str, key: &str, body: &str) -> Ctx {
        let call = Idempotency {
            key: key.to_owned(),
            operation: "op".to_owned(),
            body_hash: body.to_owned(),
        };
        Ctx { idempotency: Some(Arc::new(call)), ..self.ctx(tenant) }
    }

    /// Applies one write set of tenant `a`.
    pub(crate) async fn write(&self, fill: impl FnOnce(&mut WriteSet)) {
        let mut writes = WriteSet::new();
        fill(&mut writes);
        self.db.submit(&self.ctx("a"), writes).await.unwrap();
    }

    /// Applies one write set of tenant `a` that is refused, and says with which code.
    pub(crate) async fn refused(&self, fill: impl FnOnce(&mut WriteSet)) -> String {
        let mut writes = WriteSet::new();
        fill(&mut writes);
        self.db.submit(&self.ctx("a"), writes).await.unwrap_err().code().to_owned()
    }

    /// The ids of the rows of a tenant.
    pub(crate) async fn ids(&self, tenant: &str) -> Vec<String> {
        ids(&mut self.db.read(&self.ctx(tenant)).await.unwrap()).await
    }
}

pub(crate) fn ctx(tenant: &str, clock: Arc<dyn Clock>) -> Ctx {
    let anna = Principal::new("anna", PrincipalKind::Person, &[], &[]);
    Ctx::unrestricted(Id::from_text(tenant), anna, clock, Arc::new(SequenceIds::default()))
}

pub(crate) async fn ids(session: &mut Session) -> Vec<String> {
    let rows = session
        .query("SELECT id FROM test_rows WHERE tenant_id = $1 ORDER BY id", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.text(0).unwrap()).collect()
}

/// Inserts the row `id`.
pub(crate) async fn put(tx: &mut Tx, id: &str) {
    tx.execute(INSERT, &params![id, 0]).await.unwrap();
}

/// A write set that inserts the rows `ids`.
pub(crate) fn rows(ids: &[&str]) -> WriteSet {
    let mut writes = WriteSet::new();
    for id in ids {
        writes.push(INSERT, params![*id, 0]);
    }
    writes
}

pub(crate) fn payload() -> Value {
    json!({ "amount": 7, "who": "Änne" })
}

impl Database {
    /// As a role of its own that owns it and nothing else, so that row security binds it.
    async fn create(&self) {
        let Self { name, .. } = self;
        self.run(&format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'")).await;
        self.run(&format!("CREATE DATABASE {name} OWNER {name}")).await;
    }

    fn url(&self) -> String {
        let server = self.admin.split_once("://").unwrap().1;
        let host = server.rsplit_once('@').map_or(server, |(_, host)| host);
        let host = host.split(['/', '?']).next().unwrap();
        let parameters = server.split_once('?').map_or(String::new(), |(_, p)| format!("?{p}"));
        format!("postgres://{name}:{name}@{host}/{name}{parameters}", name = self.name)
    }

    async fn run(&self, statement: &str) {
        let (client, connection) =
            tokio_postgres::connect(&self.admin, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(statement).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop_database = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let drop_role = format!("DROP ROLE IF EXISTS {}", self.name);
        // A thread of its own: the runtime of the test may be on its way down.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(async {
                        self.run(&drop_database).await;
                        self.run(&drop_role).await;
                    });
            });
        });
    }
}
