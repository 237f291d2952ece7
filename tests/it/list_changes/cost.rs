//! What a sync costs: it grows with what has changed, not with what there is.

use std::time::{Duration, Instant};

use super::{changes, told};
use crate::{
    storage::{execute, number},
    support::{Backend, postgres::postgres},
};

/// Of the table, and of its parts if there are any.
const ROWS: &str = "SELECT sum(seq_tup_read + idx_tup_fetch)::int8 FROM pg_stat_user_tables \
     WHERE relname ~ '^task(_[0-9]+)?$'";

/// The plan of the statement is made while there is no task, and kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_of_a_few_changes_reads_a_few_rows() {
    if postgres().is_err() {
        return;
    }
    let app = Backend::Postgres
        // One connection, since each makes plans of its own, and the list of revoked tokens is read meanwhile.
        .app_with(|settings| settings.max_connections = 1)
        .await;
    let alice = app.user("alice");
    alice.create("1").await;
    for _ in 0..40 {
        assert_eq!(told(&changes(&alice, "?since=1").await), " -> 1");
    }
    execute(&app, "INSERT INTO task (user_id, id, title, title_fold, priority, tags, tags_fold, created_at, updated_at, revision) \
        SELECT 'alice', i, 'x', 'x', 1, '[]', '', now(), now(), i FROM generate_series(2, 5000) i").await;
    execute(
        &app,
        "UPDATE user_clock SET revision = 5000, last_task_id = 5000",
    )
    .await;
    // What was read until now does not count.
    execute(&app, "SELECT pg_stat_reset()").await;
    for _ in 0..20 {
        let few = changes(&alice, "?since=4997").await;
        assert_eq!(told(&few), "4998v4998 4999v4999 5000v5000 -> 5000");
        changes(&alice, "?since=5000").await.has(200);
        changes(&alice, "?limit=10").await.has(200);
    }
    // 3, 0 and 11 each time. PostgreSQL tells what an idle connection has read after 10 s.
    let expected = 20 * (3 + 11);
    let began = Instant::now();
    let mut read = 0;
    while read < expected && began.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        read = number(&app, ROWS).await;
    }
    assert!(
        (expected..2 * expected).contains(&read),
        "{read} rows were read"
    );
}
