//! `ETag` and `If-None-Match`: a list that has not changed is not sent again.

use reqwest::Method;

use super::*;

/// The ETag of the list.
async fn etag(actor: &Actor) -> String {
    actor.get(TASKS).await.has(200).header("etag").to_owned()
}

on_both! {
    async fn an_unchanged_list_is_not_sent_again(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        alice.create("Buy bread").await;
        alice.get_if_none_match(TASKS, "\"2\"").await.is(expect![[r#"
            304 Not Modified
            etag: "2"
        "#]]);
        for same in ["W/\"2\"", "\"1\", \"2\"", "\"1\",W/\"2\" , \"3\"", "*", " \"2\" ", "\"a,b\", \"2\""] {
            alice.get_if_none_match(TASKS, same).await.has(304);
        }
        for other in ["\"1\"", "\"1\", \"3\"", "\"\"", "\"02\"", "\"2-other\"", "\"*\""] {
            let list = alice.get_if_none_match(TASKS, other).await.has(200);
            assert_eq!(list.items().len(), 2, "{other}");
        }
        let twice = alice.request(Method::GET, TASKS).header("if-none-match", "\"1\"");
        alice.send(twice.header("if-none-match", "\"2\"")).await.has(304);
        // The ETag stands for all tasks of the user, whatever the filters.
        alice.get_if_none_match(&format!("{TASKS}?q=milk&limit=1"), "\"2\"").await.has(304);
    }

    async fn a_malformed_if_none_match_is_400(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for malformed in ["2", "", "\"2", "2\"", "\"2\" \"3\"", "w/\"2\"", "*, \"2\"", "\"2\";"] {
            let answer = alice.get_if_none_match(TASKS, malformed).await.fails(400, "invalid_parameters");
            let expected = "If-None-Match must be an ETag as the server sent it, with its quotes, such as \"12\"; a list of them; or *";
            assert_eq!(answer.faults(), [expected], "{malformed}");
        }
    }

    async fn every_write_changes_the_tag(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        assert_eq!(etag(&alice).await, "\"0\"");
        alice.get_if_none_match(TASKS, "\"0\"").await.has(304);
        let task = alice.create("Buy milk").await.location;
        let mut tags = vec![etag(&alice).await];
        alice.patch(&task, json!({ "completed": true })).await.has(200);
        tags.push(etag(&alice).await);
        alice.delete(&task).await.has(204);
        tags.push(etag(&alice).await);
        alice.post_nothing(&format!("{task}/restore")).await.has(200);
        tags.push(etag(&alice).await);
        assert_eq!(tags, ["\"1\"", "\"2\"", "\"3\"", "\"4\""]);
        // Other users' writes do not change it.
        let plants = bob.create("Water the plants").await.location;
        bob.patch(&plants, json!({ "completed": true })).await.has(200);
        assert_eq!(etag(&alice).await, "\"4\"");
        assert_eq!(etag(&bob).await, "\"2\"");
    }

    async fn a_refused_write_does_not_change_the_etag(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = 2).await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk" });
        alice.post_with_key("k1", body.clone()).await.has(201);
        alice.create("Buy bread").await;
        alice.delete("/api/v1/tasks/2").await.has(204);
        alice.create("Buy salt").await;
        let before = alice.get(TASKS).await;

        let task = "/api/v1/tasks/1";
        let other = json!({ "title": "Buy oil" });
        alice.post(TASKS, json!({})).await.has(422);
        alice.post(TASKS, other.clone()).await.has(409);
        alice.post_with_key("k1", other.clone()).await.has(422);
        alice.post_with_key("k1", body).await.has(201);
        alice.post_raw(TASKS, "{").await.has(400);
        alice.patch(task, json!({ "title": null })).await.has(422);
        alice.patch(task, json!({})).await.has(200);
        alice.patch_if_match(task, "\"7\"", other.clone()).await.has(412);
        alice.patch("/api/v1/tasks/2", other.clone()).await.has(404);
        alice.patch("/api/v1/tasks/99", other.clone()).await.has(404);
        alice.delete_if_match(task, "\"7\"").await.has(412);
        alice.delete("/api/v1/tasks/2").await.has(404);
        alice.post_nothing("/api/v1/tasks/2/restore").await.has(409);
        alice.post_nothing("/api/v1/tasks/1/restore").await.has(200);
        alice.post_nothing("/api/v1/tasks/99/restore").await.has(404);

        let after = alice.get(TASKS).await;
        assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
        // And the next write takes the next number.
        alice.patch(task, other).await.has(200);
        assert_eq!(etag(&alice).await, "\"5\"");
    }
}
