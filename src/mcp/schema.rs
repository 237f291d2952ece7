//! JSON Schemas (2020-12), as lean as they can be: a model reads all of them before it does anything.

use poem_openapi::types::Type;
use rmcp::{
    model::JsonObject,
    schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform},
};
use serde_json::{Map, Value, json};

use crate::contract::{
    Scalar,
    registry::{MetaSchema, MetaSchemaRef, Registry},
};

/// What an argument may be, from the type that reads it for REST as well.
pub(super) fn of_scalar<T: Scalar + Type>() -> Map<String, Value> {
    match <T as Scalar>::schema_ref() {
        MetaSchemaRef::Inline(schema) => lean(&schema),
        MetaSchemaRef::Reference(name) => {
            let mut registry = Registry::new();
            <T as Type>::register(&mut registry);
            registry.schemas.get(&name).map(lean).unwrap_or_default()
        }
    }
}

/// Type, values and limits. Patterns, formats and examples cost more than they tell.
fn lean(schema: &MetaSchema) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    };
    if schema.enum_items.is_empty() {
        put("type", json!(schema.ty));
    } else {
        put("enum", json!(schema.enum_items));
    }
    put("maxLength", json!(schema.max_length));
    // That an id or a text is not nothing goes without saying.
    let maximum = bound(schema.maximum);
    if !maximum.is_null() {
        put("minimum", bound(schema.minimum));
    }
    put("maximum", maximum);
    put("maxItems", json!(schema.max_items));
    if let Some(MetaSchemaRef::Inline(items)) = schema.items.as_deref() {
        put("items", Value::Object(lean(items)));
    }
    object
}

/// A limit that is one: the largest integer that JSON can carry goes without saying.
#[expect(
    clippy::cast_possible_truncation,
    reason = "limits are whole and small"
)]
fn bound(limit: Option<f64>) -> Value {
    let limit = limit.filter(|limit| limit.abs() < 1e15);
    limit.map_or(Value::Null, |limit| json!(limit as i64))
}

/// What a tool answers with. What is null is left out of answers, so no schema speaks of null.
pub(super) fn of_output<T: JsonSchema>() -> JsonObject {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
    let mut schema = settings
        .with_transform(RecursiveTransform(strip))
        .into_generator()
        .into_root_schema_for::<T>();
    schema.remove("title");
    schema.remove("description");
    match schema.to_value() {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

fn strip(schema: &mut Schema) {
    for name in ["title", "format", "minimum"] {
        schema.remove(name);
    }
    if schema.get("properties").is_some() {
        // The name of the member says what it is.
        schema.remove("description");
    }
    // Anything goes without saying.
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
        schema.remove("additionalProperties");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
}
