//! How the document shows problems: the list of codes, an example of each, and the answers of a status.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Fault, Problem, ProblemCode, fail::codes::GROUPS};
use crate::contract::{
    Scalar, Task,
    registry::{MetaSchema, MetaSchemaRef, Registry, inline, openapi_scalar},
    scalar::mismatch,
};

/// The schema that lists the codes.
const KNOWN_CODE: &str = "KnownCode";

impl Scalar for ProblemCode {
    const EXPECTED: &'static str = "the code of a problem";

    /// Any text, so that clients made from the document accept the codes of later versions.
    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            any_of: vec![
                MetaSchemaRef::Reference(KNOWN_CODE.to_owned()),
                inline(MetaSchema::new("string")),
            ],
            ..MetaSchema::ANY
        })
    }

    fn register(registry: &mut Registry) {
        static DESCRIPTION: LazyLock<String> = LazyLock::new(|| {
            let line = |code: &ProblemCode| {
                let status = code.status().as_u16();
                format!("- `{}` ({status}): {}", code.name(), code.documentation())
            };
            let lines: Vec<_> = ProblemCode::ALL.iter().map(line).collect();
            format!("The codes that this version has.\n\n{}", lines.join("\n"))
        });
        registry.create_schema::<Self, _>(KNOWN_CODE.to_owned(), |_| MetaSchema {
            description: Some(&DESCRIPTION),
            enum_items: Self::ALL.iter().map(|code| code.name().into()).collect(),
            ..MetaSchema::new("string")
        });
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|code| *value == code.name());
        found.copied().ok_or_else(|| mismatch::<Self>(value))
    }
}
openapi_scalar!(ProblemCode, "string(problem-code)");

/// An example of a problem of this kind, as a component of the document.
pub(crate) fn example(code: ProblemCode) -> Value {
    let shows = [ProblemCode::VersionMismatch, ProblemCode::UidTaken];
    let current = shows
        .contains(&code)
        .then(|| Box::new(<Task as poem_openapi::types::Example>::example()));
    let problem = Problem {
        errors: faults(code),
        current,
        ..Problem::new(code, code.example())
    };
    json!({ "summary": code.documentation(), "value": problem.into_detail("9f0c1a52b7d84e36") })
}

fn faults(code: ProblemCode) -> Vec<Fault> {
    match code {
        ProblemCode::InvalidParameters => vec![
            Fault::at_parameter("limit", "must be an integer from 1 to 100"),
            Fault::at_parameter("completed", "must be true or false"),
        ],
        ProblemCode::InvalidCursor => vec![Fault::at_parameter(
            "cursor",
            "is not the `next_cursor` of a page with these filters and this order; start without it",
        )],
        ProblemCode::ValidationFailed => vec![
            Fault::at_pointer(
                "/title".to_owned(),
                "must have at most 500 characters, has 612",
            ),
            Fault::at_pointer(
                "/tags/1".to_owned(),
                "is the same tag as \"home\", ignoring case",
            ),
        ],
        _ => Vec::new(),
    }
}

/// The answers of one status with these codes, as a component of the document: its name, and what it says
/// besides `description`.
pub(crate) fn response_component(codes: &[ProblemCode], description: &str) -> (String, String) {
    let names: Vec<_> = codes
        .iter()
        .map(|code| format!("`{}`", code.name()))
        .collect();
    let description = format!("{description} `code`: {}.", names.join(", "));
    let Some(status) = codes.first().map(|code| code.status()) else {
        return (String::new(), description);
    };
    let mut name = status
        .canonical_reason()
        .unwrap_or("Error")
        .replace(' ', "");
    let with_status = |codes: &[ProblemCode]| codes.iter().any(|code| code.status() == status);
    let groups = GROUPS.iter().filter(|group| with_status(group.codes));
    for (place, group) in groups.enumerate() {
        // The usual group has the name of the status alone.
        if place > 0 && group.codes.iter().any(|code| codes.contains(code)) {
            name.push_str(group.name);
        }
    }
    (name, description)
}
