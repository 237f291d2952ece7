//! A part of a list by place, and the number of its tasks.

use sea_orm::{
    ExprTrait as _,
    sea_query::{Alias, Expr, Func, Query, SubQueryStatement},
};

use super::{Tasks, order::Ordering, query::Filter};
use crate::{
    contract::{self, Sort},
    store::{
        StoreError,
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
    /// The tasks, in order.
    pub tasks: Vec<contract::Task>,
    /// How many there are in the whole list.
    pub total: i64,
}

impl<A: CanRead> Tasks<A> {
    /// A part of the user's tasks, and how many there are in all, in one statement.
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
        let order = Ordering::of(*sort, None);
        let mut counted = self.matching(filter);
        counted.expr(Func::count(Expr::col(Task::Id)));
        let total = SubQueryStatement::SelectStatement(counted);
        let mut select = self.matching(filter);
        select
            .columns(COLUMNS)
            .expr_as(Expr::SubQuery(None, Box::new(total)), Alias::new("total"))
            .limit(*limit)
            .offset(*offset);
        order.apply(&mut select, None);
        let rows = self.rows(&select).await?;
        let Some(first) = rows.first() else {
            // No task at this place: there may be some before it.
            return Ok(Slice {
                tasks: Vec::new(),
                total: self.count(filter).await?,
            });
        };
        let total = first.try_get_by_index(COLUMNS.len())?;
        let task = |row| TaskRow::read(row)?.into_task(self.user.as_str());
        let tasks = rows.iter().map(task).collect::<Result<_, _>>()?;
        Ok(Slice { tasks, total })
    }

    /// How many of the user's tasks a filter lets through.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn count(&self, filter: &Filter) -> Result<i64, StoreError> {
        let count = if *filter == Filter::default() {
            // All of them are counted already, for the limit.
            Query::select()
                .column(Clock::TaskCount)
                .from(user_clock::Entity)
                .and_where(Expr::col(Clock::UserId).eq(self.user.as_str()))
                .to_owned()
        } else {
            let mut count = self.matching(filter);
            count.expr(Func::count(Expr::col(Task::Id))).to_owned()
        };
        let row = self.rows(&count).await?.pop();
        Ok(row
            .map(|row| row.try_get_by_index(0))
            .transpose()?
            .unwrap_or(0))
    }
}
