//! The contract: checked in, clean, complete, and true. `openapi/openapi.json` is what clients are made
//! from, so what is wrong in it is wrong in all of them.

mod answers;
mod document;
mod operations;
mod schemas;

use serde_json::Value;

fn is_sentence(description: &Value) -> bool {
    let text = description.as_str().unwrap_or_default();
    text.ends_with('.') && !text.starts_with(char::is_lowercase)
}
