//! `task.uid`: the id that a client chose for a task. Older processes leave it null.

use sea_orm_migration::prelude::*;

use crate::column::byte_text;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "task_uid_key";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = byte_text(manager, Task::Uid).null().take();
        let table = Table::alter().table(Task::Table).add_column(column).take();
        manager.alter_table(table).await?;
        // Tasks without one need no entry, which every change of a task would write again.
        let index = Index::create()
            .name(INDEX)
            .table(Task::Table)
            .col(Task::UserId)
            .col(Task::Uid)
            .unique()
            .and_where(Expr::col(Task::Uid).is_not_null())
            .take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::drop();
        index.name(INDEX).table(Task::Table);
        manager.drop_index(index).await?;
        let table = Table::alter()
            .table(Task::Table)
            .drop_column(Task::Uid)
            .take();
        manager.alter_table(table).await
    }
}

#[derive(DeriveIden)]
enum Task {
    Table,
    UserId,
    /// A UUID in lower case; unique for the user.
    Uid,
}
