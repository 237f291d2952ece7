//! The real program as a process of its own: what happens to it, and what its clients see of that.
//!
//! Everything else is tested in this process, where nothing can be killed. No test here sleeps to wait
//! for something: tests check again until it is so, and fail at a deadline.

#![expect(
    clippy::print_stdout,
    reason = "`--nocapture` shows the numbers that were seen"
)]

mod backup;
mod batches;
mod command_line;
mod crash;
mod crowd;
mod deadlines;
mod deadlocks;
mod disk_full;
mod doctor;
mod far_away;
mod first_look;
mod hang_up;
mod histories;
mod home;
mod import;
mod ledger;
mod locked_rows;
mod outage;
mod pooler;
mod protected_resource;
mod proxy;
mod purge;
mod request_log;
mod secrets;
mod stop;
mod streams;
mod telemetry;
mod two_processes;
mod user;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use reqwest::RequestBuilder;
use sea_orm::sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use serde_json::Value;

use home::{Home, Process};

/// Looks until `seen` finds something, for ten seconds at most.
#[track_caller]
fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    seen: impl Fn() -> F,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(found) = seen().await {
                return found;
            }
            assert!(Instant::now() < deadline, "{caller}: never: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A whole answer.
#[derive(Debug)]
struct Reply {
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

/// Sends a request that may be cut off. `Err`: no whole answer came.
async fn reply(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Reply {
        status,
        retry_after,
        body,
    })
}

/// A small number, different at each run, for the random moment of a test.
fn any(range: std::ops::Range<u64>) -> u64 {
    rand::random_range(range)
}

/// Asks PostgreSQL for one number, past the server.
async fn number(url: &str, sql: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let row = connection
        .fetch_one(AssertSqlSafe(sql.to_owned()))
        .await
        .unwrap();
    connection.close().await.unwrap();
    row.get(0)
}
