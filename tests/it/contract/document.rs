//! The document as a whole: it is derived from the code, checked in, served, and unambiguous.

use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use taskward::api::spec;

use crate::support::{
    Backend,
    contract::{TEXT, contract},
};

const MEND: &str = "cargo run -- openapi > openapi/openapi.json";

#[test]
fn the_checked_in_document_matches_the_code() {
    let derived = spec::json(None);
    let differ = |(ours, theirs): &(&str, &str)| ours != theirs;
    let line = derived
        .lines()
        .zip(TEXT.lines())
        .position(|pair| differ(&pair));
    let line = line.unwrap_or(derived.lines().count().min(TEXT.lines().count()));
    let show = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    assert!(
        derived == TEXT,
        "openapi/openapi.json is not what the code says, from line {} on:\n  checked in  {}\n  the code    {}\n\
         Mend it with:\n\n    {MEND}\n\nand read the difference as those who use it will.",
        line + 1,
        show(TEXT),
        show(&derived)
    );
}

#[tokio::test]
async fn the_served_documents_are_the_checked_in_one() {
    let app = Backend::Sqlite.app().await;
    let json = app.anon().get("/openapi.json").await;
    assert_eq!(
        (json.status, json.header("content-type")),
        (200, "application/json")
    );
    assert!(json.text == TEXT);
    let yaml = app.anon().get("/openapi.yaml").await;
    assert_eq!(
        (yaml.status, yaml.header("content-type")),
        (200, "application/yaml")
    );
    assert_eq!(
        &serde_yaml::from_str::<Value>(&yaml.text).unwrap(),
        contract()
    );
}

/// JSON in which each name occurs once in its object; of two, readers take the one or the other.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unambiguous)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((name, _)) = map.next_entry::<String, Unambiguous>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("`{name}` occurs twice")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Unambiguous>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

/// Also before it is mended: there, the same status in both halves of a result is written twice, and one
/// of the two would be lost.
#[test]
fn no_name_occurs_twice() {
    for text in [TEXT.to_owned(), spec::derived()] {
        serde_json::from_str::<Unambiguous>(&text).unwrap();
    }
    assert!(serde_json::from_str::<Unambiguous>(r#"[{"a": {"b": 1, "b": 2}}]"#).is_err());
}
