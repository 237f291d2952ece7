//! Making room for a write that a limit holds up: the user's oldest tombstones go first.

use sea_orm::{
    ExprTrait as _,
    sea_query::{Expr, Order, Query, SelectStatement},
};

use super::Tasks;
use crate::store::{
    StoreError, UserLimits,
    commit::{Count, Purge, What, bytes_of_new, growth, row_bytes},
    entity::{task, task::Column as Task},
};

/// A part of a limit, by which more tombstones are purged than a write needs. Otherwise each write of a user who is at the
/// limit would look for one.
const SPARE: i64 = 100;

/// What a write adds to what the user stores.
#[derive(Debug, Clone, Copy)]
struct Need {
    tasks: i64,
    tombstones: i64,
    bytes: i64,
}

/// By how much a write is over the limits; nothing if it is not more than 0.
#[derive(Debug, Clone, Copy)]
struct Over {
    /// Tombstones.
    rows: i64,
    /// Bytes.
    bytes: i64,
}

/// A tombstone: id, revision and bytes.
#[derive(Debug, Clone, Copy)]
struct Tombstone {
    id: i64,
    revision: i64,
    bytes: i64,
}

impl<A> Tasks<A> {
    /// Sees to it that a write fits, whose other conditions hold. It is to be tried again then.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`] or [`StoreError::StorageFull`] if it does not fit without any tombstone, and then all
    /// of them are still there.
    pub(super) async fn make_room(&self, what: &What) -> Result<(), StoreError> {
        let need = self.need(what).await?;
        let usage = self.stored().await?;
        let UserLimits { tasks, bytes } = self.store.limits;
        if need.tasks > 0 && usage.tasks + need.tasks > tasks {
            return Err(StoreError::LimitReached(tasks));
        }
        let too_many = match need.tombstones {
            0 => 0,
            more => usage.tombstones + more - tasks,
        };
        let too_large = bytes.map_or(0, |most| usage.bytes + need.bytes - most);
        let too_large = if need.bytes > 0 { too_large } else { 0 };
        if too_many <= 0 && too_large <= 0 {
            return Ok(());
        }
        let tombstones = self.tombstones().await?;
        let all: i64 = tombstones.iter().map(|tombstone| tombstone.bytes).sum();
        if all < too_large {
            return Err(StoreError::StorageFull {
                stored: usage.bytes - all,
                needed: need.bytes,
                limit: bytes.unwrap_or(i64::MAX),
            });
        }
        let over = Over {
            rows: too_many,
            bytes: too_large,
        };
        let spare = Over {
            rows: tasks / SPARE,
            bytes: bytes.unwrap_or(0) / SPARE,
        };
        self.purge(oldest(&tombstones, over, spare)).await
    }

    async fn need(&self, what: &What) -> Result<Need, StoreError> {
        let none = Need {
            tasks: 0,
            tombstones: 0,
            bytes: 0,
        };
        Ok(match what {
            What::Create { values, key } => Need {
                tasks: 1,
                bytes: bytes_of_new(values, key.as_ref()),
                ..none
            },
            What::Change {
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
        let row = self.rows(select).await?.pop();
        let number = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(number.unwrap_or(0))
    }

    /// All tombstones of the user, the oldest first.
    async fn tombstones(&self) -> Result<Vec<Tombstone>, StoreError> {
        let select = Query::select()
            .columns([Task::Id, Task::Revision])
            .expr(row_bytes().cast_as("bigint"))
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::DeletedAt).is_not_null())
            // The revision of a tombstone is that of its deletion.
            .order_by(Task::Revision, Order::Asc)
            .to_owned();
        let rows = self.rows(&select).await?;
        rows.iter()
            .map(|row| {
                let (id, revision, bytes) = row.try_get_many_by_index()?;
                Ok(Tombstone {
                    id,
                    revision,
                    bytes,
                })
            })
            .collect()
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
