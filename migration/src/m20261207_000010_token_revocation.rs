//! `token_revocation`: the users whose earlier tokens are refused (`taskward user revoke`).

use sea_orm_migration::prelude::*;

use crate::column::{byte_text, clustered};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create()
            .table(TokenRevocation::Table)
            .col(byte_text(manager, TokenRevocation::UserId).not_null())
            .col(
                ColumnDef::new(TokenRevocation::RevokedAt)
                    .timestamp_with_time_zone()
                    .not_null(),
            )
            .primary_key(
                Index::create()
                    .name("token_revocation_pkey")
                    .col(TokenRevocation::UserId),
            )
            .take();
        clustered(manager, &mut table);
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(TokenRevocation::Table).take())
            .await
    }
}

/// The names of the table and its columns.
#[derive(DeriveIden)]
enum TokenRevocation {
    Table,
    /// The user, who need not have written anything.
    UserId,
    /// Tokens that were issued at this time or before it are refused.
    RevokedAt,
}
