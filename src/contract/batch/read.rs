//! Reading a batch, each operation by itself.

use serde_json::Value;

use super::{BatchOperation, BatchRequest, MAX_OPERATIONS, Target};
use crate::contract::{
    Fault, Flag, Maybe, Member, Members, RequestBody, pointer::Pointer, scalar::kind,
};

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
