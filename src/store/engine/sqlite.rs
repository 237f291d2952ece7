//! SQLite: connections that read, and one that writes.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, QueryResult, Statement};

use super::{
    connect,
    metrics::LaneMetrics,
    sqlite_writer::{SqliteWrite, SqliteWriter},
};
use crate::store::{DatabaseSettings, StoreError, error::is_lost};

/// A SQLite database. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Sqlite {
    pool: DatabaseConnection,
    writing: DatabaseConnection,
    writer: SqliteWriter,
}

impl Sqlite {
    pub(super) async fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let (pool, writing) = connect::sqlite(settings).await?;
        let writer = SqliteWriter::start(writing.clone(), settings.acquire_timeout);
        Ok(Self {
            pool,
            writing,
            writer,
        })
    }

    /// The connections that read, and that work for the operator.
    pub(in crate::store) fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Reads, and reads once more if the connection turned out to be gone.
    pub(in crate::store) async fn rows(
        &self,
        statement: Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        match self.pool.query_all_raw(statement.clone()).await {
            Err(error) if is_lost(&error) => self.pool.query_all_raw(statement).await,
            result => result,
        }
    }

    /// Writes, and waits for the commit.
    pub(in crate::store) async fn write(
        &self,
        write: Box<dyn SqliteWrite>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        self.writer.write(write).await
    }

    pub(super) fn metrics(&self) -> LaneMetrics {
        self.writer.metrics()
    }

    /// Ends the connections, after what runs on them.
    pub(super) async fn close(&self) {
        for pool in [&self.writing, &self.pool] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
    }
}
