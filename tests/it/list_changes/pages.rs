//! Pages of changes, while others write.

use serde_json::json;

use super::{TASKS, TaskCopy, changes, state, told};
use crate::support::{Actor, Answer, Backend, on_both};

async fn next(of: &Actor, page: &Answer, query: &str) -> Answer {
    let cursor = page.body["cursor"].as_str().unwrap();
    changes(of, &format!("?cursor={cursor}{query}"))
        .await
        .has(200)
}

on_both! {
    async fn pages_of_any_size_give_all_of_it(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=7 {
            alice.create(&format!("{n}")).await;
        }
        alice.delete(&format!("{TASKS}/2")).await.has(204);
        alice.delete(&format!("{TASKS}/6")).await.has(204);
        // Deletions count as well.
        let first = changes(&alice, "?limit=4").await;
        assert_eq!(told(&first), "1v1 3v3 4v4 5v5 -> 9+");
        let second = next(&alice, &first, "&limit=2").await;
        assert_eq!(told(&second), "7v7 -2v8 -> 9+");
        assert_eq!(told(&next(&alice, &second, "").await), "-6v9 -> 9");
        // A page that is just full is the last one if nothing follows.
        assert_eq!(told(&changes(&alice, "?limit=7").await), "1v1 3v3 4v4 5v5 7v7 -2v8 -6v9 -> 9");
        let link = first.header("link");
        let cursor = first.body["cursor"].as_str().unwrap();
        assert_eq!(link, format!("</api/v1/changes?limit=4&cursor={cursor}>; rel=\"next\""));
        assert_eq!(changes(&alice, "?since=3&limit=1").await.header("link").matches("since").count(), 0);
        assert_eq!(changes(&alice, "").await.header("link"), "");
    }

    async fn what_changes_meanwhile_comes_with_the_next_sync(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=4 {
            alice.create(&format!("{n}")).await;
        }
        let first = changes(&alice, "?limit=2").await;
        assert_eq!(told(&first), "1v1 2v2 -> 4+");
        alice.patch(&format!("{TASKS}/1"), json!({ "title": "read already" })).await.has(200);
        alice.patch(&format!("{TASKS}/3"), json!({ "title": "not yet" })).await.has(200);
        alice.create("new").await;
        // It ends where it began, so that it ends at all.
        let second = next(&alice, &first, "").await;
        assert_eq!(told(&second), "4v4 -> 4");
        assert_eq!(told(&changes(&alice, "?since=4").await), "1v5 3v6 5v7 -> 7");
    }

    async fn a_copy_is_in_step_while_many_write(on: Backend) {
        let app = on.app_with(|settings| settings.max_connections = 16).await;
        let alice = app.user("alice");
        let other = app.another(|settings| settings.max_connections = 16).await;
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..6 {
            let actor = [&app, &other][writer % 2].user("alice");
            writers.spawn(async move {
                for n in 0..15 {
                    let task = actor.create(&format!("{writer} {n}")).await.location;
                    actor.patch(&task, json!({ "completed": true })).await.has(200);
                    if n % 3 == 0 {
                        actor.delete(&task).await.has(204);
                    }
                }
            });
        }
        let mut copy = TaskCopy::default();
        let mut syncs = 0;
        while writers.try_join_next().is_none_or(|ended| { ended.unwrap(); true }) && !writers.is_empty() {
            let before = copy.since;
            assert_eq!(copy.sync(&alice, || rand::random_range(1..8)).await, 0);
            assert!(copy.since >= before);
            syncs += 1;
        }
        copy.sync(&alice, || 100).await;
        assert!(syncs > 3);
        assert_eq!(copy.tasks, state(&alice).await);
        assert_eq!(copy.tasks.len(), 6 * 10);
    }
}
