//! An index of the tombstones of each user, oldest first: those go when a write needs room.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "task_tombstones";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A live task has no entry: only deleting, restoring and purging write it.
        let mut index = Index::create()
            .name(INDEX)
            .table(Task::Table)
            .col(Task::UserId)
            .col(Task::Revision)
            .and_where(Expr::col(Task::DeletedAt).is_not_null())
            .take();
        if manager.get_database_backend() != DbBackend::Postgres {
            return manager.create_index(index.if_not_exists().take()).await;
        }
        // One that was broken off is there, and is not used.
        self.down(manager).await?;
        // Tasks are written meanwhile.
        manager.create_index(index.concurrently().take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = Index::drop()
            .name(INDEX)
            .table(Task::Table)
            .if_exists()
            .to_owned();
        manager.drop_index(drop).await
    }

    /// An index cannot be built concurrently in a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

#[derive(DeriveIden)]
enum Task {
    Table,
    UserId,
    Revision,
    DeletedAt,
}
