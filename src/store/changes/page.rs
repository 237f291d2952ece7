//! A page of changes.

use sea_orm::{
    ExprTrait as _,
    sea_query::{Alias, Condition, Expr, JoinType, Order, Query, SelectStatement},
};

use super::{
    Feed, Lost,
    cursor::Position,
    judge::{Known, Moved},
};
use crate::{
    contract::{self, CursorText, PageLimit},
    store::{
        StoreError, Work,
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
    clock: Moved,
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
        let (position, shown) = match query {
            FeedQuery::Since(since) => {
                let shown = self.read(self.changed(*since), limit).await?;
                (self.begin(*since, &shown), shown)
            }
            FeedQuery::After(cursor) => {
                let position = Position::decode(&self.user, cursor.as_str())?;
                if position.is_older_than(self.store.oldest_tombstone()) {
                    return Err(StoreError::ResyncRequired(Lost::Late));
                }
                let mut changed = self.changed(position.place);
                changed.and_where(Expr::col(Task::Revision).lte(position.until));
                (position, self.read(changed, limit).await?)
            }
        };
        self.fill(position, shown, limit)
    }

    /// What was deleted after a revision, as far as it fits on one page; otherwise that has a cursor.
    ///
    /// # Errors
    /// [`StoreError::ResyncRequired`].
    pub async fn deleted(&self, since: i64, limit: PageLimit) -> Result<FeedPage, StoreError> {
        let mut deleted = self.changed(since);
        deleted.and_where(Expr::col(Task::DeletedAt).is_not_null());
        let shown = self.read(deleted, limit).await?;
        self.fill(self.begin(since, &shown), shown, limit)
    }

    fn begin(&self, since: i64, shown: &Shown) -> Position {
        Position {
            full: since == 0,
            until: shown.clock.revision,
            place: since,
            since: self.store.now().timestamp(),
        }
    }

    fn fill(
        &self,
        mut position: Position,
        shown: Shown,
        limit: PageLimit,
    ) -> Result<FeedPage, StoreError> {
        let Shown { clock, mut rows } = shown;
        position.known().check(clock)?;
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
    async fn read(&self, changed: SelectStatement, limit: PageLimit) -> Result<Shown, StoreError> {
        let rows = self.store.rows(&self.beside_clock(changed, limit)).await?;
        let Some(first) = rows.first() else {
            // Not even a clock: the user has never written.
            return Ok(Shown {
                clock: Moved::default(),
                rows: Vec::new(),
            });
        };
        let mut shown = Shown {
            clock: Moved {
                revision: first.try_get_by_index(COLUMNS.len())?,
                purged: first.try_get_by_index(COLUMNS.len() + 1)?,
                erased: first.try_get_by_index(COLUMNS.len() + 2)?,
            },
            rows: Vec::with_capacity(rows.len()),
        };
        let mut work = Work::default();
        for row in &rows {
            // Without a change, there is a row for the clock, with nulls.
            if row.try_get_by_index::<Option<i64>>(0)?.is_some() {
                let row = TaskRow::read(row)?;
                work.add(&row);
                shown.rows.push(row);
            }
        }
        if let Some(meter) = &self.meter {
            meter.has_read(&self.user, work);
        }
        Ok(shown)
    }

    /// The changes after a revision.
    fn changed(&self, from: i64) -> SelectStatement {
        Query::select()
            .columns(COLUMNS)
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::Revision).gt(from))
            .order_by(Task::Revision, Order::Asc)
            .take()
    }

    /// The user's clock beside some of these changes. If there are none, it stands alone.
    fn beside_clock(&self, mut changed: SelectStatement, limit: PageLimit) -> SelectStatement {
        changed.limit(limit.get().unsigned_abs() + 1);
        let page = || Alias::new("page");
        Query::select()
            .columns(COLUMNS.map(|column| (page(), column)))
            .column((user_clock::Entity, Clock::Revision))
            .column((user_clock::Entity, Clock::PurgedRevision))
            .column((user_clock::Entity, Clock::ErasedRevision))
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
            until: self.until,
            began_with_nothing: self.full,
        }
    }
}
