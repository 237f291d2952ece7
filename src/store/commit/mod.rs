//! What one user changes: the user's clock moves and tasks change, together or not at all. One task is one statement on
//! PostgreSQL; `plan` is for many, where what is written depends on what is there, and `many` for an import.
//!
//! Each write takes the next revision under the lock of the user's row in `user_clock`, which is held until the commit, so
//! that revisions commit in order. Times never run backwards either: a write happens at the later of now and the time of
//! the write before it. So the order of ids is that of creation, and the order of revisions that of the last change.

mod ahead;
mod arrays;
mod erase;
mod insert;
mod many;
mod plan;
mod purge;
mod size;
mod statement;
mod together;
mod tombstone;

use std::sync::Arc;

use sea_orm::{
    DbBackend, DbErr, ExprTrait as _, QueryResult,
    prelude::DateTimeUtc,
    sea_query::{Expr, Func, Value},
    sqlx::PgConnection,
};

use super::{
    UserLimits,
    engine::{Grouped, Sqlite, rows},
    entity::task::Column as Task,
};
use crate::{auth::UserId, telemetry::StatementKind};
pub(super) use ahead::move_ahead;
pub(super) use erase::{Erased, Erasing, Erasure};
pub(super) use many::{Change, NewRow};
pub use many::{Committed, Origin};
pub(super) use plan::{Before, Decision, FoundTask, Plan, RowWrite, Wanted, Writes};
pub(super) use purge::{Purge, Purging};
pub(super) use size::{Sizes, growth, of_new as bytes_of_new, row_bytes, written_bytes};
use statement::{With, WriteStatement};
pub(super) use tombstone::{Stored, Tombstone};

/// What a column becomes.
#[derive(Debug, Clone)]
pub(super) enum Set {
    /// This value.
    To(Value),
    /// The time of the write.
    Moment,
    /// The time of the write, unless it has a time already.
    MomentIfNull,
    /// The time of the write if it has none, and null if it has one.
    Turned,
}

/// A column and what it becomes.
pub(super) type Assignment = (Task, Set);

impl Set {
    pub(super) fn to(value: impl Into<Value>) -> Self {
        Self::To(value.into())
    }

    pub(super) fn into_expr(self, column: Task) -> Expr {
        let moment = || Expr::col(With::Moment);
        match self {
            Self::To(value) => Expr::val(value),
            Self::Moment => moment(),
            Self::MomentIfNull => Func::coalesce([Expr::col(column), moment()]).into(),
            Self::Turned => Expr::case(Expr::col(column).is_null(), moment())
                .finally(Expr::val(None::<DateTimeUtc>))
                .into(),
        }
    }
}

/// The version in which a task must be to be changed (RFC 9110 §13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Any: last write wins.
    Any,
    /// One of these (`If-Match`).
    OneOf(Vec<i64>),
    /// None of these (`If-None-Match`).
    NoneOf(Vec<i64>),
    /// None at all: the task must not be there (`If-None-Match: *`).
    Nothing,
}

/// In which state a task must be to be changed.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not deleted.
    Live,
    /// Deleted after this.
    DeletedAfter(DateTimeUtc),
}

/// What a change does to the number of live tasks. A tombstone more, or a live task more, must be within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Same,
    Less,
    More,
}

/// What is done to one task of a user, or to many.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) user: UserId,
    /// What time it is. The write happens then, or at the time of the user's write before it if that is later.
    pub(super) now: DateTimeUtc,
    /// What the user may store. Only a write that needs more is refused for it.
    pub(super) limits: UserLimits,
    pub(super) what: What,
}

/// By what a creation that comes again is recognised.
#[derive(Debug, Clone, Default)]
pub(super) struct Once {
    /// The key of the request.
    pub(super) key: Option<String>,
    /// The id that the client chose.
    pub(super) uid: Option<String>,
    /// The digest of the request, if there is one of the two.
    pub(super) digest: Option<String>,
}

impl Once {
    /// Whether it can be recognised at all.
    pub(super) fn is_some(&self) -> bool {
        self.key.is_some() || self.uid.is_some()
    }

    /// Its columns.
    fn columns(&self) -> [Assignment; 3] {
        let Self { key, uid, digest } = self;
        [
            (Task::CreateKey, Set::to(key.as_deref())),
            (Task::CreateHash, Set::to(digest.as_deref())),
            (Task::Uid, Set::to(uid.as_deref())),
        ]
    }
}

#[derive(Debug, Clone)]
pub(super) enum What {
    One(Lone),
    /// What a plan decides. The answer has no row: the plan has what is to be told.
    Many(Arc<dyn Plan>),
}

/// What is done to one task.
#[derive(Debug, Clone)]
pub(super) enum Lone {
    /// The user gets a task more.
    Create {
        /// Always the same columns, in the same order.
        values: Vec<Assignment>,
        once: Once,
    },
    /// A task is changed, if it is there and as it must be.
    Change {
        id: i64,
        state: State,
        expected: Expected,
        values: Vec<Assignment>,
        count: Count,
    },
}

/// Writes of many users go together. The answer is the row that was written, which begins with
/// [`COLUMNS`](super::row::COLUMNS); none if the conditions or the limits do not hold, and then nothing has changed.
pub(super) enum Writing {}

impl Grouped for Writing {
    type Element = Write;
    type Answer = Option<QueryResult>;

    const KIND: StatementKind = StatementKind::Writes;
    /// Creations with a key, and plans, go alone: with a database that is 5 ms away, each of these sends 200 a second.
    const LANES: usize = 8;
    const MAX: usize = 64;

    fn locks(write: &Write) -> Option<&UserId> {
        Some(&write.user)
    }

    fn joins(one: &Write, other: &Write) -> bool {
        together::can_join(one)
            && together::can_join(other)
            && match (&one.what, &other.what) {
                (What::One(one), What::One(other)) => {
                    std::mem::discriminant(one) == std::mem::discriminant(other)
                }
                _ => false,
            }
    }

    fn repeats(write: &Write) -> bool {
        match &write.what {
            What::One(Lone::Create { once, .. }) => once.is_some(),
            What::One(Lone::Change { .. }) => false,
            What::Many(plan) => plan.repeats(),
        }
    }

    async fn alone(
        connection: &mut PgConnection,
        write: &Write,
    ) -> Result<Option<QueryResult>, DbErr> {
        let statement = match &write.what {
            What::One(one) => WriteStatement::of(write, one, DbBackend::Postgres).into_one(),
            What::Many(plan) => {
                plan::on_postgres(connection, &write.user, write.now, &**plan).await?;
                return Ok(None);
            }
        };
        Ok(rows(connection, &statement).await?.pop())
    }

    async fn together(
        connection: &mut PgConnection,
        writes: &[Arc<Write>],
    ) -> Result<Vec<Option<Option<QueryResult>>>, DbErr> {
        let rows = match writes.first().map(|write| &write.what) {
            Some(What::One(Lone::Create { .. })) => together::create(connection, writes).await?,
            _ => together::change(connection, writes).await?,
        };
        together::hand_back(writes, rows)
    }

    async fn on_sqlite(sqlite: &Sqlite, write: Write) -> Result<Option<QueryResult>, DbErr> {
        Ok(sqlite.write(Box::new(write)).await?.pop())
    }
}
