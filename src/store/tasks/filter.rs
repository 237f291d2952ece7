//! Which tasks a list has.

use chrono::{DateTime, Datelike as _, Utc};
use sea_orm::{
    DbBackend, ExprTrait as _,
    sea_query::{Alias, Condition, Expr, Func, Query, SelectStatement},
};

use super::{
    Tasks,
    query::{DueBound, Filter},
};
use crate::{
    contract::DueFilter,
    store::{
        entity::{task, task::Column as Task},
        row::rank,
    },
    unicode::{fold, is_visible, search_key},
};

impl<A> Tasks<A> {
    /// The user's tasks that a filter lets through.
    pub(super) fn matching(&self, filter: &Filter) -> SelectStatement {
        Query::select()
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::DeletedAt).is_null())
            .cond_where(matching(self.store.engine.backend(), filter))
            .to_owned()
    }
}

fn matching(backend: DbBackend, filter: &Filter) -> Condition {
    let Filter {
        completed,
        priority,
        tag,
        due,
        due_before,
        due_after,
        q,
        changed_since,
    } = filter;
    let changed = changed_since.map(|since| Expr::col(Task::Revision).gt(since.get()));
    let done = completed.map(|done| {
        let at = Expr::col(Task::CompletedAt);
        if done { at.is_not_null() } else { at.is_null() }
    });
    let tag = tag.as_ref().map(|tag| {
        contains(
            backend,
            Task::TagsFold,
            &format!("\n{}\n", fold(tag.as_str())),
        )
    });
    let due = due.map(|due| {
        let at = Expr::col(Task::DueAt);
        match due {
            DueFilter::None => at.is_null(),
            DueFilter::Any => at.is_not_null(),
        }
    });
    // Whoever has typed nothing yet, or nothing that can be seen, sees all tasks.
    let text = q.as_ref().filter(|q| q.as_str().chars().any(is_visible));
    let text = text.map(|q| match search_key(q.as_str()) {
        // Only accents: nothing has those in its key.
        key if key.is_empty() => Expr::val(false),
        key => contains(backend, Task::TitleFold, &key).or(contains(
            backend,
            Task::DescriptionFold,
            &key,
        )),
    });
    Condition::all()
        .add_option(done)
        .add_option(priority.map(|p| Expr::col(Task::Priority).eq(rank(p))))
        .add_option(tag)
        .add_option(due)
        .add_option(due_before.map(due_before_bound))
        .add_option(due_after.map(due_after_bound))
        .add_option(text)
        .add_option(changed)
}

/// The last year that is stored. On SQLite, where times are texts, a later one would sort before all.
const LAST_YEAR: i32 = 9999;

/// Whether a task is due before a bound.
pub(super) fn due_before_bound(bound: DueBound) -> Expr {
    due(bound, true)
}

/// Whether a task is due at a bound or after it.
pub(super) fn due_after_bound(bound: DueBound) -> Expr {
    due(bound, false)
}

fn due(bound: DueBound, before: bool) -> Expr {
    let compare = |limit: DateTime<Utc>| {
        let at = Expr::col(Task::DueAt);
        match (before, limit.year() > LAST_YEAR) {
            (true, false) => at.lt(limit),
            (false, false) => at.gte(limit),
            (true, true) => at.is_not_null(),
            (false, true) => Expr::val(false),
        }
    };
    let (day, instant) = bound.instants();
    if day == instant {
        return compare(day);
    }
    let is_date = || Expr::col(Task::DueIsDate);
    let days = is_date().eq(true).and(compare(day));
    days.or(is_date().eq(false).and(compare(instant)))
}

/// Whether a column contains a text. Not by LIKE, which tries a pattern at each place character by
/// character: one user's long texts could keep the database busy for minutes.
fn contains(backend: DbBackend, column: Task, text: &str) -> Expr {
    let position = match backend {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    let found = Func::cust(Alias::new(position)).args([Expr::col(column), text.into()]);
    Expr::from(found).gt(0)
}
