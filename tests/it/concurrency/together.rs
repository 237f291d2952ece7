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
}
