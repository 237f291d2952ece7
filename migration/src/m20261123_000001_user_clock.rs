//! `user_clock`: one row a user, which every write of that user takes first.

use sea_orm_migration::prelude::*;

use crate::column::{byte_text, clustered, often_changed};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create()
            .table(UserClock::Table)
            .col(byte_text(manager, UserClock::UserId).not_null())
            .col(ColumnDef::new(UserClock::Revision).big_integer().not_null())
            .col(
                ColumnDef::new(UserClock::LastTaskId)
                    .big_integer()
                    .not_null(),
            )
            .col(
                ColumnDef::new(UserClock::TaskCount)
                    .big_integer()
                    .not_null(),
            )
            .col(
                ColumnDef::new(UserClock::UpdatedAt)
                    .timestamp_with_time_zone()
                    .not_null(),
            )
            .primary_key(
                Index::create()
                    .name("user_clock_pkey")
                    .col(UserClock::UserId),
            )
            .take();
        clustered(manager, &mut table);
        often_changed(manager, &mut table);
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(UserClock::Table).take())
            .await
    }
}

/// The names of the table and its columns.
#[derive(DeriveIden)]
enum UserClock {
    Table,
    /// The `sub` of the user's token.
    UserId,
    /// The revision of the user's last write; the next write takes the next one.
    Revision,
    /// The highest task id the user was ever given: ids are not used again after a purge.
    LastTaskId,
    /// The user's live tasks (tombstones do not count), for the limit on them.
    TaskCount,
    /// When the user last wrote. A later write is never dated before it, also when the clocks of two
    /// servers differ, so that times do not run backwards within one user.
    UpdatedAt,
}
