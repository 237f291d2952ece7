//! The schemas: closed for requests, open for answers, and without what code generators cannot handle.

use std::collections::BTreeSet;

use expect_test::expect;
use serde_json::{Map, Value, json};

use super::is_sentence;
use crate::support::contract::{TEXT, contract, operations, resolved};

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
            collect_objects(&body["schema"], &mut bodies);
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

/// The names of the objects in a body, itself included.
fn collect_objects(schema: &'static Value, names: &mut BTreeSet<&'static str>) {
    let (reference, schema) = (&schema["$ref"], resolved(schema));
    if let (Some(reference), "object") = (
        reference.as_str(),
        schema["type"].as_str().unwrap_or_default(),
    ) {
        names.insert(reference.rsplit('/').next().unwrap());
    }
    let members = schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(|members| members.values());
    let others = schema["anyOf"].as_array().into_iter().flatten();
    let parts = members.chain(others).chain(schema.get("items"));
    parts.for_each(|part| collect_objects(part, names));
}

/// Nothing that code generators cannot handle: remains of OpenAPI 3.0, empty schemas, floats where
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
    let defaults: Map<String, Value> = new
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, member)| Some((name.clone(), member.get("default")?.clone())))
        .collect();
    expect![[r#"
        {
          "description": null,
          "completed": false,
          "priority": "medium",
          "due_date": null,
          "tags": [],
          "uid": null
        }"#]]
    .assert_eq(&format!("{:#}", Value::from(defaults)));
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
