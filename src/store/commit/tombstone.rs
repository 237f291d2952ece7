//! The tombstones of a user, of which the oldest go when a write needs room.

use sea_orm::{
    DbErr, ExprTrait as _, QueryResult,
    sea_query::{Expr, Order, Query, SelectStatement},
};

use super::size::row_bytes;
use crate::store::entity::{task, task::Column as Task};

/// A tombstone, as far as it takes room.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Tombstone {
    pub(in crate::store) id: i64,
    /// That of the deletion.
    pub(in crate::store) revision: i64,
    pub(in crate::store) bytes: i64,
}

impl Tombstone {
    /// All of a user, the oldest first.
    pub(in crate::store) fn all_of(user: &str) -> SelectStatement {
        Query::select()
            .columns([Task::Id, Task::Revision])
            .expr(row_bytes().cast_as("bigint"))
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(user))
            .and_where(Expr::col(Task::DeletedAt).is_not_null())
            .order_by(Task::Revision, Order::Asc)
            .take()
    }

    /// Reads a row of [`all_of`](Self::all_of).
    pub(in crate::store) fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let (id, revision, bytes) = row.try_get_many_by_index()?;
        Ok(Self {
            id,
            revision,
            bytes,
        })
    }
}
