//! `getHealth` and `getReadiness`.

use expect_test::expect;
use sea_orm::Database;
use taskward::store::migrate;

use crate::support::{Backend, on_both};

on_both! {
    async fn a_server_is_alive_and_ready(on: Backend) {
        let app = on.app().await;
        let anon = app.anon();
        anon.get("/healthz").await.is(expect![[r#"
            200 OK

            {
              "status": "ok"
            }"#]]);
        anon.get("/readyz").await.is(expect![[r#"
            200 OK

            {
              "status": "ok"
            }"#]]);
        // A token is not needed, and not checked.
        app.with_token("nonsense").get("/readyz").await.has(200);
    }

    async fn a_server_without_its_tables_is_alive_but_not_ready(on: Backend) {
        let app = on.app().await;
        let anon = app.anon();
        let database = Database::connect(&app.database_url).await.unwrap();
        migrate::down(&database, 1).await.unwrap();
        anon.get("/readyz").await.is(expect![[r#"
            503 Service Unavailable
            retry-after: 1

            {
              "type": "urn:taskward:problem:not_ready",
              "title": "Not ready",
              "status": 503,
              "detail": "Not ready: 1 migration is pending (run `taskward migrate up`).",
              "code": "not_ready",
              "request_id": "[id]"
            }"#]]);
        anon.get("/healthz").await.has(200);
        // It becomes ready again by itself.
        migrate::up(&database).await.unwrap();
        anon.get("/readyz").await.has(200);
        app.user("alice").create("Buy milk").await;
    }
}
