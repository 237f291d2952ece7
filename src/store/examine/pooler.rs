//! What is between this program and PostgreSQL.

use sea_orm::{
    SqlxError,
    sqlx::{self, PgConnection, Row as _},
};

/// How long a client keeps a connection of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolMode {
    /// No pooler, or one that gives each client a connection of its own.
    Session,
    /// A pooler that gives the same connection to another client after each transaction.
    Transaction,
}

/// How often both connections ask. A pooler with others' work in between may give them different connections at times.
const TRIES: usize = 4;

impl PoolMode {
    /// Finds it out by two connections that are open at once: where one process of the server answers both, they share it.
    pub(super) async fn between(
        one: &mut PgConnection,
        other: &mut PgConnection,
    ) -> Result<Self, SqlxError> {
        for _ in 0..TRIES {
            if process(one).await? == process(other).await? {
                return Ok(Self::Transaction);
            }
        }
        Ok(Self::Session)
    }
}

async fn process(connection: &mut PgConnection) -> Result<i32, SqlxError> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()")
        .fetch_one(&mut *connection)
        .await?;
    row.try_get(0)
}
