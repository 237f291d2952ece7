//! Lanes: where statements of one kind wait, and go together.
//!
//! Whatever waits when a connection becomes free goes in one statement. There is no timer: a statement that comes alone
//! goes alone and at once. What comes while a statement of the lane is under way waits for its end, unless it is many
//! already or goes alone anyway. A group never waits for a lock, so it can be part of no deadlock: it leaves out what others
//! have locked, and that goes alone.

mod queue;
mod sender;

use std::{fmt, future::Future, sync::Arc};

use sea_orm::{DbErr, sqlx::PgConnection};

use super::Sqlite;
use crate::{auth::UserId, telemetry::StatementKind};

pub(super) use queue::Queue;

/// Statements of one kind.
pub(in crate::store) trait Grouped: Send + Sync + 'static {
    /// The parameters of one statement.
    type Element: Send + Sync + 'static;
    /// What comes back.
    type Answer: Send + 'static;

    /// What the statements are, in the metrics.
    const KIND: StatementKind;
    /// The most tasks that send what waits, not counting those whose statement takes long. There is more than one only
    /// while many wait, or some that go alone.
    const LANES: usize;
    /// Whether a statement may take long by its nature.
    const IS_LONG: bool = false;
    /// The most elements in one group.
    const MAX: usize;

    /// The user whose rows an element locks. Of one user, one element is sent at a time; the others would wait for
    /// its locks with a connection each.
    fn locks(_element: &Self::Element) -> Option<&UserId> {
        None
    }

    /// Whether two elements can go in one statement.
    fn joins(one: &Self::Element, other: &Self::Element) -> bool;

    /// Whether an element may be sent again when it may have been done already.
    fn repeats(element: &Self::Element) -> bool;

    /// Sends one element.
    fn alone(
        connection: &mut PgConnection,
        element: &Self::Element,
    ) -> impl Future<Output = Result<Self::Answer, DbErr>> + Send;

    /// Sends several elements in one statement and answers each in its place; `None` for one that must go alone.
    fn together(
        connection: &mut PgConnection,
        elements: &[Arc<Self::Element>],
    ) -> impl Future<Output = Result<Vec<Option<Self::Answer>>, DbErr>> + Send;

    /// Does the same on SQLite.
    fn on_sqlite(
        sqlite: &Sqlite,
        element: Self::Element,
    ) -> impl Future<Output = Result<Self::Answer, DbErr>> + Send;
}

/// The way to the statements of one kind.
pub(in crate::store) enum Lane<B: Grouped> {
    Sqlite(Sqlite),
    Postgres(Arc<Queue<B>>),
}

// Not derived: a derived one would ask for `B: Clone`.
impl<B: Grouped> Clone for Lane<B> {
    fn clone(&self) -> Self {
        match self {
            Self::Sqlite(sqlite) => Self::Sqlite(sqlite.clone()),
            Self::Postgres(queue) => Self::Postgres(queue.clone()),
        }
    }
}

impl<B: Grouped> fmt::Debug for Lane<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

impl<B: Grouped> Lane<B> {
    /// Sends an element, and waits for its answer, not for longer than a request may wait. If the caller goes away, what
    /// was sent is done all the same.
    pub(in crate::store) async fn send(&self, element: B::Element) -> Result<B::Answer, DbErr> {
        match self {
            Self::Sqlite(sqlite) => sqlite.run::<B>(element).await,
            Self::Postgres(queue) => queue.send(element).await,
        }
    }
}
