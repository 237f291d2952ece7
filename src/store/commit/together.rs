//! Writes of many users in one statement of PostgreSQL.
//!
//! The statement locks what it writes with `SKIP LOCKED`, in the order in which a lone write does: the task, then the
//! clock. So it never waits, and is part of no deadlock. A write is left out if another transaction has its locks, if its
//! conditions or its user's limits do not hold, or if it is the first of its user; it then goes alone, and the lone
//! statement decides.
//!
//! The text is written by hand: sea-query knows no `unnest` of several arrays. The columns come from the entity. Each array
//! is passed through a sub-select: the planner would otherwise plan for the length of each array anew, and never keep a
//! plan.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, DbErr, IdenStatic as _, Iterable as _, QueryResult,
    sea_query::{ColumnType, Expr, PostgresQueryBuilder, Query as SelectQuery, Value},
    sqlx::{self, AssertSqlSafe, PgConnection, Postgres, postgres::PgArguments, query::Query},
};

use super::{Assignment, Count, Expected, Lone, Set, State, What, Write, size};
use crate::store::{
    UserLimits,
    engine::fetch,
    entity::task::Column as Task,
    row::{COLUMNS, columns_of},
};

/// The columns that a write can set. The others follow from the clock and the request.
pub(super) static WRITABLE: LazyLock<Vec<Task>> = LazyLock::new(|| {
    let own = |column: &Task| {
        matches!(
            column,
            Task::UserId
                | Task::Id
                | Task::CreateKey
                | Task::CreateHash
                | Task::Uid
                | Task::CreatedAt
                | Task::UpdatedAt
                | Task::Revision
        )
    };
    Task::iter().filter(|column| !own(column)).collect()
});

/// Whether a write can be part of a group. A creation with a key or a uid cannot: a unique index may make it wait.
pub(super) fn can_join(write: &Write) -> bool {
    match &write.what {
        What::One(Lone::Create { once, .. }) => !once.is_some(),
        What::One(Lone::Change {
            state,
            expected,
            count,
            ..
        }) => {
            let one_version = match expected {
                Expected::Any => true,
                Expected::OneOf(versions) => versions.len() == 1,
                Expected::NoneOf(_) | Expected::Nothing => false,
            };
            one_version
                && matches!(state, State::Live)
                && matches!(count, Count::Same | Count::Less)
        }
        What::Many(_) => false,
    }
}

/// What becomes of the columns of one row, as bits: column *n* of [`WRITABLE`] is bit *n*.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) to_value: i32,
    to_moment: i32,
    to_moment_if_null: i32,
    turned: i32,
}

/// The values of one column, one per row.
#[derive(Debug)]
enum Array {
    Text(Vec<Option<String>>),
    Small(Vec<Option<i16>>),
    Bool(Vec<Option<bool>>),
    Time(Vec<Option<DateTime<Utc>>>),
}

impl Array {
    fn of(column: Task, rows: usize) -> Self {
        match column.def().get_column_type() {
            ColumnType::SmallInteger => Self::Small(Vec::with_capacity(rows)),
            ColumnType::Boolean => Self::Bool(Vec::with_capacity(rows)),
            ColumnType::TimestampWithTimeZone => Self::Time(Vec::with_capacity(rows)),
            _ => Self::Text(Vec::with_capacity(rows)),
        }
    }

    /// Adds the value of a row, or null.
    fn push(&mut self, value: Option<&Value>) -> Result<(), DbErr> {
        match (self, value) {
            (Self::Text(all), None) => all.push(None),
            (Self::Text(all), Some(Value::String(value))) => all.push(value.clone()),
            (Self::Text(all), Some(Value::Json(value))) => {
                all.push(value.as_ref().map(ToString::to_string));
            }
            (Self::Small(all), None) => all.push(None),
            (Self::Small(all), Some(Value::SmallInt(value))) => all.push(*value),
            (Self::Bool(all), None) => all.push(None),
            (Self::Bool(all), Some(Value::Bool(value))) => all.push(*value),
            (Self::Time(all), None) => all.push(None),
            (Self::Time(all), Some(Value::ChronoDateTimeUtc(value))) => all.push(*value),
            (_, Some(value)) => {
                return Err(DbErr::Custom(format!("no array for {value:?}")));
            }
        }
        Ok(())
    }

    /// Its type. JSON travels as text.
    fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text[]",
            Self::Small(_) => "int2[]",
            Self::Bool(_) => "bool[]",
            Self::Time(_) => "timestamptz[]",
        }
    }

    fn bind(self, query: PgQuery<'_>) -> PgQuery<'_> {
        match self {
            Self::Text(values) => query.bind(values),
            Self::Small(values) => query.bind(values),
            Self::Bool(values) => query.bind(values),
            Self::Time(values) => query.bind(values),
        }
    }
}

pub(super) type PgQuery<'q> = Query<'q, Postgres, PgArguments>;

/// A value of the arrays as the column wants it.
pub(super) fn new_value(column: Task) -> String {
    let name = column.as_str();
    match column.def().get_column_type() {
        ColumnType::Json => format!(r#"n."{name}"::json"#),
        _ => format!(r#"n."{name}""#),
    }
}

/// `FROM unnest(…) AS n(…)` of some arrays and of those of the columns, with the number of parameters.
pub(super) fn arrays(own: &[(&'static str, &'static str)]) -> (String, usize) {
    let columns = WRITABLE
        .iter()
        .map(|c| (c.as_str(), Array::of(*c, 0).type_name()));
    let all: Vec<_> = own.iter().copied().chain(columns).collect();
    let (mut values, mut names) = (Vec::new(), Vec::new());
    for (index, (name, kind)) in (1..).zip(&all) {
        values.push(format!("(SELECT ${index}::{kind})"));
        names.push(format!(r#""{name}""#));
    }
    let text = format!("unnest({}) AS n({})", values.join(", "), names.join(", "));
    (text, all.len())
}

/// Binds the columns of the rows that are written.
pub(super) fn bind_columns<'q>(
    mut query: PgQuery<'q>,
    rows: &[&[Assignment]],
) -> Result<PgQuery<'q>, DbErr> {
    for column in WRITABLE.iter().copied() {
        let mut array = Array::of(column, rows.len());
        for row in rows {
            let value = row.iter().find_map(|(name, set)| match set {
                Set::To(value) if name.as_str() == column.as_str() => Some(value),
                _ => None,
            });
            array.push(value)?;
        }
        query = array.bind(query);
    }
    Ok(query)
}

pub(super) fn marks(values: &[Assignment]) -> Marks {
    let mut marks = Marks::default();
    for (column, set) in values {
        let place = WRITABLE.iter().position(|c| c.as_str() == column.as_str());
        let bit = place.map_or(0, |place| 1 << place);
        match set {
            Set::To(_) => marks.to_value |= bit,
            Set::Moment => marks.to_moment |= bit,
            Set::MomentIfNull => marks.to_moment_if_null |= bit,
            Set::Turned => marks.turned |= bit,
        }
    }
    marks
}

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

/// An expression as PostgreSQL reads it.
pub(super) fn text_of(expr: Expr) -> String {
    let select = SelectQuery::select()
        .expr(expr)
        .to_string(PostgresQueryBuilder);
    select.trim_start_matches("SELECT ").to_owned()
}

/// The limits, which are the same for all of them: live tasks, tombstones, and bytes.
fn limits(writes: &[Arc<Write>]) -> (i64, i64) {
    let limits = writes.first().map(|write| write.limits);
    let UserLimits { tasks, bytes } = limits.unwrap_or(UserLimits {
        tasks: 0,
        bytes: Some(0),
    });
    (tasks, bytes.unwrap_or(i64::MAX))
}

/// What time it is for all of them.
fn now(writes: &[Arc<Write>]) -> Option<DateTime<Utc>> {
    writes.iter().map(|write| write.now).max()
}

/// Creates tasks of different users.
pub(super) async fn create(
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
    let (tasks, bytes) = limits(writes);
    let to_moment: Vec<i32> = rows.iter().map(|row| marks(row).to_moment).collect();
    let query = sqlx::query(AssertSqlSafe(CREATE.clone()))
        .bind(owners)
        .bind(sizes)
        .bind(to_moment);
    let query = bind_columns(query, &rows)?
        .bind(tasks)
        .bind(bytes)
        .bind(now(writes));
    fetch(connection, query).await
}

/// Changes tasks of different users.
pub(super) async fn change(
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
    let (tasks, bytes) = limits(writes);
    let query = bind_columns(query, &rows)?
        .bind(tasks)
        .bind(bytes)
        .bind(now(writes));
    fetch(connection, query).await
}

/// Gives each write the row of its user, of whom there is one write in a group. `None` for those that were left out.
pub(super) fn hand_back(
    writes: &[Arc<Write>],
    rows: Vec<QueryResult>,
) -> Result<Vec<Option<Option<QueryResult>>>, DbErr> {
    let mut by_user = HashMap::with_capacity(rows.len());
    for row in rows {
        let user: String = row.try_get_by_index(COLUMNS.len())?;
        by_user.insert(user, row);
    }
    let answers: Result<Vec<_>, DbErr> = writes
        .iter()
        .map(|write| {
            let row = by_user.remove(write.user.as_str());
            if let (Some(row), What::One(Lone::Change { id, .. })) = (&row, &write.what)
                && row.try_get_by_index::<i64>(0)? != *id
            {
                return Err(DbErr::Custom("a group wrote another task".to_owned()));
            }
            Ok(row.map(Some))
        })
        .collect();
    match by_user.is_empty() {
        true => answers,
        false => Err(DbErr::Custom("a group wrote for another user".to_owned())),
    }
}
