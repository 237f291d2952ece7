//! No operation works without a valid token, and a token allows only what its scopes name.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use serde_json::json;

use super::{MARK, alice_with_tasks, all_of, bad_requests, request};
use crate::support::{Backend, app::client, contract::operations, on_both};

const PUBLIC: &str = include_str!("../../../openapi/public-operations.txt");

#[test]
fn only_the_listed_operations_need_no_token() {
    let listed: BTreeSet<_> = PUBLIC
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let public: BTreeSet<_> = operations()
        .iter()
        .filter(|operation| !operation.needs_a_token())
        .map(|operation| operation.id)
        .collect();
    let new: Vec<_> = public.difference(&listed).collect();
    assert!(
        new.is_empty(),
        "{new:?} would need no token. openapi/public-operations.txt may only shrink: give the operation a Caller."
    );
    let gone: Vec<_> = listed.difference(&public).collect();
    assert!(
        gone.is_empty(),
        "{gone:?} are not public any more: take them from openapi/public-operations.txt."
    );
}

on_both! {
    async fn only_a_valid_token_is_accepted(on: Backend) {
        let app = on.app().await;
        let alice = alice_with_tasks(&app).await;
        let (before, name) = (all_of(&alice).await, format!("alice-{MARK}"));
        let good = app.token(&name);
        let (head, signature) = good.rsplit_once('.').unwrap();
        let mut wrong_sub = crate::support::token::claims(&name);
        wrong_sub["sub"] = json!([name]);
        let strangers = [
            (app.anon(), "token_missing"),
            (app.with_token(""), "authorization_malformed"),
            (app.with_token("nonsense"), "token_malformed"),
            (app.with_token(&app.forged(&name)), "bad_signature"),
            (app.with_token(&app.expired(&name)), "token_expired"),
            (app.with_token(&app.unsecured(&name)), "algorithm_not_allowed"),
            (app.with_token(&format!("{head}.")), "token_malformed"),
            (app.with_token(&format!("{head}.{}", "A".repeat(signature.len()))), "bad_signature"),
            (app.with_token(&app.signed(&wrong_sub)), "claims_invalid"),
        ];
        for operation in operations().iter().filter(|operation| operation.needs_a_token()) {
            for (stranger, code) in &strangers {
                let mut requests = bad_requests(stranger, operation, 1);
                requests.push(request(stranger, operation, 1));
                for request in requests {
                    let answer = stranger.send(request).await;
                    assert_eq!((answer.status, answer.code()), (401, *code), "{}: {answer}", operation.id);
                    assert!(!answer.text.contains(MARK), "{answer}");
                }
            }
        }
        assert_eq!(all_of(&alice).await, before);
    }

    async fn a_valid_token_does_not_change_the_answer_to_a_bad_request(on: Backend) {
        let app = on.app().await;
        let alice = alice_with_tasks(&app).await;
        let before = all_of(&alice).await;
        for operation in operations().iter().filter(|operation| !operation.bodies().is_empty()) {
            for request in bad_requests(&alice, operation, 1) {
                let request = request.build().unwrap();
                // Where the body may be missing and unknown parameters are ignored, the request is valid.
                if request.body().is_none() && operation.needs_no_body() && !request.url().path().contains("nonsense") {
                    continue;
                }
                let request = RequestBuilder::from_parts(client(), request);
                let answer = alice.send(request).await;
                let refused = matches!(answer.status, 400 | 413 | 415 | 422);
                assert!(refused, "{}: {answer}", operation.id);
            }
        }
        assert_eq!(all_of(&alice).await, before);
    }

    /// The scope for reading changes nothing, and the scope for writing reads nothing.
    async fn a_scope_allows_only_its_own_operations(on: Backend) {
        let app = on.app().await;
        let alice = alice_with_tasks(&app).await;
        let (before, name) = (all_of(&alice).await, format!("alice-{MARK}"));
        let none = app.user_with_scope(&name, "");
        let reader = app.user_with_scope(&name, "tasks:read");
        for operation in operations().iter().filter(|operation| operation.needs_a_token()) {
            let answer = none.send(request(&none, operation, 1)).await;
            assert_eq!((answer.status, answer.code()), (403, "insufficient_scope"), "{answer}");
            if operation.method != reqwest::Method::GET {
                let answer = reader.send(request(&reader, operation, 1)).await;
                assert_eq!((answer.status, answer.code()), (403, "insufficient_scope"), "{answer}");
            }
        }
        let writer = app.user_with_scope(&name, "tasks:write");
        for operation in operations().iter().filter(|operation| operation.needs_a_token()) {
            if operation.method == reqwest::Method::GET {
                let answer = writer.send(request(&writer, operation, 1)).await;
                assert_eq!((answer.status, answer.code()), (403, "insufficient_scope"), "{answer}");
            }
        }
        assert_eq!(all_of(&alice).await, before);
    }
}
