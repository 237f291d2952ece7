//! In which media types a patch comes.

use reqwest::Method;

use super::*;
use crate::support::Answer;

/// Patches with this content type, and none if it is empty.
async fn patch_as(actor: &Actor, path: &str, content_type: &str) -> Answer {
    let request = actor
        .request(Method::PATCH, path)
        .body(r#"{"completed":true}"#);
    let request = match content_type {
        "" => request,
        some => request.header("content-type", some),
    };
    actor.send(request).await
}

on_both! {
    async fn a_patch_is_a_merge_patch_or_plain_json(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        let good = [
            "application/merge-patch+json",
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/merge-patch+json ; profile=x",
        ];
        for content_type in good {
            patch_as(&alice, &milk, content_type).await.has(200);
        }
        let bad = [
            "",
            "text/plain",
            "text/json",
            "application/json-patch+json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin1",
            "application/jsonx",
            "application/*",
            "json",
        ];
        for content_type in bad {
            let answer = patch_as(&alice, &milk, content_type).await.fails(415, "unsupported_media_type");
            let accepted = answer.header("accept");
            assert_eq!(accepted, "application/merge-patch+json, application/json", "{content_type}");
        }
        patch_as(&alice, &milk, "text/plain").await.is(expect![[r#"
            415 Unsupported Media Type

            {
              "type": "urn:taskward:problem:unsupported_media_type",
              "title": "Unsupported media type",
              "status": 415,
              "detail": "The body must be JSON in UTF-8 with the header `Content-Type: application/merge-patch+json`; it was `text/plain`.",
              "code": "unsupported_media_type",
              "request_id": "[id]"
            }"#]]);
    }

    async fn a_task_is_created_from_plain_json_alone(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for content_type in ["application/merge-patch+json", "text/plain"] {
            let request = alice.request(Method::POST, "/api/v1/tasks").header("content-type", content_type);
            let answer = alice.send(request.body(r#"{"title":"Buy milk"}"#)).await;
            let answer = answer.fails(415, "unsupported_media_type");
            assert_eq!(answer.header("accept"), "application/json");
        }
        // A body without a type, and no body at all.
        let request = alice.request(Method::POST, "/api/v1/tasks").body(r#"{"title":"Buy milk"}"#);
        alice.send(request).await.is(expect![[r#"
            415 Unsupported Media Type

            {
              "type": "urn:taskward:problem:unsupported_media_type",
              "title": "Unsupported media type",
              "status": 415,
              "detail": "The body must be JSON in UTF-8 with the header `Content-Type: application/json`; there was none.",
              "code": "unsupported_media_type",
              "request_id": "[id]"
            }"#]]);
        alice.post_nothing("/api/v1/tasks").await.fails(415, "unsupported_media_type");
        assert_eq!(alice.get("/api/v1/tasks").await.items().len(), 0);
    }
}
