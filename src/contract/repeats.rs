//! Members that occur twice in one object of a JSON text. Which of the two counts differs from reader to reader
//! (RFC 8259 §4), so such a text is refused.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The place of the first member that occurs twice, as `/params/name`. `None` for a text that is not JSON.
pub(crate) fn first_repeat(text: &[u8]) -> Option<String> {
    let mut found = None;
    let walk = Walk {
        at: String::new(),
        found: &mut found,
    };
    let mut reader = serde_json::Deserializer::from_slice(text);
    walk.deserialize(&mut reader).ok()?;
    found
}

struct Walk<'a> {
    at: String,
    found: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A scalar has no members.
macro_rules! nothing {
    ($($method:ident: $type:ty),*) => {$(
        fn $method<E>(self, _: $type) -> Result<(), E> {
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    nothing!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0.. {
            let at = format!("{}/{index}", self.at);
            let walk = Walk {
                at,
                found: &mut *self.found,
            };
            if items.next_element_seed(walk)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let at = format!("{}/{name}", self.at);
            if !names.insert(name) {
                self.found.get_or_insert(at);
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let found = &mut *self.found;
            members.next_value_seed(Walk { at, found })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::first_repeat;

    #[test]
    fn the_first_is_found_wherever_it_is() {
        for (text, place) in [
            (r#"{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}"#, None),
            (r#"{"a":1,"a":1}"#, Some("/a")),
            (
                r#"{"a":{"b":[0,{"c":1,"\u0063":2}]},"a":1}"#,
                Some("/a/b/1/c"),
            ),
            (r#"[{"x":null,"x":null}]"#, Some("/0/x")),
            ("{\"a\":1,", None),
            ("", None),
        ] {
            assert_eq!(first_repeat(text.as_bytes()).as_deref(), place, "{text}");
        }
    }
}
