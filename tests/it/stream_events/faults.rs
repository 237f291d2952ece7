//! What is wrong with a request is the answer to it, not an event.

use super::*;

on_both! {
    async fn faults_are_told(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let id = "Last-Event-ID must be the `id` of an event as it came, an integer; or leave it out, and send `since`";
        for last in ["x", "-1", "1.5", "", "9007199254740992", "1, 2"] {
            let request = alice.request(reqwest::Method::GET, EVENTS).header("Last-Event-ID", last);
            let answer = alice.send(request).await.fails(400, "invalid_parameters");
            assert_eq!(answer.faults(), [id], "{last}");
        }
        let answer = alice.get(&format!("{EVENTS}?since=x&limit=1")).await.fails(400, "invalid_parameters");
        assert_eq!(answer.faults(), [
            "since must be an integer from 0 to 9007199254740991",
            "limit is not a parameter of this operation, which has: since",
        ]);
        app.anon().get(EVENTS).await.fails(401, "token_missing");
        app.user_with_scope("alice", "tasks:write").get(EVENTS).await.fails(403, "insufficient_scope");
    }
}
