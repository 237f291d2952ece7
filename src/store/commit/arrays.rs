//! Rows as arrays: how the values of many rows go to one statement of PostgreSQL.
//!
//! The statements are written by hand: sea-query knows no `unnest` of several arrays. The columns come from the entity. Each
//! array is passed through a sub-select: the planner would otherwise plan for the length of each array anew, and never keep
//! a plan.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, DbErr, IdenStatic as _, Iterable as _,
    sea_query::{ColumnType, Expr, PostgresQueryBuilder, Query as SelectQuery, Value},
    sqlx::{Postgres, postgres::PgArguments, query::Query},
};

use super::{Assignment, Set};
use crate::store::entity::task::Column as Task;

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

/// What becomes of the columns of one row, as bits: column *n* of [`WRITABLE`] is bit *n*.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) to_value: i32,
    pub(super) to_moment: i32,
    pub(super) to_moment_if_null: i32,
    pub(super) turned: i32,
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

/// An expression as PostgreSQL reads it.
pub(super) fn text_of(expr: Expr) -> String {
    let select = SelectQuery::select()
        .expr(expr)
        .to_string(PostgresQueryBuilder);
    select.trim_start_matches("SELECT ").to_owned()
}
