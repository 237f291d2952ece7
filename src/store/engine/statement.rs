//! Statements that go alone: reads of a kind that is rare, or that cost so much that sending them together saves nothing.

use std::sync::Arc;

use sea_orm::{
    DbErr, QueryResult, Statement,
    sqlx::{self, AssertSqlSafe, IntoArguments, PgConnection, Postgres, query::Query},
};
use sea_query_sqlx::SqlxValues;

use super::{Grouped, Sqlite};
use crate::{store::error::of_driver, telemetry::StatementKind};

/// A statement that reads. One that may take long by its nature is held back where too many of them run; the others are not.
pub(in crate::store) enum Reading<const MAY_BE_LONG: bool = true> {}

impl<const MAY_BE_LONG: bool> Grouped for Reading<MAY_BE_LONG> {
    type Element = Statement;
    type Answer = Vec<QueryResult>;

    const KIND: StatementKind = match MAY_BE_LONG {
        true => StatementKind::OtherReads,
        false => StatementKind::ShortReads,
    };
    const LANES: usize = usize::MAX;
    const IS_LONG: bool = MAY_BE_LONG;
    const MAX: usize = 1;

    fn joins(_: &Statement, _: &Statement) -> bool {
        false
    }

    fn repeats(_: &Statement) -> bool {
        true
    }

    async fn alone(
        connection: &mut PgConnection,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        rows(connection, statement).await
    }

    async fn together(
        _: &mut PgConnection,
        statements: &[Arc<Statement>],
    ) -> Result<Vec<Option<Vec<QueryResult>>>, DbErr> {
        Ok(statements.iter().map(|_| None).collect())
    }

    async fn on_sqlite(sqlite: &Sqlite, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match MAY_BE_LONG {
            true => sqlite.long_rows(statement).await,
            false => sqlite.rows(statement).await,
        }
    }
}

/// Runs a statement of sea-query on a connection of PostgreSQL.
pub(in crate::store) async fn rows(
    connection: &mut PgConnection,
    statement: &Statement,
) -> Result<Vec<QueryResult>, DbErr> {
    let values = statement.values.clone();
    let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
    // sea-query has put every value into a parameter.
    let query = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values);
    fetch(connection, query).await
}

/// Runs a query of the driver.
pub(in crate::store) async fn fetch<'q, A>(
    connection: &mut PgConnection,
    query: Query<'q, Postgres, A>,
) -> Result<Vec<QueryResult>, DbErr>
where
    A: IntoArguments<Postgres> + Send + 'q,
{
    let rows = query.fetch_all(connection).await.map_err(of_driver)?;
    Ok(rows.into_iter().map(QueryResult::from).collect())
}

/// The index of the request that a row of a group belongs to. `WITH ORDINALITY` counts from 1.
pub(in crate::store) fn place(row: &QueryResult, column: usize) -> Result<usize, DbErr> {
    let place: i64 = row.try_get_by_index(column)?;
    Ok(usize::try_from(place - 1).unwrap_or(usize::MAX))
}
