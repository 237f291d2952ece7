//! The order by due date in a time zone.
//!
//! A task that is due on a day is sorted by the first instant of that day in the zone. The databases know the day
//! only: SQLite has no time zones, and those of PostgreSQL may be others than the server's. But days begin in the
//! order of their dates, so the all-day tasks have one order in every zone. They are read as one list, the other
//! tasks as a second one, each continued by keyset, and the two are merged here.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use sea_orm::{ExprTrait, sea_query::Expr};

use super::{
    cursor::{Position, SortKey},
    order::Ordering,
};
use crate::contract::{DueDate, Task as TaskOnTheWire, TimeZone};
use crate::store::{StoreError, entity::task::Column as Task};

impl Ordering {
    /// The column of due dates, for sorting and comparing. A day that the zone left out begins with the next day, so it
    /// counts as that one.
    pub(super) fn due_at(self, column: impl Fn(Task) -> Expr) -> Expr {
        let Some(skipped) = self.time_zone().and_then(TimeZone::skipped_day) else {
            return column(Task::DueAt);
        };
        let is_skipped = column(Task::DueIsDate)
            .eq(true)
            .and(column(Task::DueAt).eq(midnight(skipped)));
        Expr::case(is_skipped, midnight(skipped + Days::new(1)))
            .finally(column(Task::DueAt))
            .into()
    }

    /// Merges two sorted lists that stand one after the other. Lists in other orders come as one, and stay as they are.
    pub(super) fn merge(self, tasks: &mut [TaskOnTheWire]) {
        if self.time_zone().is_none() {
            return;
        }
        tasks.sort_by_cached_key(|task| {
            let due = task.due_date.0.map(|due| due.instant_in(self.time_zone()));
            let (micros, id) = (due.map(|due| due.timestamp_micros()), task.id.get());
            let (micros, id) = match self.is_descending() {
                true => (micros.map(|micros| -micros), -id),
                false => (micros, id),
            };
            // Tasks without a due date come last either way.
            (micros.is_none(), micros, id)
        });
    }

    /// The place of a position among the all-day tasks, by the midnights in UTC that are stored for their days.
    pub(super) fn position_of_days(
        self,
        position: &Position,
        zone: TimeZone,
    ) -> Result<Position, StoreError> {
        let SortKey::Number(micros) = position.key else {
            return Ok(position.clone());
        };
        let at = instant_of(micros)?;
        let (day, id_before_all) = match self.is_descending() {
            // The last day that begins at the instant or before it.
            true => {
                let after = zone.first_day_from(at + TimeDelta::microseconds(1));
                (after - Days::new(1), i64::MAX)
            }
            // The first day that begins at the instant or after it, and is sorted by its own date.
            false => match zone.first_day_from(at) {
                day if zone.skipped_day() == Some(day) => (day + Days::new(1), 0),
                day => (day, 0),
            },
        };
        let is_none_left = match self.is_descending() {
            true => day.year() < 0,
            false => day.year() > 9999,
        };
        if is_none_left {
            return Ok(Position {
                key: SortKey::Null(()),
                id: 0,
            });
        }
        // East of Greenwich, the last instants are in a day after the last day that there can be.
        let day = NaiveDate::from_ymd_opt(9999, 12, 31).map_or(day, |last| Ord::min(day, last));
        let begins_then = zone.first_instant(day) == at;
        Ok(Position {
            key: SortKey::Number(midnight(day).timestamp_micros()),
            id: if begins_then {
                position.id
            } else {
                id_before_all
            },
        })
    }
}

/// The midnight in UTC that is stored for a day.
fn midnight(day: NaiveDate) -> DateTime<Utc> {
    DueDate::Date(day).instant()
}

/// The instant in a cursor. In a zone the first day of year 1 can begin in year 0; PostgreSQL fails on years that
/// chrono knows and it does not, and SQLite sorts later ones before all.
pub(super) fn instant_of(micros: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(micros)
        .filter(|at| (0..=9999).contains(&at.year()))
        .ok_or(StoreError::BadCursor)
}
