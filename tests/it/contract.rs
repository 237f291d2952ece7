//! The contract: checked in, clean, complete, and true. `openapi/openapi.json` is what clients are made
//! from, so what is wrong in it is wrong in all of them.

mod answers;

use std::collections::BTreeSet;

use reqwest::Method;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};
use taskward::api::spec;

use crate::support::{
    Backend,
    contract::{TEXT, contract, examples, media_types, operations, resolved},
};

const MEND: &str = "cargo run -- openapi > openapi/openapi.json";

#[test]
fn the_checked_in_document_is_what_the_code_says() {
    let derived = spec::json(None);
    let differ = |(ours, theirs): &(&str, &str)| ours != theirs;
    let line = derived
        .lines()
        .zip(TEXT.lines())
        .position(|pair| differ(&pair));
    let line = line.unwrap_or(derived.lines().count().min(TEXT.lines().count()));
    let show = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    assert!(
        derived == TEXT,
        "openapi/openapi.json is not what the code says, from line {} on:\n  checked in  {}\n  the code    {}\n\
         Mend it with:\n\n    {MEND}\n\nand read the difference as those who use it will.",
        line + 1,
        show(TEXT),
        show(&derived)
    );
}

#[tokio::test]
async fn the_served_documents_are_the_checked_in_one() {
    let app = Backend::Sqlite.app().await;
    let json = app.anon().get("/openapi.json").await;
    assert_eq!(
        (json.status, json.header("content-type")),
        (200, "application/json")
    );
    assert!(json.text == TEXT);
    let yaml = app.anon().get("/openapi.yaml").await;
    assert_eq!(
        (yaml.status, yaml.header("content-type")),
        (200, "application/yaml")
    );
    assert_eq!(
        &serde_yaml::from_str::<Value>(&yaml.text).unwrap(),
        contract()
    );
}

/// JSON in which each name occurs once in its object; of two, readers take the one or the other.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unambiguous)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((name, _)) = map.next_entry::<String, Unambiguous>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("`{name}` occurs twice")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Unambiguous>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

/// Also before it is mended: there, the same status in both halves of a result is written twice, and one
/// of the two would be lost.
#[test]
fn no_name_occurs_twice() {
    for text in [TEXT.to_owned(), spec::derived()] {
        serde_json::from_str::<Unambiguous>(&text).unwrap();
    }
    assert!(serde_json::from_str::<Unambiguous>(r#"[{"a": {"b": 1, "b": 2}}]"#).is_err());
}

#[test]
fn every_operation_is_named_and_described() {
    let verbs = [
        "list", "create", "get", "update", "replace", "delete", "restore", "complete", "stream",
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
                let proper = name == "ETag" || name == "WWW-Authenticate" || title_case(name);
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

fn is_sentence(description: &Value) -> bool {
    let text = description.as_str().unwrap_or_default();
    text.ends_with('.') && !text.starts_with(char::is_lowercase)
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
                let value = &example["value"];
                assert_eq!(
                    (&value["code"], &value["status"]),
                    (&json!(code), &json!(status))
                );
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

#[test]
fn bodies_refuse_unknown_members_and_answers_may_gain_some() {
    let mut bodies = BTreeSet::new();
    for operation in operations() {
        for (media_type, body) in operation.bodies() {
            let schema = resolved(&body["schema"]);
            // Front ends send to the owner paths what other servers know.
            if operation.is_on_an_owner_path() {
                assert_eq!(schema.get("additionalProperties"), None, "{}", operation.id);
                continue;
            }
            assert_eq!(
                schema["additionalProperties"], false,
                "{} {media_type}",
                operation.id
            );
            bodies.insert(
                body["schema"]["$ref"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap(),
            );
        }
        assert_eq!(
            operation.bodies().is_empty(),
            operation.spec["requestBody"].is_null()
        );
    }
    for (name, schema) in contract()["components"]["schemas"].as_object().unwrap() {
        let closed = schema.get("additionalProperties").is_some();
        assert_eq!(closed, bodies.contains(name.as_str()), "{name}");
    }
    let patch = operations()
        .into_iter()
        .find(|operation| operation.id == "updateTask")
        .unwrap();
    let types: Vec<_> = patch.bodies().into_iter().map(|(name, _)| name).collect();
    assert_eq!(types, ["application/merge-patch+json", "application/json"]);
}

/// Nothing that generators stumble over: remains of OpenAPI 3.0, schemas that say nothing, floats where
/// there are integers.
#[test]
fn the_document_is_clean() {
    assert_eq!(contract()["openapi"], "3.1.1");
    clean("", contract());
    for operation in operations() {
        for parameter in operation.spec["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            clean_schema(parameter["name"].as_str().unwrap(), &parameter["schema"]);
        }
    }
    for (name, schema) in contract()["components"]["schemas"].as_object().unwrap() {
        clean_schema(name, schema);
        let used = TEXT.contains(&format!("\"#/components/schemas/{name}\""));
        assert!(used, "{name} is used nowhere");
    }
    let id = &contract()["components"]["schemas"]["Task"]["properties"]["id"];
    assert_eq!(
        (&id["minimum"], &id["maximum"]),
        (&json!(1), &json!((1_i64 << 53) - 1))
    );
    let new = &contract()["components"]["schemas"]["NewTask"]["properties"];
    let defaults: Vec<_> = new
        .as_object()
        .unwrap()
        .values()
        .map(|member| member.get("default"))
        .collect();
    let expected = [
        None,
        Some(json!(null)),
        Some(json!(false)),
        Some(json!("medium")),
        Some(json!(null)),
        Some(json!([])),
    ];
    assert_eq!(
        defaults,
        expected.iter().map(Option::as_ref).collect::<Vec<_>>()
    );
}

fn clean(at: &str, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        assert!(
            name != "nullable" && name != "allOf" && name != "oneOf",
            "{at}"
        );
        assert!(!name.starts_with("application/json;"), "{at}");
        let may_be_null = ["default", "value", "current", "completed_at"].contains(&name.as_str());
        assert!(
            !value.is_null() || may_be_null || at.contains("/examples/"),
            "{at} is null"
        );
        assert!(!value.is_f64(), "{at} is {value}");
        if !["examples", "value"].contains(&name.as_str()) {
            clean(&at, value);
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        clean(&format!("{at}/{index}"), value);
    }
}

/// A schema says of what type it is, all the way down, and members say what they are for.
fn clean_schema(at: &str, schema: &Value) {
    let says = ["type", "$ref", "anyOf"]
        .iter()
        .filter(|name| schema.get(**name).is_some());
    assert_eq!(says.count(), 1, "{at}: {schema}");
    assert!(
        schema.get("example").is_none() && schema.get("title").is_none(),
        "{at}"
    );
    if schema["type"] == "integer" {
        assert!(
            schema["minimum"].is_i64() && schema["maximum"].is_i64() && schema["format"].is_null(),
            "{at}"
        );
    }
    if schema["type"] == "array" {
        clean_schema(&format!("{at}[]"), &schema["items"]);
    }
    for any in schema["anyOf"].as_array().into_iter().flatten() {
        clean_schema(at, any);
    }
    let members = schema["properties"].as_object();
    assert_eq!(members.is_some(), schema["type"] == "object", "{at}");
    for (name, member) in members.into_iter().flatten() {
        assert!(is_sentence(&member["description"]), "{at}.{name}");
        clean_schema(&format!("{at}.{name}"), member);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            members.unwrap().contains_key(name.as_str().unwrap()),
            "{at}.{name}"
        );
    }
}

/// `Allow` comes from the document.
#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let app = Backend::Sqlite.app().await;
    for operation in operations() {
        let request = app.anon().request(Method::TRACE, &operation.path_of(1));
        let answer = app.anon().send(request).await;
        assert_eq!(answer.status, 405, "{answer}");
        let allowed: Vec<_> = answer.header("allow").split(", ").collect();
        assert!(allowed.contains(&operation.method.as_str()), "{answer}");
    }
}
