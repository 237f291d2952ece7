//! Lists: filtered, sorted, in pages that are continued by keyset, never by offset.

use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Utc};
use sea_orm::{
    DbBackend, ExprTrait, QueryResult,
    sea_query::{
        Alias, Condition, Expr, Func, JoinType, Query, SelectStatement, SubQueryStatement,
        UnionType,
    },
};

use super::{
    Tasks,
    cursor::{self, Fingerprint, Position},
    order::Ordering,
    pages::{Frame, Item, PageKey, RenderedPage},
    paging::{FirstPage, ShownRow},
    query::{DueBound, Filter, ListQuery},
};
use crate::store::{
    StoreError,
    entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
    kind::CanRead,
    row::{COLUMNS, TaskRow, rank},
};
use crate::{
    contract::{self, DueFilter, Sort},
    unicode::{fold, search_key},
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
    /// A page of the user's tasks as it is sent, from memory if the user's revision is still the one that it shows.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] if the cursor is of another list.
    pub async fn page(&self, query: &ListQuery) -> Result<Arc<RenderedPage>, StoreError> {
        let order = Ordering::of(query.sort, query.time_zone);
        let frame = Frame {
            order,
            fingerprint: Fingerprint::of(self.user.as_str(), &query.filter, &order, query.sort),
            limit: usize::try_from(query.limit.get()).unwrap_or_default(),
        };
        match query.is_plain() && self.store.engine.backend() == DbBackend::Postgres {
            true => self.first_page(query.sort, frame).await,
            false => self.other_page(query, frame).await,
        }
    }

    /// The first page of a list without a filter. The same statement reads the revision, and what is not known.
    async fn first_page(&self, sort: Sort, frame: Frame) -> Result<Arc<RenderedPage>, StoreError> {
        let key = PageKey::First {
            user: self.user.clone(),
            sort,
            limit: frame.limit,
        };
        loop {
            let epoch = self.store.engine.epoch();
            let kept = self.store.pages.get(&key, epoch);
            let mut request = FirstPage {
                user: self.user.clone(),
                sort,
                most: frame.limit as i64 + 1,
                known: kept.as_ref().map(|page| page.revision),
            };
            let mut shown = self.store.paging.send(request.clone()).await?;
            let mut page = None;
            if let Some(kept) = kept.filter(|_| request.is_told_changes(shown.revision)) {
                if self.store.engine.epoch() != epoch {
                    continue;
                }
                if shown.revision == kept.revision {
                    return Ok(kept);
                }
                let changed: Vec<i64> = shown.rows.iter().map(|row| row.task.id).collect();
                let live = self.items(frame.order, shown.rows)?;
                page = kept.renewed(frame, shown.revision, &changed, live);
                if page.is_none() {
                    request.known = None;
                    shown = self.store.paging.send(request).await?;
                } else {
                    shown.rows = Vec::new();
                }
            }
            let page = match page {
                Some(page) => page,
                None => {
                    let mut items = self.items(frame.order, shown.rows)?;
                    items.sort_by(|one, other| frame.order.compare(&one.position, &other.position));
                    RenderedPage::new(frame, shown.revision, items, false)
                }
            };
            let page = Arc::new(page);
            self.store.pages.keep(key, &page, epoch);
            return Ok(page);
        }
    }

    /// Another page: the revision is read first if the page is known.
    async fn other_page(
        &self,
        query: &ListQuery,
        frame: Frame,
    ) -> Result<Arc<RenderedPage>, StoreError> {
        let key = PageKey::Other {
            user: self.user.clone(),
            fingerprint: frame.fingerprint,
            limit: frame.limit,
            cursor: query
                .cursor
                .as_ref()
                .map(|cursor| cursor.as_str().to_owned()),
        };
        let epoch = self.store.engine.epoch();
        if let Some(kept) = self.store.pages.get(&key, epoch)
            && self.revision().await? == kept.revision
            && self.store.engine.epoch() == epoch
        {
            return Ok(kept);
        }
        let Page {
            items,
            next_cursor,
            revision,
        } = self.list(query).await?;
        let page = RenderedPage::of(items, next_cursor, revision)?;
        let page = Arc::new(page);
        self.store.pages.keep(key, &page, epoch);
        Ok(page)
    }

    /// The live ones of some rows, with their places in an order.
    fn items(&self, order: Ordering, rows: Vec<ShownRow>) -> Result<Vec<Item>, StoreError> {
        let live = rows.into_iter().filter(|row| row.task.deleted_at.is_none());
        live.map(|ShownRow { task, title_fold }| {
            let task = task.into_task(self.user.as_str())?;
            let position = order.position(&task, title_fold);
            Item::new(&task, position)
        })
        .collect()
    }

    /// A page of the user's tasks, and the revision at which it was read, in one statement.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] if the cursor is of another list.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let ListQuery {
            filter,
            sort,
            time_zone,
            limit,
            cursor,
        } = query;
        let order = Ordering::of(*sort, *time_zone);
        let fingerprint = Fingerprint::of(self.user.as_str(), filter, &order, *sort);
        let after = cursor
            .as_ref()
            .map(|c| cursor::decode(fingerprint, c.as_str()))
            .transpose()?;
        let limit = usize::try_from(limit.get()).unwrap_or_default();
        let select = self.selection(filter, order, after.as_ref(), limit)?;

        let rows = self.rows(&select).await?;
        let Some(first) = rows.first() else {
            // Not even a clock: the user has never written.
            return Ok(Page {
                items: Vec::new(),
                next_cursor: None,
                revision: 0,
            });
        };
        let revision = first.try_get_by_index(COLUMNS.len())?;
        let mut items = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Some(row) = task_of(row)? {
                items.push(row.into_task(self.user.as_str())?);
            }
        }
        order.merge(&mut items);
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let mut next_cursor = None;
        if !is_last && let Some(last) = items.last() {
            let title_fold = match order.by_title() {
                // As it is stored: an older version may have written it.
                true => rows[items.len() - 1].try_get_by_index(COLUMNS.len() + 1)?,
                false => None,
            };
            next_cursor = Some(cursor::encode(
                fingerprint,
                &order.position(last, title_fold),
            ));
        }
        Ok(Page {
            items,
            next_cursor,
            revision,
        })
    }

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

    /// The user's tasks that a filter lets through.
    fn matching(&self, filter: &Filter) -> SelectStatement {
        Query::select()
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::DeletedAt).is_null())
            .cond_where(matching(self.store.engine.backend(), filter))
            .to_owned()
    }

    /// The user's clock beside one page of tasks, and one task more, which tells that there is a
    /// further page. A user without tasks gets the clock alone. In the order by due date in a time zone these are
    /// two pages, one of all-day tasks and one of the others, which are still to be merged.
    fn selection(
        &self,
        filter: &Filter,
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
        if order.by_title() {
            select.column((page(), Task::TitleFold));
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

fn matching(backend: DbBackend, filter: &Filter) -> Condition {
    let Filter {
        completed,
        priority,
        tag,
        due,
        due_before,
        due_after,
        q,
    } = filter;
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
    // Whoever has typed nothing yet, or a space, sees all tasks.
    let text = q.as_ref().filter(|q| !q.as_str().trim().is_empty());
    let text = text.map(|q| match search_key(q.as_str()) {
        // Only accents or invisible characters: nothing has those in its key.
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
