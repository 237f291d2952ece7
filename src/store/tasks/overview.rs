//! How many tasks there are of which kind.

use sea_orm::{
    DbBackend, ExprTrait,
    sea_query::{Alias, Condition, Expr, Func, IntoCondition, Order, Query, SelectStatement},
};

use super::{
    Tasks,
    filter::{due_after_bound, due_before_bound},
    query::DueBound,
};
use crate::store::{
    StoreError, Work,
    entity::{task, task::Column as Task},
    kind::CanRead,
    row::rank,
};
use crate::{contract::Priority, unicode::fold};

/// Where the periods begin whose open tasks are counted, in a time zone.
#[derive(Debug, Clone, Copy)]
pub struct Periods {
    /// Now: what was due before is overdue.
    pub now: DueBound,
    /// Tomorrow: what is due before, and not overdue, is due today.
    pub tomorrow: DueBound,
    /// The end of the days that come after today.
    pub end: DueBound,
}

/// How many tasks a user has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Not done.
    pub open: i64,
    /// Done.
    pub done: i64,
    /// Open, and due before now.
    pub overdue: i64,
    /// Open, due today, and not overdue.
    pub today: i64,
    /// Open, and due after today, before the end.
    pub soon: i64,
    /// Open, by priority: low, medium, high.
    pub by_priority: [i64; 3],
    /// The most frequent tags of open tasks, in their most frequent spelling, and how many have each.
    pub tags: Vec<(String, i64)>,
}

/// What finding the most frequent tags takes for each byte, in comparisons.
const SORTING: u64 = 200;
/// How many tags are told.
const TAGS: usize = 10;
/// How many spellings are looked at: those that differ in case only are one tag.
const SPELLINGS: u64 = 100;

impl<A: CanRead> Tasks<A> {
    /// Counts the user's tasks: one pass over their rows, and one over the tags of the open ones.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn overview(&self, periods: &Periods) -> Result<Overview, StoreError> {
        let (counts, tags) = (self.counts(periods), self.tags());
        let (usage, mut counted, spellings) = futures_util::try_join!(
            self.usage(),
            self.rows_of_many(&counts, None),
            self.rows_of_many(&tags, Some(SORTING)),
        )?;
        self.has_read(Work {
            // Each is looked at, and so is each of its tags.
            tasks: 2 * usage.tasks.unsigned_abs(),
            ..Work::scan(usage, 2)
        });
        let counted = counted
            .pop()
            .ok_or_else(|| StoreError::Internal("no counts".to_owned()))?;
        let number = |index| counted.try_get_by_index::<i64>(index);
        let mut overview = Overview {
            open: number(0)?,
            done: number(1)?,
            overdue: number(2)?,
            today: number(3)?,
            soon: number(4)?,
            by_priority: [number(5)?, number(6)?, number(7)?],
            tags: Vec::new(),
        };
        for row in spellings {
            let (tag, tasks): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let folded = fold(&tag);
            match overview
                .tags
                .iter_mut()
                .find(|(known, _)| fold(known) == folded)
            {
                Some((_, known)) => *known += tasks,
                None => overview.tags.push((tag, tasks)),
            }
        }
        overview
            .tags
            .sort_by_key(|(_, tasks)| std::cmp::Reverse(*tasks));
        overview.tags.truncate(TAGS);
        Ok(overview)
    }

    fn live(&self) -> SelectStatement {
        Query::select()
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::DeletedAt).is_null())
            .to_owned()
    }

    fn counts(&self, periods: &Periods) -> SelectStatement {
        let Periods { now, tomorrow, end } = *periods;
        let open = || Expr::col(Task::CompletedAt).is_null();
        let due = |from: Option<DueBound>, to| {
            Condition::all()
                .add(open())
                .add_option(from.map(due_after_bound))
                .add(due_before_bound(to))
        };
        let of = |priority| {
            open()
                .and(Expr::col(Task::Priority).eq(rank(priority)))
                .into_condition()
        };
        let kinds = [
            open().into_condition(),
            Expr::col(Task::CompletedAt).is_not_null().into_condition(),
            due(None, now),
            due(Some(now), tomorrow),
            due(Some(tomorrow), end),
            of(Priority::Low),
            of(Priority::Medium),
            of(Priority::High),
        ];
        // A CASE without ELSE is null, which COUNT passes over.
        let counts = kinds.map(|kind| Func::count(Expr::case(kind, 1)));
        self.live().exprs(counts).to_owned()
    }

    /// The spellings of tags in open tasks, the most frequent first.
    fn tags(&self) -> SelectStatement {
        let elements = match self.store.engine.backend() {
            DbBackend::Postgres => "json_array_elements_text",
            _ => "json_each",
        };
        let each = || Alias::new("each");
        let value = || Expr::col((each(), Alias::new("value")));
        // As all texts are compared, whatever the locale of the database; SQLite knows no other way.
        let by_bytes = match self.store.engine.backend() {
            DbBackend::Postgres => Expr::cust(r#""each"."value" COLLATE "C""#),
            _ => value(),
        };
        let tags = Func::cust(Alias::new(elements)).arg(Expr::col((task::Entity, Task::Tags)));
        self.live()
            .expr(value())
            .expr(Func::count(Expr::col((task::Entity, Task::Id))))
            .from_function(tags, each())
            .and_where(Expr::col(Task::CompletedAt).is_null())
            .add_group_by([value()])
            .order_by_expr(
                Func::count(Expr::col((task::Entity, Task::Id))).into(),
                Order::Desc,
            )
            .order_by_expr(by_bytes, Order::Asc)
            .limit(SPELLINGS)
            .to_owned()
    }
}
