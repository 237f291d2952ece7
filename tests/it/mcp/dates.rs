//! Phrases for dates, through the endpoint. What each phrase stands for is tested in `src/mcp/date/tests.rs`.

use expect_test::expect;
use serde_json::{Value, json};

use super::on_monday;
use crate::support::{Backend, on_both};

on_both! {
    async fn phrases_are_answered_with_dates(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let words = ["today", "next friday", "in 2 weeks", "tomorrow 09:00", "2026-12-24", "2026-12-24T18:00:00+01:00", "2026-12-24 18:00"];
        let tasks: Vec<Value> = words.iter().map(|word| json!({ "title": word, "due_date": word })).collect();
        let added = agent.call("add_tasks", json!({ "tasks": tasks, "time_zone": "Asia/Tokyo" })).await.done();
        expect![[r##"
            #1 "today", due 2026-11-23, v1
            #2 "next friday", due 2026-12-04, v2
            #3 "in 2 weeks", due 2026-12-07, v3
            #4 "tomorrow 09:00", due 2026-11-24T09:00:00+09:00, v4
            #5 "2026-12-24", due 2026-12-24, v5
            #6 "2026-12-24T18:00:00+01:00", due 2026-12-25T02:00:00+09:00, v6
            #7 "2026-12-24 18:00", due 2026-12-24T18:00:00+09:00, v7
            "2026-12-24 18:00" is 2026-12-24T18:00:00+09:00, "in 2 weeks" is 2026-12-07, "next friday" is 2026-12-04, "today" is 2026-11-23, "tomorrow 09:00" is 2026-11-24T09:00:00+09:00"##]].assert_eq(&added.text);
        assert_eq!(added.content["dates"], json!({
            "2026-12-24 18:00": "2026-12-24T18:00:00+09:00",
            "in 2 weeks": "2026-12-07",
            "next friday": "2026-12-04",
            "today": "2026-11-23",
            "tomorrow 09:00": "2026-11-24T09:00:00+09:00",
        }));
        // REST has them as the same dates and instants.
        let list = alice.get("/api/v1/tasks?sort=created_at").await;
        let stored: Vec<_> = list.items().iter().map(|task| task["due_date"].as_str().unwrap()).collect();
        assert_eq!(stored, [
            "2026-11-23", "2026-12-04", "2026-12-07", "2026-11-24T00:00:00Z", "2026-12-24", "2026-12-24T17:00:00Z",
            "2026-12-24T09:00:00Z",
        ]);
        // A time is shown in the time zone of the call.
        let shown = agent.call("find_tasks", json!({ "q": "tomorrow", "time_zone": "America/New_York" })).await.done();
        assert_eq!(shown.content["tasks"][0]["due_date"], "2026-11-23T19:00:00-05:00");
    }

    /// The last day that can be stored, and before 1900 clocks with offsets of odd seconds.
    async fn the_first_and_the_last_day_can_be_stored(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        for due in ["2026-11-23", "9999-12-31", "9999-12-31T23:59:59.999999Z", "1880-06-01T00:00:00Z"] {
            alice.create_with(json!({ "title": "t", "due_date": due })).await;
        }
        // East of Greenwich the last instant of the year is in the next one.
        for (zone, until) in [("UTC", 4), ("Pacific/Kiritimati", 3), ("Pacific/Pago_Pago", 4)] {
            let total = async |range: Value| {
                let mut asked = range;
                asked["time_zone"] = zone.into();
                agent.call("find_tasks", asked).await.done().content["total"].clone()
            };
            assert_eq!(total(json!({ "due_to": "9999-12-31" })).await, until, "{zone}");
            assert_eq!(total(json!({ "due_to": "9999-12-31T23:59:59.999999Z" })).await, 4, "{zone}");
            let last = total(json!({ "due_from": "9999-12-31T23:59:59.999999Z" })).await;
            assert!(last == 1 || last == 2, "{zone}: {last}");
        }
        // What is shown can be set again.
        for (id, zone) in [(3, "Pacific/Kiritimati"), (4, "America/New_York")] {
            let whole = agent.call("get_task", json!({ "id": id, "time_zone": zone })).await.done().content;
            let again = json!({ "tasks": [{ "id": id, "due_date": whole["due_date"] }] });
            let again = agent.call("update_tasks", again).await.done();
            assert_eq!(again.results()[0]["unchanged"], true, "{}", again.text);
        }
    }

    async fn a_time_that_the_clocks_skip_or_repeat_is_refused(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.now = || "2026-10-24T12:00:00Z".parse().unwrap()).await;
        let agent = app.user("alice").agent();
        let ask = |due: &str| json!({ "tasks": [{ "title": "x", "due_date": due }], "time_zone": "Europe/Berlin" });
        let twice = agent.call("add_tasks", ask("tomorrow 02:30")).await.refused();
        expect!["error: `due_date` is 2026-10-25 02:30 in Europe/Berlin, a time that comes twice that day; write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"]
            .assert_eq(&twice);
        let said = agent.call("add_tasks", ask("2026-10-25T02:30:00+01:00")).await.done();
        assert_eq!(said.results()[0]["task"]["due_date"], "2026-10-25T02:30:00+01:00");
        let left_out = agent.call("update_tasks", json!({ "tasks": [{ "id": 1, "due_date": "2027-03-28 02:30" }], "time_zone": "Europe/Berlin" })).await.refused();
        assert_eq!(left_out, "error: `due_date` is 2027-03-28 02:30 in Europe/Berlin, a time that the clocks skip that day; choose another time");
    }

    async fn phrases_without_a_time_zone_are_refused(on: Backend) {
        let app = on_monday(on).await;
        let agent = app.user("alice").agent();
        let words = agent.call("add_tasks", json!({ "tasks": [{ "title": "x", "due_date": "tomorrow" }] })).await.refused();
        expect![[r#"error: `due_date` needs `time_zone` to know when "tomorrow" is: the user's IANA time zone, such as Europe/Berlin; ask the user if you do not know it"#]].assert_eq(&words);
        assert_eq!(agent.call("get_overview", json!({})).await.refused(), "get_overview: `time_zone` is required");
    }
}
