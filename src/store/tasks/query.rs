//! What a list is asked for: filters, order, page.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::{
    contract::{
        CursorText, DueDate, DueFilter, PageLimit, Priority, Revision, SearchText, Sort, Tag,
        TimeZone, Timestamp,
    },
    unicode::search_key,
};

/// What due dates are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DueBound {
    /// An instant; a date counts as its midnight in UTC.
    Utc(DueDate),
    /// In a time zone: dates are compared with the day, times with the instant.
    Local {
        /// The day.
        day: NaiveDate,
        /// The instant.
        at: Timestamp,
    },
    /// The same for the present. A list up to it stays the same list while time goes on.
    Present {
        /// The day that it is.
        today: NaiveDate,
        /// The instant that it is.
        #[serde(skip)]
        now: Timestamp,
    },
}

impl DueBound {
    /// A date or a time, in a time zone if there is one: a date is its first instant there, and a task that is due
    /// on a day is compared by the first instant of that day.
    pub fn new(due: DueDate, zone: Option<TimeZone>) -> Self {
        let Some(zone) = zone else {
            return Self::Utc(due);
        };
        let at = due.instant_in(Some(zone));
        Self::Local {
            day: zone.first_day_from(at),
            at: Timestamp::new(at),
        }
    }

    /// What dates are compared with (as their midnights in UTC, which is how they are stored), and what
    /// times are.
    pub fn instants(self) -> (DateTime<Utc>, DateTime<Utc>) {
        match self {
            Self::Utc(due) => (due.instant(), due.instant()),
            Self::Local { day, at } => (DueDate::Date(day).instant(), at.get()),
            Self::Present { today, now } => (DueDate::Date(today).instant(), now.get()),
        }
    }
}

/// Which tasks are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Done, or not done.
    pub completed: Option<bool>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// With this tag, ignoring case.
    pub tag: Option<Tag>,
    /// With a due date, or without one.
    pub due: Option<DueFilter>,
    /// Due before this, exclusive.
    pub due_before: Option<DueBound>,
    /// Due at this or later, inclusive.
    pub due_after: Option<DueBound>,
    /// With this text in the title or the description, compared by their search keys.
    pub q: Option<SearchText>,
    /// Changed after this revision.
    pub changed_since: Option<Revision>,
}

/// A page that is asked for.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which tasks.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Where the days of due dates begin, for the order by due date. `None`: at midnight in UTC.
    pub time_zone: Option<TimeZone>,
    /// How many at most.
    pub limit: PageLimit,
    /// The `next_cursor` of the page before.
    pub cursor: Option<CursorText>,
}

impl ListQuery {
    /// Whether it asks for the first page of a list without a filter, in an order that every time zone has.
    pub(super) fn is_plain(&self) -> bool {
        let zone_matters = matches!(self.sort, Sort::Due | Sort::DueDesc);
        self.cursor.is_none()
            && self.filter == Filter::default()
            && !(zone_matters && self.time_zone.is_some())
    }
}

impl Filter {
    /// What a search compares at most with each byte of the texts, in bytes; `None` if nothing is searched for.
    pub(super) fn search(&self) -> Option<u64> {
        let text = self.q.as_ref()?;
        Some(search_key(text.as_str()).len() as u64)
    }
}

/// Whether a list is found by looking through all rows of the user: there are indexes of ids and of revisions.
pub(super) fn scans(filter: &Filter, sort: Sort) -> bool {
    let has_index = matches!(
        sort,
        Sort::Created | Sort::CreatedDesc | Sort::Updated | Sort::UpdatedDesc
    );
    *filter != Filter::default() || !has_index
}
