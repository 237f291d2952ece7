//! `task`: the tasks of all users, and the tombstones of deleted ones until they are purged.
//!
//! There is no foreign key to `user_clock`: the write that makes a task takes the clock first, so the
//! row is always there, and a distributed table had better check nothing that cannot fail.

use sea_orm_migration::prelude::*;

use crate::column::{byte_text, clustered};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = |name| ColumnDef::new(name);
        let mut table = Table::create()
            .table(Task::Table)
            .col(byte_text(manager, Task::UserId).not_null())
            .col(column(Task::Id).big_integer().not_null())
            .col(column(Task::Title).text().not_null())
            .col(column(Task::Description).text().null())
            .col(column(Task::CompletedAt).timestamp_with_time_zone().null())
            .col(column(Task::Priority).small_integer().not_null())
            .col(column(Task::DueAt).timestamp_with_time_zone().null())
            .col(column(Task::DueIsDate).boolean().not_null().default(false))
            .col(column(Task::Tags).json().not_null())
            .col(byte_text(manager, Task::TitleFold).not_null())
            .col(column(Task::DescriptionFold).text().null())
            .col(column(Task::TagsFold).text().not_null())
            .col(byte_text(manager, Task::CreateKey).null())
            .col(column(Task::CreateHash).text().null())
            .col(
                column(Task::CreatedAt)
                    .timestamp_with_time_zone()
                    .not_null(),
            )
            .col(
                column(Task::UpdatedAt)
                    .timestamp_with_time_zone()
                    .not_null(),
            )
            .col(column(Task::Revision).big_integer().not_null())
            .col(column(Task::DeletedAt).timestamp_with_time_zone().null())
            .primary_key(
                Index::create()
                    .name("task_pkey")
                    .col(Task::UserId)
                    .col(Task::Id),
            )
            .take();
        clustered(manager, &mut table);
        manager.create_table(table).await?;

        // Indexes and not constraints of the table: SQLite forgets the names of the latter.
        let unique = |name: &str, column: Task| {
            Index::create()
                .name(name)
                .table(Task::Table)
                .col(Task::UserId)
                .col(column)
                .unique()
                .take()
        };
        manager
            .create_index(unique("task_revision_key", Task::Revision))
            .await?;
        // Most tasks have no key, and need no entry, which every change of a task would write again.
        let mut create_key = unique("task_create_key_key", Task::CreateKey);
        create_key.and_where(Expr::col(Task::CreateKey).is_not_null());
        manager.create_index(create_key).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Task::Table).take())
            .await
    }
}

/// The names of the table and its columns.
///
/// The folded columns are case-folded copies, for search and for sorting. There is one for each column
/// and not one for all, so that of two patches at once, one of the title and one of the description,
/// neither writes the other's old text back into the copy.
#[derive(DeriveIden)]
enum Task {
    Table,
    /// The `sub` of the owner's token. Every key begins with it: a query reads a range of one user's
    /// rows, and the table can be distributed by it.
    UserId,
    /// Counts 1, 2, 3 … for each user.
    Id,
    /// As it was sent.
    Title,
    /// As it was sent.
    Description,
    /// When it was completed; null while it is not.
    CompletedAt,
    /// 0 low, 1 medium, 2 high: it sorts by number.
    Priority,
    /// When it is due; of a date without a time, its midnight UTC.
    DueAt,
    /// Whether the due date is a date without a time, and goes out as one.
    DueIsDate,
    /// A JSON array of strings, in their order, as they were sent.
    Tags,
    /// The case-folded title.
    TitleFold,
    /// The case-folded description.
    DescriptionFold,
    /// The case-folded tags.
    TagsFold,
    /// The Idempotency-Key that the task was made with; unique for the user, so that a retry finds it.
    CreateKey,
    /// The SHA-256 of the body that came with that key: the same key with another body is refused.
    CreateHash,
    /// When it was made.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// The user's revision at the last change: the version, the ETag and the place in the change feed.
    Revision,
    /// When it was deleted; null while it lives. Such a row is a tombstone, and can be restored.
    DeletedAt,
}
