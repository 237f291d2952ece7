//! The JSON Schemas (2020-12) of the tools. They are short, because a model reads all of them before it does anything.

use poem_openapi::types::Type;
use rmcp::{
    model::JsonObject,
    schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform},
};
use serde_json::{Map, Value, json};

use super::host::NULLABLE;
use crate::contract::{
    RequestBody, Scalar,
    registry::{MetaSchema, MetaSchemaRef, Registry},
};

/// The map of an object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// One argument of several.
pub(super) struct Property {
    pub(super) name: &'static str,
    /// The lines of its comment.
    pub(super) comment: &'static [&'static str],
    pub(super) schema: Map<String, Value>,
    pub(super) required: bool,
}

/// The schema of an object with these properties.
pub(super) fn schema_of(properties: Vec<Property>) -> Map<String, Value> {
    let mut required = Vec::new();
    let mut all = Map::new();
    for property in properties {
        let mut schema = property.schema;
        let lines = property.comment.iter().map(|line| line.trim());
        let text = lines.collect::<Vec<_>>().join(" ");
        // The description of the argument replaces that of its type.
        if !text.is_empty() {
            schema.insert("description".to_owned(), text.into());
        }
        if property.required {
            required.push(property.name);
        }
        all.insert(property.name.to_owned(), Value::Object(schema));
    }
    let mut schema = object(json!({ "type": "object", "properties": all }));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// The schema of a scalar, from the type that REST uses as well.
pub(super) fn of_scalar<T: Scalar + Type>() -> Map<String, Value> {
    let mut registry = Registry::new();
    <T as Type>::register(&mut registry);
    resolved(&<T as Scalar>::schema_ref(), &registry)
}

/// The members of a body of REST, as arguments.
pub(super) fn of_body<T: RequestBody>() -> Vec<Property> {
    let mut registry = Registry::new();
    <T as Type>::register(&mut registry);
    let body = registry.schemas.get(&*<T as Type>::name());
    let members = body.iter().flat_map(|body| {
        body.properties.iter().map(|(name, schema)| Property {
            name,
            comment: &[],
            schema: resolved(schema, &registry),
            required: body.required.contains(name),
        })
    });
    members.collect()
}

fn resolved(schema: &MetaSchemaRef, registry: &Registry) -> Map<String, Value> {
    match schema {
        MetaSchemaRef::Inline(schema) => {
            let mut object = lean(schema);
            // A reference with siblings, such as a default.
            if let Some(reference) = schema.all_of.first() {
                object.extend(resolved(reference, registry));
            }
            if schema.nullable {
                allow_null(&mut object);
            }
            object
        }
        MetaSchemaRef::Reference(name) => registry.schemas.get(name).map(lean).unwrap_or_default(),
    }
}

/// Allows null.
pub(super) fn allow_null(schema: &mut Map<String, Value>) {
    schema.insert(NULLABLE.to_owned(), true.into());
}

/// Type, values and limits. Patterns, formats and examples cost a model more than they help.
fn lean(schema: &MetaSchema) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    };
    // Gemini refuses an `enum` without a type.
    put(
        "type",
        json!(Some(schema.ty).filter(|kind| !kind.is_empty())),
    );
    let values = &schema.enum_items;
    put("enum", json!((!values.is_empty()).then_some(values)));
    put("maxLength", json!(schema.max_length));
    // Without a maximum, a minimum says only that an id is positive. A model knows that.
    let maximum = bound(schema.maximum);
    if !maximum.is_null() {
        put("minimum", bound(schema.minimum));
    }
    put("maximum", maximum);
    put("maxItems", json!(schema.max_items));
    // A model expects these defaults anyway.
    let usual = [json!(null), json!(false), json!([])];
    put(
        "default",
        json!(
            schema
                .default
                .as_ref()
                .filter(|default| !usual.contains(default))
        ),
    );
    if let Some(MetaSchemaRef::Inline(items)) = schema.items.as_deref() {
        put("items", Value::Object(lean(items)));
    }
    object
}

/// A limit that is worth stating. The largest integer that JSON can carry is not.
#[expect(
    clippy::cast_possible_truncation,
    reason = "limits are whole and small"
)]
fn bound(limit: Option<f64>) -> Value {
    let limit = limit.filter(|limit| limit.abs() < 1e15);
    limit.map_or(Value::Null, |limit| json!(limit as i64))
}

/// The schema of a tool's answer. Answers leave out what is null, so the schema does not allow null.
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
    // The default.
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
