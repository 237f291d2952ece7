//! A plan on PostgreSQL: one statement that reads, and one that writes.
//!
//! Both are written by hand: sea-query knows no `unnest` of several arrays. Each array goes through a sub-select, so that
//! one plan is kept for all lengths (see `together`).

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use sea_orm::{
    DbBackend, DbErr, IdenStatic as _, QueryResult,
    prelude::DateTimeUtc,
    sqlx::{self, AssertSqlSafe, PgConnection},
};

use super::{Before, Decision, Plan, Wanted, Writes, first_clock, found};
use crate::{
    auth::UserId,
    store::{
        commit::{
            Assignment, Once, Set, Sizes, Tombstone,
            together::{WRITABLE, arrays, bind_columns, marks, new_value, text_of},
        },
        engine::{fetch, rows},
        entity::user_clock,
        row::columns_of,
    },
};

/// How often a plan is made at once, when others write between its two statements. After that it is sent again later, as
/// what meets a lock.
const ATTEMPTS: usize = 4;

/// Carries a plan out.
pub(in crate::store::commit) async fn on_postgres(
    connection: &mut PgConnection,
    user: &UserId,
    now: DateTimeUtc,
    plan: &dyn Plan,
) -> Result<(), DbErr> {
    for _ in 0..ATTEMPTS {
        let mut before = read(connection, user, now, plan.wanted()).await?;
        let mut decision = plan.decide(&before);
        if let Decision::NeedsRoom = decision {
            // What is written until then moves the clock.
            before.tombstones = Some(tombstones(connection, user).await?);
            decision = plan.decide(&before);
        }
        let Decision::Write(writes) = decision else {
            return Ok(());
        };
        if write(connection, &before.clock, writes).await? {
            return Ok(());
        }
    }
    Err(DbErr::RecordNotUpdated)
}

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
SELECT c.revision, c.last_task_id, c.task_count, c.updated_at, c.row_count, c.stored_bytes, c.purged_revision, f.*
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
async fn read(
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

async fn tombstones(connection: &mut PgConnection, user: &UserId) -> Result<Vec<Tombstone>, DbErr> {
    let select = DbBackend::Postgres.build(&Tombstone::all_of(user.as_str()));
    let rows = rows(connection, &select).await?;
    rows.iter().map(Tombstone::read).collect()
}

/// How many columns of the clock are read.
const CLOCK: usize = 7;

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
    }))
}

/// The locks are taken in the order of a lone write: the tasks, then the clock. Counts are added to and not set: a purge
/// may have changed them since, which does not move the revision. What goes is deleted before tasks are created, since a new
/// one may have its uid.
static WRITE: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (new, parameters) = arrays(&[
        ("task", "int8[]"),
        ("is_new", "bool[]"),
        ("is_gone", "bool[]"),
        ("tick", "int8[]"),
        ("to_value", "int4[]"),
        ("key", "text[]"),
        ("digest", "text[]"),
        ("uid", "text[]"),
    ]);
    let (mut names, mut values, mut sets) = (String::new(), String::new(), String::new());
    for (place, column) in WRITABLE.iter().enumerate() {
        let (name, value) = (column.as_str(), new_value(*column));
        let _ = write!(names, r#", "{name}""#);
        let _ = write!(values, ", {value}");
        let _ = write!(
            sets,
            r#""{name}" = CASE WHEN n.to_value & {} <> 0 THEN {value} ELSE t."{name}" END, "#,
            1 << place
        );
    }
    let parameter = |place: usize, kind: &str| format!("${}::{kind}", parameters + place);
    format!(
        r#"WITH n AS MATERIALIZED (SELECT {user} AS owner, n.* FROM {new}),
target AS (
    SELECT t.id FROM n JOIN task t ON t.user_id = n.owner AND t.id = n.task WHERE NOT n.is_new
    FOR UPDATE OF t NOWAIT
),
mine AS (SELECT user_id FROM user_clock WHERE user_id = {user} FOR UPDATE NOWAIT),
c AS (
    INSERT INTO user_clock AS c (user_id, revision, last_task_id, task_count, updated_at, row_count, stored_bytes,
        purged_revision)
    SELECT {user}, {revision}, {last_task_id}, {task_count}, {moment}, {more_rows}, {more_bytes}, {purged_revision}
    FROM (SELECT count(*) AS tasks FROM target) AS targets, (SELECT count(*) FROM mine) AS locked
    WHERE targets.tasks = {changed}
    ON CONFLICT (user_id) DO UPDATE SET revision = excluded.revision, last_task_id = excluded.last_task_id,
        task_count = excluded.task_count, updated_at = excluded.updated_at,
        row_count = c.row_count + excluded.row_count, stored_bytes = c.stored_bytes + excluded.stored_bytes,
        purged_revision = GREATEST(c.purged_revision, excluded.purged_revision)
    WHERE c.revision = {before}
    RETURNING c.revision
),
gone AS (
    DELETE FROM task t USING c, n JOIN target ON target.id = n.task
    WHERE t.user_id = n.owner AND t.id = n.task AND n.is_gone
    RETURNING t.id
),
created AS (
    INSERT INTO task (user_id, id, created_at, updated_at, revision, create_key, create_hash, uid{names})
    SELECT {user}, n.task, {moment}, {moment}, n.tick, n.key, n.digest, n.uid{values}
    FROM (SELECT count(*) FROM gone) AS cleared, c, n WHERE n.is_new
),
changed AS (
    UPDATE task t SET {sets}updated_at = {moment}, revision = n.tick
    FROM c, n JOIN target ON target.id = n.task
    WHERE t.user_id = n.owner AND t.id = n.task AND NOT n.is_gone
)
SELECT c.revision FROM c"#,
        user = parameter(1, "text"),
        before = parameter(2, "int8"),
        revision = parameter(3, "int8"),
        last_task_id = parameter(4, "int8"),
        task_count = parameter(5, "int8"),
        moment = parameter(6, "timestamptz"),
        changed = parameter(7, "int8"),
        more_rows = parameter(8, "int8"),
        more_bytes = parameter(9, "int8"),
        purged_revision = parameter(10, "int8"),
    )
    .into()
});

/// Writes, if the clock is still at this revision and each of the tasks is there. Otherwise nothing is written.
async fn write(
    connection: &mut PgConnection,
    before: &user_clock::Model,
    Writes {
        clock,
        rows,
        purged,
    }: Writes,
) -> Result<bool, DbErr> {
    let user_clock::Model {
        user_id,
        revision,
        last_task_id,
        task_count,
        updated_at,
        row_count,
        stored_bytes,
        purged_revision,
    } = clock;
    let (mut ids, mut are_new, mut are_gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut ticks = Vec::new();
    let (mut to_value, mut keys, mut digests, mut uids) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut values: Vec<Vec<Assignment>> = Vec::with_capacity(rows.len());
    for row in rows {
        let to = |(column, value)| (column, Set::To(value));
        let row_values: Vec<Assignment> = row.values.into_iter().map(to).collect();
        ids.push(row.id);
        are_new.push(row.new.is_some());
        are_gone.push(false);
        ticks.push(row.revision);
        to_value.push(marks(&row_values).to_value);
        let Once { key, uid, digest } = row.new.unwrap_or_default();
        keys.push(key);
        digests.push(digest);
        uids.push(uid);
        values.push(row_values);
    }
    for id in purged {
        ids.push(id);
        are_new.push(false);
        are_gone.push(true);
        ticks.push(0);
        to_value.push(0);
        keys.push(None);
        digests.push(None);
        uids.push(None);
        values.push(Vec::new());
    }
    let changed = are_new.iter().filter(|is_new| !**is_new).count();
    let values: Vec<&[Assignment]> = values.iter().map(|values| &**values).collect();
    let query = sqlx::query(AssertSqlSafe(WRITE.clone()))
        .bind(ids)
        .bind(are_new)
        .bind(are_gone)
        .bind(ticks)
        .bind(to_value)
        .bind(keys)
        .bind(digests)
        .bind(uids);
    let query = bind_columns(query, &values)?
        .bind(user_id)
        .bind(before.revision)
        .bind(revision)
        .bind(last_task_id)
        .bind(task_count)
        .bind(updated_at)
        .bind(i64::try_from(changed).unwrap_or(i64::MAX))
        .bind(row_count - before.row_count)
        .bind(stored_bytes - before.stored_bytes)
        .bind(purged_revision);
    Ok(!fetch(connection, query).await?.is_empty())
}
