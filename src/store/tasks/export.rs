//! Everything that a user stores, as lines of JSON: one page after the other, so that it is never in memory as a whole.
//!
//! The pages go by id, which a task keeps, up to the last id at the beginning. So each task that is there all the time comes
//! once, as it is when its page is read, and an export ends however fast others write.

use sea_orm::{
    ExprTrait as _, QueryResult,
    sea_query::{Alias, Condition, Expr, JoinType, Order, Query, SelectStatement},
};
use serde::Serialize;

use super::{AT_ONCE, TaskStore, Tasks};
use crate::{
    contract::{
        EXPORT_FORMAT, ExportBegin, ExportEnd, ExportMark, ExportedTask, Revision, Timestamp,
        Total, UserIdText,
    },
    store::{
        Lost, StoreError, Work,
        entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
        kind::CanRead,
        row::{COLUMNS, TaskRow},
    },
};

/// How far an export has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Export {
    /// Once the first page was read.
    begun: Option<Moved>,
    /// The last id of the page before.
    after: i64,
    tasks: i64,
    deleted: i64,
}

/// Some lines of an export, and what comes after them.
#[derive(Debug)]
pub struct ExportPage {
    /// Lines, each of which ends with a line feed.
    pub text: Vec<u8>,
    /// The next page; `None` at the end.
    pub rest: Option<Export>,
}

/// The clock of the user.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    revision: i64,
    last_task_id: i64,
    erased_revision: i64,
}

impl<A: CanRead> Tasks<A> {
    /// The next page of an export, which begins with [`Export::default`]. All tasks are in it, deleted ones too.
    ///
    /// # Errors
    /// [`StoreError::ResyncRequired`] if everything was erased since it began.
    pub async fn export(&self, export: Export) -> Result<ExportPage, StoreError> {
        let (page, work) = self.store.read_export(self.user.as_str(), export).await?;
        self.has_read(work);
        Ok(page)
    }
}

impl TaskStore {
    /// The same for any user, for the operator.
    ///
    /// # Errors
    /// As of [`Tasks::export`].
    pub async fn export(&self, user: &str, export: Export) -> Result<ExportPage, StoreError> {
        Ok(self.read_export(user, export).await?.0)
    }

    /// Whether a user has ever written anything here.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn knows(&self, user: &str) -> Result<bool, StoreError> {
        let clock = Query::select()
            .column(Clock::UserId)
            .from(user_clock::Entity)
            .and_where(Expr::col(Clock::UserId).eq(user))
            .take();
        Ok(!self.rows(&clock).await?.is_empty())
    }

    async fn read_export(
        &self,
        user: &str,
        export: Export,
    ) -> Result<(ExportPage, Work), StoreError> {
        let rows = self.rows(&export.selection(user)).await?;
        let now = match rows.first() {
            Some(row) => Moved::read(row)?,
            // The user has never written.
            None => Moved::default(),
        };
        let begun = export.begun.unwrap_or(now);
        if now.erased_revision > begun.revision {
            let lost = Lost::Erased(now.erased_revision);
            return Err(StoreError::ResyncRequired(lost));
        }
        let (mut text, mut work) = (Vec::new(), Work::default());
        if export.begun.is_none() {
            write(
                &mut text,
                &begun.first_line(user, Timestamp::new(self.now())),
            )?;
        }
        let mut next = Export {
            begun: Some(begun),
            ..export
        };
        for row in &rows {
            // Without a task, there is a row for the clock, with nulls.
            if row.try_get_by_index::<Option<i64>>(0)?.is_some() {
                let row = TaskRow::read(row)?;
                work.add(&row);
                next.write(&mut text, row, user)?;
            }
        }
        let is_last = rows.len() < AT_ONCE || next.after >= begun.last_task_id;
        if is_last {
            write(&mut text, &next.last_line(now.revision))?;
        }
        let rest = (!is_last).then_some(next);
        Ok((ExportPage { text, rest }, work))
    }
}

impl Export {
    /// The next tasks beside the user's clock. If there are none, that stands alone.
    fn selection(self, user: &str) -> SelectStatement {
        let mut tasks = Query::select();
        tasks
            .columns(COLUMNS)
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(user))
            .and_where(Expr::col(Task::Id).gt(self.after))
            .order_by(Task::Id, Order::Asc)
            .limit(AT_ONCE as u64);
        if let Some(begun) = self.begun {
            tasks.and_where(Expr::col(Task::Id).lte(begun.last_task_id));
        }
        let page = || Alias::new("page");
        Query::select()
            .columns(COLUMNS.map(|column| (page(), column)))
            .columns(Moved::COLUMNS.map(|column| (user_clock::Entity, column)))
            .from(user_clock::Entity)
            .join_subquery(JoinType::LeftJoin, tasks.take(), page(), Condition::all())
            .and_where(Expr::col((user_clock::Entity, Clock::UserId)).eq(user))
            .order_by((page(), Task::Id), Order::Asc)
            .take()
    }

    /// Writes the line of a task.
    fn write(&mut self, text: &mut Vec<u8>, row: TaskRow, user: &str) -> Result<(), StoreError> {
        self.after = row.id;
        let deleted_at = row.deleted_at.map(Timestamp::new);
        match deleted_at {
            None => self.tasks += 1,
            Some(_) => self.deleted += 1,
        }
        write(text, &ExportedTask::new(row.into_task(user)?, deleted_at))
    }

    fn last_line(&self, revision: i64) -> ExportEnd {
        ExportEnd {
            export: ExportMark::End,
            tasks: Total::of(self.tasks),
            deleted_tasks: Total::of(self.deleted),
            revision: Revision::of(revision),
        }
    }
}

impl Moved {
    const COLUMNS: [Clock; 3] = [Clock::Revision, Clock::LastTaskId, Clock::ErasedRevision];

    /// Reads [`COLUMNS`](Self::COLUMNS) after those of a task.
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let number = |place| row.try_get_by_index(COLUMNS.len() + place);
        Ok(Self {
            revision: number(0)?,
            last_task_id: number(1)?,
            erased_revision: number(2)?,
        })
    }

    fn first_line(self, user: &str, now: Timestamp) -> ExportBegin {
        ExportBegin {
            export: ExportMark::Begin,
            format: Total::of(EXPORT_FORMAT),
            user_id: UserIdText(user.to_owned()),
            revision: Revision::of(self.revision),
            last_id: Total::of(self.last_task_id),
            exported_at: now,
        }
    }
}

fn write(text: &mut Vec<u8>, line: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *text, line).map_err(|e| StoreError::Internal(e.to_string()))?;
    text.push(b'\n');
    Ok(())
}
