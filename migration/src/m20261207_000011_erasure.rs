//! `user_clock` notes at which revision everything of a user was last erased, so that what was read before does not go on
//! after it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The default is for older processes, which make clocks without it.
        let definition = ColumnDef::new(UserClock::ErasedRevision)
            .big_integer()
            .not_null()
            .default(0)
            .take();
        let alter = Table::alter()
            .table(UserClock::Table)
            .add_column(definition)
            .take();
        manager.alter_table(alter).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter()
            .table(UserClock::Table)
            .drop_column(UserClock::ErasedRevision)
            .take();
        manager.alter_table(alter).await
    }
}

/// The names of the table and its new column.
#[derive(DeriveIden)]
enum UserClock {
    Table,
    /// The user's revision when everything was last erased; 0 if it never was.
    ErasedRevision,
}
