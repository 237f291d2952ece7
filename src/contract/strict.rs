//! JSON of any depth, in which a name that occurs twice in one object is noticed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::pointer::Pointer;

/// A value, and where in it a name occurs twice.
pub(super) struct Strict {
    pub(super) value: Value,
    pub(super) repeated: Vec<Pointer>,
}

/// How many repeated names are told.
const MAX_REPEATED: usize = 100;

impl From<Value> for Strict {
    fn from(value: Value) -> Self {
        Self {
            value,
            repeated: Vec::new(),
        }
    }
}

/// Adds the places of a part to those of the whole.
fn note(all: &mut Vec<Pointer>, at: impl Fn() -> Pointer, part: Vec<Pointer>) {
    for pointer in part {
        if all.len() < MAX_REPEATED {
            all.push(at().then(&pointer));
        }
    }
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }

            fn visit_unit<E: Error>(self) -> Result<Strict, E> {
                Ok(Value::Null.into())
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Strict, E> {
                Ok(Value::Bool(value).into())
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Strict, E> {
                Ok(Value::from(value).into())
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Strict, E> {
                Ok(Value::from(value).into())
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Strict, E> {
                Ok(Number::from_f64(value)
                    .map_or(Value::Null, Value::Number)
                    .into())
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Strict, E> {
                self.visit_string(value.to_owned())
            }

            fn visit_string<E: Error>(self, value: String) -> Result<Strict, E> {
                Ok(Value::String(value).into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
                let (mut values, mut all) = (Vec::new(), Vec::new());
                while let Some(Strict { value, repeated }) = items.next_element()? {
                    note(&mut all, || Pointer::root().item(values.len()), repeated);
                    values.push(value);
                }
                let value = Value::Array(values);
                Ok(Strict {
                    value,
                    repeated: all,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
                let (mut values, mut all) = (Map::new(), Vec::new());
                while let Some((name, Strict { value, repeated })) =
                    members.next_entry::<String, Strict>()?
                {
                    note(&mut all, || Pointer::member(&name), repeated);
                    if values.contains_key(&name) {
                        note(&mut all, || Pointer::member(&name), vec![Pointer::root()]);
                    } else {
                        values.insert(name, value);
                    }
                }
                let value = Value::Object(values);
                Ok(Strict {
                    value,
                    repeated: all,
                })
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_occur_twice_are_found_at_any_depth() {
        let text =
            r#"{"a": [{"b": 1, "b": 2}, {"c/": {"d": null, "d": 0.5}}], "a": true, "e": -1}"#;
        let Strict { value, repeated } = serde_json::from_str(text).unwrap();
        let places: Vec<_> = repeated
            .iter()
            .map(|at| at.fault("").pointer.0.unwrap())
            .collect();
        assert_eq!(places, ["/a/0/b", "/a/1/c~1/d", "/a"]);
        assert_eq!(
            value,
            json!({ "a": [{ "b": 1 }, { "c/": { "d": null } }], "e": -1 })
        );
    }
}
