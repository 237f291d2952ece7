//! The connections to PostgreSQL.
//!
//! A connection is used by tasks of the engine only, never by the future of a request. So a client that hangs up cuts
//! nothing, and a connection that comes back is ready for the next statement: it needs no ping, which the pool of the
//! driver sends at each return. One that was cut in the middle is closed.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, DbErr, RuntimeErr, SqlxError,
    sqlx::{
        ConnectOptions as _, Connection as _, PgConnection, error::DatabaseError,
        postgres::PgConnectOptions,
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout, timeout_at},
};

use super::{
    availability::Availability,
    metrics::{Metrics, OpenConnection},
};
use crate::store::error::{is_conflict, is_lost};

/// How long an idle connection is kept. Below the 300 s after which a Neon database that nobody uses is suspended: an
/// open connection would keep it awake, or be ended.
pub(in crate::store) const IDLE_TIMEOUT: Duration = Duration::from_secs(240);
/// How often idle connections are looked through.
const SWEEP: Duration = Duration::from_secs(30);
/// A connection that idled longer is tried before it is used. A ping at each use would cost a round trip.
const PING_AFTER: Duration = Duration::from_secs(10);
/// How long such a try may take.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// So many connections are never used by reads of many tasks, so that others get through.
pub(super) const KEPT_FREE: usize = 3;
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections of this process.
#[derive(Debug)]
pub(in crate::store) struct Connections {
    options: PgConnectOptions,
    /// The same with the deadline by which the database itself ends a statement: one that nobody waits for any more would
    /// keep it busy.
    with_deadline: PgConnectOptions,
    /// A pooler refuses that deadline.
    no_deadline: AtomicBool,
    /// How long a request waits, and how long a statement may take.
    limit: Duration,
    /// One permit per connection that may be open and is not idle.
    permits: Arc<Semaphore>,
    /// One permit per connection that may be used for what takes long by its nature.
    long: Arc<Semaphore>,
    /// One permit per connection that may be used for what has become long: the database is far away, or slow.
    stuck: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    /// How many are open.
    count: Arc<AtomicUsize>,
    epoch: AtomicU64,
    availability: Arc<Availability>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Idle {
    open: Open,
    since: Instant,
}

/// An open connection.
#[derive(Debug)]
struct Open {
    connection: PgConnection,
    since: Instant,
    _counted: Counted,
    _open: OpenConnection,
}

/// Counts a connection as long as it lives.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The use of a connection. Dropped without [`give_back`](Self::give_back), it closes the connection.
#[derive(Debug)]
pub(super) struct Lease {
    open: Open,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.open.connection
    }
}

impl Connections {
    /// Connects to nothing yet: PostgreSQL may start later than this server.
    pub(super) fn new(
        options: PgConnectOptions,
        most: usize,
        limit: Duration,
        metrics: Metrics,
    ) -> Arc<Self> {
        let connections = Arc::new(Self {
            availability: Availability::new(options.clone(), metrics.instruments.clone()),
            with_deadline: with_deadline(&options, limit),
            no_deadline: AtomicBool::new(false),
            options,
            limit,
            permits: Arc::new(Semaphore::new(most)),
            long: Arc::new(Semaphore::new(most.saturating_sub(KEPT_FREE).max(1))),
            stuck: Arc::new(Semaphore::new((most / 2).saturating_sub(1).max(1))),
            idle: Mutex::default(),
            count: Arc::default(),
            epoch: AtomicU64::new(0),
            metrics,
        });
        tokio::spawn(close_idle(Arc::downgrade(&connections)));
        connections
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Whether a connection may be had if one waits for it.
    pub(super) fn may_come(&self) -> bool {
        !self.availability.is_away() && !self.permits.is_closed()
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    pub(super) fn availability(&self) -> &Arc<Availability> {
        &self.availability
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// A connection that works, as far as is known.
    ///
    /// # Errors
    /// If the database is away, refuses, or no connection is free in time.
    pub(super) async fn lease(&self) -> Result<Lease, DbErr> {
        let deadline = Instant::now() + self.limit;
        if self.availability.is_away() {
            return Err(not_in_time());
        }
        let permit = timeout_at(deadline.into(), self.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            self.availability.look();
            return Err(not_in_time());
        };
        let open = match self.idle().await {
            Some(idle) => idle.open,
            None => self.open(deadline).await?,
        };
        Ok(Lease {
            open,
            _permit: permit,
        })
    }

    /// The right to a connection for what may take long.
    ///
    /// # Errors
    /// If none comes free in time.
    pub(super) async fn long(&self) -> Result<OwnedSemaphorePermit, DbErr> {
        match timeout(self.limit, self.long.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(not_in_time()),
        }
    }

    /// The same for a connection that is in use already; `None` if there are enough of them.
    pub(super) fn became_long(&self) -> Option<OwnedSemaphorePermit> {
        self.stuck.clone().try_acquire_owned().ok()
    }

    /// Takes a connection back after a statement, unless the statement shows that it is broken.
    pub(super) fn give_back<T>(&self, lease: Lease, after: &Result<T, DbErr>) {
        if after.as_ref().is_err_and(breaks) {
            self.end_epoch();
            return;
        }
        if self.availability.has_lost_since(lease.open.since) || self.permits.is_closed() {
            return;
        }
        let Lease { open, _permit } = lease;
        let since = Instant::now();
        // Before the permit is free again, so that whoever gets it finds the connection.
        self.all_idle().push(Idle { open, since });
    }

    /// The time of the present connections: see [`Engine::epoch`](super::Engine::epoch).
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }

    fn end_epoch(&self) {
        self.epoch.fetch_add(1, Relaxed);
    }

    fn all_idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all connections, after what runs on them. No further ones are made.
    pub(super) async fn close(&self) {
        self.permits.close();
        self.long.close();
        let idle = std::mem::take(&mut *self.all_idle());
        for Idle { open, .. } in idle {
            let closed = timeout(PING_TIMEOUT, open.connection.close()).await;
            if !matches!(closed, Ok(Ok(()))) {
                tracing::warn!("a database connection did not close cleanly");
            }
        }
    }

    /// The connection that was used last, if it can still be used.
    async fn idle(&self) -> Option<Idle> {
        loop {
            let mut idle = self.all_idle().pop()?;
            // Who tries again must not get the next one that is about to be ended.
            if self.availability.has_lost_since(idle.open.since) {
                continue;
            }
            if idle.since.elapsed() < PING_AFTER {
                return Some(idle);
            }
            match timeout(PING_TIMEOUT, idle.open.connection.ping()).await {
                Ok(Ok(())) => return Some(idle),
                _ => self.end_epoch(),
            }
        }
    }

    async fn open(&self, deadline: Instant) -> Result<Open, DbErr> {
        let connection = self.connect(deadline).await?;
        if self.count.fetch_add(1, Relaxed) == 0 {
            self.end_epoch();
        }
        Ok(Open {
            connection,
            since: Instant::now(),
            _counted: Counted(self.count.clone()),
            _open: self.metrics.connection(),
        })
    }

    /// Connects, again if the database is not there: it may be restarting.
    async fn connect(&self, deadline: Instant) -> Result<PgConnection, DbErr> {
        loop {
            let no_deadline = self.no_deadline.load(Relaxed);
            let options = match no_deadline {
                true => &self.options,
                false => &self.with_deadline,
            };
            match timeout_at(deadline.into(), options.connect()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(SqlxError::Database(error)))
                    if !no_deadline && may_be_about_a_parameter(&*error) =>
                {
                    return self.connect_without_deadline(deadline, error).await;
                }
                // 57P03: it is starting or stopping.
                Ok(Err(SqlxError::Database(error))) if error.code().as_deref() != Some("57P03") => {
                    let error = Arc::new(SqlxError::Database(error));
                    return Err(DbErr::Conn(RuntimeErr::SqlxError(error)));
                }
                Ok(Err(_)) => self.availability.look(),
                Err(_) => {
                    self.availability.look();
                    return Err(not_in_time());
                }
            }
            if self.availability.is_away() || Instant::now() + PAUSE >= deadline {
                return Err(not_in_time());
            }
            sleep(PAUSE).await;
        }
    }

    /// Connects without a deadline for statements, after a refusal that may be about that.
    async fn connect_without_deadline(
        &self,
        until: Instant,
        refusal: Box<dyn DatabaseError>,
    ) -> Result<PgConnection, DbErr> {
        let Ok(Ok(connection)) = timeout_at(until.into(), self.options.connect()).await else {
            let refusal = Arc::new(SqlxError::Database(refusal));
            return Err(DbErr::Conn(RuntimeErr::SqlxError(refusal)));
        };
        if !self.no_deadline.swap(true, Relaxed) {
            tracing::warn!(
                "the pooler refuses the parameter statement_timeout ({}), so the database goes on with a statement whose time \
                 is over: set it for the role (`ALTER ROLE … SET statement_timeout = '{}'`)",
                refusal.message(),
                statement_timeout(self.limit)
            );
        }
        Ok(connection)
    }
}

/// Whether leaving out a parameter may help: each pooler that does not know one says so in words of its own. It does not
/// help against the faults of a login, a database that is not there, too many connections, and a server that starts.
pub(in crate::store) fn may_be_about_a_parameter(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    !(code.starts_with("28") || matches!(&*code, "3D000" | "53300" | "57P03"))
}

/// The `statement_timeout` for requests with this limit, as PostgreSQL reads it. It is a little less, so that the database says that the
/// statement took too long, before nobody listens any more.
pub(in crate::store) fn statement_timeout(limit: Duration) -> String {
    format!("{}ms", (limit * 9 / 10).as_millis())
}

/// With a [`statement_timeout`], unless the URL has one of its own.
pub(in crate::store) fn with_deadline(
    options: &PgConnectOptions,
    limit: Duration,
) -> PgConnectOptions {
    const NAME: &str = "statement_timeout";
    match options.get_options() {
        Some(own) if own.contains(NAME) => options.clone(),
        _ => options.clone().options([(NAME, statement_timeout(limit))]),
    }
}

/// Whether a connection cannot be used after an error.
fn breaks(error: &DbErr) -> bool {
    is_lost(error) && !is_conflict(error)
        || matches!(
            error,
            DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))
                if !matches!(&**error, SqlxError::Database(_) | SqlxError::ColumnDecode { .. } | SqlxError::Decode(_))
        )
}

/// No connection could be had; nothing was sent.
pub(super) fn not_in_time() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
}

/// Closes what has been idle for long, as long as there are connections.
async fn close_idle(connections: Weak<Connections>) {
    loop {
        sleep(SWEEP).await;
        let Some(connections) = connections.upgrade() else {
            return;
        };
        let mut old = Vec::new();
        {
            let mut idle = connections.all_idle();
            // The ones used last stand at the end.
            let fresh = idle.partition_point(|idle| idle.since.elapsed() >= IDLE_TIMEOUT);
            old.extend(idle.drain(..fresh));
        }
        for Idle { open, .. } in old {
            let _ = timeout(PING_TIMEOUT, open.connection.close()).await;
        }
    }
}
