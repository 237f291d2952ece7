//! An index of the tombstones of each user, oldest first: those go when a write needs room.

use sea_orm_migration::prelude::*;

use crate::large_index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "task";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        large_index::build(manager, TABLE, tombstones()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        large_index::drop(manager, TABLE, &tombstones()).await
    }

    /// An index cannot be built concurrently in a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// A live task has no entry: only deleting, restoring and purging write it.
fn tombstones() -> IndexCreateStatement {
    Index::create()
        .name("task_tombstones")
        .table(Task::Table)
        .col(Task::UserId)
        .col(Task::Revision)
        .and_where(Expr::col(Task::DeletedAt).is_not_null())
        .take()
}

#[derive(DeriveIden)]
enum Task {
    Table,
    UserId,
    Revision,
    DeletedAt,
}
