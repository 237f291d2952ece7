//! One thing that is wrong with the input, and how faults are said in a sentence.

use poem_openapi::Object;
use serde::Serialize;

use crate::{contract::Maybe, unicode::escaped};

/// One thing that is wrong with the input, and where: it has either `pointer` or `parameter`.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
pub struct Fault {
    /// Where in the body: a JSON Pointer (RFC 6901); empty for the body itself.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub pointer: Maybe<String>,
    /// The name of the parameter or header, when it is not in the body.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub parameter: Maybe<String>,
    /// What is wrong with it.
    pub detail: String,
}

/// The most of a client's own text that an answer repeats, in code points.
const MAX_REPEATED: usize = 200;

/// A text of a client, cut if it is longer than an answer may repeat; `…` shows that it was.
pub(crate) fn repeated(text: &str) -> String {
    match text.char_indices().nth(MAX_REPEATED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Fault {
    pub(crate) fn at_pointer(pointer: String, detail: impl Into<String>) -> Self {
        Self {
            pointer: Maybe(Some(repeated(&pointer))),
            parameter: Maybe(None),
            detail: escaped(&detail.into()).into_owned(),
        }
    }

    pub(crate) fn at_parameter(name: &str, detail: impl Into<String>) -> Self {
        Self {
            pointer: Maybe(None),
            parameter: Maybe(Some(repeated(name))),
            detail: escaped(&detail.into()).into_owned(),
        }
    }

    /// What it is about, as people write it: `tags[0]` for the pointer `/tags/0`.
    fn place(&self) -> String {
        if let Some(name) = &self.parameter.0 {
            return name.clone();
        }
        let pointer = self.pointer.0.as_deref().unwrap_or_default();
        let mut place = String::new();
        for (depth, token) in pointer.split('/').skip(1).enumerate() {
            let token = token.replace("~1", "/").replace("~0", "~");
            let is_index = !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
            match depth {
                0 => place = token,
                _ if is_index => place.push_str(&format!("[{token}]")),
                _ => place.push_str(&format!(".{token}")),
            }
        }
        if pointer.is_empty() {
            return "The body".to_owned();
        }
        place
    }
}

/// The first fault in full, and how many more there are: many front ends show their users nothing else.
pub(super) fn sentence(faults: &[Fault]) -> String {
    let Some((first, more)) = faults.split_first() else {
        return String::new();
    };
    let first = format!("{} {}", first.place(), first.detail);
    match more.len() {
        0 => format!("{first}."),
        1 => format!("{first}; and 1 more fault (see `errors`)."),
        more => format!("{first}; and {more} more faults (see `errors`)."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_said_in_full() {
        let said = |pointers: &[&str]| {
            let faults: Vec<_> = pointers
                .iter()
                .map(|p| Fault::at_pointer((*p).to_owned(), "is wrong"))
                .collect();
            sentence(&faults)
        };
        assert_eq!(said(&[""]), "The body is wrong.");
        assert_eq!(said(&["/title"]), "title is wrong.");
        assert_eq!(
            said(&["/tags/0", "/title"]),
            "tags[0] is wrong; and 1 more fault (see `errors`)."
        );
        assert_eq!(
            said(&["/a~1b/c~0d/10/e", "/x", "/y"]),
            "a/b.c~d[10].e is wrong; and 2 more faults (see `errors`)."
        );
        assert_eq!(said(&["/0"]), "0 is wrong.");
        let limit = Fault::at_parameter("If-Match", "must be an ETag");
        assert_eq!(sentence(&[limit]), "If-Match must be an ETag.");
    }

    #[test]
    fn no_more_of_a_name_is_repeated_than_it_takes_to_find_it() {
        let name = format!("/{}", "ü".repeat(300));
        let fault = Fault::at_pointer(name, "is wrong");
        assert_eq!(fault.pointer.0.unwrap(), format!("/{}…", "ü".repeat(199)));
        let fault = Fault::at_parameter(&"x".repeat(201), "is wrong");
        assert_eq!(fault.parameter.0.unwrap(), format!("{}…", "x".repeat(200)));
        assert_eq!(repeated(&"x".repeat(200)), "x".repeat(200));
    }
}
