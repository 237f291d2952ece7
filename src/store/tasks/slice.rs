//! A part of a list by place, and the number of its tasks.
//!
//! Its first tasks are read with the number; of the others only the ids, so that a long list is never in memory as a
//! whole. They are then read by their ids, a few at a time.

use std::{
    cmp,
    collections::{HashMap, HashSet},
};

use sea_orm::{
    ExprTrait as _, QueryResult,
    sea_query::{Expr, Func, Query, SelectStatement, SubQueryStatement},
};

use super::{
    Tasks,
    order::Ordering,
    query::{Filter, scans},
};
use crate::{
    contract::{self, Sort},
    store::{
        StoreError, Usage, Work,
        entity::{task::Column as Task, user_clock, user_clock::Column as Clock},
        kind::CanRead,
        row::{COLUMNS, TaskRow},
    },
};

/// A part of a list by place, as front ends ask for it that know no cursors.
#[derive(Debug)]
pub struct SliceQuery {
    /// Which tasks.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// How many at most.
    pub limit: u64,
    /// How many to pass over.
    pub offset: u64,
}

/// A part of a list.
#[derive(Debug)]
pub struct Slice {
    /// The first of the tasks, in order.
    pub first: Vec<contract::Task>,
    /// The ids of the others, in order.
    pub rest: Vec<i64>,
    /// How many tasks there are in the whole list.
    pub total: i64,
}

impl Slice {
    /// How many tasks it has.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }
}

/// How many tasks of a slice are read at once. The largest have some 100 kB each.
pub const AT_ONCE: usize = 25;

impl<A: CanRead> Tasks<A> {
    /// A part of the user's tasks, and how many there are in all.
    ///
    /// A list of up to [`AT_ONCE`] tasks takes one statement. Of a longer one, each task comes once, whatever is written
    /// between its statements.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn slice(&self, query: &SliceQuery) -> Result<Slice, StoreError> {
        let SliceQuery {
            filter,
            sort,
            limit,
            offset,
        } = query;
        let at_once = AT_ONCE as u64;
        let order = Ordering::of(*sort, None);
        let mut select = self.matching(filter);
        select
            .columns(COLUMNS)
            .expr(number(self.counting(filter)))
            .exprs(Usage::COLUMNS.map(|column| number(self.of_clock(column))))
            .limit(cmp::min(*limit, at_once))
            .offset(*offset);
        order.apply(&mut select, None);
        let rows = self.rows_of_many(&select, filter.search()).await?;
        // Those that are passed over are looked through.
        let scans = scans(filter, *sort) || *offset > at_once;
        let Some(first) = rows.first() else {
            // No task at this place: there may be some before it.
            if scans {
                self.has_read(Work::scan(self.stored().await?, 1));
            }
            return Ok(Slice {
                first: Vec::new(),
                rest: Vec::new(),
                total: self.count(filter).await?,
            });
        };
        let total: i64 = first.try_get_by_index(COLUMNS.len())?;
        let stored = Usage::read(first, COLUMNS.len() + 1)?;
        // For the tasks and their number; and for the ids of the others.
        let of = |times: u64| match scans {
            true => Work::scan(stored, times),
            false => Work::passing(stored.tombstones),
        };
        let first = self.read(&rows, of(2))?;
        let is_whole = *limit <= at_once || total.unsigned_abs() <= *offset + at_once;
        let rest = match is_whole {
            true => Vec::new(),
            false => {
                self.has_read(of(1));
                self.ids(query, &first).await?
            }
        };
        Ok(Slice { first, rest, total })
    }

    /// The tasks of rows, which is told with other work.
    fn read(
        &self,
        rows: &[QueryResult],
        mut work: Work,
    ) -> Result<Vec<contract::Task>, StoreError> {
        let mut tasks = Vec::with_capacity(rows.len());
        for row in rows {
            let row = TaskRow::read(row)?;
            work.add(&row);
            tasks.push(row.into_task(self.user.as_str())?);
        }
        self.has_read(work);
        Ok(tasks)
    }

    /// The ids of a slice, without those of the tasks that were read already.
    async fn ids(
        &self,
        query: &SliceQuery,
        read: &[contract::Task],
    ) -> Result<Vec<i64>, StoreError> {
        let mut select = self.matching(&query.filter);
        select
            .column(Task::Id)
            .limit(query.limit)
            .offset(query.offset);
        Ordering::of(query.sort, None).apply(&mut select, None);
        let rows = self.rows_of_many(&select, query.filter.search()).await?;
        let ids = rows.iter().map(|row| row.try_get_by_index(0));
        let mut ids = ids.collect::<Result<Vec<i64>, _>>()?;
        let read: HashSet<i64> = read.iter().map(|task| task.id.get()).collect();
        ids.retain(|id| !read.contains(id));
        Ok(ids)
    }

    /// Tasks by their ids, in the order of the ids, without those that are deleted meanwhile.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn by_ids(&self, ids: &[i64]) -> Result<Vec<contract::Task>, StoreError> {
        let mut select = self.matching(&Filter::default());
        select
            .columns(COLUMNS)
            .and_where(Expr::col(Task::Id).is_in(ids.iter().copied()));
        let rows = self.store.rows(&select).await?;
        let tasks = self.read(&rows, Work::default())?;
        let mut tasks: HashMap<i64, contract::Task> = tasks
            .into_iter()
            .map(|task| (task.id.get(), task))
            .collect();
        Ok(ids.iter().filter_map(|id| tasks.remove(id)).collect())
    }

    /// How many of the user's tasks a filter lets through.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn count(&self, filter: &Filter) -> Result<i64, StoreError> {
        let mut select = self.counting(filter);
        select.exprs(Usage::COLUMNS.map(|column| number(self.of_clock(column))));
        let Some(row) = self.rows_of_many(&select, filter.search()).await?.pop() else {
            return Ok(0);
        };
        if *filter != Filter::default() {
            self.has_read(Work::scan(Usage::read(&row, 1)?, 1));
        }
        Ok(row.try_get_by_index(0)?)
    }

    fn of_clock(&self, column: Clock) -> SelectStatement {
        Query::select()
            .column(column)
            .from(user_clock::Entity)
            .and_where(Expr::col(Clock::UserId).eq(self.user.as_str()))
            .take()
    }

    fn counting(&self, filter: &Filter) -> SelectStatement {
        if *filter == Filter::default() {
            // All of them are counted already, for the limit.
            return Query::select()
                .column(Clock::TaskCount)
                .from(user_clock::Entity)
                .and_where(Expr::col(Clock::UserId).eq(self.user.as_str()))
                .to_owned();
        }
        let mut count = self.matching(filter);
        count.expr(Func::count(Expr::col(Task::Id))).to_owned()
    }
}

/// A column that is read by a statement of its own.
fn number(select: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(select)))
}
