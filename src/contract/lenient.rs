//! A value in any of the spellings that existing front ends and exports of other servers use.
//!
//! Each type says by itself which spellings those are ([`Scalar::normalize`]); what is read is as strict as
//! everywhere.

use std::borrow::Cow;

use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    Fault, Pointer, Scalar,
    registry::{MetaSchemaRef, Registry},
};

/// A value in any of its spellings; `None` for a blank text, which stands for no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lenient<T>(pub Option<T>);

impl<T: Scalar> Scalar for Lenient<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn schema_ref() -> MetaSchemaRef {
        T::lenient_schema()
    }

    fn register(registry: &mut Registry) {
        <T as Scalar>::register(registry);
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        match T::normalize(value.clone()) {
            Value::Null => Ok(Self(None)),
            value => T::from_json(&value).map(|value| Self(Some(value))),
        }
    }

    fn read_at(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        match T::normalize(value.clone()) {
            Value::Null => Some(Self(None)),
            value => T::read_at(&value, at, faults).map(|value| Self(Some(value))),
        }
    }
}

impl<T: Scalar> Type for Lenient<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        format!("lenient({})", T::EXPECTED).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        <Self as Scalar>::schema_ref()
    }

    fn register(registry: &mut Registry) {
        <Self as Scalar>::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Serialize> Serialize for Lenient<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

// For poem-openapi's derive; bodies are read by `Members`.
impl<T: Scalar> ParseFromJSON for Lenient<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Self::from_json(&value.unwrap_or_default()).map_err(ParseError::custom)
    }
}

impl<T: Scalar + ToJSON> ToJSON for Lenient<T> {
    fn to_json(&self) -> Option<Value> {
        self.0.as_ref().and_then(T::to_json)
    }
}
