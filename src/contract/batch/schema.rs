//! What the document says of a batch: a schema for each kind of operation.

use std::borrow::Cow;

use poem_openapi::types::Type;
use serde_json::json;

use super::{BatchOperation, BatchRequest, MAX_OPERATIONS};
use crate::contract::{
    Flag, NewTask, Scalar, TaskId, TaskPatch, Uid, Version,
    registry::{MetaSchema, MetaSchemaRef, Registry, inline},
};

/// The members of a schema.
type Properties = Vec<(&'static str, MetaSchemaRef)>;

/// A member, with its documentation.
fn documented(schema: MetaSchemaRef, text: &'static str) -> MetaSchemaRef {
    schema.merge(MetaSchema {
        description: Some(text),
        ..MetaSchema::ANY
    })
}

/// The schema of a kind of operation. `body`: the member that has a body.
fn kind_of_operation(
    name: &'static str,
    text: &'static str,
    target: Properties,
    body: Option<(&'static str, MetaSchemaRef)>,
) -> MetaSchema {
    let named = MetaSchema {
        enum_items: vec![name.into()],
        ..MetaSchema::new("string")
    };
    let op = documented(inline(named), "The kind of operation.");
    let required = body.iter().map(|(name, _)| *name);
    MetaSchema {
        description: Some(text),
        required: ["op"].into_iter().chain(required).collect(),
        properties: [("op", op)].into_iter().chain(target).chain(body).collect(),
        ..MetaSchema::new("object")
    }
}

/// Which task, and in which version.
fn target_properties() -> Properties {
    let id = "The task by its number. Either this or `uid` must be there.";
    let uid = "The task by its `uid`, also of a task that an operation before this one creates.";
    let version =
        "The version of the task as you have it: refused with 412 if it has changed since.";
    vec![
        ("id", documented(<TaskId as Scalar>::schema_ref(), id)),
        ("uid", documented(<Uid as Scalar>::schema_ref(), uid)),
        (
            "if_version",
            documented(<Version as Scalar>::schema_ref(), version),
        ),
    ]
}

/// The kinds of operations, each a schema of its own.
fn register_operations(registry: &mut Registry) -> Vec<MetaSchemaRef> {
    NewTask::register(registry);
    TaskPatch::register(registry);
    let task = documented(NewTask::schema_ref(), "The task, as in `createTask`.");
    let patch = documented(TaskPatch::schema_ref(), "The changes, as in `updateTask`.");
    let kinds = [
        (
            "BatchCreate",
            kind_of_operation(
                "create",
                "Creates a task.",
                Vec::new(),
                Some(("task", task)),
            ),
        ),
        (
            "BatchUpdate",
            kind_of_operation(
                "update",
                "Changes a task.",
                target_properties(),
                Some(("patch", patch)),
            ),
        ),
        (
            "BatchDelete",
            kind_of_operation("delete", "Deletes a task.", target_properties(), None),
        ),
        (
            "BatchRestore",
            kind_of_operation(
                "restore",
                "Restores a deleted task. One that is not deleted stays as it is.",
                target_properties(),
                None,
            ),
        ),
    ];
    kinds
        .into_iter()
        .map(|(name, schema)| {
            registry.create_schema::<BatchOperation, _>(name.to_owned(), |_| schema);
            MetaSchemaRef::Reference(name.to_owned())
        })
        .collect()
}

const OPERATION: &str = "BatchOperation";

impl Type for BatchRequest {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "BatchRequest".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::name().into_owned(), |registry| {
            let any_of = register_operations(registry);
            registry.create_schema::<BatchOperation, _>(OPERATION.to_owned(), |_| MetaSchema {
                description: Some("One operation of a batch; `op` says which kind it is."),
                any_of,
                ..MetaSchema::ANY
            });
            let operations = MetaSchema {
                items: Some(Box::new(MetaSchemaRef::Reference(OPERATION.to_owned()))),
                min_items: Some(1),
                max_items: Some(MAX_OPERATIONS),
                ..MetaSchema::new("array")
            };
            let operations = documented(inline(operations), "What is done, in this order.");
            let atomic = <Flag as Scalar>::schema_ref().merge(MetaSchema {
                description: Some("Whether all of it is done or nothing."),
                default: Some(false.into()),
                ..MetaSchema::ANY
            });
            MetaSchema {
                description: Some("Operations that are carried out in one commit."),
                required: vec!["operations"],
                properties: vec![("operations", operations), ("atomic", atomic)],
                example: Some(json!({ "operations": [
                    {
                        "op": "create",
                        "task": { "title": "Buy milk", "uid": "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a" },
                    },
                    { "op": "update", "id": 7, "if_version": 12, "patch": { "completed": true } },
                    { "op": "delete", "id": 5 },
                ] })),
                ..MetaSchema::new("object")
            }
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}
