//! Reads a JSON object into a type and reports every fault in it, each with its pointer (RFC 6901).

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{
    pointer::Pointer,
    problem::Fault,
    scalar::{Scalar, kind},
    strict::Strict,
    syntax::SyntaxFault,
};

/// A value that a member of a request body can have.
pub trait Member: Sized {
    /// What its absence means; `None`: it is required.
    const ABSENT: Option<Self> = None;

    /// Reads it, or adds what is wrong with it to `faults` and gives `None`.
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self>;
}

impl<T: Scalar> Member for T {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        T::read_at(value, at, faults)
    }
}

/// Why a text is not read as a JSON object. `Display` completes the sentence "the body …".
#[derive(Debug)]
pub(crate) enum NotAnObject {
    Syntax(SyntaxFault),
    Other(String),
}

impl NotAnObject {
    /// The same of a text that is a line of a file: without the number of a line, which the reader would take for that of
    /// the file.
    pub(crate) fn in_one_line(&self) -> String {
        match self {
            Self::Syntax(fault) => format!("is not valid JSON: {fault:#}"),
            Self::Other(fault) => fault.clone(),
        }
    }
}

impl fmt::Display for NotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(fault) => write!(f, "is not valid JSON: {fault}"),
            Self::Other(fault) => f.write_str(fault),
        }
    }
}

/// The members of a JSON object that are still to be read. A name that occurs twice is a fault: which
/// of the two would count differs from reader to reader (RFC 8259 §4).
pub struct Members {
    members: Vec<(String, Value)>,
    faults: Vec<Fault>,
}

impl Members {
    /// Reads the text of an object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, NotAnObject> {
        let text = std::str::from_utf8(body).map_err(|e| {
            NotAnObject::Other(format!(
                "is not UTF-8: the byte at offset {} is not part of a character",
                e.valid_up_to()
            ))
        })?;
        // RFC 8259 §8.1 lets a reader ignore a byte order mark, which Windows' editors write.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            let fault = "is empty; it must be a JSON object".to_owned();
            return Err(NotAnObject::Other(fault));
        }
        let value: Object = serde_json::from_str(text).map_err(|e| {
            let text = e.to_string();
            match text.rsplit_once(" at line ") {
                // Of the object as a whole: where reading stopped says nothing.
                Some((message, _)) if e.is_data() => NotAnObject::Other(message.to_owned()),
                _ => NotAnObject::Syntax(SyntaxFault::from(&e)),
            }
        })?;
        Ok(Self {
            members: value.members,
            faults: value.duplicates,
        })
    }

    /// The members of an object that was read as such. The error completes the sentence "it …".
    pub(crate) fn of(object: serde_json::Map<String, Value>) -> Result<Self, String> {
        if object.len() > MAX_MEMBERS {
            return Err(format!("must have at most {MAX_MEMBERS} members"));
        }
        Ok(Self {
            members: object.into_iter().collect(),
            faults: Vec::new(),
        })
    }

    /// Reads a value that must be an object.
    ///
    /// # Errors
    /// All its faults, with their places in the document that has the value at `at`.
    pub(super) fn within<T>(
        value: &Value,
        at: &Pointer,
        take: impl FnOnce(&mut Self) -> Option<T>,
        unknown: impl Fn(&str) -> Option<String>,
    ) -> Result<T, Vec<Fault>> {
        let Value::Object(object) = value else {
            let detail = format!("must be an object, not {}", kind(value));
            return Err(vec![at.fault(detail)]);
        };
        let mut members = Self::of(object.clone()).map_err(|detail| vec![at.fault(detail)])?;
        let taken = take(&mut members);
        let read = members.finish(taken, unknown);
        read.map_err(|faults| faults.into_iter().map(|fault| at.around(fault)).collect())
    }

    /// Whether there is a member of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(n, _)| n == name)
    }

    /// Takes the member `name`. `None` stands for a value that has a fault, which is noted.
    pub fn take<T: Member>(&mut self, name: &str) -> Option<T> {
        match self.members.iter().position(|(n, _)| n == name) {
            Some(index) => {
                let (_, value) = self.members.remove(index);
                T::read(&value, &Pointer::member(name), &mut self.faults)
            }
            None => {
                if T::ABSENT.is_none() {
                    self.faults.push(Pointer::member(name).fault("is required"));
                }
                T::ABSENT
            }
        }
    }

    /// Notes a fault of the member `name`, one that only shows beside other members.
    pub(crate) fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push(Pointer::member(name).fault(detail));
    }

    /// Ends the reading: the value, if there was no fault at all. `unknown` says what is wrong with a member
    /// that nobody took, if anything is.
    pub(crate) fn finish<T>(
        mut self,
        value: Option<T>,
        unknown: impl Fn(&str) -> Option<String>,
    ) -> Result<T, Vec<Fault>> {
        for (name, _) in &self.members {
            if let Some(detail) = unknown(name) {
                self.faults.push(Pointer::member(name).fault(detail));
            }
        }
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.faults),
        }
    }
}

/// Takes the members that are named like these fields, and makes the value of them. All are taken before
/// the first fault ends it, so that each fault is noted.
macro_rules! take_members {
    ($members:ident: $($field:ident),+) => {{
        $(let $field = $members.take(stringify!($field));)+
        Some(Self { $($field: $field?),+ })
    }};
}
pub(super) use take_members;

/// More than any body has; bounds the search for names that occur twice and the list of faults.
const MAX_MEMBERS: usize = 100;

/// An object with the faults that only its text shows.
struct Object {
    members: Vec<(String, Value)>,
    duplicates: Vec<Fault>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        /// Each kind of JSON that is no object gets the same sentence.
        macro_rules! not_an_object {
            ($($method:ident: $type:ty),*) => {$(
                fn $method<E: serde::de::Error>(self, value: $type) -> Result<Object, E> {
                    Err(E::custom(format!("must be a JSON object, not {}", kind(&Value::from(value)))))
                }
            )*};
        }

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            not_an_object!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_unit<E: serde::de::Error>(self) -> Result<Object, E> {
                Err(E::custom("must be a JSON object, not null"))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<Object, A::Error> {
                Err(serde::de::Error::custom(
                    "must be a JSON object, not an array",
                ))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object {
                    members: Vec::new(),
                    duplicates: Vec::new(),
                };
                while let Some((name, Strict { value, repeated })) =
                    map.next_entry::<String, Strict>()?
                {
                    if object.members.len() == MAX_MEMBERS {
                        return Err(serde::de::Error::custom(format!(
                            "must have at most {MAX_MEMBERS} members"
                        )));
                    }
                    let inside = repeated.iter().map(|at| Pointer::member(&name).then(at));
                    object
                        .duplicates
                        .extend(inside.map(|at| at.fault("occurs more than once")));
                    if object.members.iter().any(|(n, _)| *n == name) {
                        object
                            .duplicates
                            .push(Pointer::member(&name).fault("occurs more than once"));
                    } else {
                        object.members.push((name, value));
                    }
                }
                Ok(object)
            }
        }

        deserializer.deserialize_any(ObjectVisitor)
    }
}
