//! Making room for a write that a limit holds up: the user's oldest tombstones go first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as StdMutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use sea_orm::{
    ExprTrait as _,
    sea_query::{Expr, Query, SelectStatement},
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout_at,
};

use super::Tasks;
use crate::{
    auth::UserId,
    store::{
        StoreError, Usage, UserLimits, Work,
        commit::{Count, Lone, Purge, Stored, Tombstone, bytes_of_new, growth},
        entity::{task, task::Column as Task},
    },
};

/// A part of a limit, by which more tombstones are purged than a write needs. Otherwise each write of a user who is at the
/// limit would look for one.
const SPARE: i64 = 100;

/// How long a write is tried for which room was made, and others took it: each time one of them has gone on.
const PATIENCE: Duration = Duration::from_secs(4);

/// Of one user, one write at a time makes room in this process. Otherwise all would purge the same tombstones, and take
/// each other's room.
#[derive(Debug, Default)]
pub(super) struct Rooms(StdMutex<HashMap<UserId, Weak<Mutex<()>>>>);

impl Rooms {
    fn of(&self, user: &UserId) -> Arc<Mutex<()>> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(user).and_then(Weak::upgrade) {
            return room;
        }
        rooms.retain(|_, room| room.strong_count() > 0);
        let room = Arc::default();
        rooms.insert(user.clone(), Arc::downgrade(&room));
        room
    }
}

/// The attempts of a write.
#[derive(Debug)]
pub(super) struct Attempts {
    end: Instant,
    /// Held from the first time that room is made until the write is done.
    room: Option<OwnedMutexGuard<()>>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            end: Instant::now() + PATIENCE,
            room: None,
        }
    }
}

impl Attempts {
    /// Begins another one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it is too late for one.
    pub(super) fn next(&self) -> Result<(), StoreError> {
        if Instant::now() < self.end {
            return Ok(());
        }
        Err(too_late())
    }

    async fn enter(&mut self, room: Arc<Mutex<()>>) -> Result<(), StoreError> {
        if self.room.is_none() {
            let entered = timeout_at(self.end.into(), room.lock_owned()).await;
            self.room = Some(entered.map_err(|_| too_late())?);
        }
        Ok(())
    }
}

fn too_late() -> StoreError {
    let why = "other writes of the user come in between again and again";
    StoreError::Unavailable(why.to_owned())
}

/// What a write adds to what the user stores.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Need {
    pub(super) tasks: i64,
    pub(super) tombstones: i64,
    pub(super) bytes: i64,
}

/// By how much a write is over the limits; nothing if it is not more than 0.
#[derive(Debug, Clone, Copy)]
struct Over {
    /// Tombstones.
    rows: i64,
    /// Bytes.
    bytes: i64,
}

impl Need {
    /// Whether it fits as it is.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`] if it cannot fit whatever is purged.
    pub(super) fn fits(self, usage: Usage, limits: UserLimits) -> Result<bool, StoreError> {
        if self.tasks > 0 && usage.tasks + self.tasks > limits.tasks {
            return Err(StoreError::LimitReached(limits.tasks));
        }
        let over = self.over(usage, limits);
        Ok(over.rows <= 0 && over.bytes <= 0)
    }

    /// Which tombstones, of which these are all and the oldest come first, must go so that it fits.
    ///
    /// # Errors
    /// [`StoreError::StorageFull`] if it does not fit without any of them.
    pub(super) fn to_purge(
        self,
        usage: Usage,
        limits: UserLimits,
        tombstones: &[Tombstone],
    ) -> Result<&[Tombstone], StoreError> {
        let over = self.over(usage, limits);
        let all: i64 = tombstones.iter().map(|tombstone| tombstone.bytes).sum();
        if all < over.bytes {
            return Err(StoreError::StorageFull {
                stored: usage.bytes - all,
                needed: self.bytes,
                limit: limits.bytes.unwrap_or(i64::MAX),
            });
        }
        let spare = Over {
            rows: limits.tasks / SPARE,
            bytes: limits.bytes.unwrap_or(0) / SPARE,
        };
        Ok(oldest(tombstones, over, spare))
    }

    fn over(self, usage: Usage, limits: UserLimits) -> Over {
        let rows = usage.tombstones + self.tombstones - limits.tasks;
        let most = limits.bytes.unwrap_or(i64::MAX);
        Over {
            // A user who is over a limit may still do what adds nothing to it.
            rows: if self.tombstones > 0 { rows } else { 0 },
            bytes: match self.bytes {
                more @ 1.. => usage.bytes + more - most,
                _ => 0,
            },
        }
    }
}

impl<A> Tasks<A> {
    /// Sees to it that a write fits, whose other conditions hold. It is to be tried again then.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`] or [`StoreError::StorageFull`] if it does not fit without any tombstone, and then all
    /// of them are still there.
    pub(super) async fn make_room(
        &self,
        what: &Lone,
        attempts: &mut Attempts,
    ) -> Result<(), StoreError> {
        attempts.enter(self.store.rooms.of(&self.user)).await?;
        let (need, limits) = (self.need(what).await?, self.store.limits);
        let usage = self.stored().await?;
        if need.fits(usage, limits)? {
            return Ok(());
        }
        if usage.tombstones == 0 {
            need.to_purge(usage, limits, &[])?;
        }
        // Before they are read: the client may go away meanwhile.
        let count = usize::try_from(usage.tombstones).unwrap_or(usize::MAX);
        self.has_read(Work::tombstones(count));
        let stored = Stored::read(&self.store.rows(&Stored::of(self.user.as_str())).await?)?;
        if need.fits(stored.usage, limits)? {
            return Ok(());
        }
        self.purge(need.to_purge(stored.usage, limits, &stored.tombstones)?)
            .await
    }

    async fn need(&self, what: &Lone) -> Result<Need, StoreError> {
        Ok(match what {
            Lone::Create { values, once } => Need {
                tasks: 1,
                bytes: bytes_of_new(values, once),
                ..Need::default()
            },
            Lone::Change {
                id, values, count, ..
            } => Need {
                tasks: i64::from(*count == Count::More),
                tombstones: i64::from(*count == Count::Less),
                bytes: match growth(values) {
                    Some(growth) => self.number(&self.of_row(*id, growth)).await?,
                    None => 0,
                },
            },
        })
    }

    /// An expression over the row of a task.
    fn of_row(&self, id: i64, value: Expr) -> SelectStatement {
        Query::select()
            .expr(value.cast_as("bigint"))
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::Id).eq(id))
            .to_owned()
    }

    /// The number that a statement reads; 0 if there is no row.
    async fn number(&self, select: &SelectStatement) -> Result<i64, StoreError> {
        let row = self.store.rows(select).await?.pop();
        let number = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(number.unwrap_or(0))
    }

    async fn purge(&self, tombstones: &[Tombstone]) -> Result<(), StoreError> {
        for some in tombstones.chunks(Purge::MOST) {
            let some = some
                .iter()
                .map(|tombstone| (tombstone.id, tombstone.revision));
            if let Some(purge) = Purge::of(self.user.as_str(), some) {
                let purged = self.store.purge(purge).await;
                let purged = purged.map_err(|error| StoreError::of_write(&error))?;
                tracing::debug!(purged, "tombstones were purged to make room");
            }
        }
        Ok(())
    }
}

/// The fewest of the oldest that bring the user below a limit, and those after them that fit into the spare part of it.
fn oldest(tombstones: &[Tombstone], over: Over, spare: Over) -> &[Tombstone] {
    let (mut rows, mut bytes) = (0, 0);
    let end = tombstones.iter().position(|tombstone| {
        let is_needed = rows < over.rows || bytes < over.bytes;
        rows += 1;
        bytes += tombstone.bytes;
        let is_spare = over.rows > 0 && rows <= over.rows + spare.rows
            || over.bytes > 0 && bytes <= over.bytes + spare.bytes;
        !is_needed && !is_spare
    });
    &tombstones[..end.unwrap_or(tombstones.len())]
}
