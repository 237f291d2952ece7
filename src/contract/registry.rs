//! poem-openapi's registry, which is public but hidden from its documentation (hence the pinned
//! version). Types that the derive macros cannot describe precisely describe themselves through here.

pub(crate) use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaParamIn, MetaRequest, MetaResponse, MetaResponses, MetaSchema,
    MetaSchemaRef, MetaSecurityScheme, Registry,
};

/// Implements poem-openapi's traits for a [`Scalar`](super::Scalar), so that it can be a member of
/// objects and its schema stands wherever it is used.
macro_rules! openapi_scalar {
    ($type:ty, $name:literal) => {
        impl poem_openapi::types::Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> $crate::contract::registry::MetaSchemaRef {
                <$type as $crate::contract::Scalar>::schema_ref()
            }

            fn register(registry: &mut $crate::contract::registry::Registry) {
                <$type as $crate::contract::Scalar>::register(registry);
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl poem_openapi::types::ParseFromJSON for $type {
            fn parse_from_json(
                value: Option<serde_json::Value>,
            ) -> poem_openapi::types::ParseResult<Self> {
                <$type as $crate::contract::Scalar>::from_json(&value.unwrap_or_default())
                    .map_err(poem_openapi::types::ParseError::custom)
            }
        }

        impl poem_openapi::types::ToJSON for $type {
            fn to_json(&self) -> Option<serde_json::Value> {
                serde_json::to_value(self).ok()
            }
        }
    };
}
pub(crate) use openapi_scalar;

/// An inline schema.
pub(crate) fn inline(schema: MetaSchema) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(schema))
}
