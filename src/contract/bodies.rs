//! The bodies that write a task. All are made from one table of members, `task_bodies!` in `task.rs`, so that a
//! new member is one line there.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Change, Lenient, Maybe, Nullable, Scalar};

/// A member that clients write: the kinds differ in what null means.
pub(super) trait Written: Default {
    /// Its value.
    type Value: Scalar;
    /// The same member of a task.
    type Stored: Serialize;

    /// Whether writing it would change what is stored.
    fn changes(&self, stored: &Self::Stored) -> bool;

    /// From what an existing front end sent.
    fn of_lenient(given: Change<Lenient<Self::Value>>) -> Self;
}

/// A member that always has a value.
impl<T: Scalar + PartialEq + Serialize> Written for Maybe<T> {
    type Value = T;
    type Stored = T;

    fn changes(&self, stored: &T) -> bool {
        self.0.as_ref().is_some_and(|new| new != stored)
    }

    fn of_lenient(given: Change<Lenient<T>>) -> Self {
        Self(match given {
            Change::Keep => None,
            Change::Clear | Change::Set(Lenient(None)) => T::of_null(),
            Change::Set(Lenient(value)) => value,
        })
    }
}

/// A member that can be null.
impl<T: Scalar + PartialEq + Serialize> Written for Change<T> {
    type Value = T;
    type Stored = Nullable<T>;

    fn changes(&self, stored: &Nullable<T>) -> bool {
        match self {
            Self::Keep => false,
            Self::Clear => stored.0.is_some(),
            Self::Set(new) => stored.0.as_ref() != Some(new),
        }
    }

    fn of_lenient(given: Change<Lenient<T>>) -> Self {
        match given {
            Change::Keep => Self::Keep,
            Change::Clear | Change::Set(Lenient(None)) => Self::Clear,
            Change::Set(Lenient(Some(value))) => Self::Set(value),
        }
    }
}

/// A member that a new task need not have.
pub(super) trait Optional {
    /// What was said, unless it is the default.
    fn said(&self) -> Option<Value>;
}

impl<T: Default + PartialEq + Serialize> Optional for Maybe<T> {
    fn said(&self) -> Option<Value> {
        let said = self.0.as_ref().filter(|said| **said != T::default());
        said.map(|said| serde_json::to_value(said).unwrap_or_default())
    }
}

impl<T: Serialize> Optional for Change<T> {
    fn said(&self) -> Option<Value> {
        match self {
            Self::Set(said) => Some(serde_json::to_value(said).unwrap_or_default()),
            Self::Keep | Self::Clear => None,
        }
    }
}

/// Notes what is stored in a member, if writing it would change that.
pub(super) fn note<W: Written>(
    replaced: &mut Map<String, Value>,
    name: &str,
    written: &W,
    stored: &W::Stored,
) {
    if written.changes(stored) {
        let stored = serde_json::to_value(stored).unwrap_or_default();
        replaced.insert(name.to_owned(), stored);
    }
}

/// What the document shows as the default of a member that can be null.
pub(super) fn none<T>() -> Change<T> {
    Change::Clear
}

/// What the document shows as the default of another member; the store applies it.
pub(super) fn usual<T: Default>() -> Maybe<T> {
    Maybe(Some(T::default()))
}

/// Makes the bodies from the members that may be absent from a new task. `title` is the one that may not;
/// `uid` is of a new task alone.
///
/// Each line is a comment for the document, the name, the kind (`Maybe`, or `Change` where null clears), the
/// type, and the function that makes the default.
macro_rules! task_bodies {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ident<$type:ty> = $default:literal;)+) => {
        /// A task to be created. Only the title is required; members that are not listed here are refused.
        #[derive(Debug, Clone, Object)]
        #[oai(deny_unknown_fields, example)]
        pub struct NewTask {
            /// What is to be done.
            pub title: Title,
            $($(#[doc = $doc])+ #[oai(default = $default)] pub $name: $kind<$type>,)+
            /// A UUID that you choose (RFC 9562), which no other task of yours may have and which never changes.
            /// Creating with the same `uid` and the same body again is the same task.
            #[oai(default = "none::<Uid>")]
            pub uid: Change<Uid>,
        }

        /// Changes to a task, as a JSON Merge Patch (RFC 7396): what is absent stays as it is, null clears. Members
        /// that are not listed here are refused.
        #[derive(Debug, Clone, Default, Object)]
        #[oai(deny_unknown_fields, example)]
        pub struct TaskPatch {
            /// What is to be done.
            pub title: Maybe<Title>,
            $($(#[doc = $doc])+ pub $name: $kind<$type>,)+
        }

        /// A task to be created, as existing front ends send it. Null and an empty text count as absent, a time
        /// without an offset as UTC; a priority may be in any case of letters, tags may be one text with commas.
        #[derive(Debug, Clone, Object)]
        #[oai(example)]
        pub struct OwnerNewTask {
            /// What is to be done.
            pub title: Title,
            $($(#[doc = $doc])+ pub $name: Change<Lenient<$type>>,)+
            /// The same as `completed`. If both are there, they must agree.
            pub is_completed: Change<Lenient<Flag>>,
        }

        /// Changes to a task, as existing front ends send them: what is absent stays as it is. Values are read as
        /// for a new task.
        #[derive(Debug, Clone, Object)]
        #[oai(example)]
        pub struct OwnerTaskChanges {
            /// What is to be done.
            pub title: Change<Lenient<Title>>,
            $($(#[doc = $doc])+ pub $name: Change<Lenient<$type>>,)+
            /// The same as `completed`. Answers have both, and clients send both back after changing one: if they differ,
            /// the one that differs from the task counts.
            pub is_completed: Change<Lenient<Flag>>,
        }

        impl NewTask {
            /// A task of which only the title is known.
            pub fn new(title: Title) -> Self {
                Self { uid: Change::Keep, title, $($name: Default::default(),)+ }
            }

            /// What it says: the members that are not at their default, by name. Two requests that say the same are
            /// equal, however they are written, and also after a member has been added.
            pub fn said(&self) -> BTreeMap<&'static str, Value> {
                let Self { uid, title, $($name),+ } = self;
                let mut said = BTreeMap::from([("title", Value::from(title.as_str()))]);
                said.extend(uid.said().map(|value| ("uid", value)));
                $(said.extend($name.said().map(|value| (stringify!($name), value)));)+
                said
            }
        }

        impl TaskPatch {
            /// The members that this would change, as they are in the task.
            pub fn replaced(&self, task: &Task) -> Map<String, Value> {
                let Self { title, $($name),+ } = self;
                let mut replaced = Map::new();
                note(&mut replaced, "title", title, &task.title);
                $(note(&mut replaced, stringify!($name), $name, &task.$name);)+
                replaced
            }
        }

        impl From<OwnerNewTask> for NewTask {
            fn from(mut sent: OwnerNewTask) -> Self {
                sent.completed = sent.completed.or(sent.is_completed);
                Self { uid: Change::Keep, title: sent.title, $($name: Written::of_lenient(sent.$name),)+ }
            }
        }

        impl From<OwnerTaskChanges> for TaskPatch {
            fn from(mut sent: OwnerTaskChanges) -> Self {
                sent.completed = sent.completed.or(sent.is_completed);
                Self { title: Written::of_lenient(sent.title), $($name: Written::of_lenient(sent.$name),)+ }
            }
        }

        request_body!(NewTask, "a new task", strict, ["application/json"], title, $($name,)+ uid);
        request_body!(
            TaskPatch, "a task that can be changed", strict,
            ["application/merge-patch+json", "application/json"], title, $($name),+
        );
        request_body!(OwnerNewTask, "a new task", lenient, ["application/json"], title, $($name,)+ is_completed);
        request_body!(OwnerTaskChanges, "a task", lenient, ["application/json"], title, $($name,)+ is_completed);
    };
}
pub(super) use task_bodies;

/// Says what a body is called, whether members that it does not have are refused (`strict`) or ignored
/// (`lenient`), in which media types it comes, and which members it has.
macro_rules! request_body {
    ($body:ident, $called:literal, $unknown:ident, $media_types:expr, $($member:ident),+) => {
        impl RequestBody for $body {
            const NAME: &'static str = $called;
            const MEDIA_TYPES: &'static [&'static str] = &$media_types;
            const IGNORES_UNKNOWN: bool = request_body!($unknown);

            fn read(members: &mut Members) -> Option<Self> {
                take_members!(members: $($member),+)
            }
        }
    };
    (strict) => { false };
    (lenient) => { true };
}
pub(super) use request_body;
