//! How a client that has only the address gets a token: RFC 9728, as the MCP specification requires.

use expect_test::expect;
use reqwest::Method;
use serde_json::json;

use super::{Home, Process};
use crate::support::{Answer, Issuer};

const PUBLIC_URL: &str = "https://tasks.example.com";
const METADATA: &str = "/.well-known/oauth-protected-resource";

/// A server behind a public address, and the Better Auth app that it trusts.
async fn behind(public_url: &str) -> (Issuer, Process) {
    let issuer = Issuer::start().await;
    let home = Home::sqlite()
        .set("BETTER_AUTH_URL", &issuer.base)
        .set("PUBLIC_URL", public_url);
    let server = home.start().await;
    (issuer, server)
}

/// The headers by which a browser decides.
fn readers(answer: &Answer) -> (&str, &str) {
    let origin = answer.header("access-control-allow-origin");
    (origin, answer.header("access-control-allow-headers"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metadata_says_where_to_get_a_token() {
    // A slash at the end makes no difference.
    for public_url in [PUBLIC_URL, "https://tasks.example.com/"] {
        let (issuer, server) = behind(public_url).await;
        let answer = server.anon().get(METADATA).await.has(200);
        assert_eq!(answer.header("content-type"), "application/json");
        expect![[r#"
            {
              "resource": "https://tasks.example.com/mcp",
              "authorization_servers": [
                "http://issuer/api/auth"
              ],
              "scopes_supported": [
                "tasks:read",
                "tasks:write"
              ],
              "bearer_methods_supported": [
                "header"
              ],
              "resource_name": "Taskward",
              "resource_documentation": "https://tasks.example.com/llms.txt"
            }
        "#]]
        .assert_eq(&answer.text.replace(&issuer.base, "http://issuer"));
        // The same at the address that clients try first.
        let with_path = server.anon().get(&format!("{METADATA}/mcp")).await.has(200);
        assert_eq!(with_path.body, answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefix_of_the_public_address_is_part_of_the_resource() {
    let (_issuer, server) = behind("https://example.com/tasks").await;
    let answer = server.anon().get(METADATA).await.has(200);
    assert_eq!(answer.body["resource"], "https://example.com/tasks/mcp");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_script_may_read_the_metadata_and_cache_it() {
    let (_issuer, server) = behind(PUBLIC_URL).await;
    let anon = server.anon();
    let get = |path| {
        anon.request(Method::GET, path)
            .header("origin", "https://inspector.example")
    };
    let answer = anon.send(get(METADATA)).await.has(200);
    assert_eq!(readers(&answer).0, "*");
    // A browser refuses `*` beside this one.
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let same = anon
        .get_if_none_match(METADATA, answer.header("etag"))
        .await;
    assert_eq!(same.has(304).text, "");
    // The official SDKs name the revision that they speak, so a browser asks first.
    let preflight = anon
        .request(Method::OPTIONS, METADATA)
        .header("origin", "https://inspector.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version");
    let preflight = anon.send(preflight).await.has(204);
    assert_eq!(readers(&preflight), ("*", "Accept, MCP-Protocol-Version"));
    // No other path allows every origin.
    assert_eq!(readers(&anon.send(get("/api/v1/tasks")).await), ("", ""));
    let posted = anon.post(METADATA, json!({})).await;
    let posted = posted.fails(405, "method_not_allowed");
    assert_eq!(posted.header("allow"), "GET, HEAD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_metadata_without_an_issuer_for_this_address() {
    let issuer = Issuer::start().await;
    let secret = "a-secret-of-more-than-32-bytes-which-nobody-may-see";
    let homes = [
        // Development mode: nobody but the command line makes tokens.
        Home::sqlite().set("PUBLIC_URL", PUBLIC_URL),
        // An issuer, but no public address for which it could sign.
        Home::sqlite().set("BETTER_AUTH_URL", &issuer.base),
        // Tokens that an app signs itself: there is no authorization server.
        Home::sqlite()
            .set("PUBLIC_URL", PUBLIC_URL)
            .set("AUTH_HS256_SECRET", secret)
            .set("AUTH_ISSUER", "https://app.example.com")
            .set("AUTH_AUDIENCE", "https://tasks.example.com/mcp"),
        // An issuer of tokens for something else.
        Home::sqlite()
            .set("PUBLIC_URL", PUBLIC_URL)
            .set("AUTH_ISSUER", &issuer.base)
            .set("AUTH_AUDIENCE", "https://tasks.example.com")
            .set("AUTH_JWKS_URL", format!("{}/api/auth/jwks", issuer.base)),
    ];
    for home in homes {
        let server = home.start().await;
        for path in [METADATA.to_owned(), format!("{METADATA}/mcp")] {
            let anon = server.anon();
            let request = anon.request(Method::GET, &path);
            let answer = anon
                .send(request.header("origin", "https://inspector.example"))
                .await
                .fails(404, "no_authorization_server");
            assert_eq!(readers(&answer).0, "*");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("PUBLIC_URL") && detail.contains("BETTER_AUTH_URL"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_issuer_can_be_the_authorization_server() {
    let (ours, others) = (Issuer::start().await, Issuer::start().await);
    let keys = |issuer: &Issuer| format!("{}/api/auth/jwks", issuer.base);
    let server = Home::sqlite()
        .set("PUBLIC_URL", PUBLIC_URL)
        .set("AUTH_ISSUER", format!("{}, {}", ours.base, others.base))
        .set("AUTH_NAMESPACE", "others")
        .set(
            "AUTH_AUDIENCE",
            "todo-app https://tasks.example.com/mcp, todo-app",
        )
        .set(
            "AUTH_JWKS_URL",
            format!("{}, {}", keys(&ours), keys(&others)),
        )
        .start()
        .await;
    let answer = server.anon().get(METADATA).await.has(200);
    assert_eq!(answer.body["authorization_servers"], json!([ours.base]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_another_resource_is_refused() {
    let (issuer, server) = behind(PUBLIC_URL).await;
    let authority = format!("{}/api/auth", issuer.base);
    let ask = |claims| {
        let user = server.holder(&issuer.token("alice", &claims));
        async move { user.get("/api/v1/me").await }
    };
    let resource = "https://tasks.example.com/mcp";
    let good = [
        json!({ "iss": authority, "aud": resource, "scope": "tasks:read" }),
        // Better Auth names its own endpoint, too.
        json!({ "iss": authority, "aud": [resource, format!("{authority}/oauth2/userinfo")], "scope": "openid tasks:read" }),
        // The front end's token, by the same person.
        json!({ "iss": issuer.base, "aud": issuer.base }),
    ];
    for claims in good {
        let me = ask(claims).await.has(200);
        assert_eq!(me.body["user_id"], "alice");
    }
    let wrong = [
        // Of another server that trusts the same issuer.
        json!({ "iss": authority, "aud": "https://other.example.com/mcp" }),
        json!({ "iss": authority, "aud": ["https://tasks.example.com", format!("{resource}/"), "https://tasks.example.com/mcp/more"] }),
        // An id token: its audience is the client, so it is not for this server.
        json!({ "iss": authority, "aud": "client-1", "nonce": "n" }),
        json!({ "iss": authority, "aud": issuer.base }),
        json!({ "iss": authority }),
        // A token of one issuer that names the other.
        json!({ "iss": issuer.base, "aud": resource }),
    ];
    for claims in wrong {
        ask(claims).await.fails(401, "wrong_audience");
    }
}

/// Calls a tool with a token of these scopes, or without one.
async fn call_tool(server: &Process, token: Option<&str>, tool: &str) -> Answer {
    let actor = match token {
        Some(token) => server.holder(token),
        None => server.anon(),
    };
    let request = actor.request(Method::POST, "/mcp").json(&json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": { "name": tool, "arguments": {} },
    }));
    actor.send(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_challenge_has_the_metadata_and_the_scopes() {
    let (issuer, server) = behind(PUBLIC_URL).await;
    let answer = call_tool(&server, None, "find_tasks").await;
    let answer = answer.fails(401, "token_missing");
    expect![[
        r#"Bearer realm="taskward", scope="tasks:read tasks:write", resource_metadata="https://tasks.example.com/.well-known/oauth-protected-resource/mcp""#
    ]]
    .assert_eq(answer.header("www-authenticate"));

    // Clients look for the challenge by other methods, too.
    let answer = server.anon().get("/mcp").await.fails(401, "token_missing");
    assert!(
        answer
            .header("www-authenticate")
            .contains("resource_metadata=")
    );

    let token = |aud: &str, scope: &str| {
        let authority = format!("{}/api/auth", issuer.base);
        let claims = json!({ "iss": authority, "aud": aud, "scope": scope });
        issuer.token("alice", &claims)
    };
    let elsewhere = token("https://other.example.com/mcp", "tasks:read");
    let answer = call_tool(&server, Some(&elsewhere), "find_tasks").await;
    let answer = answer.fails(401, "wrong_audience");
    expect![[
        r#"Bearer realm="taskward", error="invalid_token", error_description="The token is for another service: `aud` must contain `https://tasks.example.com/mcp`.", scope="tasks:read tasks:write", resource_metadata="https://tasks.example.com/.well-known/oauth-protected-resource/mcp""#
    ]]
    .assert_eq(answer.header("www-authenticate"));

    let resource = "https://tasks.example.com/mcp";
    let answer = call_tool(&server, Some(&token(resource, "tasks:write")), "find_tasks").await;
    let answer = answer.fails(403, "insufficient_scope");
    expect![[
        r#"Bearer realm="taskward", error="insufficient_scope", scope="tasks:read tasks:write", resource_metadata="https://tasks.example.com/.well-known/oauth-protected-resource/mcp""#
    ]]
    .assert_eq(answer.header("www-authenticate"));

    let good = token(resource, "tasks:read");
    let answer = call_tool(&server, Some(&good), "find_tasks").await.has(200);
    assert_eq!(answer.body["result"]["isError"], false);
    assert_eq!(answer.header("www-authenticate"), "");

    // The resource is /mcp; another path has no metadata of it (RFC 9728 §3.3).
    let answer = server.anon().get("/api/v1/me").await.has(401);
    assert_eq!(
        answer.header("www-authenticate"),
        r#"Bearer realm="taskward""#
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_authorization_server_the_challenge_names_none() {
    let server = Home::sqlite().start().await;
    let answer = call_tool(&server, None, "find_tasks").await.has(401);
    assert_eq!(
        answer.header("www-authenticate"),
        r#"Bearer realm="taskward", scope="tasks:read tasks:write""#
    );
    let token = server.token("alice");
    call_tool(&server, Some(&token), "find_tasks")
        .await
        .has(200);
}

#[test]
fn a_public_address_is_one_to_append_to() {
    for wrong in [
        "tasks.example.com",
        "https://tasks.example.com/?a=b",
        "https://tasks.example.com/#mcp",
        "https://alice:secret@tasks.example.com",
        "mailto:alice@example.com",
    ] {
        let told = Home::sqlite().set("PUBLIC_URL", wrong).run(&[]).bad();
        assert!(told.contains("  - PUBLIC_URL "), "{told}");
        assert!(told.contains("must be an http or https URL"), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
