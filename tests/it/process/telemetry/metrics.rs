//! The numbers, for Prometheus and for a collector.

use std::time::Duration;

use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, metric::Data};
use tokio::net::TcpListener;

use super::{Home, address, eventually, sample, scraped, sending_to};
use crate::support::{
    Backend, Collector,
    collector::{attribute, points},
    on_both,
};

on_both! {
    async fn prometheus_scrapes_an_address_of_its_own(on: Backend) {
        let home = Home::on(on).await.set("METRICS_ADDR", "127.0.0.1:0").set("OTEL_SERVICE_NAME", "tasks");
        let server = home.start().await;
        server.user("alice").create("Buy milk").await;
        let address = address(&server).await;
        let scraped = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
        let content_type = scraped.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let text = scraped.text().await.unwrap();
        for line in [
            r#"http_server_request_duration_seconds_count{url_scheme="http",http_route="/api/v1/tasks",http_request_method="POST",http_response_status_code="201"} 1"#,
            r#"taskward_tasks_written_total{taskward_task_operation="create"} 1"#,
            "taskward_log_dropped_lines_total 0",
            r#"service_name="tasks""#,
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        // It is on Linux that this runs.
        let sample = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{name}"));
            line.rsplit_once(' ').unwrap().1.parse().unwrap()
        };
        assert!(sample("process_memory_usage_bytes") > 1e6);
        assert!(sample("process_unix_file_descriptor_count") > 3.0);
        assert!(sample("process_cpu_time_seconds_total") > 0.0);
        assert!(sample("process_uptime_seconds") < 3600.0);

        // Nothing of it is on the public port, and nothing else on this one.
        server.anon().get("/metrics").await.has(404);
        for (path, status) in [("/api/v1/tasks", 404), ("/", 404), ("/healthz", 404)] {
            let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
        }
        let posted = reqwest::Client::new().post(format!("http://{address}/metrics")).send().await.unwrap();
        assert_eq!(posted.status(), 405);
    }

    /// Otherwise a database that suspends when idle, like Neon's, would be awake and paid for all day.
    async fn an_idle_server_asks_the_database_for_nothing(on: Backend) {
        let home = Home::on(on).await.set("METRICS_ADDR", "127.0.0.1:0");
        let server = home.start().await;
        let address = address(&server).await;
        let statements = async || -> u64 {
            let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
            let counts = text.lines().filter(|line| line.starts_with("db_client_operation_duration_seconds_count{"));
            counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
        };
        let before = statements().await;
        server.user("alice").create("Buy milk").await;
        assert!(statements().await > before);
        // What is done beside a request ends soon after it.
        eventually("nothing is asked for three seconds", async || {
            let before = statements().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            (statements().await == before).then_some(())
        })
        .await;
    }

    async fn a_collector_gets_the_numbers_and_the_last_of_them_at_the_stop(on: Backend) {
        let collector = Collector::start().await;
        let home = sending_to(&collector, on).await.set("OTEL_METRIC_EXPORT_INTERVAL", "3600000");
        let mut server = home.start().await;
        server.user("alice").create("Buy milk").await;
        // The next message is due in an hour, so this is the one of the stop.
        server.signal("TERM");
        assert!(server.ended(Duration::from_secs(20)).await.success());
        let metrics = collector.metrics();
        let named = |name: &str| metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}"));
        let duration = named("http.server.request.duration");
        assert_eq!(duration.unit, "s");
        let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
        assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Cumulative);
        let of = |route: &str| histogram.data_points.iter().find(|point| attribute(&point.attributes, "http.route") == route);
        let point = of("/api/v1/tasks").unwrap();
        assert_eq!(attribute(&point.attributes, "http.request.method"), "POST");
        assert_eq!(attribute(&point.attributes, "http.response.status_code"), "201");
        assert_eq!(attribute(&point.attributes, "url.scheme"), "http");
        assert_eq!(point.count, 1);
        assert_eq!(point.explicit_bounds, [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), 1);
        assert!(point.sum.unwrap() > 0.0 && point.sum.unwrap() < 60.0);
        assert!(point.start_time_unix_nano < point.time_unix_nano);
        let Some(Data::Sum(active)) = &named("http.server.active_requests").data else { panic!() };
        assert!(!active.is_monotonic);
        let Some(Data::Sum(written)) = &named("taskward.tasks.written").data else { panic!() };
        assert!(written.is_monotonic);
        assert_eq!(points(named("taskward.tasks.written")), 4);
        assert_eq!(named("process.memory.usage").unit, "By");
    }
}

#[tokio::test]
async fn key_sets_are_counted_by_their_rule() {
    let issuer = crate::support::Issuer::start().await;
    let home = Home::sqlite()
        .set("METRICS_ADDR", "127.0.0.1:0")
        .set("BETTER_AUTH_URL", &issuer.base);
    let server = home.start().await;
    let address = address(&server).await;
    let scrape = async || {
        let answer = reqwest::get(format!("http://{address}/metrics"))
            .await
            .unwrap();
        answer.text().await.unwrap()
    };
    let rule = r#"{taskward_auth_rule="BETTER_AUTH_URL""#;
    let fetched = format!(r#"taskward_key_set_fetches_total{rule},taskward_outcome="success"}} 1"#);
    let text = eventually("the key set is fetched", async || {
        Some(scrape().await).filter(|text| text.contains(&fetched))
    })
    .await;
    assert!(
        text.contains(&format!("taskward_key_set_keys{rule}}} 1")),
        "{text}"
    );
    assert!(
        text.contains(&format!("taskward_key_set_age_seconds{rule}}} ")),
        "{text}"
    );
}

#[tokio::test]
async fn a_key_set_that_cannot_be_fetched_is_counted_as_a_failure() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let home = Home::sqlite()
        .set("METRICS_ADDR", "127.0.0.1:0")
        .set("BETTER_AUTH_URL", away);
    let server = home.start().await;
    let rule = r#"{taskward_auth_rule="BETTER_AUTH_URL""#;
    let fetches = |outcome: &str| {
        format!(r#"taskward_key_set_fetches_total{rule},taskward_outcome="{outcome}"}}"#)
    };
    eventually("a fetch has failed", async || {
        (sample(&server, &fetches("failure")).await? > 0.0).then_some(())
    })
    .await;
    assert_eq!(sample(&server, &fetches("success")).await, Some(0.0));
    assert_eq!(
        sample(&server, &format!("taskward_key_set_keys{rule}}}")).await,
        Some(0.0)
    );
    assert!(
        !scraped(&server)
            .await
            .contains("taskward_key_set_age_seconds{")
    );
}

/// Alerts count 5xx by `error.type`, which requests that are the client's fault do not have.
#[tokio::test]
async fn faults_of_the_server_are_told_from_those_of_clients() {
    let collector = Collector::start().await;
    let home = sending_to(&collector, Backend::Sqlite)
        .await
        .set("AUTO_MIGRATE", "off")
        .set("METRICS_ADDR", "127.0.0.1:0");
    let mut server = home.start().await;
    let anon = server.anon();
    anon.get("/readyz").await.has(503);
    anon.get("/api/v1/tasks").await.has(401);
    let unknown = reqwest::Method::from_bytes(b"UNKNOWN").unwrap();
    anon.send(anon.request(unknown, "/api/v1/tasks")).await;
    let of = |route: &str, status: &str| {
        format!(
            r#"http_server_request_duration_seconds_count{{url_scheme="http",http_route="{route}",http_request_method="GET",http_response_status_code="{status}"#
        )
    };
    let failed = format!(r#"{}",error_type="503"}}"#, of("/readyz", "503"));
    assert_eq!(sample(&server, &failed).await, Some(1.0));
    let refused = format!(r#"{}"}}"#, of("/api/v1/tasks", "401"));
    assert_eq!(sample(&server, &refused).await, Some(1.0));
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(20)).await.success());
    let spans = collector.spans();
    let named = |name: &str| {
        spans
            .iter()
            .find(|span| span.name == name)
            .unwrap_or_else(|| panic!("{name}: {spans:?}"))
    };
    let said = |name: &str| {
        let span = named(name);
        let status = span.status.clone().unwrap_or_default().code();
        ["error.type", "taskward.problem.code"]
            .map(|key| attribute(&span.attributes, key))
            .into_iter()
            .chain([format!("{status:?}")])
            .collect::<Vec<_>>()
    };
    assert_eq!(said("GET /readyz"), ["503", "not_ready", "Error"]);
    assert_eq!(said("GET /api/v1/tasks"), ["", "token_missing", "Unset"]);
    // OpenTelemetry's name where the method is not known.
    assert_eq!(
        attribute(
            &named("HTTP /api/v1/tasks").attributes,
            "http.request.method"
        ),
        "_OTHER"
    );
}

/// What an operator sees of a stop that takes its time: the streams that it ended, and the process still there.
#[tokio::test]
async fn the_end_of_streams_can_be_seen_while_the_server_stops() {
    let collector = Collector::start().await;
    collector.answer(0);
    let home = sending_to(&collector, Backend::Sqlite)
        .await
        .set("METRICS_ADDR", "127.0.0.1:0");
    let mut server = home.start().await;
    let mut stream = server.user("alice").events(0).await;
    stream.soon().await;
    address(&server).await;
    server.signal("TERM");
    assert_eq!(stream.soon().await.reason(), Some("shutdown"));
    drop(stream);
    let name = r#"taskward_streams_ended_total{taskward_stream_end="shutdown"}"#;
    eventually("the end is counted", async || {
        (sample(&server, name).await? > 0.0).then_some(())
    })
    .await;
    assert!(server.ended(Duration::from_secs(40)).await.success());
}
