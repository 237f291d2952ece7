//! Writes that are committed together: what fails of one undoes nothing of the others.

use futures_util::future::{join, join_all};
use serde_json::json;

use super::{TASKS, busy, check_user_clock, statuses};
use crate::support::{Answer, Backend, on_both};

on_both! {
    async fn what_fails_undoes_nothing_of_the_others(on: Backend) {
        let app = busy(on).await;
        let (alice, bob) = app.two_users();
        for title in ["kept", "changed", "deleted"] {
            alice.create(title).await;
        }
        for round in 0..8 {
            // Retries of one creation, all at once: all but one violate a unique key in the database.
            let key = format!("key-{round}");
            let retry = || alice.post_with_key(&key, json!({ "title": "once" }));
            let new = |n: i64| bob.post(TASKS, json!({ "title": format!("{round} {n}") }));
            let stale = async || alice.patch_if_match(&format!("{TASKS}/1"), "\"999\"", json!({ "title": "lost" })).await;
            let missing = async || alice.patch(&format!("{TASKS}/999"), json!({ "title": "nobody" })).await;
            let writes = join(
                join(join_all((0..6).map(|_| retry())), join_all((0..12).map(new))),
                join(join_all((0..6).map(|_| stale())), join_all((0..6).map(|_| missing()))),
            );
            let ((retries, news), (stales, missings)): ((Vec<Answer>, Vec<Answer>), _) = writes.await;
            assert_eq!(statuses(&retries), [(201, 6)].into());
            let ids: std::collections::BTreeSet<_> = retries.iter().map(|answer| answer.body["id"].as_i64()).collect();
            assert_eq!(ids.len(), 1, "one task, whatever the retries");
            assert_eq!(statuses(&news), [(201, 12)].into());
            assert_eq!(statuses(&stales), [(412, 6)].into());
            assert_eq!(statuses(&missings), [(404, 6)].into());
        }
        let list = alice.get(&format!("{TASKS}?sort=created_at")).await;
        let titles: Vec<_> = list.items().iter().map(|task| task["title"].as_str().unwrap()).collect();
        assert_eq!(titles[..4], ["kept", "changed", "deleted", "once"]);
        assert_eq!(titles.len(), 3 + 8);
        check_user_clock(&app, "alice").await;
        check_user_clock(&app, "bob").await;
    }

    /// Creations of many users that wait at once are written together, and each gets its own. Who has no room gets nothing, and
    /// takes nothing from the others.
    async fn users_who_create_at_once_get_their_own_tasks(on: Backend) {
        const USERS: usize = 40;
        const ROUNDS: i64 = 3;
        let app = on.app_with(|settings| {
            settings.limits.tasks = ROUNDS;
            settings.max_connections = 16;
        })
        .await;
        let users: Vec<_> = (0..USERS).map(|n| format!("user-{n}")).collect();
        let full = app.user("full");
        for n in 1..=ROUNDS {
            full.create(&format!("full {n}")).await;
        }
        for round in 1..=ROUNDS {
            let creations = users.iter().map(async |name| {
                let new = json!({ "title": format!("{name} {round}"), "description": format!("of {name}"), "tags": [name] });
                (name, app.user(name).post(TASKS, new).await)
            });
            let beyond = join_all((0..4).map(|_| full.post(TASKS, json!({ "title": "too many" }))));
            let (answers, beyond) = join(join_all(creations), beyond).await;
            for (name, answer) in answers {
                assert_eq!(answer.status, 201, "{answer}");
                assert_eq!(answer.body["title"], format!("{name} {round}"));
                assert_eq!(answer.body["description"], format!("of {name}"));
                assert_eq!(answer.body["tags"], json!([name]));
                assert_eq!(answer.body["id"], round);
            }
            assert_eq!(statuses(&beyond), [(409, 4)].into());
        }
        for name in users.iter().map(String::as_str).chain(["full"]) {
            let titles: Vec<_> = (1..=ROUNDS).map(|n| format!("{name} {n}")).collect();
            assert_eq!(app.user(name).titles("?sort=created_at").await, titles);
            check_user_clock(&app, name).await;
        }
    }
}
