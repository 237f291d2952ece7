//! The contract and its pages, as they are served.

use expect_test::expect;
use reqwest::Method;
use serde_json::Value;

use crate::support::{Actor, Backend, on_both};

on_both! {
    async fn the_contract_is_served_as_json_and_as_yaml(on: Backend) {
        let app = on.app().await;
        let anon = app.anon();
        let json = anon.get("/openapi.json").await.has(200);
        let yaml = anon.get("/openapi.yaml").await.has(200);
        assert_eq!(json.header("content-type"), "application/json");
        assert_eq!(yaml.header("content-type"), "application/yaml");
        assert_eq!(json.body["openapi"], "3.1.1");
        assert!(json.text.ends_with("}\n"));
        let same: Value = serde_yaml::from_str(&yaml.text).unwrap();
        assert_eq!(same, json.body);
        for path in ["/openapi.json", "/openapi.yaml"] {
            let first = anon.get(path).await;
            let again = anon.get_if_none_match(path, first.header("etag")).await.has(304);
            assert_eq!((again.text.as_str(), again.header("cache-control")), ("", "no-cache"));
            anon.get_if_none_match(path, "\"other\"").await.has(200);
            let head = anon.send(anon.request(Method::HEAD, path)).await.has(200);
            assert_eq!((head.text.as_str(), head.header("etag")), ("", first.header("etag")));
        }
        // What it says about where it is holds.
        for path in json.body["paths"].as_object().unwrap().keys() {
            let path = path.replace("{id}", "1");
            assert_ne!(anon.get(&path).await.status, 404, "{path}");
        }
    }

    async fn the_pages_load_only_files_of_this_server(on: Backend) {
        let app = on.app().await;
        let anon = app.anon();
        let page = anon.get("/docs/").await.has(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-cache");
        expect![[r#"
            default-src 'none';
            script-src 'self';
            style-src 'self';
            img-src 'self' data:;
            connect-src 'self';
            base-uri 'none';
            form-action 'none';
            frame-ancestors 'none'"#]].assert_eq(&page.header("content-security-policy").replace("; ", ";\n"));
        let elsewhere = anon.get("/docs").await.has(307);
        assert_eq!(elsewhere.header("location"), "docs/");
        // Errors below it are problems like any other.
        anon.get("/docs/nothing").await.fails(404, "route_not_found");
        for file in ["init.js", "style.css", "favicon.svg"] {
            let file = anon.get(&format!("/docs/{file}")).await.has(200);
            assert_eq!(file.header("content-security-policy"), page.header("content-security-policy"));
        }
    }

    async fn the_root_redirects_browsers_to_swagger_ui(on: Backend) {
        let get = |actor: Actor, accept: &'static str| async move {
            actor.send(actor.request(Method::GET, "/").header("accept", accept)).await
        };
        let app = on.app().await;
        let answer = get(app.anon(), "text/html,*/*;q=0.8").await.has(307);
        assert_eq!(answer.header("location"), "/docs/");
        get(app.anon(), "*/*").await.fails(404, "route_not_found");
        let prefix = Some("https://example.com/tasks/");
        let app = on.app_with(|settings| settings.public_url = prefix).await;
        let answer = get(app.anon(), "text/html").await.has(307);
        assert_eq!(answer.header("location"), "/tasks/docs/");
    }

    async fn llms_txt_links_to_paths_that_exist(on: Backend) {
        let app = on.app().await;
        let anon = app.anon();
        let text = anon.get("/llms.txt").await.has(200);
        assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
        anon.get_if_none_match("/llms.txt", text.header("etag")).await.has(304);
        // The form of llmstxt.org: a title, a summary, then lists of links.
        assert!(text.text.starts_with("# Taskward\n\n> "), "{text}");
        assert!(text.text.len() < 2048, "{} bytes are not short", text.text.len());
        let links: Vec<&str> = text.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(links.contains(&"openapi.json") && links.contains(&"mcp"), "{links:?}");
        for link in links {
            // Relative, so that they are right under any prefix that a proxy adds.
            assert!(!link.starts_with('/'), "{link}");
            // The metadata is 404, since this server has no authorization server.
            let answer = anon.get(&format!("/{link}")).await;
            assert_ne!(answer.code(), "route_not_found", "{link}");
        }
    }
}
