//! What a plan must see.

use std::sync::{Arc, LazyLock};

use sea_orm::{
    DbBackend, DbErr, QueryResult,
    prelude::DateTimeUtc,
    sqlx::{self, AssertSqlSafe, PgConnection},
};

use super::{Before, Wanted, first_clock, found};
use crate::{
    auth::UserId,
    store::{
        commit::{Sizes, Stored, arrays::text_of},
        engine::{fetch, rows},
        entity::user_clock,
        row::columns_of,
    },
};

static READ: LazyLock<Arc<str>> = LazyLock::new(|| {
    let sizes: Vec<String> = Sizes::exprs(Some("t")).map(text_of).collect();
    // Who and what come from one table expression, which hides from the planner that it is one user. Otherwise a plan that was
    // made when the table was empty reads all tasks of the user, and looks through them.
    let keys = |name: &str, parameter: &str| {
        format!(
            "{name} AS MATERIALIZED (SELECT $1::text AS owner, k FROM unnest((SELECT {parameter})) AS k)"
        )
    };
    let by = |name: &str, column: &str| {
        format!(
            "SELECT {}, t.create_key, t.create_hash, {} FROM {name} n JOIN task t ON t.user_id = n.owner AND t.{column} = n.k",
            columns_of("t"),
            sizes.join(", ")
        )
    };
    format!(
        "WITH {}, {}, {}
SELECT c.revision, c.last_task_id, c.task_count, c.updated_at, c.row_count, c.stored_bytes, c.purged_revision,
    c.erased_revision, f.*
FROM (SELECT) AS one LEFT JOIN user_clock c ON c.user_id = $1
LEFT JOIN ({} UNION ALL {} UNION ALL {}) AS f ON TRUE",
        keys("ids", "$2::int8[]"),
        keys("uids", "$3::text[]"),
        keys("keys", "$4::text[]"),
        by("ids", "id"),
        by("uids", "uid"),
        by("keys", "create_key"),
    )
    .into()
});

/// Reads the clock and the tasks, as they are at one moment.
pub(super) async fn read(
    connection: &mut PgConnection,
    user: &UserId,
    now: DateTimeUtc,
    wanted: &Wanted,
) -> Result<Before, DbErr> {
    let Wanted { ids, uids, keys } = wanted;
    let query = sqlx::query(AssertSqlSafe(READ.clone()))
        .bind(user.as_str())
        .bind(&**ids)
        .bind(&**uids)
        .bind(&**keys);
    let rows = fetch(connection, query).await?;
    let clock = rows.first().map(|row| clock(row, user)).transpose()?;
    let is_task = |row: &&QueryResult| {
        let id = row.try_get_by_index::<Option<i64>>(CLOCK);
        !matches!(id, Ok(None))
    };
    let tasks = rows.iter().filter(is_task);
    Ok(Before {
        clock: clock.flatten().unwrap_or_else(|| first_clock(user, now)),
        found: tasks
            .map(|row| found(row, CLOCK))
            .collect::<Result<_, _>>()?,
        tombstones: None,
    })
}

pub(super) async fn stored(connection: &mut PgConnection, user: &UserId) -> Result<Stored, DbErr> {
    let select = DbBackend::Postgres.build(&Stored::of(user.as_str()));
    Stored::read(&rows(connection, &select).await?)
}

/// How many columns of the clock are read.
const CLOCK: usize = 8;

/// `None` if the user has none.
fn clock(row: &QueryResult, user: &UserId) -> Result<Option<user_clock::Model>, DbErr> {
    let Some(revision) = row.try_get_by_index(0)? else {
        return Ok(None);
    };
    Ok(Some(user_clock::Model {
        user_id: user.as_str().to_owned(),
        revision,
        last_task_id: row.try_get_by_index(1)?,
        task_count: row.try_get_by_index(2)?,
        updated_at: row.try_get_by_index(3)?,
        row_count: row.try_get_by_index(4)?,
        stored_bytes: row.try_get_by_index(5)?,
        purged_revision: row.try_get_by_index(6)?,
        erased_revision: row.try_get_by_index(7)?,
    }))
}
