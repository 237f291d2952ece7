//! What a row counts in bytes, for the limit on what a user stores.
//!
//! All that grows with what a client sends counts: the texts as they were sent, what is derived from them for search, the
//! Idempotency-Key and the uid. A constant stands for the rest. New values are measured here. What a change replaces is
//! measured by the database, since only it knows the row for which the change has the lock. For a plan it measures the
//! columns of each row that the plan is shown.

use sea_orm::{
    ColumnTrait as _, DbErr, ExprTrait as _, IdenStatic as _, Iterable as _, QueryResult,
    sea_query::{Alias, Expr, Func, Value},
};

use super::{Assignment, Once, Set};
use crate::store::entity::{task, task::Column as Task};

/// What a row counts beside its texts: ids, times, and its entries in the indexes.
const ROW: i64 = 256;

/// How often the length of a column counts. JSON has other spaces when it comes to PostgreSQL on other ways, so the folded
/// tags count for the tags, too.
fn times(column: Task) -> i64 {
    match column {
        Task::Title | Task::TitleFold | Task::Description | Task::DescriptionFold => 1,
        Task::CreateKey | Task::CreateHash | Task::Uid => 1,
        Task::TagsFold => 2,
        _ => 0,
    }
}

/// Whether the length of a column counts.
pub(super) fn counts(column: Task) -> bool {
    times(column) > 0
}

/// The columns whose length counts.
fn columns() -> impl Iterator<Item = Task> {
    Task::iter().filter(|column| counts(*column))
}

/// What a row counts, over its columns.
pub(in crate::store) fn row_bytes() -> Expr {
    columns().fold(Expr::val(ROW), |sum, column| sum.add(length(column, None)))
}

/// The bytes of a column that counts, over the row that has it. `table`: its name in the statement.
pub(super) fn length(column: Task, table: Option<&'static str>) -> Expr {
    let name = match table {
        Some(table) => Expr::col((Alias::new(table), column)),
        None => Expr::col((task::Entity, column)),
    };
    let length = Func::cust("octet_length").arg(name);
    let length: Expr = match column.def().is_null() {
        true => Func::coalesce([length.into(), Expr::val(0)]).into(),
        false => length.into(),
    };
    match times(column) {
        1 => length,
        times => length.mul(times),
    }
}

/// What a new row counts.
pub(in crate::store) fn of_new(values: &[Assignment], once: &Once) -> i64 {
    Sizes::of_new(values, once).total()
}

/// By how many bytes a row grows with new values, over the row as it is; `None` if they have no length that counts.
pub(in crate::store) fn growth(values: &[Assignment]) -> Option<Expr> {
    let (columns, bytes): (Vec<_>, Vec<_>) = written(values).unzip();
    let replaced = columns.into_iter().map(|column| length(column, None));
    let replaced = replaced.reduce(sea_orm::ExprTrait::add)?;
    Some(Expr::val(bytes.into_iter().sum::<i64>()).sub(replaced))
}

/// The columns that count among those that are written, and the bytes that they get.
pub(super) fn written(values: &[Assignment]) -> impl Iterator<Item = (Task, i64)> {
    values.iter().filter_map(|(column, set)| match set {
        Set::To(Value::String(text)) if counts(*column) => {
            let bytes = text.as_deref().map_or(0, count);
            Some((*column, times(*column) * bytes))
        }
        _ => None,
    })
}

/// The bytes of new values, with what is derived from them.
pub(in crate::store) fn written_bytes(values: &[Assignment]) -> i64 {
    written(values).map(|(_, bytes)| bytes).sum()
}

fn count(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// What each column of one row counts.
#[derive(Debug, Clone)]
pub(in crate::store) struct Sizes(Vec<(Task, i64)>);

impl Sizes {
    /// What is to be read of a row. `table`: its name in the statement.
    pub(super) fn exprs(table: Option<&'static str>) -> impl Iterator<Item = Expr> {
        // On PostgreSQL a length is a shorter integer.
        columns().map(move |column| length(column, table).cast_as("bigint"))
    }

    /// Reads them from an index on.
    pub(super) fn read(row: &QueryResult, first: usize) -> Result<Self, DbErr> {
        let sizes = (first..).zip(columns());
        sizes
            .map(|(index, column)| Ok((column, row.try_get_by_index(index)?)))
            .collect::<Result<_, DbErr>>()
            .map(Self)
    }

    pub(in crate::store) fn of_new(values: &[Assignment], once: &Once) -> Self {
        let once = once.columns();
        Self(written(values).chain(written(&once)).collect())
    }

    /// What the row counts.
    pub(in crate::store) fn total(&self) -> i64 {
        ROW + self.0.iter().map(|(_, bytes)| bytes).sum::<i64>()
    }

    /// By how many bytes the row grows with new values.
    pub(in crate::store) fn growth(&self, values: &[Assignment]) -> i64 {
        let growths = written(values).map(|(column, bytes)| bytes - self.of(column));
        growths.sum()
    }

    /// Sets new values.
    pub(in crate::store) fn set(&mut self, values: &[Assignment]) {
        for (column, bytes) in written(values) {
            self.0.retain(|(other, _)| !is_same(*other, column));
            self.0.push((column, bytes));
        }
    }

    fn of(&self, column: Task) -> i64 {
        let found = self.0.iter().find(|(other, _)| is_same(*other, column));
        found.map_or(0, |(_, bytes)| *bytes)
    }
}

fn is_same(one: Task, other: Task) -> bool {
    one.as_str() == other.as_str()
}
