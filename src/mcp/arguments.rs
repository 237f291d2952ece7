//! The arguments of a tool. One declaration (`arguments!`) documents them, gives their schema and reads them.

use poem_openapi::types::Type;
use serde_json::{Map, Value, json};

use super::{
    schema::{Property, allow_null, object, of_scalar, schema_of},
    tool_error::ToolError,
};
use crate::{
    contract::{Change, Fault, Maybe, Member, Members, Pointer, Scalar, TaskId, kind},
    unicode::escaped,
};

/// The arguments of a tool, or of one item in them.
pub(super) trait Arguments: Sized {
    /// Takes the arguments out of `members`. `None` if one of them has a fault, which is noted there.
    fn take(members: &mut Members) -> Option<Self>;

    /// Their names and schemas, in the order of declaration.
    fn properties() -> Vec<Property>;

    /// The schema of an object that has them.
    fn schema() -> Map<String, Value> {
        schema_of(Self::properties())
    }

    /// Reads them from an object.
    ///
    /// # Errors
    /// All faults, unknown names included.
    fn read(object: Map<String, Value>) -> Result<Self, Vec<Fault>> {
        let mut members =
            Members::of(object).map_err(|detail| vec![Pointer::root().fault(detail)])?;
        let value = Self::take(&mut members);
        members.finish(value, |name| Some(unknown(name, &Self::properties())))
    }
}

/// The fault of an unknown name.
fn unknown(name: &str, known: &[Property]) -> String {
    let known: Vec<&str> = known.iter().map(|property| property.name).collect();
    let known = known.join(", ");
    match name {
        "user_id" | "user" | "owner" | "sub" => format!(
            "is not an argument: the access token alone says whose tasks these are; use: {known}"
        ),
        _ => format!("is not an argument here; use: {known}"),
    }
}

/// A value that can be an argument.
pub(super) trait Argument: Member {
    /// Its schema.
    fn schema() -> Map<String, Value>;
}

impl<T: Scalar + Type> Argument for T {
    fn schema() -> Map<String, Value> {
        of_scalar::<T>()
    }
}

impl<T: Argument> Argument for Maybe<T> {
    fn schema() -> Map<String, Value> {
        T::schema()
    }
}

impl<T: Argument> Argument for Change<T> {
    fn schema() -> Map<String, Value> {
        let mut schema = T::schema();
        allow_null(&mut schema);
        schema
    }
}

/// The most items of one call.
pub(super) const MAX_ITEMS: usize = 25;

/// The items of a batch. Each is valid or has faults by itself.
#[derive(Debug)]
pub(super) struct Items<T>(pub(super) Vec<Result<T, Vec<Fault>>>);

/// Reads an item of a batch.
pub(super) trait Item: Sized {
    fn read_item(value: &Value) -> Result<Self, Vec<Fault>>;
    fn item_schema() -> Map<String, Value>;
}

impl<T: Item> Member for Items<T> {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        match value.as_array() {
            Some(items) if (1..=MAX_ITEMS).contains(&items.len()) => {
                Some(Self(items.iter().map(T::read_item).collect()))
            }
            Some(items) => {
                let advice = match items.len() {
                    0 => "",
                    _ => "; split them into several calls",
                };
                let count = items.len();
                let detail = format!("must have 1 to {MAX_ITEMS} items, has {count}{advice}");
                faults.push(at.fault(detail));
                None
            }
            None => {
                let detail = format!(
                    "must be an array of 1 to {MAX_ITEMS} items, not {}",
                    kind(value)
                );
                faults.push(at.fault(detail));
                None
            }
        }
    }
}

impl<T: Item> Argument for Items<T> {
    fn schema() -> Map<String, Value> {
        let schema = json!({
            "type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": T::item_schema(),
        });
        object(schema)
    }
}

impl Item for TaskId {
    fn read_item(value: &Value) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        Self::read(value, &Pointer::root(), &mut faults).ok_or(faults)
    }

    fn item_schema() -> Map<String, Value> {
        of_scalar::<Self>()
    }
}

impl<T: Arguments> Item for T {
    fn read_item(value: &Value) -> Result<Self, Vec<Fault>> {
        match value {
            Value::Object(item) => T::read(item.clone()),
            _ => {
                let detail = format!("must be an object, not {}", kind(value));
                Err(vec![Pointer::root().fault(detail)])
            }
        }
    }

    fn item_schema() -> Map<String, Value> {
        T::schema()
    }
}

/// Names the argument that a fault is about.
pub(super) fn at<E: std::fmt::Display>(name: &'static str) -> impl Fn(E) -> ToolError {
    move |detail| ToolError(format!("`{name}` {}", escaped(&detail.to_string())))
}

/// The most faults that are reported for one object. A model corrects what it reads and tries again.
const MAX_FAULTS: usize = 10;
/// The longest name that a message repeats, in code points.
const MAX_NAME: usize = 60;

/// A name as a client sent it, cut if it is longer than any real name, and with what cannot be seen escaped.
pub(super) fn short(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", escaped(&name[..end])),
        None => escaped(name).into_owned(),
    }
}

/// The faults as text: a clause for each, with its place.
pub(super) fn in_words(faults: &[Fault]) -> String {
    let words = faults.iter().take(MAX_FAULTS).map(|fault| {
        let place = fault.pointer.0.as_deref().unwrap_or_default();
        match place.strip_prefix('/') {
            Some(place) => format!("`{}` {}", short(place), fault.detail),
            None => format!("it {}", fault.detail),
        }
    });
    let more = faults.len().saturating_sub(MAX_FAULTS);
    let more = (more > 0).then(|| format!("and {more} more"));
    words.chain(more).collect::<Vec<_>>().join("; ")
}

/// Declares the arguments of a tool. The comment on a field is its description for models. A last field after `..` is
/// another set of arguments, which are members of the same object.
macro_rules! arguments {
    ($(#[$doc:meta])* struct $name:ident {
        $($(#[doc = $text:literal])* $field:ident: $type:ty,)*
        $(..$rest:ident: $others:ty)?
    }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::mcp) struct $name {
            $($(#[doc = $text])* pub(in crate::mcp) $field: $type,)*
            $(pub(in crate::mcp) $rest: $others,)?
        }

        impl $crate::mcp::arguments::Arguments for $name {
            fn take(members: &mut $crate::contract::Members) -> Option<Self> {
                // All are taken before the first fault returns, so that each fault is noted.
                $(let $field = members.take(stringify!($field));)*
                $(let $rest = <$others as $crate::mcp::arguments::Arguments>::take(members);)?
                Some(Self { $($field: $field?,)* $($rest: $rest?,)? })
            }

            fn properties() -> Vec<$crate::mcp::schema::Property> {
                let own = [$($crate::mcp::schema::Property {
                    name: stringify!($field),
                    comment: &[$($text),*],
                    schema: <$type as $crate::mcp::arguments::Argument>::schema(),
                    required: <$type as $crate::contract::Member>::ABSENT.is_none(),
                }),*];
                own.into_iter()
                    $(.chain(<$others as $crate::mcp::arguments::Arguments>::properties()))?
                    .collect()
            }
        }
    };
}
pub(super) use arguments;
