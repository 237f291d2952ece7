//! Many operations in one request: the body, and the result of each.

use std::borrow::Cow;

use poem_openapi::{
    Object,
    types::{Example, Type},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Fault, Flag, Maybe, Member, Members, NewTask, Nullable, Problem, ProblemCode, ProblemDetail,
    RequestBody, Revision, Scalar, Task, TaskId, TaskPatch, Total, Uid, Version,
    pointer::Pointer,
    registry::{MetaSchema, MetaSchemaRef, Registry, inline},
    scalar::kind,
};

/// The most operations of one batch.
const MAX_OPERATIONS: usize = 100;

/// The body of `batchTasks`.
#[derive(Debug)]
pub struct BatchRequest {
    /// In their order, each read by itself.
    pub operations: Vec<Result<BatchOperation, Vec<Fault>>>,
    /// All or nothing.
    pub atomic: bool,
}

/// One operation of a batch.
#[derive(Debug)]
pub enum BatchOperation {
    /// Creates a task.
    Create(NewTask),
    /// Changes a task.
    Update(Target, Maybe<Version>, TaskPatch),
    /// Deletes a task.
    Delete(Target, Maybe<Version>),
    /// Restores a deleted task.
    Restore(Target, Maybe<Version>),
}

/// Which task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By its number.
    Id(TaskId),
    /// By the id that its client chose.
    Uid(Uid),
}

/// What an operation is called.
#[derive(Debug, Clone, Copy)]
enum OperationName {
    Create,
    Update,
    Delete,
    Restore,
}

impl Member for OperationName {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        match value.as_str() {
            Some("create") => Some(Self::Create),
            Some("update") => Some(Self::Update),
            Some("delete") => Some(Self::Delete),
            Some("restore") => Some(Self::Restore),
            _ => {
                faults.push(at.fault("must be \"create\", \"update\", \"delete\" or \"restore\""));
                None
            }
        }
    }
}

/// The operations, each valid or not by itself.
struct Operations(Vec<Result<BatchOperation, Vec<Fault>>>);

impl Member for Operations {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let detail = match value.as_array() {
            Some(items) if (1..=MAX_OPERATIONS).contains(&items.len()) => {
                let items = items.iter().enumerate();
                let read = |(index, item)| BatchOperation::read(item, &at.item(index));
                return Some(Self(items.map(read).collect()));
            }
            Some(items) => format!(
                "must have 1 to {MAX_OPERATIONS} operations, has {}",
                items.len()
            ),
            None => format!("must be an array of operations, not {}", kind(value)),
        };
        faults.push(at.fault(detail));
        None
    }
}

/// A body as a member.
struct Nested<T>(T);

impl<T: RequestBody> Member for Nested<T> {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let unknown = |_: &str| Some(format!("is not a member of {}", T::NAME));
        let read = Members::within(value, at, |members| T::read(members), unknown);
        read.map_err(|found| faults.extend(found)).ok().map(Self)
    }
}

impl BatchOperation {
    fn read(value: &Value, at: &Pointer) -> Result<Self, Vec<Fault>> {
        // Of an operation that nobody knows, nobody knows the members either.
        let is_known = ["create", "update", "delete", "restore"]
            .iter()
            .any(|name| value["op"] == *name);
        let unknown = |_: &str| is_known.then(|| "is not a member of this operation".to_owned());
        Members::within(value, at, Self::take, unknown)
    }

    fn take(members: &mut Members) -> Option<Self> {
        let name = members.take("op")?;
        if let OperationName::Create = name {
            return members.take("task").map(|Nested(new)| Self::Create(new));
        }
        let (target, version) = (target(members), members.take("if_version"));
        match name {
            OperationName::Update => {
                let patch = members.take("patch");
                Some(Self::Update(
                    target?,
                    version?,
                    patch.map(|Nested(patch)| patch)?,
                ))
            }
            OperationName::Delete => Some(Self::Delete(target?, version?)),
            OperationName::Create | OperationName::Restore => {
                Some(Self::Restore(target?, version?))
            }
        }
    }
}

fn target(members: &mut Members) -> Option<Target> {
    let (id, uid) = (members.take("id"), members.take("uid"));
    match (id?, uid?) {
        (Maybe(Some(id)), Maybe(None)) => Some(Target::Id(id)),
        (Maybe(None), Maybe(Some(uid))) => Some(Target::Uid(uid)),
        (Maybe(None), Maybe(None)) => {
            members.fault("id", "is required, or `uid`: which task");
            None
        }
        (Maybe(Some(_)), Maybe(Some(_))) => {
            members.fault("uid", "must not be combined with `id`");
            None
        }
    }
}

impl RequestBody for BatchRequest {
    const NAME: &'static str = "a batch";
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];

    fn read(members: &mut Members) -> Option<Self> {
        let (operations, atomic) = (members.take("operations"), members.take("atomic"));
        let (Operations(operations), atomic): (_, Maybe<Flag>) = (operations?, atomic?);
        Some(Self {
            operations,
            atomic: atomic.0.is_some_and(|Flag(atomic)| atomic),
        })
    }
}

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

/// What became of a batch.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct BatchResults {
    /// The result of each operation, in their order.
    pub results: Vec<OperationResult>,
    /// How many operations were refused.
    pub failed: Total,
    /// The revision of your tasks: that of the last operation that changed one.
    pub revision: Revision,
}

/// The result of one operation of a batch: what it would be answered with alone.
#[derive(Debug, Object, Serialize)]
pub struct OperationResult {
    /// The status: 201 for a task that was created, 200 for one that was changed or restored, 204 for one that was deleted;
    /// otherwise that of the problem.
    #[oai(validator(minimum(value = "200"), maximum(value = "599")))]
    pub status: u16,
    /// The task as it is after this operation. Null if it was deleted or the operation was refused, and if nothing was written
    /// and your token may not read.
    pub task: Nullable<Task>,
    /// Whether the task was created by an earlier request with the same `uid`.
    pub replayed: Flag,
    /// Why the operation was refused. Null if it was done.
    pub problem: Nullable<ProblemDetail>,
}

impl OperationResult {
    /// Of an operation that was done.
    pub fn done(status: u16, task: Option<Task>, replayed: bool) -> Self {
        Self {
            status,
            task: Nullable(task),
            replayed: Flag(replayed),
            problem: Nullable(None),
        }
    }

    /// Of one that was refused.
    pub fn refused(problem: ProblemDetail) -> Self {
        Self {
            status: problem.status,
            task: Nullable(None),
            replayed: Flag(false),
            problem: Nullable(Some(problem)),
        }
    }
}

impl Example for BatchResults {
    fn example() -> Self {
        let problem = Problem::new(
            ProblemCode::TaskNotFound,
            ProblemCode::TaskNotFound.example(),
        );
        Self {
            results: vec![
                OperationResult::done(201, Some(Task::example()), false),
                OperationResult::refused(problem.into_detail("9f0c1a52b7d84e36")),
                OperationResult::done(204, None, false),
            ],
            failed: Total::of(1),
            revision: Revision::of(13),
        }
    }
}
