//! Statements that take longer than anybody waits for them.

use reqwest::Method;
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};

use super::{Home, eventually, number, reply, telemetry::sample};
use crate::support::{Backend, Collector, collector::attribute, postgres::postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_nobody_waits_for_ends_in_postgres() {
    if postgres().is_err() {
        return;
    }
    let collector = Collector::start().await;
    let home = Home::on(Backend::Postgres)
        .await
        .set("METRICS_ADDR", "127.0.0.1:0")
        .set(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            format!("{}/v1/traces", collector.base),
        );
    let server = home.start().await;
    let alice = server.user("alice");
    alice.create("Buy milk").await;
    let url = home.setting("DATABASE_URL");
    let mut locker = PgConnection::connect(url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE";
    locker.execute(lock).await.unwrap();

    let search = reply(alice.request(Method::GET, "/api/v1/tasks?q=milk"));
    let search = search.await.unwrap();
    assert_eq!(search.status, 503, "{search:?}");
    assert_eq!(search.body["code"], "read_too_slow");

    // It would go on for as long as the lock is held, or the scan takes.
    let working = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskward' \
         AND datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    eventually("no session of the server works any more", || async {
        (number(url, working).await == 0).then_some(())
    })
    .await;
    locker.execute("COMMIT").await.unwrap();

    // The operator sees it in the numbers, and in the trace of the request.
    let labels = r#"{db_system_name="postgresql",db_query_summary="other reads""#;
    let failed =
        format!(r#"db_client_operation_duration_seconds_count{labels},error_type="timeout"}}"#);
    eventually("the statement is counted as one that failed", async || {
        (sample(&server, &failed).await? > 0.0).then_some(())
    })
    .await;
    let late = format!("taskward_store_deadlines_total{labels}}}");
    assert!(sample(&server, &late).await.unwrap() > 0.0);
    eventually("the span of the statement", async || {
        let spans = collector.spans().into_iter();
        let mut reads = spans.filter(|span| span.name == "other reads");
        reads.find(|span| attribute(&span.attributes, "error.type") == "timeout")
    })
    .await;
    assert_eq!(alice.titles("?q=milk").await, ["Buy milk"]);
}
