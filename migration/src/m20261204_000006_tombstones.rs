//! Indexes that keep live tasks and tombstones apart: one to find the tombstones that are due to be purged, and on
//! PostgreSQL one of the live tasks, so that a list in the order of creation does not read past tombstones. SQLite would not
//! choose the latter, and made to, it pays a tenth more for each list of each user.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return manager.create_index(due().if_not_exists().take()).await;
        }
        for mut index in [due(), live()] {
            // One that was broken off is there, and is not used.
            drop(manager, &index).await?;
            // Tasks are written meanwhile.
            manager.create_index(index.concurrently().take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in [due(), live()] {
            drop(manager, &index).await?;
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

async fn drop(manager: &SchemaManager<'_>, index: &IndexCreateStatement) -> Result<(), DbErr> {
    let name = index.get_index_spec().get_name().unwrap_or_default();
    let drop = Index::drop()
        .name(name)
        .table(Task::Table)
        .if_exists()
        .to_owned();
    manager.drop_index(drop).await
}

#[derive(DeriveIden)]
enum Task {
    Table,
    UserId,
    Id,
    DeletedAt,
}
