//! Whether PostgreSQL is there, so that requests neither meet dead connections nor queue for a
//! database that is away.
//!
//! The pool knows neither: a connection that the server has ended looks like any other until it is
//! used, and each request that needs a new one tries for the whole acquire timeout. At 1,000 requests
//! a second that would be 10,000 waiting connections, and no place left for `/healthz`. So the first
//! sign of trouble starts one task that looks for the database. As long as that may be a restart,
//! requests wait for it; after [`GRACE`] they are refused at once, until the task finds it back.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnAcquireErr, ConnectOptions, DbErr, RuntimeErr, SqlxError,
    sqlx::{self, ConnectOptions as _, Connection as _, postgres::PgConnectOptions},
};
use tokio::time::{sleep, timeout};

use super::error::{is_conflict, is_lost};

/// How long a restart may take before requests are refused without waiting.
const GRACE: Duration = Duration::from_secs(3);
/// What takes longer is a reason to look: the pool tells nobody that it finds no connection.
const SLOW: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// How long one look may take; a Neon database that wakes up needs some hundred milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// A connection that idled longer is tried before it is used. A ping at each use costs a round trip.
const PING_AFTER: Duration = Duration::from_secs(10);
/// How long such a try may take.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// What is known about the way to the database.
#[derive(Debug)]
pub(super) struct Availability {
    options: PgConnectOptions,
    /// How long a request waits for the database, connection and statement together.
    limit: Duration,
    opened: Instant,
    /// When a connection was last found dead, in microseconds since `opened`; 0 is never.
    lost: AtomicU64,
    /// A task is looking for the database.
    looking: AtomicBool,
    /// It has not found it for a while.
    away: AtomicBool,
}

impl Availability {
    pub(super) fn new(options: PgConnectOptions, limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            options,
            limit,
            opened: Instant::now(),
            lost: AtomicU64::new(0),
            looking: AtomicBool::new(false),
            away: AtomicBool::new(false),
        })
    }

    /// Makes the pool ask before it hands out a connection that has been idle, or takes one back in
    /// doubt, and let go of those from before the last loss: what ends one connection of a server, its
    /// restart or its suspension, ends all, if not all in the same moment.
    pub(super) fn watch(self: &Arc<Self>, options: &mut ConnectOptions) {
        let (before, after) = (self.clone(), self.clone());
        options
            .map_sqlx_postgres_before_acquire(move |connection, meta| {
                let outlived = before.has_lost_within(meta.age);
                Box::pin(async move {
                    // Who tries again must not get the next one that is about to be ended.
                    if !outlived && meta.idle_for >= PING_AFTER {
                        ping(connection).await?;
                    }
                    Ok(!outlived)
                })
            })
            .map_sqlx_postgres_pool_opts(move |pool| {
                let availability = after.clone();
                pool.after_release(move |connection, _| {
                    // sqlx pings here without a limit. When nothing comes back from the network, the
                    // connection's place in the pool would be gone for a quarter of an hour.
                    let asks = availability.looking.load(Relaxed);
                    Box::pin(async move {
                        if asks {
                            ping(connection).await?;
                        }
                        Ok(true)
                    })
                })
            });
    }

    /// How to connect to the database.
    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Whether the database has been looked for in vain.
    pub(super) fn is_away(&self) -> bool {
        self.away.load(Relaxed)
    }

    /// Does something with the database, if that is there, and not for longer than the limit.
    pub(super) async fn run<T>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        if self.is_away() {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        }
        let mut work = pin!(work);
        let mut result = timeout(SLOW, &mut work).await;
        if result.is_err() {
            // In time for the connection's way back to the pool, too, which then asks whether it works.
            self.look();
            result = timeout(self.limit.saturating_sub(SLOW), &mut work).await;
        }
        let Ok(result) = result else {
            let error = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
            let error = SqlxError::Io(error).into();
            return Err(DbErr::Exec(RuntimeErr::SqlxError(error)));
        };
        if let Err(error) = &result
            && is_lost(error)
            && !is_conflict(error)
        {
            self.note_loss();
            self.look();
        }
        result
    }

    /// Starts to look for the database, unless somebody does already.
    pub(super) fn look(self: &Arc<Self>) {
        if self.looking.swap(true, Relaxed) {
            return;
        }
        let (options, availability) = (self.options.clone(), Arc::downgrade(self));
        tokio::spawn(async move {
            let began = Instant::now();
            while let Err(error) = find(&options).await {
                let Some(availability) = availability.upgrade() else {
                    return;
                };
                availability.note_loss();
                if began.elapsed() >= GRACE && !availability.away.swap(true, Relaxed) {
                    tracing::error!(%error, "the database is away: requests are refused at once");
                }
                drop(availability);
                sleep(PAUSE).await;
            }
            if let Some(availability) = availability.upgrade()
                && availability.away.swap(false, Relaxed)
            {
                tracing::info!("the database is back");
            }
            // However many are slow together: not one look after the other.
            sleep(SLOW).await;
            if let Some(availability) = availability.upgrade() {
                availability.looking.store(false, Relaxed);
            }
        });
    }

    fn note_loss(&self) {
        self.lost.store(self.micros(), Relaxed);
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether a connection was found dead that recently.
    fn has_lost_within(&self, time: Duration) -> bool {
        let lost = self.lost.load(Relaxed);
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        lost > 0 && self.micros().saturating_sub(lost) <= time
    }
}

/// Connects. A database that refuses for a reason of its own (too many connections, a password that is
/// wrong now) is there: what it refuses, each request learns at once, and open connections go on.
async fn find(options: &PgConnectOptions) -> Result<(), SqlxError> {
    match timeout(PATIENCE, options.connect()).await {
        Ok(Ok(connection)) => {
            // It is there, however the goodbye goes.
            let _ = timeout(PING_TIMEOUT, connection.close()).await;
            Ok(())
        }
        // 57P03: it is starting.
        Ok(Err(SqlxError::Database(error))) if error.code().as_deref() != Some("57P03") => Ok(()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(SqlxError::PoolTimedOut),
    }
}

async fn ping(connection: &mut sqlx::PgConnection) -> Result<(), SqlxError> {
    match timeout(PING_TIMEOUT, connection.ping()).await {
        Ok(result) => result,
        Err(_) => Err(SqlxError::PoolTimedOut),
    }
}
