//! `getMe`.

use std::{num::NonZeroU32, time::Duration};

use chrono::{TimeDelta, Utc};
use expect_test::expect;
use serde_json::json;
use taskward::{access::RateLimit, store::UserLimits};

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
              "rule": "development",
              "limits": {
                "tasks": 10000,
                "bytes": 67108864,
                "requests_per_second": null,
                "burst": null
              },
              "usage": {
                "tasks": 0,
                "deleted_tasks": 0,
                "bytes": 0
              }
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

    async fn get_me_shows_the_limits_and_what_is_used(on: Backend) {
        let app = on.app_with(|settings| {
            settings.limits = UserLimits { tasks: 7, bytes: None };
            settings.rate_limit = Some(RateLimit { per_second: NonZeroU32::new(50).unwrap(), burst: NonZeroU32::new(100).unwrap() });
        }).await;
        let (alice, bob) = app.two_users();
        for _ in 0..3 {
            alice.create("Buy milk").await;
        }
        alice.delete("/api/v1/tasks/2").await.has(204);
        let me = alice.get("/api/v1/me").await.has(200);
        let limits = json!({ "tasks": 7, "bytes": null, "requests_per_second": 50, "burst": 100 });
        assert_eq!(me.body["limits"], limits);
        // Each row counts 256 bytes beside its texts, which are stored with their search keys.
        let bytes = 3 * (256 + 2 * "Buy milk".len() + 2);
        assert_eq!(me.body["usage"], json!({ "tasks": 2, "deleted_tasks": 1, "bytes": bytes }));
        let nothing = json!({ "tasks": 0, "deleted_tasks": 0, "bytes": 0 });
        assert_eq!(bob.get("/api/v1/me").await.body["usage"], nothing);
    }
}
