//! The checked-in contract, as tests walk it: a new operation is found by them without being named.

use std::sync::LazyLock;

use reqwest::Method;
use serde_json::{Value, json};

/// `openapi/openapi.json` as it is checked in.
pub const TEXT: &str = include_str!("../../../openapi/openapi.json");

/// The contract, read.
pub fn contract() -> &'static Value {
    static CONTRACT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());
    &CONTRACT
}

/// What a value is, or what its `$ref` leads to.
pub fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => contract().pointer(&reference[1..]).expect(reference),
        None => value,
    }
}

/// One operation of the contract.
#[derive(Clone)]
pub struct Operation {
    pub id: &'static str,
    pub method: Method,
    /// With its parameters in braces.
    pub path: &'static str,
    /// As it is in the document.
    pub spec: &'static Value,
}

/// All operations, in the order of the document.
pub fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in contract()["paths"].as_object().unwrap() {
        for (method, spec) in methods.as_object().unwrap() {
            operations.push(Operation {
                id: spec["operationId"].as_str().unwrap_or_default(),
                method: method.to_uppercase().parse().unwrap(),
                path,
                spec,
            });
        }
    }
    assert!(!operations.is_empty());
    operations
}

impl Operation {
    pub fn needs_a_token(&self) -> bool {
        self.spec["security"] != json!([])
    }

    /// Its path for whoever calls and the task of this number.
    pub fn path_of(&self, id: i64) -> String {
        self.path_with("me", &id.to_string())
    }

    /// Its path with these for its parameters.
    pub fn path_with(&self, user_id: &str, id: &str) -> String {
        self.path.replace("{user_id}", user_id).replace("{id}", id)
    }

    /// Whether it is about one task.
    pub fn is_about_one(&self) -> bool {
        self.path.contains("{id}")
    }

    /// Whether its path names the owner of the tasks, as existing front ends call it. Its bodies then
    /// may have members that it does not know.
    pub fn is_on_an_owner_path(&self) -> bool {
        self.spec["tags"] == json!(["Owner paths"])
    }

    /// Whether no body at all is a good request.
    pub fn needs_no_body(&self) -> bool {
        self.spec["requestBody"]["required"] != true
    }

    /// Whether a request is one of these.
    pub fn is(&self, method: &Method, path: &str) -> bool {
        let path = path.split('?').next().unwrap();
        let (own, other) = (self.path.split('/'), path.split('/'));
        self.method == *method
            && own.clone().count() == other.clone().count()
            && own
                .zip(other)
                .all(|(own, other)| own == other || own.starts_with('{'))
    }

    /// The media types of its body, each with what it says about it.
    pub fn bodies(&self) -> Vec<(&'static str, &'static Value)> {
        media_types(&self.spec["requestBody"])
    }

    /// Its answers.
    pub fn answers(&self) -> Vec<(u16, &'static Value)> {
        let responses = self.spec["responses"].as_object().unwrap().iter();
        responses
            .map(|(status, response)| (status.parse().unwrap(), resolved(response)))
            .collect()
    }
}

/// The media types of a body or an answer.
pub fn media_types(content: &'static Value) -> Vec<(&'static str, &'static Value)> {
    let types = content["content"].as_object().into_iter().flatten();
    types.map(|(name, of)| (name.as_str(), of)).collect()
}

/// The examples of a body or an answer: its own, or those of its schema.
pub fn examples(media_type: &'static Value) -> Vec<&'static Value> {
    if let Some(examples) = media_type["examples"].as_object() {
        return examples
            .values()
            .map(|example| &resolved(example)["value"])
            .collect();
    }
    let examples = resolved(&media_type["schema"])["examples"].as_array();
    examples.into_iter().flatten().collect()
}
