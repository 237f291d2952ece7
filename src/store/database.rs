//! The connections to the database.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectOptions, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxError,
    sqlx::{Connection as _, SqliteConnection, postgres::PgConnectOptions},
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use super::{StoreError, availability::Availability, error::is_busy, migrate};

/// How to reach the database, and what the store may hold.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite:…` or `postgres:…`. Contains the password: never logged.
    pub url: String,
    /// The most connections of this process.
    pub max_connections: u32,
    /// How long a request waits for a connection before it is answered with 503.
    pub acquire_timeout: Duration,
    /// The most live tasks of one user.
    pub max_tasks: u64,
    /// How long a deleted task can be restored.
    pub tombstone_retention: Duration,
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            url: _,
            max_connections,
            acquire_timeout,
            max_tasks,
            tombstone_retention,
        } = self;
        f.debug_struct("DatabaseSettings")
            .field("url", &"<redacted>")
            .field("max_connections", max_connections)
            .field("acquire_timeout", acquire_timeout)
            .field("max_tasks", max_tasks)
            .field("tombstone_retention", tombstone_retention)
            .finish()
    }
}

/// How long an idle connection is kept. Below the 300 s after which a Neon database that nobody uses
/// is suspended: an open connection would keep it from that, and be cut if it came to it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(240);
/// How long SQLite waits for the lock of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long readiness waits for an answer. Probes commonly give up after a few seconds.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reader: DatabaseConnection,
    /// On SQLite a pool of one connection, for which writers queue in order; else the same pool.
    writer: DatabaseConnection,
    backend: DbBackend,
    /// Whether PostgreSQL is there. A file is, or it is not.
    availability: Option<Arc<Availability>>,
    max_tasks: i64,
    tombstone_retention: Duration,
    opened: Instant,
    /// When the database was last used for a request, in seconds since it was opened.
    used: AtomicU64,
    readiness: Mutex<Option<Asked>>,
}

/// When readiness was last asked for, and what the database said.
#[derive(Debug)]
struct Asked {
    at: Instant,
    answer: Result<usize, String>,
}

impl Database {
    /// Opens the database. PostgreSQL is not waited for: it may start later than this server.
    ///
    /// # Errors
    /// If the URL is of no known kind, or the SQLite file cannot be opened.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let (reader, writer, availability) = if settings.url.starts_with("sqlite:") {
            let (reader, writer) = sqlite(settings).await?;
            (reader, writer, None)
        } else {
            let (pool, availability) = postgres(settings).await?;
            (pool.clone(), pool, Some(availability))
        };
        Ok(Self(Arc::new(Inner {
            backend: reader.get_database_backend(),
            reader,
            writer,
            availability,
            max_tasks: i64::try_from(settings.max_tasks).unwrap_or(i64::MAX),
            tombstone_retention: settings.tombstone_retention,
            opened: Instant::now(),
            used: AtomicU64::new(0),
            readiness: Mutex::new(None),
        })))
    }

    /// How many migrations are still to be applied, as of a moment ago.
    ///
    /// Asks the database while it is in use, and for a while after. Then a good answer stands: a
    /// probe that asked every few seconds would keep a database awake that suspends when idle (Neon,
    /// after 300 s).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not answer, or did not when it was last asked.
    pub async fn readiness(&self) -> Result<usize, StoreError> {
        let idle = self
            .0
            .opened
            .elapsed()
            .as_secs()
            .saturating_sub(self.0.used.load(Relaxed));
        let arrived = Instant::now();
        let mut last = self.0.readiness.lock().await;
        if let Some(Asked { at, answer }) = &*last {
            // Of many who ask at once, one asks the database.
            let fresh = *at >= arrived;
            let asleep = idle > IDLE_TIMEOUT.as_secs() && *answer == Ok(0);
            if fresh || asleep {
                return answer.clone().map_err(StoreError::Unavailable);
            }
        }
        let at = Instant::now();
        let away = self
            .availability()
            .is_some_and(|availability| availability.is_away());
        let pending = match away {
            true => Err("away, and looked for".to_owned()),
            false => self.pending().await,
        };
        let asked = last.insert(Asked {
            at,
            answer: pending,
        });
        asked.answer.clone().map_err(StoreError::Unavailable)
    }

    async fn pending(&self) -> Result<usize, String> {
        let pending = timeout(READINESS_TIMEOUT, migrate::pending(self.reader())).await;
        let error = match pending {
            Ok(Ok(pending)) => return Ok(pending),
            // A newer build has migrated it; during a rolling update the old ones still work.
            Ok(Err(error)) if error.is::<migrate::UnknownMigrations>() => return Ok(0),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no answer in time".to_owned(),
        };
        if let Some(availability) = self.availability() {
            availability.look();
        }
        Err(error)
    }

    /// Does something for a request, unless the database is known to be away.
    pub(super) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        self.0
            .used
            .store(self.0.opened.elapsed().as_secs(), Relaxed);
        match self.availability() {
            Some(availability) => availability.run(work).await,
            None => work.await,
        }
    }

    fn availability(&self) -> Option<&Arc<Availability>> {
        self.0.availability.as_ref()
    }

    /// Ends all connections, after what runs on them.
    pub async fn close(&self) {
        for pool in [&self.0.writer, &self.0.reader] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
    }

    pub(super) fn reader(&self) -> &DatabaseConnection {
        &self.0.reader
    }

    pub(super) fn writer(&self) -> &DatabaseConnection {
        &self.0.writer
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.0.backend
    }

    pub(super) fn max_tasks(&self) -> i64 {
        self.0.max_tasks
    }

    pub(super) fn tombstone_retention(&self) -> Duration {
        self.0.tombstone_retention
    }
}

fn options(settings: &DatabaseSettings) -> ConnectOptions {
    let mut options = ConnectOptions::new(&settings.url);
    options
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

async fn postgres(
    settings: &DatabaseSettings,
) -> Result<(DatabaseConnection, Arc<Availability>), DbErr> {
    let named = |options: PgConnectOptions| options.application_name("taskward");
    let address = settings
        .url
        .parse()
        .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?;
    let availability = Availability::new(named(address), settings.acquire_timeout);
    let mut options = options(settings);
    options
        .min_connections(0)
        .connect_lazy(true)
        .map_sqlx_postgres_opts(named);
    availability.watch(&mut options);
    Ok((sea_orm::Database::connect(options).await?, availability))
}

async fn sqlite(
    settings: &DatabaseSettings,
) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let mut options = options(settings);
    options
        .idle_timeout(None)
        .max_lifetime(None)
        .map_sqlx_sqlite_opts(|o| {
            // WAL: readers and the writer do not wait for each other. FULL: what was acknowledged is on
            // the disk, also after a power cut.
            o.pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .busy_timeout(BUSY_TIMEOUT)
        });
    let mut one = options.clone();
    one.max_connections(1)
        .min_connections(1)
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(has_no_transaction(connection)))
        });
    let writer = sqlite_pool(one).await?;
    // Each connection to a database in memory would be a database of its own.
    if settings.url.contains(":memory:") || settings.url.contains("mode=memory") {
        return Ok((writer.clone(), writer));
    }
    Ok((sqlite_pool(options).await?, writer))
}

/// Whether a connection can be used again. SQLite itself ends a transaction that meets a full disk; the
/// `ROLLBACK` that sqlx then sends fails, and sqlx believes for ever to be in a transaction. What it
/// would make of the next ones are savepoints, acknowledged and never committed.
async fn has_no_transaction(connection: &mut SqliteConnection) -> Result<bool, SqlxError> {
    if connection.is_in_transaction() {
        // A rollback that is under way comes before the ping.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Connects, again if need be: who turns a fresh file to WAL, or meets one that does, is told at once
/// that the database is locked, whatever the busy timeout (SQLite calls no busy handler there).
async fn sqlite_pool(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match sea_orm::Database::connect(options.clone()).await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                sleep(Duration::from_millis(rand::random_range(5..25))).await;
            }
            result => return result,
        }
    }
}
