//! The orders, and pages of any size in each of them.

use super::*;

on_both! {
    async fn every_order_has_all_tasks_on_its_pages(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        let tasks = [
            json!({ "title": "pear", "priority": "high", "due_date": "2026-03-01" }),
            json!({ "title": "Apple", "priority": "low" }),
            // The same instant as the date above.
            json!({ "title": "zebra", "due_date": "2026-03-01T00:00:00Z" }),
            json!({ "title": "apple", "priority": "high" }),
            json!({ "title": "Éclair", "priority": "low", "due_date": "2026-02-01T12:00:00.5Z" }),
            json!({ "title": "e\u{301}clair", "due_date": "2026-03-01T00:00:00.000001Z" }),
        ];
        for task in tasks {
            bob.create_with(task.clone()).await;
            alice.create_with(task).await;
        }
        alice.patch("/api/v1/tasks/3", json!({ "description": "changed" })).await.has(200);
        alice.patch("/api/v1/tasks/1", json!({ "completed": true })).await.has(200);

        let orders = [
            ("created_at", [1, 2, 3, 4, 5, 6]),
            ("-created_at", [6, 5, 4, 3, 2, 1]),
            ("updated_at", [2, 4, 5, 6, 3, 1]),
            ("-updated_at", [1, 3, 6, 5, 4, 2]),
            // Without a due date comes last either way; what is the same is ordered by id.
            ("due_date", [5, 1, 3, 6, 2, 4]),
            ("-due_date", [6, 3, 1, 5, 4, 2]),
            ("priority", [2, 5, 3, 6, 1, 4]),
            ("-priority", [4, 1, 6, 3, 5, 2]),
            ("title", [2, 4, 5, 6, 1, 3]),
            ("-title", [3, 1, 6, 5, 4, 2]),
        ];
        for (sort, expected) in orders {
            for limit in [1, 2, 3, 4, 6, 100] {
                let walked = walk(&alice, &format!("sort={sort}"), limit).await;
                assert_eq!(walked, expected, "{sort} in pages of {limit}");
            }
        }
        assert_eq!(listed(&alice, "").await, [6, 5, 4, 3, 2, 1]);
        assert_eq!(walk(&alice, "sort=due_date&completed=false", 1).await, [5, 3, 6, 2, 4]);
        assert_eq!(walk(&app.user("carol"), "sort=title", 1).await, [0; 0]);
    }

    async fn dates_of_all_ages_are_in_order(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let dates = [
            "0001-01-01",
            "0999-12-31T23:59:59.999999Z",
            "1969-12-31T23:59:59.999999Z",
            "1970-01-01",
            "2026-02-06T09:00:00Z",
            "2026-02-06T09:00:00.000001Z",
            "2026-02-06T09:00:00.001Z",
            "2026-02-06T09:00:00.1Z",
            "2026-02-06T09:00:00.100001Z",
            "2026-02-06T09:00:01Z",
            "9999-12-31T23:59:59.999999Z",
        ];
        for date in dates {
            alice.create_with(json!({ "title": date, "due_date": date })).await;
        }
        let expected: Vec<i64> = (1..=11).collect();
        assert_eq!(walk(&alice, "sort=due_date", 1).await, expected);
        let back: Vec<i64> = expected.into_iter().rev().collect();
        assert_eq!(walk(&alice, "sort=-due_date", 1).await, back);
    }

    async fn titles_of_all_lengths_and_scripts_are_in_order(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        // By the code points of their search keys, not by the rules of a language: the same on both databases.
        let titles = [
            "!".to_owned(),
            "\"quoted\\\"".to_owned(),
            "10".to_owned(),
            "9".to_owned(),
            // What has the same key is ordered by id.
            "a".to_owned(),
            "a ".to_owned(),
            "ä".to_owned(),
            "a b".to_owned(),
            "a–b".to_owned(),
            "ab".to_owned(),
            " leading".to_owned(),
            "z".to_owned(),
            "\u{fffd}".to_owned(),
            // The longest there is: what a cursor must still hold.
            "😀".repeat(500),
            "😀".repeat(199) + "🙈",
        ];
        for title in titles[7..].iter().chain(&titles[..7]) {
            alice.create(title).await;
        }
        assert_eq!(alice.titles("?sort=title").await, titles);
        let there = walk(&alice, "sort=title", 1).await;
        assert_eq!(there.len(), titles.len());
        assert_eq!(there, listed(&alice, "?sort=title").await);
        let mut back = walk(&alice, "sort=-title", 2).await;
        back.reverse();
        assert_eq!(there, back);
    }

    async fn links_keep_the_filters(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 0..3 {
            let title = format!("{n} a&b=c #1 100% +ü?");
            alice.create_with(json!({ "title": title, "priority": "low", "due_date": "2026-02-06", "tags": ["x&y; z"] })).await;
        }
        alice.create("Another").await;
        let query = "q=A%26B%3DC+%231+100%25+%2B%C3%9C?&priority=low&tag=X%26y%3B%20z&completed=false\
                     &due_after=2026-02-06T00:00:00%2B01:00&due_before=2026-02-07&sort=title";
        assert_eq!(walk(&alice, query, 1).await, [1, 2, 3]);
        let page = alice.get(&format!("{TASKS}?{query}&limit=2")).await;
        let (link, cursor) = page.header("link").split_once("&cursor=").unwrap();
        expect![[r#"
            </api/v1/tasks?q=A%26B%3DC+%231+100%25+%2B%C3%9C?
            &priority=low
            &tag=X%26y%3B%20z
            &completed=false
            &due_after=2026-02-06T00:00:00%2B01:00
            &due_before=2026-02-07
            &sort=title
            &limit=2"#]].assert_eq(&link.replace('&', "\n&"));
        assert!(cursor.ends_with(">; rel=\"next\""), "{cursor}");
    }
}
