//! A page of a list: filtered, sorted, and continued by keyset, never by offset.

use sea_orm::{
    ExprTrait as _, IdenStatic as _, QueryResult,
    sea_query::{Alias, Condition, Expr, JoinType, Query, SelectStatement, UnionType},
};

use super::{
    Tasks,
    cursor::{self, Fingerprint, Position},
    order::Ordering,
    pages::Frame,
    query::{ListQuery, scans},
};
use crate::{
    contract,
    store::{
        StoreError, Usage, Work,
        entity::{task::Column as Task, user_clock, user_clock::Column as Clock},
        kind::CanRead,
        row::{COLUMNS, TaskRow},
    },
};

/// A page of tasks.
#[derive(Debug)]
pub struct Page {
    /// The tasks, in order.
    pub items: Vec<contract::Task>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// The user's revision that this page shows.
    pub revision: i64,
}

impl<A: CanRead> Tasks<A> {
    /// A page of the user's tasks, and the revision at which it was read, in one statement.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] if the cursor is of another list.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.list_in(self.frame(query), query).await
    }

    /// What the pages of a list fit.
    pub(super) fn frame(&self, query: &ListQuery) -> Frame {
        let order = Ordering::of(query.sort, query.time_zone);
        Frame {
            order,
            fingerprint: Fingerprint::of(self.user.as_str(), &query.filter, &order, query.sort),
            limit: usize::try_from(query.limit.get()).unwrap_or_default(),
        }
    }

    pub(super) async fn list_in(
        &self,
        frame: Frame,
        query: &ListQuery,
    ) -> Result<Page, StoreError> {
        let Frame {
            order,
            fingerprint,
            limit,
        } = frame;
        let cursor = query.cursor.as_ref();
        let cursor = cursor.map(|cursor| cursor::decode(fingerprint, cursor.as_str()));
        let (after, begun) = cursor.transpose()?.unzip();
        let scans = scans(&query.filter, query.sort);
        let select = self.selection(query, order, after.as_ref(), limit)?;

        let rows = self.rows_of_many(&select, query.filter.search()).await?;
        let Some(first) = rows.first() else {
            // Not even a clock: the user has never written.
            return Ok(Page {
                items: Vec::new(),
                next_cursor: None,
                revision: 0,
            });
        };
        let revision = first.try_get_by_index(COLUMNS.len())?;
        let behind = COLUMNS.len() + 1;
        if let Some(begun) = begun {
            let erased: i64 = first.try_get("", Clock::ErasedRevision.as_str())?;
            if erased > begun {
                return Err(StoreError::BadCursor);
            }
        }
        let mut work = match scans {
            true => {
                let stored = Usage::read(first, behind)?;
                // In a time zone these are two lists.
                Work::scan(stored, 1 + u64::from(order.time_zone().is_some()))
            }
            false => Work::passing(first.try_get_by_index(behind)?),
        };
        let mut items = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Some(row) = task_of(row)? {
                work.add(&row);
                items.push(row.into_task(self.user.as_str())?);
            }
        }
        self.has_read(work);
        order.merge(&mut items);
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let mut next_cursor = None;
        if !is_last && let Some(last) = items.last() {
            let title_fold = match order.by_title() {
                // As it is stored: an older version may have written it.
                true => rows[items.len() - 1].try_get_by_index(COLUMNS.len() + 4)?,
                false => None,
            };
            next_cursor = Some(cursor::encode(
                fingerprint,
                &order.position(last, title_fold),
                revision,
            ));
        }
        Ok(Page {
            items,
            next_cursor,
            revision,
        })
    }

    /// The user's clock beside one page of tasks, and one task more, which tells that there is a further page. A user without
    /// tasks gets the clock alone. In the order by due date in a time zone these are two pages, one of all-day tasks and one
    /// of the others, which are still to be merged.
    fn selection(
        &self,
        query: &ListQuery,
        order: Ordering,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<SelectStatement, StoreError> {
        let page_of = |tasks: &mut SelectStatement, after: Option<&Position>| {
            tasks.columns(COLUMNS).limit(limit as u64 + 1);
            if order.by_title() {
                tasks.column(Task::TitleFold);
            }
            if let Some(position) = after {
                tasks.cond_where(order.after(position)?);
            }
            order.apply(tasks, None);
            Ok::<_, StoreError>(tasks.take())
        };
        let filter = &query.filter;
        let tasks = match order.time_zone() {
            None => page_of(&mut self.matching(filter), after)?,
            Some(zone) => {
                let kind = |is_date| {
                    let mut tasks = self.matching(filter);
                    tasks
                        .and_where(Expr::col(Task::DueIsDate).eq(is_date))
                        .take()
                };
                let day = after.map(|position| order.position_of_days(position, zone));
                let all_day = page_of(&mut kind(true), day.transpose()?.as_ref())?;
                let others = page_of(&mut kind(false), after)?;
                // SQLite wants no order or limit beside UNION, so each page is a table of its own.
                let table = |tasks, name| {
                    let mut select = Query::select();
                    select
                        .columns(COLUMNS)
                        .from_subquery(tasks, Alias::new(name))
                        .take()
                };
                table(all_day, "all_day")
                    .union(UnionType::All, table(others, "others"))
                    .take()
            }
        };
        let page = || Alias::new("page");
        let mut select = Query::select()
            .columns(COLUMNS.map(|column| (page(), column)))
            .expr_as(
                Expr::col((user_clock::Entity, Clock::Revision)),
                Alias::new("clock"),
            )
            .from(user_clock::Entity)
            .join_subquery(JoinType::LeftJoin, tasks, page(), Condition::all())
            .and_where(Expr::col((user_clock::Entity, Clock::UserId)).eq(self.user.as_str()))
            .to_owned();
        // No more than is needed: each row has it.
        let of_clock = |column| Expr::col((user_clock::Entity, column));
        match scans(filter, query.sort) {
            true => select.exprs(Usage::COLUMNS.map(of_clock)),
            false => select.expr(of_clock(Clock::RowCount).sub(of_clock(Clock::TaskCount))),
        };
        if order.by_title() {
            select.column((page(), Task::TitleFold));
        }
        // At the end, since it is read by name, and only where a list goes on.
        if after.is_some() {
            select.column((user_clock::Entity, Clock::ErasedRevision));
        }
        order.apply(&mut select, Some("page"));
        Ok(select)
    }
}

fn task_of(row: &QueryResult) -> Result<Option<TaskRow>, StoreError> {
    match row.try_get_by_index::<Option<i64>>(0)? {
        Some(_) => Ok(Some(TaskRow::read(row)?)),
        None => Ok(None),
    }
}
