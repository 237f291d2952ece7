//! Why a text is not JSON, in our words: those of the parser may change with its version, and were not
//! written for the people who read them.

use std::fmt;

use serde_json::error::Category;

/// Where a text stops being JSON, and why. `Display` completes the sentence "it is not valid JSON: …"; the form `{:#}`
/// leaves out the number of the line, for texts that have only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyntaxFault {
    words: &'static str,
    line: usize,
    column: usize,
}

/// What the parser says, and what it means. A message that is not here is told as a fault of the syntax.
const MEANINGS: [(&str, &str); 14] = [
    ("expected `:`", "a `:` is missing"),
    ("expected `,` or `]`", "a `,` or `]` is missing"),
    ("expected `,` or `}`", "a `,` or `}` is missing"),
    ("expected value", "a value is expected"),
    ("expected ident", "a value is expected"),
    ("expected `\"`", "a string in double quotes is expected"),
    (
        "key must be a string",
        "the name of a member must be in double quotes",
    ),
    ("trailing comma", "there is a comma after the last item"),
    ("trailing characters", "there is text after its end"),
    ("invalid number", "a number is not in JSON's form"),
    ("number out of range", "a number is too large"),
    (
        "invalid escape",
        "a string has an escape that JSON does not have",
    ),
    (
        "control character",
        "a string has a line break or another control character; write it as an escape, such as \\n",
    ),
    ("recursion limit exceeded", "it is nested too deeply"),
];

impl From<&serde_json::Error> for SyntaxFault {
    fn from(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let meaning = || {
            let found = MEANINGS.iter().find(|(said, _)| text.starts_with(said));
            found.map_or("its syntax is wrong", |(_, meaning)| *meaning)
        };
        // These three come in several wordings.
        let is_unicode = ["surrogate", "hex escape", "unicode"]
            .iter()
            .any(|word| text.contains(word));
        let words = match error.classify() {
            Category::Eof => "it ends too early",
            _ if is_unicode => "a character is not valid Unicode",
            Category::Io | Category::Syntax | Category::Data => meaning(),
        };
        Self {
            words,
            line: error.line(),
            column: error.column(),
        }
    }
}

impl fmt::Display for SyntaxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            words,
            line,
            column,
        } = self;
        match (line, column) {
            (1, column) if f.alternate() => write!(f, "{words} (column {column})"),
            // The parser counts a line break as the beginning of the next line.
            (2.., 0) => write!(f, "{words} (end of line {})", line - 1),
            _ => write!(f, "{words} (line {line}, column {column})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn told(text: &[u8]) -> String {
        let error = serde_json::from_slice::<Value>(text).unwrap_err();
        SyntaxFault::from(&error).to_string()
    }

    /// Fails when the parser changes its words, which a client would notice by a vaguer message.
    #[test]
    fn every_fault_has_words_of_ours() {
        let deep = "[".repeat(200);
        let texts: [(&[u8], &str); 20] = [
            (b"", "it ends too early (line 1, column 0)"),
            (b"{\"a\":\n[1,", "it ends too early (line 2, column 3)"),
            (b"\"a", "it ends too early (line 1, column 2)"),
            (b"{\"a\" 1}", "a `:` is missing (line 1, column 6)"),
            (b"[1 2]", "a `,` or `]` is missing (line 1, column 4)"),
            (b"{\"a\":1 2}", "a `,` or `}` is missing (line 1, column 8)"),
            (b"{\"a\":}", "a value is expected (line 1, column 6)"),
            (b"nothing", "a value is expected (line 1, column 2)"),
            (
                b"{'a':1}",
                "the name of a member must be in double quotes (line 1, column 2)",
            ),
            (
                b"{\"a\":1,}",
                "there is a comma after the last item (line 1, column 8)",
            ),
            (
                b"[1,]",
                "there is a comma after the last item (line 1, column 4)",
            ),
            (b"{} {}", "there is text after its end (line 1, column 4)"),
            (b"01", "a number is not in JSON's form (line 1, column 2)"),
            (b"1e999", "a number is too large (line 1, column 5)"),
            (
                b"\"\\x\"",
                "a string has an escape that JSON does not have (line 1, column 3)",
            ),
            (
                b"\"a\nb\"",
                "a string has a line break or another control character; write it as an escape, such as \\n \
                 (end of line 1)",
            ),
            (
                b"\"\\ud800\"",
                "a character is not valid Unicode (line 1, column 8)",
            ),
            (
                b"\"\\udc00\\ud800\"",
                "a character is not valid Unicode (line 1, column 7)",
            ),
            (
                b"\"\xff\"",
                "a character is not valid Unicode (line 1, column 2)",
            ),
            (
                deep.as_bytes(),
                "it is nested too deeply (line 1, column 128)",
            ),
        ];
        for (text, expected) in texts {
            assert_eq!(told(text), expected, "{}", text.escape_ascii());
        }
    }
}
