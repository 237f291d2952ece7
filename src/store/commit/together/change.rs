//! Changing tasks of different users at once.

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use sea_orm::{
    ColumnTrait as _, DbErr, IdenStatic as _, QueryResult,
    sea_query::ColumnType,
    sqlx::{self, AssertSqlSafe, PgConnection},
};

use super::send;
use crate::store::{
    commit::{
        Count, Expected, Lone, What, Write,
        arrays::{Marks, WRITABLE, arrays, marks, new_value, text_of},
        size,
    },
    row::columns_of,
};

static CHANGE: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (new, parameters) = arrays(&[
        ("owner", "text[]"),
        ("task", "int8[]"),
        ("expected", "int8[]"),
        ("removed", "int8[]"),
        ("bytes", "int8[]"),
        ("to_value", "int4[]"),
        ("to_moment", "int4[]"),
        ("to_moment_if_null", "int4[]"),
        ("turned", "int4[]"),
    ]);
    let (mut sets, mut growth) = (String::new(), "n.bytes".to_owned());
    for (place, column) in WRITABLE.iter().enumerate() {
        let (name, value, bit) = (column.as_str(), new_value(*column), 1 << place);
        if size::counts(*column) {
            let replaced = text_of(size::length(*column, Some("t")));
            let _ = write!(
                growth,
                "\n        - CASE WHEN n.to_value & {bit} <> 0 THEN {replaced} ELSE 0 END"
            );
        }
        let _ = write!(
            sets,
            r#""{name}" = CASE WHEN n.to_value & {bit} <> 0 THEN {value}"#
        );
        if matches!(
            column.def().get_column_type(),
            ColumnType::TimestampWithTimeZone
        ) {
            let _ = write!(
                sets,
                r#" WHEN n.to_moment & {bit} <> 0 THEN c.updated_at
        WHEN n.to_moment_if_null & {bit} <> 0 THEN COALESCE(t."{name}", c.updated_at)
        WHEN n.turned & {bit} <> 0 THEN CASE WHEN t."{name}" IS NULL THEN c.updated_at END"#
            );
        }
        let _ = write!(sets, r#" ELSE t."{name}" END, "#);
    }
    format!(
        r#"WITH n AS MATERIALIZED (SELECT * FROM {new}),
target AS (
    SELECT n.owner, n.task, n.removed, {growth} AS growth
    FROM n JOIN task t ON t.user_id = n.owner AND t.id = n.task
    WHERE t.deleted_at IS NULL AND (n.expected IS NULL OR t.revision = n.expected)
    FOR UPDATE OF t SKIP LOCKED
),
locked AS (
    SELECT target.* FROM target JOIN user_clock c ON c.user_id = target.owner
    WHERE (removed = 0 OR c.row_count - c.task_count < ${tasks}::int8)
        AND (growth <= 0 OR c.stored_bytes + growth <= ${bytes}::int8)
    FOR UPDATE OF c SKIP LOCKED
),
c AS (
    UPDATE user_clock SET revision = revision + 1, task_count = task_count - locked.removed,
        stored_bytes = stored_bytes + locked.growth,
        updated_at = GREATEST(updated_at, ${now}::timestamptz)
    FROM locked WHERE user_clock.user_id = locked.owner
    RETURNING user_clock.user_id, locked.task, revision, updated_at
)
UPDATE task t SET {sets}updated_at = c.updated_at, revision = c.revision
FROM c JOIN n ON n.owner = c.user_id AND n.task = c.task
WHERE t.user_id = c.user_id AND t.id = c.task
RETURNING {row}, t.user_id"#,
        tasks = parameters + 1,
        bytes = parameters + 2,
        now = parameters + 3,
        row = columns_of("t"),
    )
    .into()
});

/// Changes tasks of different users.
pub(in crate::store::commit) async fn change(
    connection: &mut PgConnection,
    writes: &[Arc<Write>],
) -> Result<Vec<QueryResult>, DbErr> {
    let (mut owners, mut ids, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    let (mut removed, mut sizes) = (Vec::new(), Vec::new());
    let (mut rows, mut all_marks) = (Vec::new(), Vec::new());
    for write in writes {
        if let What::One(Lone::Change {
            id,
            state: _,
            expected,
            values,
            count,
        }) = &write.what
        {
            owners.push(write.user.as_str());
            ids.push(*id);
            versions.push(match expected {
                Expected::OneOf(versions) => versions.first().copied(),
                Expected::Any | Expected::NoneOf(_) | Expected::Nothing => None,
            });
            removed.push(i64::from(*count == Count::Less));
            sizes.push(size::written(values).map(|(_, bytes)| bytes).sum::<i64>());
            rows.push(&**values);
            all_marks.push(marks(values));
        }
    }
    let of = |bits: fn(&Marks) -> i32| all_marks.iter().map(bits).collect::<Vec<i32>>();
    let query = sqlx::query(AssertSqlSafe(CHANGE.clone()))
        .bind(owners)
        .bind(ids)
        .bind(versions)
        .bind(removed)
        .bind(sizes)
        .bind(of(|marks| marks.to_value))
        .bind(of(|marks| marks.to_moment))
        .bind(of(|marks| marks.to_moment_if_null))
        .bind(of(|marks| marks.turned));
    send(connection, query, &rows, writes).await
}
