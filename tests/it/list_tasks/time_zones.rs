//! With `time_zone`, due dates without a time are days of the user, not of UTC.

use super::*;

/// Around the 6th of February in New York, where it begins at 05:00 in UTC.
async fn around_a_day(alice: &Actor) {
    for (title, due) in [
        ("all day on the 5th", json!("2026-02-05")),
        ("all day on the 6th", json!("2026-02-06")),
        ("all day on the 7th", json!("2026-02-07")),
        (
            "the last minute of the 5th",
            json!("2026-02-05T23:59:00-05:00"),
        ),
        (
            "the first instant of the 6th",
            json!("2026-02-06T00:00:00-05:00"),
        ),
        ("the evening of the 6th", json!("2026-02-06T22:00:00-05:00")),
        (
            "the first instant of the 7th",
            json!("2026-02-07T00:00:00-05:00"),
        ),
        ("some day", json!(null)),
    ] {
        alice
            .create_with(json!({ "title": title, "due_date": due }))
            .await;
    }
}

on_both! {
    async fn a_day_of_the_user_is_one_filter(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        around_a_day(&alice).await;
        let the_6th: [&str; 3] = [
            "due_after=2026-02-06T00:00:00-05:00&due_before=2026-02-07T00:00:00-05:00",
            "due_after=2026-02-06T05:00:00Z&due_before=2026-02-07T05:00:00Z",
            "due_after=2026-02-06&due_before=2026-02-07",
        ];
        for query in the_6th {
            let query = format!("?{query}&time_zone=America/New_York&sort=due_date");
            assert_eq!(listed(&alice, &query).await, [2, 5, 6], "{query}");
        }
        // Without a time zone the days are those of UTC: what this gives is no day of New York.
        let query = "?due_after=2026-02-06T05:00:00Z&due_before=2026-02-07T05:00:00Z&sort=due_date";
        assert_eq!(listed(&alice, query).await, [5, 3, 6]);
        // A day counts by its first instant, as a time does.
        let query = "?due_after=2026-02-06T05:00:00.000001Z&time_zone=America/New_York&sort=due_date";
        assert_eq!(listed(&alice, query).await, [6, 3, 7]);
        let query = "?due_before=2026-02-06T05:00:00Z&time_zone=America/New_York&sort=due_date";
        assert_eq!(listed(&alice, query).await, [1, 4]);
    }

    async fn the_order_by_due_date_is_that_of_the_user(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        around_a_day(&alice).await;
        let orders: [(&str, [i64; 8]); 5] = [
            ("", [1, 2, 4, 5, 3, 6, 7, 8]),
            ("&time_zone=UTC", [1, 2, 4, 5, 3, 6, 7, 8]),
            ("&time_zone=America/New_York", [1, 4, 2, 5, 6, 3, 7, 8]),
            ("&time_zone=Asia/Tokyo", [1, 2, 4, 5, 3, 6, 7, 8]),
            ("&time_zone=Pacific/Pago_Pago", [1, 4, 5, 2, 6, 7, 3, 8]),
        ];
        for (zone, expected) in orders {
            assert_eq!(listed(&alice, &format!("?sort=due_date{zone}")).await, expected, "{zone}");
            let mut turned = expected;
            turned[..7].reverse();
            assert_eq!(listed(&alice, &format!("?sort=-due_date{zone}")).await, turned, "{zone}");
            // In pages of any size it is the same list.
            for sort in ["due_date", "-due_date"] {
                for limit in 1..=8 {
                    let query = format!("sort={sort}{zone}");
                    let whole = listed(&alice, &format!("?{query}")).await;
                    assert_eq!(walk(&alice, &query, limit).await, whole, "{query} by {limit}");
                }
            }
        }
        // In other orders it changes nothing.
        assert_eq!(listed(&alice, "?sort=title&time_zone=Asia/Tokyo").await, listed(&alice, "?sort=title").await);
    }

    async fn a_day_that_a_zone_skipped_begins_with_the_next(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for due in ["2011-12-31", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-29", "2011-12-30", "2012-01-01"] {
            alice.create_with(json!({ "title": due, "due_date": due })).await;
        }
        let samoa = "time_zone=Pacific/Apia";
        for limit in 1..=6 {
            assert_eq!(walk(&alice, &format!("sort=due_date&{samoa}"), limit).await, [4, 1, 2, 3, 5, 6]);
            assert_eq!(walk(&alice, &format!("sort=-due_date&{samoa}"), limit).await, [6, 5, 3, 2, 1, 4]);
        }
        assert_eq!(listed(&alice, &format!("?sort=due_date&due_before=2011-12-31&{samoa}")).await, [4]);
        assert_eq!(listed(&alice, &format!("?sort=due_date&due_after=2011-12-31&{samoa}")).await, [1, 2, 3, 5, 6]);
    }

    /// In Kathmandu the last instant is in the year 10000, and the first day begins in the year 0.
    async fn pages_end_at_the_first_and_the_last_instants(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for due in ["9999-12-31T23:59:59.999999Z", "9999-12-31", "0001-01-01", "0001-01-01T00:00:00Z"] {
            alice.create_with(json!({ "title": due, "due_date": due })).await;
        }
        for (zone, newest_first) in [("Asia/Kathmandu", [1, 2, 4, 3]), ("America/New_York", [1, 2, 3, 4])] {
            let oldest_first: Vec<_> = newest_first.into_iter().rev().collect();
            for limit in 1..=4 {
                let query = format!("due=any&time_zone={zone}");
                assert_eq!(walk(&alice, &format!("sort=-due_date&{query}"), limit).await, newest_first, "{zone}");
                assert_eq!(walk(&alice, &format!("sort=due_date&{query}"), limit).await, oldest_first, "{zone}");
            }
        }
    }

    async fn tasks_with_and_without_a_due_date(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        around_a_day(&alice).await;
        assert_eq!(listed(&alice, "?due=none").await, [8]);
        assert_eq!(listed(&alice, "?due=any").await, [7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(listed(&alice, "?due=any&due_before=2026-02-06").await, [1]);
        // Both hold, as always: nothing is before a day and has no due date.
        assert_eq!(listed(&alice, "?due=none&due_before=2026-02-06").await, [0; 0]);
        alice.patch("/api/v1/tasks/1", json!({ "due_date": null })).await.has(200);
        assert_eq!(listed(&alice, "?due=none&sort=due_date&time_zone=Asia/Tokyo").await, [1, 8]);
    }

    async fn the_link_and_the_cursor_keep_the_zone(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        around_a_day(&alice).await;
        let query = "due=any&due_after=2026-02-06&time_zone=America%2FNew_York&sort=due_date&limit=1";
        let page = alice.get(&format!("{TASKS}?{query}")).await.has(200);
        let cursor = page.body["next_cursor"].as_str().unwrap();
        assert_eq!(page.header("link"), format!("<{TASKS}?{query}&cursor={cursor}>; rel=\"next\""));
        for other in [
            "due=any&due_after=2026-02-06&time_zone=America%2FChicago&sort=due_date",
            "due=any&due_after=2026-02-06&sort=due_date",
            "due_after=2026-02-06&time_zone=America%2FNew_York&sort=due_date",
        ] {
            let answer = alice.get(&format!("{TASKS}?{other}&cursor={cursor}")).await.has(400);
            assert_eq!(answer.body["code"], "invalid_cursor", "{other}");
        }
    }
}
