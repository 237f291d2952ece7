//! Each operation: its name, its description, its examples, and every status that it can answer with.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::{answers, is_sentence};
use crate::support::{
    Backend,
    contract::{contract, examples, media_types, operations, resolved},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_parameter_is_refused_by_every_operation_of_v1() {
    let app = Backend::Sqlite.app().await;
    let alice = app.user("alice");
    let mut asked = 0;
    for operation in operations() {
        if !operation.path.starts_with("/api/v1/") {
            continue;
        }
        let path = format!("{}?dry_run=true", operation.path.replace("{id}", "1"));
        let request = alice
            .request(operation.method.clone(), &path)
            .json(&json!({ "title": "Buy milk" }));
        let answer = alice.send(request).await.fails(400, "invalid_parameters");
        assert!(
            answer.faults()[0].starts_with("dry_run is not a parameter of this"),
            "{answer}"
        );
        asked += 1;
    }
    assert!(asked >= 7);
    assert_eq!(
        alice.get("/api/v1/tasks").await.items().len(),
        0,
        "nothing was done"
    );
}

#[test]
fn every_operation_is_named_and_described() {
    let verbs = [
        "list", "batch", "create", "get", "update", "replace", "delete", "restore", "complete",
        "stream", "export",
    ];
    let groups: Vec<_> = contract()["tags"].as_array().unwrap().iter().collect();
    assert!(
        groups
            .iter()
            .all(|group| is_sentence(&group["description"]))
    );
    let mut ids = BTreeSet::new();
    for operation in operations() {
        let (id, spec) = (operation.id, operation.spec);
        let verb = id.split(|c: char| c.is_ascii_uppercase()).next().unwrap();
        let noun = &id[verb.len()..];
        assert!(
            verbs.contains(&verb),
            "{id}: which verb? There are {verbs:?}"
        );
        assert!(
            !noun.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric()),
            "{id}"
        );
        assert!(ids.insert(id), "{id} occurs twice");
        let summary = spec["summary"].as_str().unwrap_or_default();
        assert!(
            summary.starts_with(char::is_uppercase) && !summary.ends_with('.'),
            "{id}: {summary:?}"
        );
        let tags = spec["tags"].as_array().unwrap();
        assert!(
            tags.len() == 1 && groups.iter().any(|group| group["name"] == tags[0]),
            "{id}: {tags:?}"
        );
        for parameter in spec["parameters"].as_array().into_iter().flatten() {
            assert!(is_sentence(&parameter["description"]), "{id}: {parameter}");
            assert!(
                ["path", "query", "header"]
                    .iter()
                    .any(|place| parameter["in"] == *place)
            );
            if parameter["in"] == "path" {
                let braces = format!("{{{}}}", parameter["name"].as_str().unwrap());
                assert!(
                    operation.path.contains(&braces) && parameter["required"] == true,
                    "{id}"
                );
            }
        }
        for (status, answer) in operation.answers() {
            assert!(is_sentence(&answer["description"]), "{id} {status}");
            for (name, header) in answer["headers"].as_object().into_iter().flatten() {
                assert!(is_sentence(&header["description"]), "{id} {status} {name}");
                let own = ["ETag", "RateLimit", "RateLimit-Policy", "WWW-Authenticate"];
                let proper = own.contains(&name.as_str()) || title_case(name);
                assert!(
                    proper && header["schema"]["examples"].is_array(),
                    "{id} {status} {name}: see mend_header"
                );
            }
        }
        let has = |status| {
            operation
                .answers()
                .iter()
                .any(|(other, _)| *other == status)
        };
        assert!(has(200) || has(201) || has(204), "{id}");
    }
}

fn title_case(name: &str) -> bool {
    name.split('-').all(|word| {
        let (first, rest) = word.split_at(1);
        first == first.to_ascii_uppercase() && rest == rest.to_ascii_lowercase()
    })
}

#[test]
fn every_body_and_answer_has_examples_that_are_valid() {
    let mut checked = 0;
    for operation in operations() {
        let bodies = operation.bodies().into_iter().map(|(_, body)| body);
        let answers = operation.answers().into_iter();
        for media_type in bodies.chain(
            answers.flat_map(|(_, answer)| media_types(answer).into_iter().map(|(_, of)| of)),
        ) {
            let schema = answers::closed(&media_type["schema"]);
            assert!(
                !examples(media_type).is_empty(),
                "{}: {media_type}",
                operation.id
            );
            for example in examples(media_type) {
                answers::check(&schema, example);
                checked += 1;
            }
        }
    }
    assert!(checked > 100);
}

#[test]
fn every_error_is_a_problem() {
    for operation in operations() {
        for (status, answer) in operation
            .answers()
            .into_iter()
            .filter(|(status, _)| *status >= 400)
        {
            let id = operation.id;
            let schema = json!({ "$ref": "#/components/schemas/Problem" });
            assert_eq!(
                answer["content"].as_object().unwrap().len(),
                1,
                "{id} {status}"
            );
            let problem = &answer["content"]["application/problem+json"];
            assert_eq!(problem["schema"], schema, "{id} {status}");
            for (code, example) in problem["examples"].as_object().unwrap() {
                let value = &resolved(example)["value"];
                assert_eq!(
                    (&value["code"], &value["status"]),
                    (&json!(code), &json!(status))
                );
                let description = answer["description"].as_str().unwrap();
                assert!(description.contains(&format!("`{code}`")), "{id} {status}");
            }
            let header = match status {
                401 | 403 => "WWW-Authenticate",
                429 | 503 => "Retry-After",
                _ => continue,
            };
            // A 403 for another user's path has no challenge: no token would help.
            let always = status != 403;
            assert_eq!(
                answer["headers"][header]["required"] == true,
                always,
                "{id} {status}"
            );
            assert!(answer["headers"][header].is_object(), "{id} {status}");
        }
    }
}

/// What can happen to any request, or to any that has a body or parameters, is said by each operation.
#[test]
fn every_operation_says_how_it_can_fail() {
    for operation in operations() {
        let statuses: BTreeSet<_> = operation
            .answers()
            .iter()
            .map(|(status, _)| *status)
            .collect();
        let mut expected = BTreeSet::new();
        if operation.needs_a_token() {
            assert_eq!(operation.spec["security"], json!([{ "bearer": [] }]));
            expected.extend([401, 403, 429, 500, 503]);
        } else {
            let token = statuses
                .iter()
                .any(|status| [401, 403, 429].contains(status));
            assert!(
                !token,
                "{} takes no token and so refuses none",
                operation.id
            );
        }
        if operation.spec["parameters"].is_array() {
            expected.insert(400);
        }
        if operation.is_about_one() {
            expected.insert(404);
        }
        if !operation.bodies().is_empty() {
            expected.extend([400, 408, 413, 415, 422]);
        }
        let parameters = operation.spec["parameters"]
            .as_array()
            .into_iter()
            .flatten();
        for parameter in parameters {
            match parameter["name"].as_str().unwrap() {
                "If-Match" => expected.insert(412),
                "If-None-Match" => expected.insert(304),
                _ => continue,
            };
        }
        let missing: Vec<_> = expected.difference(&statuses).collect();
        assert!(
            missing.is_empty(),
            "{} does not document {missing:?}",
            operation.id
        );
    }
}

/// `Allow` comes from the document.
#[tokio::test]
async fn a_405_lists_the_methods_that_there_are() {
    let app = Backend::Sqlite.app().await;
    for operation in operations() {
        let request = app.anon().request(Method::TRACE, &operation.path_of(1));
        let answer = app.anon().send(request).await;
        assert_eq!(answer.status, 405, "{answer}");
        let allowed: Vec<_> = answer.header("allow").split(", ").collect();
        assert!(allowed.contains(&operation.method.as_str()), "{answer}");
    }
}
