//! Indexes of large tables.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, Statement};

/// Builds an index of the table while others write to it, where the database can: on PostgreSQL, unless the table is partitioned
/// (deploy/postgresql/partition-by-user.sql). Elsewhere writes wait.
///
/// The migration must not run in a transaction.
pub(crate) async fn build(
    manager: &SchemaManager<'_>,
    table: &str,
    mut index: IndexCreateStatement,
) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return manager.create_index(index.if_not_exists().take()).await;
    }
    // One that was broken off is there, and is not used.
    drop(manager, table, &index).await?;
    if !is_partitioned(manager, table).await? {
        index.concurrently();
    }
    manager.create_index(index).await
}

/// Drops the index if it is there.
pub(crate) async fn drop(
    manager: &SchemaManager<'_>,
    table: &str,
    index: &IndexCreateStatement,
) -> Result<(), DbErr> {
    let name = index.get_index_spec().get_name().unwrap_or_default();
    let drop = Index::drop()
        .name(name)
        .table(Alias::new(table))
        .if_exists()
        .to_owned();
    manager.drop_index(drop).await
}

async fn is_partitioned(manager: &SchemaManager<'_>, table: &str) -> Result<bool, DbErr> {
    let sql = "SELECT relkind = 'p' FROM pg_class WHERE oid = $1::regclass";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [table.into()]);
    let row = manager.get_connection().query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}
