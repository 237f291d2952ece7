//! What must be known of a JSON-RPC message before it is handled.

use poem::{Response, http::StatusCode};
use serde_json::{Map, Value, json};

/// A message of a client, as it will be handled: what is judged here is what rmcp gets.
pub(super) struct Message(Map<String, Value>);

/// Why a message is not handled (JSON-RPC 2.0 §5.1).
pub(super) struct Malformed {
    code: i32,
    message: String,
    id: Value,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// For text that is no JSON, and JSON that is no message. A batch is none: the protocol had them in
    /// revision 2025-03-26 only, and one that hides several calls in one would have to be judged part by part.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let value = serde_json::from_slice(body).map_err(|error| Malformed {
            code: -32700,
            message: format!("Parse error: the body is not JSON: {error}"),
            id: Value::Null,
        })?;
        let message = match value {
            Value::Object(message) => message,
            Value::Array(_) => {
                return Err(Malformed::request(
                    "batches are not taken; send one message a request",
                    Value::Null,
                ));
            }
            _ => return Err(Malformed::request("a message is an object", Value::Null)),
        };
        let id = message
            .get("id")
            .filter(|id| id.is_string() || id.is_number());
        let id = id.cloned().unwrap_or_default();
        if message.get("jsonrpc") != Some(&json!("2.0")) {
            return Err(Malformed::request("`jsonrpc` must be \"2.0\"", id));
        }
        if !message.get("method").is_some_and(Value::is_string) {
            return Err(Malformed::request(
                "`method` must be a string; this server asks nothing, so that there is nothing to answer it",
                id,
            ));
        }
        if message.contains_key("id") && id.is_null() {
            return Err(Malformed::request("`id` must be a string or a number", id));
        }
        if message
            .get("params")
            .is_some_and(|params| !params.is_object())
        {
            return Err(Malformed::request("`params` must be an object", id));
        }
        let arguments = message
            .get("params")
            .and_then(|params| params.get("arguments"));
        if arguments.is_some_and(|arguments| !arguments.is_object()) {
            return Err(Malformed::request(
                "`params.arguments` must be an object",
                id,
            ));
        }
        Ok(Self(message))
    }

    /// The tool that it calls, if it calls one.
    pub(super) fn tool(&self) -> Option<&str> {
        let is_call = self.0.get("method")? == "tools/call";
        is_call.then(|| self.0.get("params")?.get("name")?.as_str())?
    }

    /// How many tasks a call is about: a batch works as hard as its items one by one.
    pub(super) fn weight(&self) -> u32 {
        let arguments = self
            .0
            .get("params")
            .and_then(|params| params.get("arguments"));
        let items = |name| arguments?.get(name)?.as_array().map(Vec::len);
        let items = ["tasks", "ids"].into_iter().filter_map(items).max();
        items
            .map_or(1, |items| u32::try_from(items).unwrap_or(u32::MAX))
            .max(1)
    }

    /// The `id`, for an error.
    pub(super) fn id(&self) -> Value {
        self.0.get("id").cloned().unwrap_or_default()
    }

    /// The message as text.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        Value::Object(self.0).to_string().into_bytes()
    }
}

impl Malformed {
    /// JSON that is no message.
    pub(super) fn request(message: &str, id: Value) -> Self {
        Self {
            code: -32600,
            message: format!("Invalid Request: {message}"),
            id,
        }
    }

    /// The answer, in the form that clients of the protocol read.
    pub(super) fn response(self) -> Response {
        let Self { code, message, id } = self;
        let error =
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
        Response::builder()
            .status(StatusCode::BAD_REQUEST)
            .content_type("application/json")
            .body(error.to_string())
    }
}
