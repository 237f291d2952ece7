//! SQLite: connections that read, and one that writes.

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, QueryResult, Statement};

use super::{
    connect,
    metrics::LaneMetrics,
    sqlite_readers::Readers,
    sqlite_writer::{SqliteWrite, SqliteWriter},
};
use crate::store::{DatabaseSettings, StoreError};

/// A SQLite database. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Sqlite {
    operator: DatabaseConnection,
    /// `None`: the database is in memory, where each connection would have one of its own.
    readers: Option<Arc<Readers>>,
    writing: DatabaseConnection,
    writer: SqliteWriter,
}

impl Sqlite {
    pub(super) async fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let limit = settings.acquire_timeout;
        let (operator, writing) = connect::sqlite(settings).await?;
        let readers = connect::sqlite_options(settings)?.map(|options| {
            let most = usize::try_from(settings.max_connections).unwrap_or(usize::MAX);
            Arc::new(Readers::new(options, most, limit))
        });
        let writer = SqliteWriter::start(writing.clone(), limit);
        Ok(Self {
            operator,
            readers,
            writing,
            writer,
        })
    }

    /// The connections for what the operator does.
    pub(super) fn operator(&self) -> &DatabaseConnection {
        &self.operator
    }

    /// Reads, for as long as a request may wait.
    pub(in crate::store) async fn rows(
        &self,
        statement: Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        match &self.readers {
            Some(readers) => readers.rows(&statement).await,
            None => self.writing.query_all_raw(statement).await,
        }
    }

    /// Reads what may take long.
    pub(super) async fn long_rows(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.readers {
            Some(readers) => readers.long_rows(&statement).await,
            None => self.writing.query_all_raw(statement).await,
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
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        for pool in [&self.writing, &self.operator] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
    }
}
