//! The users whose earlier tokens are refused: `taskward user revoke`.
//!
//! Each process keeps the list, and reads it again while requests come: beside them once it is older than a second, and
//! before one is answered once it is older than five. So a request costs no statement, an idle server asks the database for
//! nothing, and what is revoked is refused by all processes five seconds later at most.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectionTrait as _, DbErr, QueryResult,
    prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait as _, OnConflict, Query},
};
use tokio::sync::{Mutex, watch};

use super::{
    Database, StoreError,
    engine::{Engine, Lane, Reading},
    entity::{token_revocation, token_revocation::Column as Revocation},
    tasks::TaskStore,
};
use crate::auth::Identity;

/// A list that is older is read again, beside the requests.
const FRESH: Duration = Duration::from_secs(1);
/// A list that is older is read again before a request goes on.
const OLDEST: Duration = Duration::from_secs(5);

/// When the tokens of a user were revoked, by user.
type List = HashMap<String, DateTimeUtc>;

/// The list, as this process knows it.
#[derive(Debug)]
pub struct Revocations {
    engine: Arc<Engine>,
    reading: Lane<Reading<false>>,
    opened: Instant,
    /// When the list was read, in milliseconds since `opened`; [`NEVER`] before the first time.
    read_at: AtomicU64,
    list: watch::Sender<Arc<List>>,
    /// One reads at a time.
    one: Mutex<()>,
    /// Somebody reads beside the requests.
    is_beside: AtomicBool,
}

const NEVER: u64 = u64::MAX;

impl Revocations {
    pub(super) fn new(engine: &Arc<Engine>) -> Self {
        Self {
            engine: engine.clone(),
            reading: engine.lane(),
            opened: Instant::now(),
            read_at: AtomicU64::new(NEVER),
            list: watch::Sender::default(),
            one: Mutex::default(),
            is_beside: AtomicBool::new(false),
        }
    }

    /// When the user's tokens were revoked, if this token is one of them. Waits for the list if it is too old.
    ///
    /// # Errors
    /// If it is, and the database is away.
    pub async fn check(
        self: &Arc<Self>,
        identity: &Identity,
    ) -> Result<Option<DateTimeUtc>, StoreError> {
        match self.age() {
            Some(age) if age <= FRESH => {}
            Some(age) if age <= OLDEST => self.look(),
            // Boxed: it is rare, and would make the future of each request and each stream larger.
            _ => Box::pin(self.wait()).await?,
        }
        Ok(revoked(&self.list.borrow(), identity))
    }

    /// Reads the list in a task of its own: a client that hangs up is not the only one who waits.
    async fn wait(self: &Arc<Self>) -> Result<(), StoreError> {
        let read = tokio::spawn(self.clone().read());
        read.await
            .map_err(|error| StoreError::Internal(error.to_string()))?
    }

    /// Waits until this token is known to be revoked. May be dropped before.
    pub async fn revoked(&self, identity: &Identity) {
        let mut list = self.list.subscribe();
        // It fails when the sender is dropped, which this borrows.
        let _ = list
            .wait_for(|list| revoked(list, identity).is_some())
            .await;
    }

    /// Reads the list beside the requests, unless it is fresh.
    pub(super) fn look(self: &Arc<Self>) {
        let is_fresh = self.age().is_some_and(|age| age <= FRESH);
        if is_fresh || self.is_beside.swap(true, Relaxed) {
            return;
        }
        let list = self.clone();
        tokio::spawn(async move {
            if let Err(error) = list.clone().read().await {
                // Requests tell it to the operator, once the list is too old.
                tracing::debug!(%error, "the revoked tokens could not be read");
            }
            list.is_beside.store(false, Relaxed);
        });
    }

    fn age(&self) -> Option<Duration> {
        match self.read_at.load(Relaxed) {
            NEVER => None,
            at => Some(
                self.opened
                    .elapsed()
                    .saturating_sub(Duration::from_millis(at)),
            ),
        }
    }

    async fn read(self: Arc<Self>) -> Result<(), StoreError> {
        let arrived = Instant::now();
        let _one = self.one.lock().await;
        // Of many who ask at once, one asks the database.
        if self.age().is_some_and(|age| age <= arrived.elapsed()) {
            return Ok(());
        }
        let at = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(0);
        let all = Query::select()
            .columns([Revocation::UserId, Revocation::RevokedAt])
            .from(token_revocation::Entity)
            .take();
        let rows = self.reading.send(self.engine.backend().build(&all)).await?;
        let read = |row: &QueryResult| row.try_get_many_by_index();
        let new: Result<List, DbErr> = rows.iter().map(read).collect();
        let new = new?;
        self.list.send_if_modified(|list| {
            let is_news = **list != new;
            if is_news {
                *list = Arc::new(new);
            }
            is_news
        });
        self.read_at.store(at, Relaxed);
        Ok(())
    }
}

/// When the user's tokens were revoked, if this token is one of them. One that does not say when it was issued may be.
fn revoked(list: &List, identity: &Identity) -> Option<DateTimeUtc> {
    let at = *list.get(identity.user_id.as_str())?;
    let is_older = identity.issued_at.is_none_or(|issued| issued <= at);
    is_older.then_some(at)
}

impl Database {
    /// The users whose earlier tokens are refused.
    pub fn revocations(&self) -> &Arc<Revocations> {
        self.tasks().revocations()
    }
}

impl TaskStore {
    /// Refuses all tokens of a user that were issued until now, and returns that time.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn revoke_tokens(&self, user: &str) -> Result<DateTimeUtc, StoreError> {
        let now = self.now();
        let insert = Query::insert()
            .into_table(token_revocation::Entity)
            .columns([Revocation::UserId, Revocation::RevokedAt])
            .values_panic([user.into(), now.into()])
            .on_conflict(
                OnConflict::column(Revocation::UserId)
                    .update_column(Revocation::RevokedAt)
                    .to_owned(),
            )
            .take();
        let done = self.revocations().engine.operator().execute(&insert).await;
        done.map_err(|error| StoreError::of_write(&error))?;
        Ok(now)
    }

    /// Accepts the tokens of a user again that were revoked. Returns whether they were.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn accept_tokens_again(&self, user: &str) -> Result<bool, StoreError> {
        let delete = Query::delete()
            .from_table(token_revocation::Entity)
            .and_where(Expr::col(Revocation::UserId).eq(user))
            .take();
        let done = self.revocations().engine.operator().execute(&delete).await;
        let done = done.map_err(|error| StoreError::of_write(&error))?;
        Ok(done.rows_affected() > 0)
    }
}
