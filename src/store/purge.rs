//! Purging tombstones that are older than the retention: now and then beside the requests, or all at once.
//!
//! Tombstones go in small batches, each of one user and with a commit of its own, so no lock is held for long. Any number
//! of processes may do this at once: of two that want the same tombstone one finds it gone.

use std::{
    fmt,
    time::{Duration, Instant},
};

use sea_orm::{
    ExprTrait as _, QueryResult,
    prelude::DateTimeUtc,
    sea_query::{Expr, Order, Query},
};
use tokio::time::sleep;

use super::{
    Database, StoreError,
    commit::Purge,
    entity::{task, task::Column as Task},
    error::Outage,
};

/// How long after a request the database counts as in use.
const IN_USE: Duration = Duration::from_secs(1);

/// Tombstones that are read at once.
const READ: u64 = 512;

/// How a server purges beside its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often to look whether it is time.
    pub look: Duration,
    /// The time from one purge to the next.
    pub every: Duration,
    /// The pause after each batch of up to 64 tombstones, in which requests have the database to themselves.
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(60),
            every: Duration::from_secs(60 * 60),
            pause: Duration::from_millis(50),
        }
    }
}

/// What was purged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purged {
    /// How many tombstones.
    pub tombstones: usize,
    /// The users of whom some are left, since their rows were locked for as long as a write may wait.
    pub left: Vec<String>,
}

/// A tombstone that is due.
#[derive(Debug, Clone)]
struct Due {
    deleted_at: DateTimeUtc,
    user_id: String,
    id: i64,
    revision: i64,
}

impl Due {
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let (deleted_at, user_id, id, revision) = row.try_get_many_by_index()?;
        Ok(Self {
            deleted_at,
            user_id,
            id,
            revision,
        })
    }
}

impl Database {
    /// Purges the tombstones that cannot be restored any more. `pause`: the time between two batches.
    ///
    /// # Errors
    /// If the database is away. What was purged until then is gone.
    pub async fn purge(&self, pause: Duration) -> Result<Purged, StoreError> {
        let until = self.for_operator().oldest_tombstone();
        let mut purged = Purged::default();
        let mut last = None;
        loop {
            let mut due = self.due(until, last.as_ref()).await?;
            let Some(end) = due.pop() else {
                return Ok(purged);
            };
            due.push(end.clone());
            last = Some(end);
            due.sort_by(|one, other| one.user_id.cmp(&other.user_id));
            for of_user in due.chunk_by(|one, other| one.user_id == other.user_id) {
                for some in of_user.chunks(Purge::MOST) {
                    self.purge_some(some, &mut purged).await?;
                    sleep(pause).await;
                }
            }
        }
    }

    /// Purges at this pace for ever, while the database is in use: one that suspends when idle is not woken.
    pub async fn keep_purging(self, pace: Pace) {
        let mut last: Option<Instant> = None;
        loop {
            sleep(pace.look).await;
            let is_time = last.is_none_or(|last| last.elapsed() >= pace.every);
            if !is_time || self.for_operator().idle() > pace.look.max(IN_USE) {
                continue;
            }
            last = Some(Instant::now());
            match self.purge(pace.pause).await {
                Ok(Purged {
                    tombstones: 0,
                    left,
                }) if left.is_empty() => {}
                Ok(purged) => tracing::info!("{purged}"),
                Err(error) => tracing::warn!(%error, "old tombstones could not be purged"),
            }
        }
    }

    /// The next tombstones that are due, the oldest first.
    async fn due(&self, until: DateTimeUtc, after: Option<&Due>) -> Result<Vec<Due>, StoreError> {
        let key = [Task::DeletedAt, Task::UserId, Task::Id];
        let mut select = Query::select()
            .columns([Task::DeletedAt, Task::UserId, Task::Id, Task::Revision])
            .from(task::Entity)
            .and_where(Expr::col(Task::DeletedAt).is_not_null())
            .and_where(Expr::col(Task::DeletedAt).lte(until))
            .limit(READ)
            .to_owned();
        for column in key {
            select.order_by(column, Order::Asc);
        }
        if let Some(after) = after {
            let (user, id) = (after.user_id.as_str().into(), after.id.into());
            let place = Expr::tuple([after.deleted_at.into(), user, id]);
            select.and_where(Expr::tuple(key.map(Expr::col)).gt(place));
        }
        let rows = self.read_unused(&select).await?;
        rows.iter().map(Due::read).collect()
    }

    /// Purges tombstones of one user, unless others hold their locks for long.
    async fn purge_some(&self, due: &[Due], purged: &mut Purged) -> Result<(), StoreError> {
        let Some(user) = due.first().map(|due| due.user_id.as_str()) else {
            return Ok(());
        };
        let Some(purge) = Purge::of(user, due.iter().map(|due| (due.id, due.revision))) else {
            return Ok(());
        };
        match self.for_operator().purge(purge).await {
            Ok(tombstones) => purged.tombstones += tombstones,
            // Not done in the time that a write has, or perhaps at its end: others hold the locks, unless the database is away.
            Err(error) if Outage::of(&error).is_some() && !self.engine().is_away() => {
                if purged.left.last().is_none_or(|last| last != user) {
                    purged.left.push(user.to_owned());
                }
            }
            Err(error) => return Err(StoreError::of_write(&error)),
        }
        Ok(())
    }
}

impl fmt::Display for Purged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tombstones, left } = self;
        write!(f, "purged {tombstones} deleted tasks")?;
        match left.len() {
            0 => Ok(()),
            users => write!(
                f,
                "; some of {users} users were locked and are left for the next time"
            ),
        }
    }
}
