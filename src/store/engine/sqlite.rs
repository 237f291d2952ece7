//! SQLite: connections that read, and one that writes.

use std::{sync::Arc, time::Instant};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait as _, DatabaseConnection, DbErr, QueryResult, Statement,
};

use super::{
    connect,
    lane::Grouped,
    metrics::Metrics,
    sqlite_readers::Readers,
    sqlite_writer::{SqliteWrite, SqliteWriter},
};
use crate::{
    store::{DatabaseSettings, StoreError, error::is_busy},
    telemetry::{StatementFault, StatementKind, trace},
};

/// A SQLite database. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Sqlite {
    operator: DatabaseConnection,
    /// `None`: the database is in memory, where each connection would have one of its own.
    readers: Option<Arc<Readers>>,
    writing: DatabaseConnection,
    writer: SqliteWriter,
    metrics: Metrics,
}

impl Sqlite {
    pub(super) async fn open(
        settings: &DatabaseSettings,
        metrics: Metrics,
    ) -> Result<Self, StoreError> {
        let limit = settings.acquire_timeout;
        let (operator, writing) = connect::sqlite(settings).await?;
        let readers = connect::sqlite_options(settings)?.map(|options| {
            let most = usize::try_from(settings.max_connections).unwrap_or(usize::MAX);
            Arc::new(Readers::new(options, most, limit, metrics.clone()))
        });
        let writer = SqliteWriter::start(writing.clone(), limit, metrics.of(StatementKind::Writes));
        Ok(Self {
            operator,
            readers,
            writing,
            writer,
            metrics,
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

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Runs an element, and counts it with the time that it waits for a connection, or for the transactions before it.
    pub(super) async fn run<B: Grouped>(&self, element: B::Element) -> Result<B::Answer, DbErr> {
        let counters = self.metrics.of(B::KIND);
        let (request, now) = (trace::current(), Instant::now());
        let running = counters.begin([(&request, now)].into_iter());
        let result = B::on_sqlite(self, element).await;
        let fault = counters.ran(running, &result);
        // Another process may have the lock, or nothing was free, for all the time that it had.
        let waited_in_vain = |error: &DbErr| {
            let none_free = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
            is_busy(error) || *error == none_free
        };
        if fault == StatementFault::Timeout || result.as_ref().is_err_and(waited_in_vain) {
            counters.too_late();
        }
        result
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
