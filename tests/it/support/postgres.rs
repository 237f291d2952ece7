//! A PostgreSQL for tests: one server for the whole process, and a migrated database for each test.
//!
//! `TEST_DATABASE_URL` names a server where databases may be made; otherwise a temporary one is started
//! from the server programs of this machine. Where there is neither, the tests that need one say so and
//! do not run, unless `TASKWARD_REQUIRE_POSTGRES=1` makes that a failure, as it must be in CI.
//!
//! Two more variables bring what a large installation has: `TEST_DATABASE_POOLER` is the port of a pooler in front of the server
//! that `TEST_DATABASE_URL` names, and `TEST_DATABASE_SQL` a file that is run after the migrations. The tests of the migrations
//! themselves use neither, and neither do those with a server of their own use the pooler.

mod database;
mod host;
mod server;

use std::{
    env, fs,
    io::{Write as _, stderr},
    path::Path,
    sync::{
        Once, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database,
    sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _},
};
use taskward::store::migrate::up;
use tokio::sync::OnceCell;
use url::Url;

use database::{database, execute};
use server::Server;

pub use database::TestDatabase;

/// What the names of all databases made here begin with; then come the second and the process.
const PREFIX: &str = "taskward_test_";

/// The age at which a database on a server that is not ours counts as left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(2 * 60 * 60);

/// A PostgreSQL server and the databases made on it.
pub struct Cluster {
    admin: Url,
    server: Option<Server>,
    names: String,
    made: AtomicU32,
    template: OnceCell<String>,
    /// Where tests reach their databases: this server, or a pooler in front of it.
    reached: Url,
}

/// The server that all tests of this process share, or why there is none.
pub fn postgres() -> Result<&'static Cluster, String> {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    let made = CLUSTER.get_or_init(|| match env::var("TEST_DATABASE_URL") {
        Ok(url) => say_if_missing(
            Url::parse(&url)
                .map(|admin| {
                    Cluster::new(admin, None).behind(env::var("TEST_DATABASE_POOLER").ok())
                })
                .map_err(|error| format!("TEST_DATABASE_URL: {error}")),
        ),
        Err(_) => Cluster::own_cluster(false),
    });
    made.as_ref().map_err(Clone::clone)
}

/// Says why tests do not run; panics where they must.
fn say_if_missing<T>(made: Result<T, String>) -> Result<T, String> {
    if let Err(reason) = &made {
        let required = env::var("TASKWARD_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
        assert!(!required, "PostgreSQL is required but: {reason}");
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            // Not `eprintln!`, which the test harness swallows when the test passes.
            let line = format!("PostgreSQL: not found ({reason}), its tests did not run\n");
            stderr().write_all(line.as_bytes()).ok();
        });
    }
    made
}

impl Cluster {
    /// A server for one test alone, which the test may stop and start; it goes when this is dropped.
    ///
    /// With `fsync`, what it has acknowledged is on disk, as in production; without, it is faster. Where
    /// there are no server programs there is none, also if `TEST_DATABASE_URL` is set.
    pub fn own_cluster(fsync: bool) -> Result<Cluster, String> {
        let server = say_if_missing(Server::make(fsync))?;
        let admin = format!(
            "postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            server.port()
        );
        Ok(Self::new(admin.parse().unwrap(), Some(server)))
    }

    fn new(admin: Url, server: Option<Server>) -> Cluster {
        let names = format!("{PREFIX}{}_{}", now().as_secs(), std::process::id());
        Cluster {
            reached: admin.clone(),
            admin,
            server,
            names,
            made: AtomicU32::new(0),
            template: OnceCell::new(),
        }
    }

    /// With a pooler in front of it, at this port of the same machine.
    fn behind(mut self, pooler: Option<String>) -> Cluster {
        if let Some(port) = pooler {
            let port = port.parse().expect("TEST_DATABASE_POOLER is a port");
            self.reached.set_port(Some(port)).unwrap();
        }
        self
    }

    /// A new database with all migrations applied. Copied from a template, so it costs little.
    pub async fn fresh_database(&self) -> TestDatabase {
        let template = self.template.get_or_init(|| self.make_template()).await;
        let mut database = self.create(template).await;
        database.reached = self.reached.clone();
        database
    }

    /// A new database with nothing in it.
    pub async fn empty_database(&self) -> TestDatabase {
        self.create("template0").await
    }

    /// Stops the server in good order; its port stays its own for [`Cluster::start`].
    pub fn stop(&self) {
        self.process().stop("fast");
    }

    /// Stops the server as a crash would: no checkpoint, and recovery at the next start.
    pub fn crash(&self) {
        self.process().stop("immediate");
    }

    /// Starts the server again, on the same port, and returns when it takes connections.
    pub fn start(&self) {
        self.process().start().unwrap();
    }

    /// The port of the server on the loopback address, or that of the pooler in front of it.
    pub fn port(&self) -> u16 {
        self.reached.port().unwrap_or(5432)
    }

    /// Where the server has its files, and its log in `log`.
    pub fn folder(&self) -> &Path {
        self.process().folder()
    }

    fn process(&self) -> &Server {
        let ours = "only a server started here can be stopped";
        self.server.as_ref().expect(ours)
    }

    async fn create(&self, template: &str) -> TestDatabase {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}_{number}", self.names);
        let strategy = match &self.server {
            Some(server) if server.copies_files() => "STRATEGY FILE_COPY",
            _ => "",
        };
        self.execute(&format!(
            "CREATE DATABASE {name} TEMPLATE {template} {strategy}"
        ))
        .await;
        TestDatabase {
            admin: self.admin.clone(),
            reached: self.admin.clone(),
            name,
        }
    }

    async fn make_template(&self) -> String {
        if self.server.is_none() {
            self.sweep().await;
        }
        let name = format!("{}_template", self.names);
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await;
        let mut options = ConnectOptions::new(database(&self.admin, &name));
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await.unwrap();
        up(&db).await.unwrap();
        if let Ok(file) = env::var("TEST_DATABASE_SQL") {
            let sql = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            db.execute_unprepared(&sql).await.unwrap();
        }
        db.close().await.unwrap();
        // A template that somebody is connected to cannot be copied.
        self.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            .await;
        name
    }

    /// Drops what runs that were killed have left behind on a server that lives on.
    async fn sweep(&self) {
        let mut admin = PgConnection::connect(self.admin.as_str()).await.unwrap();
        let old = (now() - LEFT_BEHIND).as_secs();
        let names = "SELECT datname FROM pg_database WHERE datname LIKE 'taskward\\_test\\_%'";
        for row in admin.fetch_all(names).await.unwrap() {
            let name: String = row.get(0);
            let made = name[PREFIX.len()..].split('_').next().unwrap().parse();
            if made.is_ok_and(|made: u64| made < old) {
                let drop = format!("DROP DATABASE IF EXISTS {name}");
                admin.execute(AssertSqlSafe(drop)).await.ok();
            }
        }
    }

    async fn execute(&self, sql: &str) {
        let done = execute(&self.admin, sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
