//! How statements run, on PostgreSQL and on SQLite.
//!
//! A request gives an element to a [`Lane`] and waits. On PostgreSQL, tasks of the lane send what waits, together where it
//! can go together, over connections that no request ever holds. On SQLite, one task commits all writes that wait in one
//! transaction. Queues, deadlines, outages and retries are here, and nowhere else.

mod availability;
mod connect;
mod connections;
mod lane;
mod metrics;
mod sqlite;
mod sqlite_readers;
mod sqlite_writer;
mod statement;

use std::sync::Arc;

use sea_orm::{
    DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    sqlx::postgres::PgConnectOptions,
};

use super::{DatabaseSettings, StoreError};
use crate::telemetry::StoreInstruments;
use connections::Connections;
use lane::Queue;
use metrics::Metrics;

pub(super) use connect::{
    BUSY_TIMEOUT, create_private, is_in_memory, is_local, postgres_options, sqlite_file,
};
pub(super) use connections::{
    IDLE_TIMEOUT, may_be_about_a_parameter, statement_timeout, with_deadline,
};
pub(super) use lane::{Grouped, Lane};
pub(super) use sqlite::Sqlite;
pub(super) use sqlite_writer::SqliteWrite;
pub(super) use statement::{Reading, fetch, place, rows};

/// A database, and how statements get there.
#[derive(Debug)]
pub(super) enum Engine {
    Sqlite(Sqlite),
    Postgres {
        connections: Arc<Connections>,
        /// For what the operator does; connects when it is used.
        operator: DatabaseConnection,
    },
}

impl Engine {
    /// Opens the database. PostgreSQL is not waited for: it may start later than this server.
    pub(super) async fn open(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        if settings.url.starts_with("sqlite:") {
            return Ok(Self::Sqlite(
                Sqlite::open(settings, Metrics::new("sqlite")).await?,
            ));
        }
        let options = postgres_options(&settings.url)
            .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?;
        let most = usize::try_from(settings.max_connections).unwrap_or(usize::MAX);
        Ok(Self::Postgres {
            connections: Connections::new(
                options,
                most,
                settings.acquire_timeout,
                Metrics::new("postgresql"),
            ),
            operator: connect::postgres_for_operator(settings).await?,
        })
    }

    /// A way for statements of one kind.
    pub(super) fn lane<B: Grouped>(&self) -> Lane<B> {
        match self {
            Self::Sqlite(sqlite) => Lane::Sqlite(sqlite.clone()),
            Self::Postgres { connections, .. } => Lane::Postgres(Queue::new(connections.clone())),
        }
    }

    /// What is counted, and OpenTelemetry's name for the kind of the database.
    pub(super) fn instruments(&self) -> (&Arc<StoreInstruments>, &'static str) {
        let Metrics {
            system,
            instruments,
        } = match self {
            Self::Sqlite(sqlite) => sqlite.metrics(),
            Self::Postgres { connections, .. } => connections.metrics(),
        };
        (instruments, system)
    }

    pub(super) fn backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres { .. } => DbBackend::Postgres,
        }
    }

    /// The connections for what the operator does.
    pub(super) fn operator(&self) -> &DatabaseConnection {
        match self {
            Self::Sqlite(sqlite) => sqlite.operator(),
            Self::Postgres { operator, .. } => operator,
        }
    }

    /// How PostgreSQL is reached; `None` for SQLite.
    pub(super) fn postgres(&self) -> Option<&PgConnectOptions> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres { connections, .. } => Some(connections.options()),
        }
    }

    /// Whether PostgreSQL has been looked for in vain. A file is there, or it is not.
    pub(super) fn is_away(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres { connections, .. } => connections.availability().is_away(),
        }
    }

    /// The time of the present connections. It changes when one of them breaks, or when there was none: then another
    /// server may be in its place.
    pub(super) fn epoch(&self) -> u64 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres { connections, .. } => connections.epoch(),
        }
    }

    /// Ends all connections, after what runs on them.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Postgres {
                connections,
                operator,
            } => {
                connections.close().await;
                if let Err(error) = operator.close_by_ref().await {
                    tracing::warn!(%error, "a database connection did not close cleanly");
                }
            }
        }
    }
}

/// On SQLite the write lock is taken at the start: a transaction that reads first and then wants to write fails without
/// waiting when another one wrote in between (SQLITE_BUSY_SNAPSHOT).
pub(super) fn immediate() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}
