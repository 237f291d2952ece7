//! A page of changes.

use sea_orm::{
    ExprTrait as _,
    sea_query::{Alias, Condition, Expr, JoinType, Order, Query, SelectStatement},
};

use super::{Feed, Lost, cursor::Position, judge::Known};
use crate::{
    contract::{self, CursorText, PageLimit},
    store::{
        StoreError,
        entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
        kind::CanRead,
        row::{COLUMNS, TaskRow},
    },
};

/// Which page of changes.
#[derive(Debug, Clone)]
pub enum FeedQuery {
    /// The first, of what has changed after this revision. 0: of everything.
    Since(i64),
    /// The one after the page that gave this cursor.
    After(CursorText),
}

/// A page of changes, in the order of their revisions. A task that has changed several times is there once, as it is now.
#[derive(Debug)]
pub struct FeedPage {
    /// The tasks that have changed and are there.
    pub tasks: Vec<contract::Task>,
    /// The tasks that were deleted.
    pub deleted: Vec<contract::DeletedTask>,
    /// Where the next page begins; `None` on the last.
    pub cursor: Option<String>,
    /// The user's revision when the first page was read: what to ask from the next time, once all pages are read.
    pub next: i64,
    /// Up to which revision all changes are on this page or on those before it.
    pub place: i64,
}

/// What was read, at one moment.
struct Shown {
    /// The user's revision; 0 before the first write.
    revision: i64,
    purged_revision: i64,
    rows: Vec<TaskRow>,
}

impl<A: CanRead> Feed<A> {
    /// A page of what has changed. An unchanged feed costs the reading of the user's clock.
    ///
    /// Only a sync that began with nothing is sure to end: a purge between two pages can take what another one still
    /// needs.
    ///
    /// # Errors
    /// [`StoreError::ResyncRequired`], [`StoreError::BadFeedCursor`].
    pub async fn page(&self, query: &FeedQuery, limit: PageLimit) -> Result<FeedPage, StoreError> {
        let went_on = match query {
            FeedQuery::Since(_) => None,
            FeedQuery::After(cursor) => Some(Position::decode(&self.user, cursor.as_str())?),
        };
        if went_on.is_some_and(|position| position.is_older_than(self.store.oldest_tombstone())) {
            return Err(StoreError::ResyncRequired(Lost::Late));
        }
        let began = self.store.now().timestamp();
        let from = match (query, &went_on) {
            (FeedQuery::Since(since), _) => *since,
            (FeedQuery::After(_), position) => {
                position.as_ref().map_or(0, |position| position.place)
            }
        };
        let until = went_on.map(|position| position.until);
        let shown = self.read(from, until, limit).await?;
        let position = went_on.unwrap_or(Position {
            full: from == 0,
            until: shown.revision,
            place: from,
            since: began,
        });
        position
            .known()
            .check(shown.revision, shown.purged_revision)?;
        self.fill(position, shown.rows, limit)
    }

    fn fill(
        &self,
        mut position: Position,
        mut rows: Vec<TaskRow>,
        limit: PageLimit,
    ) -> Result<FeedPage, StoreError> {
        let limit = usize::try_from(limit.get()).unwrap_or_default();
        let is_last = rows.len() <= limit;
        rows.truncate(limit);
        position.place = match rows.last() {
            Some(last) if !is_last => last.revision,
            _ => position.until,
        };
        let (mut tasks, mut deleted) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match row.deleted_at {
                None => tasks.push(row.into_task(self.user.as_str())?),
                Some(_) => deleted.push(row.into_deleted()?),
            }
        }
        Ok(FeedPage {
            tasks,
            deleted,
            cursor: (!is_last).then(|| position.encode(&self.user)),
            next: position.until,
            place: position.place,
        })
    }

    /// Reads the clock, and as many changes as a page has, and one more, which tells that there is a further page.
    async fn read(
        &self,
        from: i64,
        until: Option<i64>,
        limit: PageLimit,
    ) -> Result<Shown, StoreError> {
        let rows = self.store.rows(&self.selection(from, until, limit)).await?;
        let Some(first) = rows.first() else {
            // Not even a clock: the user has never written.
            return Ok(Shown {
                revision: 0,
                purged_revision: 0,
                rows: Vec::new(),
            });
        };
        let mut shown = Shown {
            revision: first.try_get_by_index(COLUMNS.len())?,
            purged_revision: first.try_get_by_index(COLUMNS.len() + 1)?,
            rows: Vec::with_capacity(rows.len()),
        };
        for row in &rows {
            // Without a change, there is a row for the clock, with nulls.
            if row.try_get_by_index::<Option<i64>>(0)?.is_some() {
                shown.rows.push(TaskRow::read(row)?);
            }
        }
        Ok(shown)
    }

    fn selection(&self, from: i64, until: Option<i64>, limit: PageLimit) -> SelectStatement {
        let revision = || Expr::col(Task::Revision);
        let changed = Query::select()
            .columns(COLUMNS)
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(revision().gt(from))
            .and_where_option(until.map(|until| revision().lte(until)))
            .order_by(Task::Revision, Order::Asc)
            .limit(limit.get().unsigned_abs() + 1)
            .take();
        let page = || Alias::new("page");
        Query::select()
            .columns(COLUMNS.map(|column| (page(), column)))
            .column((user_clock::Entity, Clock::Revision))
            .column((user_clock::Entity, Clock::PurgedRevision))
            .from(user_clock::Entity)
            .join_subquery(JoinType::LeftJoin, changed, page(), Condition::all())
            .and_where(Expr::col((user_clock::Entity, Clock::UserId)).eq(self.user.as_str()))
            .order_by((page(), Task::Revision), Order::Asc)
            .take()
    }
}

impl Position {
    /// What a client at this place has.
    fn known(self) -> Known {
        Known {
            place: self.place,
            // A sync that began with nothing ends, whatever is purged. What follows it is judged by what it ends at.
            complete_from: if self.full { i64::MAX } else { 0 },
        }
    }
}
