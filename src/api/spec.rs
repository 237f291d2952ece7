//! The contract as an OpenAPI document: what poem-openapi derives, mended into clean OpenAPI 3.1.
//!
//! The served document and the checked-in one both come from here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value, json};
use url::Url;

use super::service;
use crate::contract::{ProblemCode, Scalar as _, example, response_component};

/// The document as a server at this public address serves it, as indented JSON with a line feed at its
/// end. The checked-in one has no public address.
pub fn json(public_url: Option<&Url>) -> String {
    format!("{:#}\n", document_at(public_url))
}

/// The same as YAML.
#[expect(clippy::expect_used, reason = "JSON can be written as YAML")]
pub fn yaml(public_url: Option<&Url>) -> String {
    serde_yaml::to_string(&document_at(public_url)).expect("JSON can be written as YAML")
}

/// Without a public address, the document says that the operations are on its own host. Only the public address tells
/// the prefix that a proxy removes.
fn document_at(public_url: Option<&Url>) -> Value {
    let mut document = document();
    if let Some(url) = public_url {
        document["servers"][0]["url"] = url.as_str().trim_end_matches('/').into();
    }
    document
}

/// The paths of the document, each with the methods of its operations, in its order.
#[expect(
    clippy::expect_used,
    reason = "poem-openapi writes JSON, or no test passes"
)]
pub fn paths() -> Vec<(String, Vec<String>)> {
    // Little of the document: the whole of it takes megabytes.
    #[derive(Deserialize)]
    struct Document {
        paths: Members<Members<IgnoredAny>>,
    }
    let document: Document = serde_json::from_str(&derived()).expect("JSON");
    let names = |members: Members<IgnoredAny>| members.0.into_iter().map(|(name, _)| name);
    let Members(paths) = document.paths;
    paths
        .into_iter()
        .map(|(path, operations)| (path, names(operations).collect()))
        .collect()
}

/// The members of a JSON object, in their order.
struct Members<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<T>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// What poem-openapi writes, before it is mended. (A test looks for names that occur twice in it.)
pub fn derived() -> String {
    service().spec()
}

#[expect(
    clippy::expect_used,
    reason = "poem-openapi writes JSON, or no test passes"
)]
fn document() -> Value {
    // JSON is YAML, and this reader keeps 2^53 - 1, while serde_json reads it as 2^53 - 2.
    let mut document: Value = serde_yaml::from_str(&derived()).expect("JSON");
    document["openapi"] = "3.1.1".into();
    document["servers"] = json!([{ "url": "/", "description": "This server" }]);
    parts(document.pointer_mut("/components/schemas")).for_each(mend_schema);
    let (mut problems, mut bodies, mut tags) = (Problems::default(), Vec::new(), Vec::new());
    for path in parts(document.get_mut("paths")) {
        for operation in parts(Some(path)) {
            mend_operation(operation, &mut problems);
            tags.push(operation["tags"][0].clone());
            // The bodies of the owner paths may have any members.
            if operation["tags"][0] == "Owner paths" {
                continue;
            }
            for media_type in parts(operation.pointer_mut("/requestBody/content")) {
                bodies.push(media_type["schema"]["$ref"].clone());
            }
        }
    }
    // Bodies and the objects in them refuse members that they do not know; answers may gain some.
    while let Some(body) = bodies.pop() {
        let place = body.as_str().unwrap_or_default().trim_start_matches('#');
        let Some(schema) = document.pointer_mut(place) else {
            continue;
        };
        references(schema, &mut bodies);
        if schema["type"] == "object" {
            schema["additionalProperties"] = false.into();
        }
    }
    let Problems {
        responses,
        examples,
    } = problems;
    let responses: Map<_, _> = responses.into_values().collect();
    document["components"]["responses"] = responses.into();
    let named = |code: ProblemCode| (code.name().to_owned(), example(code));
    let examples: Map<_, _> = examples.into_iter().map(named).collect();
    document["components"]["examples"] = examples.into();
    // The groups in the order of their operations, not in alphabetical order.
    if let Some(groups) = document["tags"].as_array_mut() {
        groups.sort_by_key(|group| tags.iter().position(|tag| *tag == group["name"]));
    }
    let first = ["openapi", "info", "servers", "tags", "paths", "components"];
    arrange(&mut document, &first);
    document
}

/// The challenge of a 403 for a missing scope (RFC 6750 §3.1).
const MISSING_SCOPE: &str =
    r#"Bearer realm="taskward", error="insufficient_scope", scope="tasks:write""#;

/// The problems of the operations. Most operations share them, so they become components.
#[derive(Default)]
struct Problems {
    /// By status and name.
    responses: BTreeMap<(String, String), (String, Value)>,
    /// The codes that need an example.
    examples: BTreeSet<ProblemCode>,
}

/// Mends an operation, and moves what it says about problems to components.
fn mend_operation(operation: &mut Value, problems: &mut Problems) {
    // An operation without `security` inherits that of the document; each should state its own.
    if operation.get("security").is_none() {
        operation["security"] = json!([]);
    }
    for parameter in parts(operation.get_mut("parameters")) {
        mend_schema(&mut parameter["schema"]);
        // poem-openapi writes out these defaults of 3.1, and wrongly for headers and paths.
        remove(parameter, &["explode", "deprecated"]);
        arrange(parameter, &["name", "in", "description", "required"]);
    }
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        if let Some(Value::Object(headers)) = response.get_mut("headers") {
            *headers = std::mem::take(headers)
                .into_iter()
                .map(mend_header)
                .collect();
        }
        if response.pointer(PROBLEM).is_some() {
            let name = mend_problem(status, response, &mut problems.examples);
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            let moved = std::mem::replace(response, reference);
            let key = (status.clone(), name.clone());
            problems.responses.insert(key, (name, moved));
            continue;
        }
        for media_type in parts(response.get_mut("content")) {
            mend_schema(&mut media_type["schema"]);
        }
        arrange(response, &["description", "headers", "content"]);
    }
    let first = ["operationId", "tags", "summary", "description"];
    let last = ["security", "parameters", "requestBody", "responses"];
    arrange(operation, &[first, last].concat());
}

/// Where the answer of an operation has a problem.
const PROBLEM: &str = "/content/application~1problem+json";

/// Mends an answer that is a problem, and returns its name. Its schema has the codes (see `Fail`); they move to
/// the examples and the description.
fn mend_problem(
    status: &str,
    response: &mut Value,
    examples: &mut BTreeSet<ProblemCode>,
) -> String {
    let mut codes = Vec::new();
    if let Some(problem) = response.pointer_mut(PROBLEM) {
        let names = problem["schema"]["enum"].take();
        let names = names.as_array().into_iter().flatten();
        codes.extend(names.filter_map(|name| ProblemCode::from_json(name).ok()));
        problem["schema"] = problem["schema"]["allOf"][0].take();
        let reference = |code: &ProblemCode| {
            let place = format!("#/components/examples/{}", code.name());
            (code.name().to_owned(), json!({ "$ref": place }))
        };
        problem["examples"] = codes.iter().map(reference).collect::<Map<_, _>>().into();
    }
    examples.extend(&codes);
    if status == "403" {
        // So far it has the example of a 401.
        response["headers"]["WWW-Authenticate"]["schema"]["examples"] = json!([MISSING_SCOPE]);
    }
    let description = response["description"].as_str().unwrap_or_default();
    let (name, description) = response_component(&codes, description);
    response["description"] = description.into();
    arrange(response, &["description", "headers", "content"]);
    name
}

/// The header of an answer with its usual spelling (poem-openapi writes capitals), its schema and an example.
fn mend_header((capitals, mut header): (String, Value)) -> (String, Value) {
    let challenge = r#"Bearer realm="taskward", error="invalid_token", error_description="The token expired 37 s ago.""#;
    let next = r#"</api/v1/tasks?sort=-created_at&limit=50&cursor=WzEsMTIsN10>; rel="next""#;
    let known = [
        (
            "Accept",
            json!({ "type": "string", "examples": ["application/json"] }),
        ),
        (
            "Accept-Encoding",
            json!({ "type": "string", "examples": ["identity"] }),
        ),
        (
            "Content-Disposition",
            json!({ "type": "string", "examples": ["attachment; filename=\"tasks.ndjson\""] }),
        ),
        ("ETag", json!({ "type": "string", "examples": ["\"12\""] })),
        (
            "Idempotency-Replayed",
            json!({ "type": "boolean", "examples": [true] }),
        ),
        ("Link", json!({ "type": "string", "examples": [next] })),
        (
            "Location",
            json!({ "type": "string", "format": "uri-reference", "examples": ["/api/v1/tasks/7"] }),
        ),
        (
            "RateLimit",
            json!({ "type": "string", "examples": ["\"user\";r=0;t=1"] }),
        ),
        (
            "RateLimit-Policy",
            json!({ "type": "string", "examples": ["\"user\";q=100;w=2"] }),
        ),
        (
            "Retry-After",
            json!({ "type": "integer", "minimum": 0, "examples": [2] }),
        ),
        (
            "WWW-Authenticate",
            json!({ "type": "string", "examples": [challenge] }),
        ),
        (
            "X-Total-Count",
            json!({ "type": "integer", "minimum": 0, "examples": [120] }),
        ),
    ];
    remove(&mut header, &["deprecated"]);
    match known
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&capitals))
    {
        Some((name, schema)) => {
            header["schema"] = schema;
            (name.to_owned(), header)
        }
        // A test fails for such a header.
        None => (capitals, header),
    }
}

/// What differs between the schemas of 3.0 and 3.1.
fn mend_schema(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    // A described reference: poem-openapi writes `allOf: [ref, {description}]` with the description
    // again beside it; in 3.1 a `$ref` may have siblings.
    if let Some(all) = object.remove("allOf") {
        object.insert("$ref".to_owned(), all[0]["$ref"].clone());
    }
    // It only repeats the name.
    object.remove("title");
    // The bounds say more than `int64`, of which generators make a type that JSON does not have. Before `type` becomes
    // a list with null.
    if object.get("type").is_some_and(|t| t == "integer") {
        object.remove("format");
    }
    if object.remove("nullable").is_some() {
        allow_null(object);
    }
    if let Some(example) = object.remove("example") {
        object.insert("examples".to_owned(), json!([example]));
    }
    for bound in ["minimum", "maximum"] {
        if let Some(integer) = object.get(bound).and_then(integer) {
            object.insert(bound.to_owned(), integer);
        }
    }
    for keyword in ["properties", "anyOf"] {
        parts(object.get_mut(keyword)).for_each(mend_schema);
    }
    if let Some(items) = object.get_mut("items") {
        mend_schema(items);
    }
    let first = ["description", "$ref", "type", "format", "enum"];
    arrange(schema, &first);
}

/// Adds what a schema refers to, at any depth.
fn references(schema: &Value, found: &mut Vec<Value>) {
    match schema {
        Value::Object(members) => {
            found.extend(members.get("$ref").cloned());
            let parts = members.iter().filter(|(name, _)| *name != "examples");
            parts.for_each(|(_, part)| references(part, found));
        }
        Value::Array(items) => items.iter().for_each(|part| references(part, found)),
        _ => {}
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(types) = schema.get("type").cloned() {
        schema.insert("type".to_owned(), json!([types, "null"]));
    } else if let Some(reference) = schema.remove("$ref") {
        let any = json!([{ "$ref": reference }, { "type": "null" }]);
        schema.insert("anyOf".to_owned(), any);
    } else if let Some(any) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        any.push(json!({ "type": "null" }));
    }
}

/// poem-openapi keeps bounds as floats. All of ours are integers that a float represents exactly.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers up to 2^53")]
fn integer(bound: &Value) -> Option<Value> {
    let bound = bound.as_f64().filter(|bound| bound.fract() == 0.0);
    bound.map(|bound| Value::from(bound as i64))
}

/// The values of an object or an array, if it is there.
fn parts(whole: Option<&mut Value>) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match whole {
        Some(Value::Object(members)) => Box::new(members.values_mut()),
        Some(Value::Array(items)) => Box::new(items.iter_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

fn remove(object: &mut Value, names: &[&str]) {
    if let Some(members) = object.as_object_mut() {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// Puts these members first; the others keep their order. The document is read by people, too.
fn arrange(object: &mut Value, first: &[&str]) {
    if let Some(members) = object.as_object_mut() {
        let mut sorted: Vec<_> = std::mem::take(members).into_iter().collect();
        sorted.sort_by_key(|(name, _)| {
            let place = first.iter().position(|other| other == name);
            place.unwrap_or(first.len())
        });
        *members = sorted.into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_that_may_be_null_has_no_format_either() {
        let mut schema =
            json!({ "type": "integer", "format": "int64", "minimum": 1.0, "nullable": true });
        mend_schema(&mut schema);
        assert_eq!(schema, json!({ "type": ["integer", "null"], "minimum": 1 }));
    }
}
