//! What is wrong with a request is said.

use super::changes;
use crate::support::{Backend, on_both};

on_both! {
    async fn faults_are_told(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=2 {
            alice.create(&format!("{n}")).await;
        }
        let cursor = changes(&alice, "?limit=1").await.body["cursor"].as_str().unwrap().to_owned();
        let integer = "must be an integer from 0 to 9007199254740991";
        for (query, code, faults) in [
            ("?since=-1", "invalid_parameters", vec![format!("since {integer}")]),
            ("?since=1.5&limit=0", "invalid_parameters", vec![
                format!("since {integer}"), "limit must be an integer from 1 to 100".to_owned(),
            ]),
            ("?since=%221%22", "invalid_parameters", vec![format!("since {integer}")]),
            ("?since=9007199254740992", "invalid_parameters", vec![format!("since {integer}")]),
            (&format!("?since=1&cursor={cursor}"), "invalid_parameters", vec![
                "since must not be combined with cursor, which continues a sync".to_owned(),
            ]),
            ("?cursor=AAAA", "invalid_cursor", vec![
                "cursor is not the `cursor` of a page of your changes; start with `since`".to_owned(),
            ]),
            ("?cursor=%3F", "invalid_cursor", vec!["cursor must be a cursor as it came".to_owned()]),
            ("?after=1", "invalid_parameters", vec![
                "after is not a parameter of this operation, which has: since, limit, cursor".to_owned(),
            ]),
        ] {
            let answer = changes(&alice, query).await.fails(400, code);
            assert_eq!(answer.faults(), faults, "{query}");
        }
        // A cursor of a list is none of the changes, and the other way round.
        let list = alice.get("/api/v1/tasks?limit=1").await.body["next_cursor"].as_str().unwrap().to_owned();
        changes(&alice, &format!("?cursor={list}")).await.fails(400, "invalid_cursor");
        alice.get(&format!("/api/v1/tasks?cursor={cursor}")).await.fails(400, "invalid_cursor");
    }

    async fn a_token_must_be_for_reading(on: Backend) {
        let app = on.app().await;
        changes(&app.anon(), "").await.fails(401, "token_missing");
        changes(&app.user_with_scope("alice", "tasks:write"), "").await.fails(403, "insufficient_scope");
        changes(&app.user_with_scope("alice", "tasks:read"), "").await.has(200);
    }
}
