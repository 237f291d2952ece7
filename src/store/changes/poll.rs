//! Finding what other processes commit: the clocks of the users who are waited for are read, all by one statement.
//!
//! PostgreSQL's NOTIFY would do it without reading, but takes a lock of the whole cluster at each commit and needs a session of
//! its own, which a pooler in transaction mode does not give.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{
    DbBackend, DbErr, ExprTrait as _,
    sea_query::{Expr, Query},
};
use tokio::time::sleep;

use crate::{
    auth::UserId,
    store::{
        engine::IDLE_TIMEOUT,
        entity::{user_clock, user_clock::Column as Clock},
        tasks::TaskStore,
    },
};

/// How often, while anybody is active.
const ACTIVE: Duration = Duration::from_millis(200);
/// How long somebody who was active counts as such.
const RECENT: Duration = Duration::from_secs(10);
/// How often, when nobody has been active for a while.
const QUIET: Duration = Duration::from_secs(2);
/// How often, when nobody has been active for so long that PostgreSQL may be suspended ([`IDLE_TIMEOUT`]). Reading would
/// wake it, and keep it awake.
const ASLEEP: Duration = Duration::from_secs(10 * 60);
/// How often to look whether somebody has become active. That is known without the database.
const LOOK: Duration = Duration::from_millis(500);
/// Users in one statement. SQLite takes 32,766 parameters.
const USERS: usize = 16_384;

/// Reads the clocks until nobody waits any more.
pub(super) async fn poll(store: Arc<TaskStore>) {
    let (mut asked, mut news) = (Instant::now(), Instant::now());
    loop {
        let idle = store.idle().min(news.elapsed());
        let pace = pace(idle, store.backend());
        sleep(pace.min(LOOK)).await;
        let Some(users) = store.wakeups().users() else {
            return;
        };
        if asked.elapsed() < pace {
            continue;
        }
        asked = Instant::now();
        // A stream whose token is revoked ends, also while nobody sends a request.
        store.revocations().look();
        for some in users.chunks(USERS) {
            match ask(&store, some).await {
                Ok(true) => news = Instant::now(),
                Ok(false) => {}
                // The requests of these users tell it to the operator.
                Err(error) => tracing::debug!(%error, "the clocks could not be read"),
            }
        }
    }
}

/// How long to wait between two readings, when nobody has been active for so long.
fn pace(idle: Duration, backend: DbBackend) -> Duration {
    match idle {
        idle if idle < RECENT => ACTIVE,
        idle if idle < IDLE_TIMEOUT || backend == DbBackend::Sqlite => QUIET,
        _ => ASLEEP,
    }
}

/// Reads the clocks of these users, and wakes those who wait for one that has moved. Returns whether there was one.
async fn ask(store: &TaskStore, users: &[UserId]) -> Result<bool, DbErr> {
    let mut names: Vec<&str> = users.iter().map(UserId::as_str).collect();
    // A power of two, so that there are few texts of the statement to be prepared.
    let last = names.last().copied().unwrap_or_default();
    names.resize(names.len().next_power_of_two(), last);
    let clocks = Query::select()
        .columns([Clock::UserId, Clock::Revision])
        .from(user_clock::Entity)
        .and_where(Expr::col(Clock::UserId).is_in(names))
        .take();
    let mut is_news = false;
    for row in store.rows(&clocks).await? {
        let (user, revision): (String, i64) = row.try_get_many_by_index()?;
        is_news |= store.wakeups().committed(&user, revision);
    }
    Ok(is_news)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_suspends_when_idle_is_left_alone() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
            assert_eq!(pace(Duration::ZERO, backend), ACTIVE);
            assert_eq!(pace(minutes(1), backend), QUIET);
        }
        // Neon suspends after five minutes.
        assert!(pace(minutes(4), DbBackend::Postgres) > minutes(5));
        assert_eq!(pace(minutes(4), DbBackend::Sqlite), QUIET);
    }
}
