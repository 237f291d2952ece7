//! The orders in which a list can be read, and how each is continued after a task.

use std::cmp;

use sea_orm::{
    ExprTrait,
    sea_query::{Alias, Condition, Expr, NullOrdering, Order, SelectStatement},
};

use super::{
    cursor::{Position, SortKey},
    local_order::instant_of,
};
use crate::contract::{self, Sort, TimeZone};
use crate::store::{StoreError, entity::task::Column as Task, row::rank};

/// An order in which a list can be read, and continued after a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordering {
    column: Task,
    descending: bool,
    /// Where days begin; only in the order by due date.
    time_zone: Option<TimeZone>,
}

impl Ordering {
    pub(super) fn of(sort: Sort, time_zone: Option<TimeZone>) -> Self {
        let (column, descending) = match sort {
            // Ids are given in the order of creation and revisions in that of change, and both have an
            // index with the user.
            Sort::Created => (Task::Id, false),
            Sort::CreatedDesc => (Task::Id, true),
            Sort::Updated => (Task::Revision, false),
            Sort::UpdatedDesc => (Task::Revision, true),
            Sort::Due => (Task::DueAt, false),
            Sort::DueDesc => (Task::DueAt, true),
            Sort::Priority => (Task::Priority, false),
            Sort::PriorityDesc => (Task::Priority, true),
            Sort::Title => (Task::TitleFold, false),
            Sort::TitleDesc => (Task::TitleFold, true),
        };
        Self {
            column,
            descending,
            time_zone: time_zone.filter(|_| matches!(column, Task::DueAt)),
        }
    }

    /// Where days begin, in the order by due date.
    pub(super) fn time_zone(self) -> Option<TimeZone> {
        self.time_zone
    }

    pub(super) fn is_descending(self) -> bool {
        self.descending
    }

    pub(super) fn by_title(self) -> bool {
        matches!(self.column, Task::TitleFold)
    }

    fn by_due_date(self) -> bool {
        matches!(self.column, Task::DueAt)
    }

    /// Whether the column alone orders all tasks of a user.
    fn is_unique(self) -> bool {
        matches!(self.column, Task::Id | Task::Revision)
    }

    pub(super) fn apply(self, select: &mut SelectStatement, table: Option<&'static str>) {
        let order = if self.descending {
            Order::Desc
        } else {
            Order::Asc
        };
        let column = |column: Task| match table {
            Some(table) => Expr::col((Alias::new(table), column)),
            None => Expr::col(column),
        };
        if self.by_due_date() {
            let due_at = self.due_at(column);
            select.order_by_expr_with_nulls(due_at, order.clone(), NullOrdering::Last);
        } else {
            select.order_by_expr(column(self.column), order.clone());
        }
        if !self.is_unique() {
            select.order_by_expr(column(Task::Id), order);
        }
    }

    /// The place after a task. `title_fold` is its column, which is read in the orders by title only.
    pub(super) fn position(self, task: &contract::Task, title_fold: Option<String>) -> Position {
        let key = match self.column {
            Task::Revision => SortKey::Number(task.version.get()),
            Task::DueAt => match task.due_date.0 {
                Some(due) => SortKey::Number(due.instant_in(self.time_zone).timestamp_micros()),
                None => SortKey::Null(()),
            },
            Task::Priority => SortKey::Number(rank(task.priority).into()),
            Task::TitleFold => SortKey::Text(title_fold.unwrap_or_default()),
            _ => SortKey::Number(task.id.get()),
        };
        Position {
            key,
            id: task.id.get(),
        }
    }

    /// Which of two positions comes first.
    pub(super) fn compare(self, one: &Position, other: &Position) -> cmp::Ordering {
        let by_key = match (&one.key, &other.key) {
            (SortKey::Number(one), SortKey::Number(other)) => one.cmp(other),
            // Byte by byte, as the databases compare.
            (SortKey::Text(one), SortKey::Text(other)) => one.cmp(other),
            // Tasks without a due date come last in both directions.
            (SortKey::Null(()), SortKey::Null(())) => cmp::Ordering::Equal,
            (SortKey::Null(()), _) => return cmp::Ordering::Greater,
            (_, SortKey::Null(())) => return cmp::Ordering::Less,
            (SortKey::Number(_), SortKey::Text(_)) | (SortKey::Text(_), SortKey::Number(_)) => {
                cmp::Ordering::Equal
            }
        };
        let order = by_key.then(one.id.cmp(&other.id));
        match self.descending {
            true => order.reverse(),
            false => order,
        }
    }

    /// The tasks after a position. The comparison of rows is one that an index can answer.
    pub(super) fn after(self, position: &Position) -> Result<Condition, StoreError> {
        let key = match (&position.key, self.column) {
            (SortKey::Null(()), Task::DueAt) => None,
            (SortKey::Number(micros), Task::DueAt) => Some(Expr::val(instant_of(*micros)?)),
            (SortKey::Text(title), Task::TitleFold) => Some(Expr::val(title.as_str())),
            (SortKey::Number(rank), Task::Priority) => Some(Expr::val(
                i16::try_from(*rank).map_err(|_| StoreError::BadCursor)?,
            )),
            (SortKey::Number(number), Task::Id | Task::Revision) => Some(Expr::val(*number)),
            _ => return Err(StoreError::BadCursor),
        };
        let beyond = |left: Expr, right: Expr| {
            if self.descending {
                left.lt(right)
            } else {
                left.gt(right)
            }
        };
        let id = || Expr::col(Task::Id);
        Ok(match key {
            Some(key) if self.is_unique() => {
                Condition::all().add(beyond(Expr::col(self.column), key))
            }
            Some(key) => {
                let column = match self.column {
                    Task::DueAt => self.due_at(Expr::col),
                    column => Expr::col(column),
                };
                let row = Expr::tuple([column, id()]);
                let rest = beyond(row, Expr::tuple([key, position.id.into()]));
                // Tasks without a due date come after all that have one.
                let nulls = (self.by_due_date()).then(|| Expr::col(Task::DueAt).is_null());
                Condition::any().add(rest).add_option(nulls)
            }
            None => Condition::all()
                .add(Expr::col(Task::DueAt).is_null())
                .add(beyond(id(), position.id.into())),
        })
    }
}
