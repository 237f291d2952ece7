//! Creating tasks of different users at once.

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
        Lone, What, Write,
        arrays::{WRITABLE, arrays, marks, new_value},
        size,
    },
    row::columns_of,
};

static CREATE: LazyLock<Arc<str>> = LazyLock::new(|| {
    let (new, parameters) = arrays(&[
        ("owner", "text[]"),
        ("bytes", "int8[]"),
        ("to_moment", "int4[]"),
    ]);
    let (mut names, mut values) = (String::new(), String::new());
    for (place, column) in WRITABLE.iter().enumerate() {
        let _ = write!(names, r#", "{}""#, column.as_str());
        let value = new_value(*column);
        let _ = match column.def().get_column_type() {
            ColumnType::TimestampWithTimeZone => write!(
                values,
                ", CASE WHEN n.to_moment & {} <> 0 THEN c.updated_at ELSE {value} END",
                1 << place
            ),
            _ => write!(values, ", {value}"),
        };
    }
    format!(
        r#"WITH n AS MATERIALIZED (SELECT * FROM {new}),
locked AS (
    SELECT c.user_id, n.bytes FROM n JOIN user_clock c ON c.user_id = n.owner
    WHERE c.task_count < ${tasks}::int8 AND c.stored_bytes + n.bytes <= ${bytes}::int8 FOR UPDATE OF c SKIP LOCKED
),
c AS (
    UPDATE user_clock SET revision = revision + 1, last_task_id = last_task_id + 1, task_count = task_count + 1,
        row_count = row_count + 1, stored_bytes = stored_bytes + locked.bytes,
        updated_at = GREATEST(updated_at, ${now}::timestamptz)
    FROM locked WHERE user_clock.user_id = locked.user_id
    RETURNING user_clock.user_id, revision, last_task_id, updated_at
)
INSERT INTO task (user_id, id, created_at, updated_at, revision{names})
SELECT c.user_id, c.last_task_id, c.updated_at, c.updated_at, c.revision{values}
FROM c JOIN n ON n.owner = c.user_id
RETURNING {row}, task.user_id"#,
        tasks = parameters + 1,
        bytes = parameters + 2,
        now = parameters + 3,
        row = columns_of("task"),
    )
    .into()
});

/// Creates tasks of different users.
pub(in crate::store::commit) async fn create(
    connection: &mut PgConnection,
    writes: &[Arc<Write>],
) -> Result<Vec<QueryResult>, DbErr> {
    let (mut owners, mut rows, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for write in writes {
        if let What::One(Lone::Create { values, once }) = &write.what {
            owners.push(write.user.as_str());
            sizes.push(size::of_new(values, once));
            rows.push(&**values);
        }
    }
    let to_moment: Vec<i32> = rows.iter().map(|row| marks(row).to_moment).collect();
    let query = sqlx::query(AssertSqlSafe(CREATE.clone()))
        .bind(owners)
        .bind(sizes)
        .bind(to_moment);
    send(connection, query, &rows, writes).await
}
