//! Whether PostgreSQL is there, so that requests neither meet dead connections nor queue for a
//! database that is away.
//!
//! A connection that the server has ended looks like any other until it is used, and one that has to be made can
//! take as long as a request may wait. At 1,000 requests a second that would be thousands of waiting requests, and no
//! place left for `/healthz`. So the first sign of trouble starts one task that looks for the database. As long as
//! that may be a restart, requests wait for it; after [`GRACE`] they are refused at once, until the task finds it back.

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
    DbErr, SqlxError,
    sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions},
};
use tokio::time::{sleep, timeout};

use crate::{
    store::error::{is_conflict, is_lost, of_driver},
    telemetry::StoreInstruments,
};

/// How long a restart may take before requests are refused without waiting.
const GRACE: Duration = Duration::from_secs(3);
/// What takes longer is a reason to look.
const SLOW: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// How long one look may take; a Neon database that wakes up needs some hundred milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the goodbye to a connection may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What is known about the way to the database.
#[derive(Debug)]
pub(super) struct Availability {
    options: PgConnectOptions,
    opened: Instant,
    /// When a connection was last found dead, in microseconds since `opened`; 0 is never.
    lost: AtomicU64,
    /// A task is looking for the database.
    looking: AtomicBool,
    /// It has not found it for a while.
    away: AtomicBool,
    instruments: Arc<StoreInstruments>,
}

impl Availability {
    pub(super) fn new(options: PgConnectOptions, instruments: Arc<StoreInstruments>) -> Arc<Self> {
        Arc::new(Self {
            options,
            opened: Instant::now(),
            lost: AtomicU64::new(0),
            looking: AtomicBool::new(false),
            away: AtomicBool::new(false),
            instruments,
        })
    }

    /// Whether the database has been looked for in vain.
    pub(super) fn is_away(&self) -> bool {
        self.away.load(Relaxed)
    }

    /// Waits for what runs on a connection, not for longer than a limit, and looks for the database if the connection
    /// breaks or is slow.
    pub(super) async fn watch<T>(
        self: &Arc<Self>,
        limit: Duration,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let mut work = pin!(work);
        let mut result = timeout(SLOW.min(limit), &mut work).await;
        if result.is_err() {
            self.look();
            result = timeout(limit.saturating_sub(SLOW), &mut work).await;
        }
        let result = result.unwrap_or_else(|_| Err(no_answer()));
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
                    availability.instruments.outages.increment();
                    availability.instruments.away.set(1);
                    tracing::error!(%error, "the database is away: requests are refused at once");
                }
                drop(availability);
                sleep(PAUSE).await;
            }
            if let Some(availability) = availability.upgrade()
                && availability.away.swap(false, Relaxed)
            {
                availability.instruments.away.set(0);
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

    /// Whether a connection was found dead since one was opened. What ends one connection of a server, its restart or
    /// its suspension, ends all, if not all in the same moment.
    pub(super) fn has_lost_since(&self, opened: Instant) -> bool {
        let lost = self.lost.load(Relaxed);
        let age = u64::try_from(opened.elapsed().as_micros()).unwrap_or(u64::MAX);
        lost > 0 && self.micros().saturating_sub(lost) <= age
    }
}

/// A statement to which nothing came back. Whether it took effect is not known.
pub(super) fn no_answer() -> DbErr {
    let error = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    of_driver(SqlxError::Io(error))
}

/// Connects. A database that refuses for a reason of its own (too many connections, a password that is
/// wrong now) is there: what it refuses, each request learns at once, and open connections go on.
async fn find(options: &PgConnectOptions) -> Result<(), SqlxError> {
    match timeout(PATIENCE, options.connect()).await {
        Ok(Ok(connection)) => {
            // It is there, however the goodbye goes.
            let _ = timeout(GOODBYE, connection.close()).await;
            Ok(())
        }
        // 57P03: it is starting.
        Ok(Err(SqlxError::Database(error))) if error.code().as_deref() != Some("57P03") => Ok(()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(SqlxError::PoolTimedOut),
    }
}
