//! Absent, null and a value are three things.

use std::borrow::Cow;

use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    pointer::Pointer,
    problem::Fault,
    read::Member,
    registry::{MetaSchema, MetaSchemaRef, Registry},
};

/// In an answer: always there, null or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

/// In a request: absent or a value, null is refused. In an answer: left out when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

/// In a merge patch (RFC 7396): absent keeps, null clears, a value sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: as it was.
    #[default]
    Keep,
    /// Null: no value any more.
    Clear,
    /// This value.
    Set(T),
}

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Maybe<T> {
    /// Whether there is nothing, for serde.
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> Change<T> {
    /// The value set, if any.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// This change if it sets a value, the other if not.
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Set(_) => self,
            Self::Keep | Self::Clear => other,
        }
    }

    /// `None` keeps; `Some(None)` clears.
    pub fn into_option(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }

    fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Serialize> Serialize for Maybe<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Implements `Type` for a wrapper: whether it is required, whether null is allowed.
macro_rules! wrapper {
    ($name:ident, required: $required:literal, nullable: $nullable:literal, $value:expr) => {
        impl<T: Type> Type for $name<T> {
            const IS_REQUIRED: bool = $required;
            type RawValueType = T::RawValueType;
            type RawElementValueType = T::RawElementValueType;

            fn name() -> Cow<'static, str> {
                format!("{}<{}>", stringify!($name), T::name()).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                T::schema_ref().merge(MetaSchema {
                    nullable: $nullable,
                    ..MetaSchema::ANY
                })
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }

            fn as_raw_value(&self) -> Option<&Self::RawValueType> {
                let value: fn(&Self) -> Option<&T> = $value;
                value(self).and_then(T::as_raw_value)
            }

            fn raw_element_iter<'a>(
                &'a self,
            ) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
                let value: fn(&Self) -> Option<&T> = $value;
                match value(self) {
                    Some(value) => value.raw_element_iter(),
                    None => Box::new(std::iter::empty()),
                }
            }

            fn is_none(&self) -> bool {
                let value: fn(&Self) -> Option<&T> = $value;
                value(self).is_none()
            }
        }

        // The request bodies are read by `Members`, which reports every fault; poem-openapi's derive
        // demands these as well.
        impl<T: ParseFromJSON> ParseFromJSON for $name<T> {
            fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
                Err(ParseError::custom("is read by Members only"))
            }
        }
    };
}
wrapper!(Nullable, required: true, nullable: true, |this| this.0.as_ref());
wrapper!(Maybe, required: false, nullable: false, |this| this.0.as_ref());
wrapper!(Change, required: false, nullable: true, Change::as_ref);

impl<T: ToJSON> ToJSON for Nullable<T> {
    fn to_json(&self) -> Option<Value> {
        self.0.as_ref().map_or(Some(Value::Null), T::to_json)
    }
}

impl<T: ToJSON> ToJSON for Maybe<T> {
    fn to_json(&self) -> Option<Value> {
        self.0.as_ref().and_then(T::to_json)
    }
}

impl<T: ToJSON> ToJSON for Change<T> {
    fn to_json(&self) -> Option<Value> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(Value::Null),
            Self::Set(value) => value.to_json(),
        }
    }
}

impl<T: Member> Member for Change<T> {
    const ABSENT: Option<Self> = Some(Self::Keep);

    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Clear),
            value => T::read(value, at, faults).map(Self::Set),
        }
    }
}

impl<T: Member> Member for Maybe<T> {
    const ABSENT: Option<Self> = Some(Self(None));

    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        T::read(value, at, faults).map(|value| Self(Some(value)))
    }
}
