//! Indexes that keep live tasks and tombstones apart: one to find the tombstones that are due to be purged, and on
//! PostgreSQL one of the live tasks, so that a list in the order of creation does not read past tombstones. SQLite would not
//! choose the latter, and made to, it pays a tenth more for each list of each user.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::large_index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "task";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        large_index::build(manager, TABLE, due()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            large_index::build(manager, TABLE, live()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in [due(), live()] {
            large_index::drop(manager, TABLE, &index).await?;
        }
        Ok(())
    }

    /// An index cannot be built concurrently in a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// A live task has no entry: only deleting, restoring and purging write it.
fn due() -> IndexCreateStatement {
    Index::create()
        .name("task_deleted_at")
        .table(Task::Table)
        .col(Task::DeletedAt)
        .and_where(Expr::col(Task::DeletedAt).is_not_null())
        .take()
}

fn live() -> IndexCreateStatement {
    Index::create()
        .name("task_live")
        .table(Task::Table)
        .col(Task::UserId)
        .col(Task::Id)
        .and_where(Expr::col(Task::DeletedAt).is_null())
        .take()
}

#[derive(DeriveIden)]
enum Task {
    Table,
    UserId,
    Id,
    DeletedAt,
}
