//! What a plan writes.

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use sea_orm::{
    DbErr, IdenStatic as _,
    sqlx::{self, AssertSqlSafe, PgConnection},
};

use super::Writes;
use crate::store::{
    commit::{
        Assignment, Once, Set,
        arrays::{WRITABLE, arrays, bind_columns, marks, new_value},
    },
    engine::fetch,
    entity::user_clock,
};

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
    SELECT {user}, {revision}, {last_task_id}, {more_tasks}, {moment}, {more_rows}, {more_bytes}, {purged_revision}
    FROM (SELECT count(*) AS tasks FROM target) AS targets, (SELECT count(*) FROM mine) AS locked
    WHERE targets.tasks = {changed}
    ON CONFLICT (user_id) DO UPDATE SET revision = excluded.revision, last_task_id = excluded.last_task_id,
        task_count = c.task_count + excluded.task_count, updated_at = excluded.updated_at,
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
        more_tasks = parameter(5, "int8"),
        moment = parameter(6, "timestamptz"),
        changed = parameter(7, "int8"),
        more_rows = parameter(8, "int8"),
        more_bytes = parameter(9, "int8"),
        purged_revision = parameter(10, "int8"),
    )
    .into()
});

/// Writes, if the clock is still at this revision and each of the tasks is there. Otherwise nothing is written.
pub(super) async fn write(
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
        // An erasure moves the revision, and then nothing is written.
        erased_revision: _,
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
        .bind(task_count - before.task_count)
        .bind(updated_at)
        .bind(i64::try_from(changed).unwrap_or(i64::MAX))
        .bind(row_count - before.row_count)
        .bind(stored_bytes - before.stored_bytes)
        .bind(purged_revision);
    Ok(!fetch(connection, query).await?.is_empty())
}
