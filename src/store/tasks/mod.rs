//! The tasks of a user: one operation a file.
//!
//! Operations: `get`, `list` (with `query`, `order`, `local_order`, `cursor`; `paging` and `pages` for first pages),
//! `overview`, `usage`, `export`; `create` (with `digest`, which tells a retry from another request), `update`; `batch` for
//! many of them in one commit; `erase` for everything; `import` for the operator.
//! `change`: what the operations that change a task share; `room`: what becomes of a write for which there is no room;
//! `derived`: the columns that a write sets, those that follow from others included.

mod batch;
mod change;
mod create;
mod cursor;
mod delete;
mod derived;
mod digest;
mod erase;
mod export;
mod filter;
mod get;
mod import;
mod list;
mod local_order;
mod order;
mod overview;
mod page;
mod pages;
mod paging;
mod query;
mod restore;
mod room;
mod slice;
mod update;
mod usage;

use std::{
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use sea_orm::{DbBackend, DbErr, QueryResult, StatementBuilder, prelude::DateTimeUtc};

use super::{
    Meter, Revocations, StoreError, UserLimits, Work,
    changes::Wakeups,
    commit::{Erasing, Purge, Purging, Writing},
    engine::{Engine, Lane, Reading},
    row::TaskRow,
};
use crate::{
    auth::UserId,
    clock::Clock,
    contract::{Task, TaskId, Version},
    telemetry::TaskInstruments,
};
use get::{Finding, Key, Revisions};
use pages::Pages;
use paging::Paging;
use room::Rooms;

pub use batch::{Batch, BatchOutcome, Operation, OperationOutcome};
pub use create::{Created, IdempotencyKey};
pub(super) use derived::tags_key;
pub(crate) use digest::Canonical;
pub use digest::RequestDigest;
pub use export::{Export, ExportPage};
pub use import::{ImportedTask, ImportedUser};
pub use list::Page;
pub use overview::{Overview, Periods};
pub use pages::RenderedPage;
pub use query::{DueBound, Filter, ListQuery};
pub use restore::Restored;
pub use slice::{AT_ONCE, Slice, SliceQuery};
pub use update::Changes;

/// What the tasks of all users share: the ways to the database, one for each kind of statement, and the limits.
#[derive(Debug)]
pub struct TaskStore {
    engine: Arc<Engine>,
    finding: Lane<Finding>,
    revisions: Lane<Revisions>,
    paging: Lane<Paging>,
    reading: Lane<Reading>,
    writing: Lane<Writing>,
    purging: Lane<Purging>,
    erasing: Lane<Erasing>,
    pages: Pages,
    rooms: Rooms,
    wakeups: Arc<Wakeups>,
    instruments: Arc<TaskInstruments>,
    revocations: Arc<Revocations>,
    clock: Clock,
    /// The most that one user may store.
    limits: UserLimits,
    /// How long a deleted task can be restored.
    tombstone_retention: Duration,
    opened: Instant,
    /// When a request last used it, in seconds since it was opened.
    used: AtomicU64,
}

impl TaskStore {
    pub(super) fn new(
        engine: &Arc<Engine>,
        reading: Lane<Reading>,
        clock: Clock,
        limits: UserLimits,
        tombstone_retention: Duration,
        page_cache_bytes: u64,
    ) -> Self {
        Self {
            engine: engine.clone(),
            finding: engine.lane(),
            revisions: engine.lane(),
            paging: engine.lane(),
            reading,
            writing: engine.lane(),
            purging: engine.lane(),
            erasing: engine.lane(),
            pages: Pages::new(page_cache_bytes, engine.instruments().0.clone()),
            instruments: Arc::default(),
            rooms: Rooms::default(),
            wakeups: Arc::default(),
            revocations: Arc::new(Revocations::new(engine)),
            clock,
            limits,
            tombstone_retention,
            opened: Instant::now(),
            used: AtomicU64::new(0),
        }
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.engine.backend()
    }

    /// Who waits for the next commit of a user.
    pub(super) fn wakeups(&self) -> &Arc<Wakeups> {
        &self.wakeups
    }

    /// The users whose earlier tokens are refused.
    pub(super) fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// What time it is.
    pub(super) fn now(&self) -> DateTimeUtc {
        self.clock.now()
    }

    /// Notes that a request uses it.
    pub(super) fn note_use(&self) {
        self.used.store(self.opened.elapsed().as_secs(), Relaxed);
    }

    /// The rows that a statement of its own reads.
    pub(super) async fn rows(
        &self,
        statement: &impl StatementBuilder,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.engine.backend().build(statement);
        self.reading.send(statement).await
    }

    /// The time of deletion up to which a task cannot be restored.
    pub(super) fn oldest_tombstone(&self) -> DateTimeUtc {
        let retention = TimeDelta::from_std(self.tombstone_retention).unwrap_or(TimeDelta::MAX);
        self.clock.now() - retention
    }

    /// Purges tombstones, and returns how many there still were.
    pub(super) async fn purge(&self, purge: Purge) -> Result<usize, DbErr> {
        self.purging.send(purge).await
    }

    /// What is counted of the tasks that are written.
    pub(super) fn instruments(&self) -> &Arc<TaskInstruments> {
        &self.instruments
    }

    /// For how long no request has used it.
    pub(super) fn idle(&self) -> Duration {
        let used = Duration::from_secs(self.used.load(Relaxed));
        self.opened.elapsed().saturating_sub(used)
    }
}

/// How long a search may take before its time counts: a database may be far away.
const USUAL: Duration = Duration::from_millis(50);

/// The tasks of one user, for one kind of access.
#[derive(Debug)]
pub struct Tasks<A> {
    store: Arc<TaskStore>,
    user: UserId,
    meter: Option<Arc<dyn Meter>>,
    kind: PhantomData<fn() -> A>,
}

/// A task that a write met and did not change. Only a scope that can read [shows](Tasks::show) it: the answer to a
/// write has the task that was written, and no other.
#[derive(Debug)]
pub struct Unchanged {
    task: Box<Task>,
    /// What the write expected.
    named: Named,
}

/// Which version a write expected that the task does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// None that a task can have.
    Nothing,
    /// One that the task may have had.
    Earlier,
    /// One that the task has not reached.
    Later,
    /// None: it excluded the version that the task has.
    Excluded,
}

impl Unchanged {
    /// Which version the write expected.
    pub fn named(&self) -> Named {
        self.named
    }

    /// Which task it is.
    pub fn id(&self) -> TaskId {
        self.task.id
    }

    /// The version of the task.
    pub fn version(&self) -> Version {
        self.task.version
    }
}

// What the operations are made of. A write reads, too: whether there is a task that it could not change.
impl<A> Tasks<A> {
    pub(super) fn of(store: Arc<TaskStore>, user: UserId, meter: Option<Arc<dyn Meter>>) -> Self {
        store.note_use();
        Self {
            store,
            user,
            meter,
            kind: PhantomData,
        }
    }

    /// Tells what was read.
    fn has_read(&self, work: Work) {
        if let Some(meter) = &self.meter {
            meter.has_read(&self.user, work);
        }
    }

    /// The rows that a statement reads which may look through all of the user's. One that is ended by its deadline is told
    /// as if it had done so. `search`: what a search compares at most with each byte of the texts, by which its time is told.
    async fn rows_of_many(
        &self,
        statement: &impl StatementBuilder,
        search: Option<u64>,
    ) -> Result<Vec<QueryResult>, StoreError> {
        let began = Instant::now();
        let rows = self.store.rows(statement).await.map_err(StoreError::from);
        let is_too_slow = matches!(rows, Err(StoreError::TooSlow));
        let late = search.zip(began.elapsed().checked_sub(USUAL));
        // What was read is the answer, whether or not it can be told what it cost.
        if (is_too_slow || late.is_some())
            && let Ok(stored) = self.stored().await
        {
            if let Some((search, late)) = late {
                // It may have waited for others as well.
                let most = stored.bytes.unsigned_abs().saturating_mul(search);
                self.has_read(Work::late(late.min(Duration::from_nanos(most))));
            }
            if is_too_slow {
                self.has_read(Work::scan(stored, 1));
            }
        }
        rows
    }

    /// One task that is not deleted.
    async fn find(&self, id: TaskId) -> Result<Task, StoreError> {
        match self.row(id).await? {
            Some(row) if row.deleted_at.is_none() => row.into_task(self.user.as_str()),
            _ => Err(StoreError::NotFound(id)),
        }
    }

    /// The row of a task, deleted or not.
    async fn row(&self, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
        let (user, id) = (self.user.clone(), id.get());
        Ok(self.store.finding.send(Key { user, id }).await?)
    }
}
