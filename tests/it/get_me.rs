//! `getMe`.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use expect_test::expect;
use serde_json::json;

use crate::support::{Backend, on_both, time};

on_both! {
    async fn get_me_shows_the_user_of_the_token(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let mut me = alice.get("/api/v1/me").await;
        let left = time(&me.body["expires_at"]) - Utc::now();
        assert!(left > TimeDelta::seconds(540) && left <= TimeDelta::seconds(600), "{left}");
        me.body["expires_at"] = json!("[in ten minutes]");
        me.is(expect![[r#"
            200 OK

            {
              "user_id": "alice",
              "issuer": "taskward-development",
              "expires_at": "[in ten minutes]",
              "scopes": [
                "tasks:read",
                "tasks:write"
              ],
              "rule": "development"
            }"#]]);

        let reader = app.user_with_scope("bob", "tasks:read openid");
        let me = reader.get("/api/v1/me").await.has(200);
        assert_eq!((&me.body["user_id"], &me.body["scopes"]), (&json!("bob"), &json!(["tasks:read"])));
        // Reading creates no tasks and no clock.
        assert_eq!(alice.get("/api/v1/tasks").await.header("etag"), "\"0\"");
    }

    async fn get_me_shows_what_the_token_says(on: Backend) {
        let app = on.app().await;
        let long = app.issuer.mint("alice", None, Duration::from_secs(86_400)).unwrap();
        let me = app.with_token(&long).get("/api/v1/me").await.has(200);
        assert!(time(&me.body["expires_at"]) - Utc::now() > TimeDelta::hours(23));
        app.anon().get("/api/v1/me").await.fails(401, "token_missing");
    }
}
