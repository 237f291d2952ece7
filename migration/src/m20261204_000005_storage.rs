//! `user_clock` counts what a user stores, tombstones included: rows, bytes, and up to which revision tombstones were
//! purged. The counts of existing users are filled by [`storage`](crate::storage).

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column at a time, as SQLite wants it. The defaults are for older processes, which make clocks without them.
        for column in COLUMNS {
            let definition = ColumnDef::new(column)
                .big_integer()
                .not_null()
                .default(0)
                .take();
            let alter = Table::alter()
                .table(UserClock::Table)
                .add_column(definition)
                .take();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            let alter = Table::alter()
                .table(UserClock::Table)
                .drop_column(column)
                .take();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

const COLUMNS: [UserClock; 3] = [
    UserClock::RowCount,
    UserClock::StoredBytes,
    UserClock::PurgedRevision,
];

/// The names of the table and its new columns.
#[derive(DeriveIden, Clone, Copy)]
enum UserClock {
    Table,
    /// The user's rows in `task`: live tasks and tombstones.
    RowCount,
    /// What these rows count in bytes, for the limit on them.
    StoredBytes,
    /// The greatest revision of a tombstone that was purged; 0 before the first. What was deleted up to there can be
    /// unknown to this database.
    PurgedRevision,
}
