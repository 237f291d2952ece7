//! Lists of few tasks beside many tombstones.

use serde_json::json;

use super::{check_counts, delete, execute, number};
use crate::support::{Backend, TestApp, on_both};

/// 10,000 tombstones of alice, of which half are older than her 100 tasks, and half are newer.
async fn beside_many_tombstones(on: Backend) -> TestApp {
    let app = on.app().await;
    app.user("alice").create("first").await;
    execute(
        &app,
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10100) \
         INSERT INTO task (user_id, id, title, title_fold, priority, tags, tags_fold, created_at, updated_at, revision, deleted_at) \
         SELECT 'alice', i, 'task ' || i, 'task ' || i, 1, '[]', '', '2026-11-28T09:00:00Z', '2026-11-28T09:00:00Z', i, \
         CASE WHEN i BETWEEN 5000 AND 5098 THEN NULL ELSE '2026-11-28T09:00:00Z' END FROM n"
            .replace("'[]'", if on == Backend::Postgres { "'[]'::json" } else { "'[]'" })
            .replace("'2026-11-28T09:00:00Z'", if on == Backend::Postgres { "'2026-11-28T09:00:00Z'::timestamptz" } else { "'2026-11-28T09:00:00+00:00'" })
            .as_str(),
    )
    .await;
    execute(
        &app,
        "UPDATE user_clock SET revision = 10100, last_task_id = 10100",
    )
    .await;
    app
}

on_both! {
    async fn all_orders_show_the_live_tasks(on: Backend) {
        let app = beside_many_tombstones(on).await;
        let alice = app.user("alice");
        for (sort, first) in [("created_at", "first"), ("-created_at", "task 5098"), ("-updated_at", "task 5098"), ("title", "first")] {
            let titles = alice.titles(&format!("?limit=100&sort={sort}")).await;
            assert_eq!((titles.len(), titles[0].as_str()), (100, first), "{sort}");
        }
    }

    /// A page in memory is renewed by what has changed since, tombstones included; but some are purged already.
    async fn a_task_that_is_deleted_and_purged_leaves_the_page_in_memory(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = 2).await;
        let alice = app.user("alice");
        alice.create("a").await;
        alice.create("b").await;
        assert_eq!(alice.titles("").await.len(), 2);
        for id in 1..=4 {
            delete(&alice, id).await;
            alice.create("next").await;
        }
        assert_eq!(number(&app, "SELECT COUNT(*) FROM task WHERE id = 1").await, 0);
        let ids: Vec<_> = alice.get("/api/v1/tasks?sort=created_at").await.items().iter().map(|task| task["id"].clone()).collect();
        assert_eq!(ids, [json!(5), json!(6)]);
        let mut titles = alice.titles("").await;
        titles.sort();
        assert_eq!(titles, ["next", "next"]);
        check_counts(&app).await;
    }
}

/// The first pages in the order of creation read the live tasks alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_does_not_read_past_tombstones() {
    if crate::support::postgres::postgres().is_err() {
        return;
    }
    let app = beside_many_tombstones(Backend::Postgres).await;
    execute(&app, "ANALYZE task").await;
    let alice = app.user("alice");
    for sort in ["created_at", "-created_at"] {
        alice
            .get(&format!("/api/v1/tasks?sort={sort}"))
            .await
            .has(200);
        alice
            .get(&format!("/api/v1/tasks?sort={sort}&priority=medium"))
            .await
            .has(200);
    }
    // A session reports what it has read once it is idle for a while.
    // Of the table, and of its parts if there are any.
    let read = "SELECT COALESCE(SUM(idx_tup_fetch), 0)::bigint FROM pg_stat_user_indexes WHERE relname ~ '^task(_[0-9]+)?$'";
    let live = "SELECT COALESCE(SUM(idx_scan), 0)::bigint FROM pg_stat_user_indexes WHERE indexrelid = 'task_live'::regclass \
        OR indexrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'task_live'::regclass)";
    let mut scans = 0;
    for _ in 0..200 {
        scans = number(&app, live).await;
        if scans >= 4 {
            break;
        }
        // Its next statement reports what those before have read.
        alice.get("/api/v1/tasks/1").await.has(200);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(scans >= 4, "{scans}");
    let read = number(&app, read).await;
    assert!(read < 1_000, "{read} rows for 4 pages");
}
