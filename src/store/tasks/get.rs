//! Reading one task, and the revision: many requests in one statement.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use sea_orm::{
    DbBackend, DbErr, ExprTrait as _,
    sea_query::{Expr, Query, SelectStatement},
    sqlx::{self, AssertSqlSafe, PgConnection},
};

use super::{Tasks, Unchanged};
use crate::{
    auth::UserId,
    contract::{self, TaskId},
    store::{
        StoreError,
        engine::{Grouped, Sqlite, fetch, place},
        entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
        error::of_driver,
        kind::CanRead,
        row::{COLUMNS, TaskRow, columns_of},
    },
    telemetry::StatementKind,
};

impl<A: CanRead> Tasks<A> {
    /// One task.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the user has no such task, whoever else has one of that number.
    pub async fn get(&self, id: TaskId) -> Result<contract::Task, StoreError> {
        self.find(id).await
    }

    /// The task that a write of this user met.
    pub fn show(&self, task: &Unchanged) -> contract::Task {
        task.task.as_ref().clone()
    }

    /// The user's revision: that of the last write, 0 before the first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        Ok(self.store.revisions.send(self.user.clone()).await?)
    }
}

/// Reads tasks by user and id, deleted or not.
pub(super) enum Finding {}

/// Which task.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) user: UserId,
    pub(super) id: i64,
}

/// Selects the user's task of which a column has a value.
pub(super) fn select(user: &UserId, column: Task, value: impl Into<Expr>) -> SelectStatement {
    Query::select()
        .columns(COLUMNS)
        .from(task::Entity)
        .and_where(Expr::col(Task::UserId).eq(user.as_str()))
        .and_where(Expr::col(column).eq(value))
        .to_owned()
}

/// As sea-query builds it; made once.
static FIND: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM task WHERE user_id = $1 AND id = $2",
        columns_of("task")
    )
    .into()
});

/// sea-query knows no `unnest` of several arrays. The sub-selects keep the planner from planning for the length of each
/// array anew.
static FIND_ALL: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "SELECT {}, k.place, t.user_id FROM unnest((SELECT $1::text[]), (SELECT $2::int8[])) WITH ORDINALITY AS k(user_id, id, place) \
          JOIN task t ON t.user_id = k.user_id AND t.id = k.id",
        columns_of("t")
    )
    .into()
});

impl Grouped for Finding {
    type Element = Key;
    type Answer = Option<TaskRow>;

    const KIND: StatementKind = StatementKind::Tasks;
    const LANES: usize = 2;
    const MAX: usize = 64;

    fn joins(_: &Key, _: &Key) -> bool {
        true
    }

    fn repeats(_: &Key) -> bool {
        true
    }

    async fn alone(connection: &mut PgConnection, key: &Key) -> Result<Option<TaskRow>, DbErr> {
        let query = sqlx::query(AssertSqlSafe(FIND.clone()))
            .bind(key.user.as_str())
            .bind(key.id);
        let row = query.fetch_optional(connection).await.map_err(of_driver)?;
        row.map(|row| TaskRow::read(&row.into())).transpose()
    }

    async fn together(
        connection: &mut PgConnection,
        keys: &[Arc<Key>],
    ) -> Result<Vec<Option<Option<TaskRow>>>, DbErr> {
        let users: Vec<&str> = keys.iter().map(|key| key.user.as_str()).collect();
        let ids: Vec<i64> = keys.iter().map(|key| key.id).collect();
        let query = sqlx::query(AssertSqlSafe(FIND_ALL.clone()))
            .bind(users)
            .bind(ids);
        let rows = fetch(connection, query).await?;
        let mut answers: Vec<Option<Option<TaskRow>>> = keys.iter().map(|_| Some(None)).collect();
        for row in rows {
            let index = place(&row, COLUMNS.len())?;
            let user: String = row.try_get_by_index(COLUMNS.len() + 1)?;
            let row = TaskRow::read(&row)?;
            match (answers.get_mut(index), keys.get(index)) {
                (Some(answer), Some(key)) if key.id == row.id && key.user.as_str() == user => {
                    *answer = Some(Some(row));
                }
                _ => return Err(DbErr::Custom("a group read another task".to_owned())),
            }
        }
        Ok(answers)
    }

    async fn on_sqlite(sqlite: &Sqlite, key: Key) -> Result<Option<TaskRow>, DbErr> {
        let select = select(&key.user, Task::Id, key.id);
        let row = sqlite.rows(DbBackend::Sqlite.build(&select)).await?.pop();
        row.map(|row| TaskRow::read(&row)).transpose()
    }
}

/// Reads the revisions of users; 0 before the first write.
pub(super) enum Revisions {}

const REVISION: &str = "SELECT revision FROM user_clock WHERE user_id = $1";
const ALL_REVISIONS: &str = "SELECT user_id, revision FROM user_clock WHERE user_id = ANY($1)";

impl Grouped for Revisions {
    type Element = UserId;
    type Answer = i64;

    const KIND: StatementKind = StatementKind::Revisions;
    const LANES: usize = 1;
    const MAX: usize = 64;

    fn joins(_: &UserId, _: &UserId) -> bool {
        true
    }

    fn repeats(_: &UserId) -> bool {
        true
    }

    async fn alone(connection: &mut PgConnection, user: &UserId) -> Result<i64, DbErr> {
        let query = sqlx::query_scalar(REVISION).bind(user.as_str());
        let revision = query.fetch_optional(connection).await.map_err(of_driver)?;
        Ok(revision.unwrap_or(0))
    }

    async fn together(
        connection: &mut PgConnection,
        users: &[Arc<UserId>],
    ) -> Result<Vec<Option<i64>>, DbErr> {
        let texts: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
        let query = sqlx::query_as::<_, (String, i64)>(ALL_REVISIONS).bind(texts);
        let rows = query.fetch_all(connection).await.map_err(of_driver)?;
        let revisions: HashMap<String, i64> = rows.into_iter().collect();
        let of = |user: &Arc<UserId>| revisions.get(user.as_str()).copied().unwrap_or(0);
        Ok(users.iter().map(|user| Some(of(user))).collect())
    }

    async fn on_sqlite(sqlite: &Sqlite, user: UserId) -> Result<i64, DbErr> {
        let select = Query::select()
            .column(Clock::Revision)
            .from(user_clock::Entity)
            .and_where(Expr::col(Clock::UserId).eq(user.as_str()))
            .to_owned();
        let row = sqlite.rows(DbBackend::Sqlite.build(&select)).await?.pop();
        Ok(row
            .map(|row| row.try_get_by_index(0))
            .transpose()?
            .unwrap_or(0))
    }
}
