//! Undoes what hosts (the programs that run a model) and SDKs do to arguments on their way from the model.
//!
//! The arguments are then read strictly. So this changes only values that can have one meaning.

use serde_json::{Map, Value};

use crate::contract::integer;

/// Our own keyword for a schema that allows null. It is removed before clients see the schema: Gemini refuses a list of
/// types, and other clients do not know `nullable`.
pub(super) const NULLABLE: &str = "x-nullable";

/// Members that hosts add to the arguments for their own use. n8n adds all of these.
const HOST_MEMBERS: [&str; 5] = [
    "toolCallId",
    "tool_call_id",
    "sessionId",
    "action",
    "chatInput",
];

/// The arguments in the form that the tool declares:
///
/// - null for an argument that cannot be null is no argument;
/// - `2.0` and `"2"` for an integer are 2, `"true"` and `"False"` are booleans;
/// - the text of an array or object is that array or object;
/// - members that hosts add for their own use are removed.
pub(super) fn normalized(
    mut arguments: Map<String, Value>,
    schema: &Map<String, Value>,
) -> Map<String, Value> {
    let declared = schema.get("properties").and_then(Value::as_object);
    arguments.retain(|name, value| {
        match declared.and_then(|declared| declared.get(name)?.as_object()) {
            Some(schema) => !value.is_null() || schema.contains_key(NULLABLE),
            None => !HOST_MEMBERS.contains(&name.as_str()),
        }
    });
    for (name, value) in &mut arguments {
        if let Some(schema) = declared.and_then(|declared| declared.get(name)?.as_object()) {
            *value = as_declared(value.take(), schema);
        }
    }
    arguments
}

fn as_declared(value: Value, schema: &Map<String, Value>) -> Value {
    let kind = schema
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let items = schema.get("items").and_then(Value::as_object);
    match (kind, value) {
        ("integer", value) => whole(&value).map_or(value, Value::from),
        ("boolean", Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => true.into(),
            "false" => false.into(),
            _ => Value::String(text),
        },
        ("array" | "object", Value::String(text)) => match serde_json::from_str(&text) {
            Ok(parsed @ (Value::Array(_) | Value::Object(_))) => as_declared(parsed, schema),
            _ => Value::String(text),
        },
        ("array", Value::Array(values)) => {
            let values = values.into_iter();
            values
                .map(|value| items.map_or(value.clone(), |items| as_declared(value, items)))
                .collect()
        }
        ("object", Value::Object(members)) => Value::Object(normalized(members, schema)),
        (_, value) => value,
    }
}

/// The integer that a number or a text stands for.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(_) => integer(value),
        Value::String(text) => {
            let number: i64 = text.trim().parse().ok()?;
            // `007` and `+7` are texts that somebody wrote, not numbers.
            (number.to_string() == text.trim()).then_some(number)
        }
        _ => None,
    }
}

/// The schema for clients.
pub(super) fn published(mut schema: Map<String, Value>) -> Map<String, Value> {
    schema.remove(NULLABLE);
    for (_, member) in &mut schema {
        if let Value::Object(inner) = member {
            *inner = published(std::mem::take(inner));
        }
    }
    schema
}
