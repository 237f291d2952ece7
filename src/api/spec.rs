//! The contract as a document: what poem-openapi derives, mended into clean OpenAPI 3.1.
//!
//! The served document and the checked-in one both come from [`document`].

use serde_json::{Map, Value, json};

use super::service;
use crate::contract::ProblemDetail;

/// The OpenAPI document.
#[expect(
    clippy::expect_used,
    reason = "poem-openapi writes JSON, or no test passes"
)]
pub fn document() -> Value {
    let derived = service().spec();
    let mut document: Value = serde_json::from_str(&derived).expect("poem-openapi writes JSON");
    document["openapi"] = "3.1.1".into();
    document["jsonSchemaDialect"] = "https://spec.openapis.org/oas/3.1/dialect/base".into();
    document["servers"] = json!([{ "url": "/", "description": "This server" }]);
    mend(&mut document);
    mend_schemas(&mut document);
    mend_operations(&mut document);
    document
}

/// The document as it is checked in: indented JSON with a line feed at its end.
pub fn json() -> String {
    format!("{:#}\n", document())
}

/// The document as YAML.
#[expect(clippy::expect_used, reason = "JSON can be written as YAML")]
pub fn yaml() -> String {
    serde_yaml::to_string(&document()).expect("JSON can be written as YAML")
}

/// What differs between 3.0 and 3.1, everywhere.
fn mend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Object(object) => {
            // A described reference: poem-openapi writes `allOf: [ref, {description}]` with the
            // description again beside it; in 3.1 a `$ref` may have siblings.
            let reference = object
                .get("allOf")
                .and_then(Value::as_array)
                .and_then(|all| all.first()?.get("$ref").cloned());
            if let Some(reference) = reference {
                object.remove("allOf");
                object.insert("$ref".to_owned(), reference);
            }
            if object.remove("nullable") == Some(Value::Bool(true)) {
                allow_null(object);
            }
            // An example of a schema (a scalar, an array or an object); in 3.1 there are several.
            if is_schema(object)
                && let Some(example) = object.remove("example")
            {
                object.insert("examples".to_owned(), json!([example]));
            }
            for bound in ["minimum", "maximum"] {
                if let Some(integer) = object.get(bound).and_then(integer) {
                    object.insert(bound.to_owned(), integer);
                }
            }
            object.values_mut().for_each(mend);
        }
        _ => {}
    }
}

fn is_schema(object: &Map<String, Value>) -> bool {
    ["type", "anyOf", "$ref"]
        .iter()
        .any(|key| object.contains_key(*key))
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(types) = schema.get("type").cloned() {
        schema.insert("type".to_owned(), json!([types, "null"]));
    } else if let Some(any) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        any.push(json!({ "type": "null" }));
    }
}

/// Bounds are floats in poem-openapi. All of ours are whole numbers that a float carries exactly.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers up to 2^53")]
fn integer(bound: &Value) -> Option<Value> {
    bound
        .as_f64()
        .filter(|f| f.fract() == 0.0)
        .map(|f| Value::from(f as i64))
}

/// Requests refuse unknown members, and the document must say so; answers may gain members.
fn mend_schemas(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    for name in ["NewTask", "TaskPatch"] {
        schemas[name]["additionalProperties"] = Value::Bool(false);
    }
    schemas["Problem"]["examples"] = json!([ProblemDetail::example()]);
}

fn mend_operations(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (_, operation) in paths.flat_map(|(_, path)| path.as_object_mut().into_iter().flatten()) {
        // Without it, an operation would inherit what the document demands; it should say it itself.
        if operation.get("security").is_none() {
            operation["security"] = json!([]);
        }
        let responses = operation["responses"].as_object_mut().into_iter().flatten();
        for (_, response) in responses {
            if let Some(headers) = response.get_mut("headers").and_then(Value::as_object_mut) {
                *headers = std::mem::take(headers)
                    .into_iter()
                    .map(|(name, header)| (header_case(&name), header))
                    .collect();
            }
        }
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            // The defaults of 3.1, which poem-openapi spells out, and wrongly for headers and paths.
            if let Some(parameter) = parameter.as_object_mut() {
                parameter.remove("explode");
                parameter.retain(|key, value| key != "deprecated" || *value == Value::Bool(true));
            }
        }
    }
}

/// poem-openapi writes header names in capitals.
fn header_case(name: &str) -> String {
    if name.eq_ignore_ascii_case("etag") {
        return "ETag".to_owned();
    }
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| {
            first.to_ascii_uppercase().to_string() + &letters.as_str().to_ascii_lowercase()
        })
    };
    if name.eq_ignore_ascii_case("www-authenticate") {
        return "WWW-Authenticate".to_owned();
    }
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
