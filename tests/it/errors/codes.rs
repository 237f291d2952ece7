//! The problem codes: each is declared once, documented, and occurs.

use std::collections::BTreeSet;

use reqwest::header;
use serde_json::{Value, json};
use taskward::contract::ProblemCode;

use super::*;
use crate::support::{
    contract::{contract, operations, resolved},
    mcp::NEWEST,
    raw,
};

/// The codes that an answer of an operation can have, by the document.
fn documented() -> BTreeSet<&'static str> {
    let answers = operations()
        .into_iter()
        .flat_map(|operation| operation.answers());
    answers
        .filter_map(|(_, answer)| {
            answer["content"]["application/problem+json"]["examples"].as_object()
        })
        .flat_map(|examples| examples.keys().map(String::as_str))
        .collect()
}

#[test]
fn the_document_lists_the_declared_codes() {
    let declared: Vec<&str> = ProblemCode::ALL.iter().map(|code| code.name()).collect();
    let schema = &contract()["components"]["schemas"]["KnownCode"];
    assert_eq!(schema["enum"], json!(declared));
    for code in ProblemCode::ALL {
        let line = format!(
            "- `{}` ({}): {}",
            code.name(),
            code.status().as_u16(),
            code.documentation()
        );
        assert!(
            schema["description"].as_str().unwrap().contains(&line),
            "{line}"
        );
        assert!(code.documentation().ends_with('.'), "{line}");
        assert!(code.example().ends_with('.'), "{line}");
        assert!(!code.title().ends_with('.'), "{line}");
        // What the compiler lets pass where a text goes over two lines of the source.
        assert!(
            !code.documentation().contains("  ") && !code.example().contains("  "),
            "{line}"
        );
    }
    let unique = |of: fn(&ProblemCode) -> &'static str| {
        ProblemCode::ALL
            .iter()
            .map(of)
            .collect::<BTreeSet<_>>()
            .len()
    };
    assert_eq!(unique(|code| code.name()), declared.len());
    assert_eq!(unique(|code| code.title()), declared.len());
    // Clients must not break at the code of a later version.
    let code = &contract()["components"]["schemas"]["Problem"]["properties"]["code"];
    assert_eq!(
        code["anyOf"],
        json!([{ "$ref": "#/components/schemas/KnownCode" }, { "type": "string" }])
    );
}

/// An example is a problem as the server writes it: its `detail` says the first of its faults.
#[test]
fn the_examples_of_codes_have_the_form_of_answers() {
    for code in documented() {
        let example = &contract()["components"]["examples"][code];
        let value = &resolved(example)["value"];
        let errors = value["errors"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(first) = errors.first() {
            let text = |name: &str| first[name].as_str().unwrap_or_default().replace('/', "");
            let more = match errors.len() {
                1 => String::new(),
                _ => format!("; and {} more fault (see `errors`)", errors.len() - 1),
            };
            let expected = format!(
                "{}{} {}{more}.",
                text("pointer"),
                text("parameter"),
                text("detail")
            );
            assert_eq!(value["detail"], expected, "{code}");
        }
        assert_eq!(
            value["current"] != Value::Null,
            ["version_mismatch", "uid_taken"].contains(&code),
            "{code}"
        );
    }
}

on_both! {
    /// The codes that no operation documents are answered elsewhere, as tried here; there are no others.
    async fn every_code_is_of_an_operation_or_is_answered_here(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let mut seen = documented();
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
        let ask_mcp = |name: header::HeaderName, value: &str| {
            let request = alice.request(Method::POST, "/mcp").header("mcp-protocol-version", NEWEST);
            request.header(name, value).json(&message)
        };
        for (request, status, code) in [
            (alice.request(Method::GET, "/nothing"), 404, "route_not_found"),
            (alice.request(Method::PUT, "/api/v1/tasks"), 405, "method_not_allowed"),
            (alice.request(Method::GET, "/.well-known/oauth-protected-resource"), 404, "no_authorization_server"),
            (ask_mcp(header::HOST, "evil.example"), 403, "host_not_allowed"),
            (ask_mcp(header::ORIGIN, "https://evil.example"), 403, "origin_not_allowed"),
            (ask_mcp(header::ACCEPT, "text/html"), 406, "not_acceptable"),
        ] {
            alice.send(request).await.fails(status, code);
            assert!(seen.insert(code), "{code} is documented already");
        }
        let operations = json!([{ "op": "create", "task": { "title": "x" } }, { "op": "delete", "id": 9 }]);
        let body = json!({ "operations": operations, "atomic": true });
        let answer = alice.post("/api/v1/tasks/batch", body).await.has(200);
        assert_eq!(answer.body["results"][0]["problem"]["code"], "batch_not_done", "{answer}");
        seen.insert("batch_not_done");
        let answer = raw(&app, "GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n".to_owned()).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"code\":\"invalid_host\""), "{answer}");
        seen.insert("invalid_host");
        let large = format!("GET /healthz HTTP/1.1\r\nHost: t\r\nCookie: {}\r\n\r\n", "a".repeat(40_000));
        let answer = raw(&app, large).await;
        assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("\"code\":\"head_too_large\""), "{answer}");
        seen.insert("head_too_large");
        let declared: BTreeSet<_> = ProblemCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(seen, declared);
    }
}
