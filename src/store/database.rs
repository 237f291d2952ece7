//! The connections to the database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{DbErr, QueryResult, StatementBuilder};
use tokio::{sync::Mutex, time::timeout};

use super::{
    StoreError, UserLimits,
    engine::{Engine, IDLE_TIMEOUT, Lane, Reading, is_in_memory},
    migrate,
    tasks::TaskStore,
};
use crate::{clock::Clock, telemetry::Registry};

/// How to reach the database, and what the store may hold.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite:…` or `postgres:…`. Contains the password: never logged.
    pub url: String,
    /// The name of the setting that has the URL, for messages.
    pub url_setting: &'static str,
    /// The most connections of this process.
    pub max_connections: u32,
    /// How long a request waits for a connection before it is answered with 503.
    pub acquire_timeout: Duration,
    /// How many bytes of pages are kept in memory; 0: none.
    pub page_cache_bytes: u64,
    /// The most that one user may store.
    pub limits: UserLimits,
    /// How long a deleted task can be restored. Then it is purged.
    pub tombstone_retention: Duration,
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            url: _,
            url_setting,
            max_connections,
            acquire_timeout,
            page_cache_bytes,
            limits,
            tombstone_retention,
        } = self;
        f.debug_struct("DatabaseSettings")
            .field("url", &"<redacted>")
            .field("url_setting", url_setting)
            .field("max_connections", max_connections)
            .field("acquire_timeout", acquire_timeout)
            .field("page_cache_bytes", page_cache_bytes)
            .field("limits", limits)
            .field("tombstone_retention", tombstone_retention)
            .finish()
    }
}

/// How long readiness waits for an answer. Probes commonly give up after a few seconds.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database(Arc<DatabaseState>);

#[derive(Debug)]
struct DatabaseState {
    url_setting: &'static str,
    engine: Arc<Engine>,
    tasks: Arc<TaskStore>,
    /// For what nobody's request asks for.
    reading: Lane<Reading>,
    /// Whether it is gone when this process ends.
    in_memory: bool,
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
    pub async fn connect(settings: &DatabaseSettings, clock: &Clock) -> Result<Self, StoreError> {
        let engine = Arc::new(Engine::open(settings).await?);
        let reading: Lane<Reading> = engine.lane();
        let tasks = TaskStore::new(
            &engine,
            reading.clone(),
            clock.clone(),
            settings.limits,
            settings.tombstone_retention,
            settings.page_cache_bytes,
        );
        Ok(Self(Arc::new(DatabaseState {
            url_setting: settings.url_setting,
            tasks: Arc::new(tasks),
            reading,
            engine,
            in_memory: is_in_memory(&settings.url),
            readiness: Mutex::new(None),
        })))
    }

    /// Checks that what is written outlives this process.
    ///
    /// # Errors
    /// For a database in memory.
    pub fn check_kept(&self) -> anyhow::Result<()> {
        match self.0.in_memory {
            true => anyhow::bail!(
                "the database is in memory, and would be gone at once: set {} to a file or a server",
                self.url_setting()
            ),
            false => Ok(()),
        }
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
        let idle = self.0.tasks.idle();
        let arrived = Instant::now();
        let mut last = self.0.readiness.lock().await;
        if let Some(Asked { at, answer }) = &*last {
            // Of many who ask at once, one asks the database.
            let fresh = *at >= arrived;
            let asleep = idle > IDLE_TIMEOUT && *answer == Ok(0);
            if fresh || asleep {
                return answer.clone().map_err(StoreError::Unavailable);
            }
        }
        let at = Instant::now();
        let pending = match self.0.engine.is_away() {
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
        let pending = timeout(READINESS_TIMEOUT, self.status()).await;
        match pending {
            Ok(Ok(status)) => Ok(status.iter().filter(|(_, applied)| !applied).count()),
            // A newer build has migrated it; during a rolling update the old ones still work.
            Ok(Err(error)) if error.is::<migrate::UnknownMigrations>() => Ok(0),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    /// The name of the setting that has the URL.
    pub(super) fn url_setting(&self) -> &'static str {
        self.0.url_setting
    }

    /// Shows what is counted of it.
    pub fn observe(&self, registry: &Registry) {
        let (instruments, system) = self.0.engine.instruments();
        let labels = vec![("db.system.name", system.into())];
        registry.add_labelled(labels, instruments.clone());
        registry.add(self.0.tasks.instruments().clone());
    }

    /// Ends all connections, after what runs on them.
    pub async fn close(&self) {
        self.0.engine.close().await;
    }

    /// The tasks of all users. For the operator, who has the database and no token; a request opens a
    /// [`Scope`](super::Scope).
    pub fn for_operator(&self) -> &TaskStore {
        &self.0.tasks
    }

    pub(super) fn tasks(&self) -> &Arc<TaskStore> {
        &self.0.tasks
    }

    /// Reads for nobody's request: the database does not count as used.
    pub(super) async fn read_unused(
        &self,
        statement: &impl StatementBuilder,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.0.engine.backend().build(statement);
        self.0.reading.send(statement).await
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.0.engine
    }
}
