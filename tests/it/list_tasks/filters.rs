//! Filters: one, or several that must all match.

use super::*;

/// Four tasks that differ in everything.
async fn four_different_tasks(alice: &Actor) {
    let tasks = [
        json!({ "title": "Buy milk", "priority": "high", "due_date": "2026-02-06", "tags": ["shopping", "Home"] }),
        json!({ "title": "Call mum", "completed": true, "due_date": "2026-02-06T09:00:00Z", "tags": ["família"] }),
        json!({ "title": "File taxes", "priority": "low", "due_date": "2026-05-31", "tags": ["home office"] }),
        json!({ "title": "Rest" }),
    ];
    for task in tasks {
        alice.create_with(task).await;
    }
}

on_both! {
    async fn each_filter_alone(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        four_different_tasks(&alice).await;
        four_different_tasks(&bob).await;
        let lists: [(&str, &[i64]); 26] = [
            ("completed=true", &[2]),
            ("completed=false", &[4, 3, 1]),
            ("priority=low", &[3]),
            ("priority=medium", &[4, 2]),
            ("priority=high", &[1]),
            ("tag=shopping", &[1]),
            // Ignoring case, but the whole tag and nothing but the tag.
            ("tag=HOME", &[1]),
            ("tag=hom", &[]),
            ("tag=ho%25", &[]),
            ("tag=hom_", &[]),
            ("tag=home+office", &[3]),
            ("tag=Home%20Office", &[3]),
            ("tag=FAM%C3%8DLIA", &[2]),
            ("tag=fami%CC%81lia", &[2]),
            ("tag=familia", &[]),
            // Before is exclusive and after inclusive; a date is its midnight in UTC.
            ("due_before=2026-02-06", &[]),
            ("due_before=2026-02-06T00:00:00.000001Z", &[1]),
            ("due_before=2026-02-06T09:00:00Z", &[1]),
            ("due_before=2026-02-06T09:00:00.000001Z", &[2, 1]),
            ("due_before=9999-12-31", &[3, 2, 1]),
            ("due_after=0001-01-01", &[3, 2, 1]),
            ("due_after=2026-02-06", &[3, 2, 1]),
            ("due_after=2026-02-06T00:00:00.000001Z", &[3, 2]),
            ("due_after=2026-02-06T10:00:00%2B01:00", &[3, 2]),
            ("due_after=2026-02-06T09:00:00.000001Z", &[3]),
            ("due_after=2026-06-01", &[]),
        ];
        for (query, expected) in lists {
            assert_eq!(listed(&alice, &format!("?{query}")).await, expected, "{query}");
        }
    }

    async fn all_filters_together(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        four_different_tasks(&alice).await;
        let lists: [(&str, &[i64]); 7] = [
            ("completed=false&priority=high", &[1]),
            ("completed=true&priority=high", &[]),
            ("due_after=2026-02-06&due_before=2026-03-01", &[2, 1]),
            ("due_after=2026-03-01&due_before=2026-02-01", &[]),
            ("tag=home&q=milk", &[1]),
            ("tag=home&q=taxes", &[]),
            (
                "completed=false&priority=high&tag=home&due_before=2026-02-07&due_after=2026-02-06&q=MILK\
                 &sort=title&limit=1",
                &[1],
            ),
        ];
        for (query, expected) in lists {
            assert_eq!(listed(&alice, &format!("?{query}")).await, expected, "{query}");
        }
    }

    async fn a_tag_with_a_dotted_capital_i_is_found_by_a_plain_one(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create_with(json!({ "title": "Gezi", "tags": ["İstanbul", "DİYARBAKIR"] })).await;
        for tag in ["istanbul", "İSTANBUL", "Istanbul", "%C4%B0stanbul", "i%CC%87stanbul", "diyarbakir", "DIYARBAKIR"] {
            assert_eq!(listed(&alice, &format!("?tag={tag}")).await, [1], "{tag}");
        }
        // They are one tag.
        let twice = json!({ "title": "Gezi", "tags": ["istanbul", "İstanbul"] });
        alice.post("/api/v1/tasks", twice).await.fails(422, "validation_failed");
    }

    async fn filters_follow_changes(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        four_different_tasks(&alice).await;
        let task = "/api/v1/tasks/1";
        let patch = json!({ "completed": true, "priority": "low", "tags": ["Diet"], "due_date": null });
        alice.patch(task, patch).await.has(200);
        assert_eq!(listed(&alice, "?completed=true").await, [2, 1]);
        assert_eq!(listed(&alice, "?priority=low").await, [3, 1]);
        assert_eq!(listed(&alice, "?tag=diet").await, [1]);
        assert_eq!(listed(&alice, "?tag=home").await, [0; 0]);
        assert_eq!(listed(&alice, "?due_after=0001-01-01").await, [3, 2]);
    }
}
