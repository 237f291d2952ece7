//! Reads and checks a JSON-RPC message before rmcp handles it.

use poem::{Response, http::StatusCode};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::{
    contract::{SyntaxFault, first_repeat, integer, kind, too_many_values},
    telemetry::{self, TRACEPARENT, TRACESTATE, TraceContext},
};

/// The longest name of a method or tool that is repeated in an error, in bytes.
const MAX_NAME: usize = 100;

/// A message of a client. It is written again for rmcp, so that rmcp handles exactly what was checked here.
pub(super) struct Message(Map<String, Value>);

/// Why a message is not handled (JSON-RPC 2.0 §5.1).
#[derive(Debug, Error)]
#[error("{message}")]
pub(super) struct Malformed {
    pub(super) code: i32,
    pub(super) message: String,
    /// What a program needs to know of it.
    pub(super) data: Option<Box<Value>>,
    pub(super) id: Value,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// For text that is not JSON, and JSON that is not a message. A batch is refused: only revision 2025-03-26 had
    /// batches, and each call in one would have to be checked by itself.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        if let Some(why) = too_many_values(body) {
            return Err(Malformed::request(&format!("the body {why}"), Value::Null));
        }
        let value = serde_json::from_slice(body).map_err(|error| Malformed {
            code: -32700,
            message: format!(
                "Parse error: the body is not valid JSON: {}",
                SyntaxFault::from(&error)
            ),
            data: None,
            id: Value::Null,
        })?;
        let mut message = match value {
            Value::Object(message) => message,
            Value::Array(_) => {
                return Err(Malformed::request(
                    "batches are not supported; send one message per request",
                    Value::Null,
                ));
            }
            _ => {
                return Err(Malformed::request(
                    "a message must be an object",
                    Value::Null,
                ));
            }
        };
        if let Some(place) = first_repeat(body) {
            let place = super::arguments::short(&place);
            return Err(Malformed::request(
                &format!("`{place}` occurs more than once"),
                Value::Null,
            ));
        }
        // `1.0` is the integer 1, in the answer as well.
        if let Some(number) = message.get("id").and_then(integer) {
            message.insert("id".to_owned(), number.into());
        }
        let id = message.get("id").filter(|id| id.is_string() || id.is_i64());
        let id = id.cloned().unwrap_or_default();
        if message.get("jsonrpc") != Some(&json!("2.0")) {
            return Err(Malformed::request("`jsonrpc` must be \"2.0\"", id));
        }
        // Some clients write absent members as null.
        message.retain(|name, value| name != "params" || !value.is_null());
        if let Some(Value::Object(params)) = message.get_mut("params") {
            params.retain(|_, value| !value.is_null());
            // OpenAI's hosts pass on the text that the model wrote.
            if let Some(arguments) = params.get_mut("arguments")
                && let Some(parsed @ Value::Object(_)) = arguments
                    .as_str()
                    .filter(|text| first_repeat(text.as_bytes()).is_none())
                    .and_then(|text| serde_json::from_str(text).ok())
            {
                *arguments = parsed;
            }
        }
        if !message.get("method").is_some_and(Value::is_string) {
            return Err(Malformed::request(
                "`method` must be a string; this server sends no requests, and so expects no responses",
                id,
            ));
        }
        if let Some(other) = message.get("id").filter(|_| id.is_null()) {
            return Err(Malformed::request(expected_id(other), id));
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
        if let Some(arguments) = arguments.filter(|arguments| !arguments.is_object()) {
            let message = format!(
                "`params.arguments` must be an object, not {}",
                kind(arguments)
            );
            return Err(Malformed::request(&message, id));
        }
        let message = Self(message);
        match message.fault() {
            Some((code, fault)) => Err(Malformed {
                code,
                message: fault.to_owned(),
                data: None,
                id,
            }),
            None => Ok(message),
        }
    }

    /// A fault that rmcp would report as an unknown method, ignore, or repeat in full, with its code (JSON-RPC 2.0
    /// §5.1).
    fn fault(&self) -> Option<(i32, &'static str)> {
        const INVALID_PARAMS: i32 = -32602;
        let param = |name| self.0.get("params").and_then(|params| params.get(name));
        let is_long = |text: &Value| text.as_str().is_some_and(|text| text.len() > MAX_NAME);
        match self.0.get("method")?.as_str()? {
            method if method.len() > MAX_NAME => Some((
                -32601,
                "Method not found. This server has tools only: tools/list and tools/call.",
            )),
            "tools/call" => match param("name") {
                Some(name) if is_long(name) => Some((INVALID_PARAMS, "Unknown tool")),
                Some(Value::String(_)) => None,
                _ => Some((
                    INVALID_PARAMS,
                    "Invalid params: `params.name` must be the name of a tool",
                )),
            },
            "tools/list" if param("cursor").is_some_and(|cursor| cursor != "") => Some((
                INVALID_PARAMS,
                "Invalid params: tools/list has one page, and takes no `cursor`",
            )),
            "initialize" if !is_initialize(self.0.get("params")) => Some((
                INVALID_PARAMS,
                "Invalid params: `params` must have protocolVersion, capabilities and clientInfo (with name and version)",
            )),
            _ => None,
        }
    }

    /// The name of the tool that the message calls, if it calls one.
    pub(super) fn tool(&self) -> Option<&str> {
        let is_call = self.0.get("method")? == "tools/call";
        is_call.then(|| self.0.get("params")?.get("name")?.as_str())?
    }

    /// The trace context of the message (`_meta`, as SEP-414 names its members), if it has one.
    pub(super) fn trace_context(&self) -> Option<TraceContext> {
        let meta = self.0.get("params")?.get("_meta")?;
        let member = |name| meta.get(name).and_then(Value::as_str);
        telemetry::parse(member(TRACEPARENT)?, member(TRACESTATE).unwrap_or_default())
    }

    /// Takes the arguments of the call out of the message. The registry reads them; rmcp does not need them.
    pub(super) fn take_arguments(&mut self) -> Map<String, Value> {
        let params = self.0.get_mut("params").and_then(Value::as_object_mut);
        match params.and_then(|params| params.remove("arguments")) {
            Some(Value::Object(arguments)) => arguments,
            _ => Map::new(),
        }
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

/// What an `id` must be that is no string and not an integer of 64 bits.
fn expected_id(id: &Value) -> &'static str {
    match id.as_f64() {
        Some(number) if number.fract() == 0.0 => {
            "`id` must be a string or an integer from -9223372036854775808 to 9223372036854775807, written without \
             fraction and exponent"
        }
        _ => "`id` must be a string or an integer",
    }
}

/// Whether these are valid parameters of `initialize`. For others, rmcp would report an unknown method.
fn is_initialize(params: Option<&Value>) -> bool {
    let is_text = |value: &Value| value.is_string();
    params.is_some_and(|params| {
        params.get("protocolVersion").is_some_and(is_text)
            && params.get("capabilities").is_some_and(Value::is_object)
            && ["name", "version"].iter().all(|name| {
                params
                    .get("clientInfo")
                    .and_then(|info| info.get(name))
                    .is_some_and(is_text)
            })
    })
}

impl Malformed {
    /// The fault of JSON that is not a message.
    pub(super) fn request(message: &str, id: Value) -> Self {
        Self {
            code: -32600,
            message: format!("Invalid Request: {message}"),
            data: None,
            id,
        }
    }

    /// The answer, in the form that clients of the protocol read.
    pub(super) fn response(self) -> Response {
        let Self {
            code,
            message,
            data,
            id,
        } = self;
        let mut error = json!({ "code": code, "message": message });
        if let Some(data) = data {
            error["data"] = *data;
        }
        let error = json!({ "jsonrpc": "2.0", "id": id, "error": error });
        Response::builder()
            .status(StatusCode::BAD_REQUEST)
            .content_type("application/json")
            .body(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_messages() {
        let good = [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_tasks","arguments":{"tasks":[{"title":"x"}]},"_meta":null}}"#,
            r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"find_tasks","arguments":"{\"q\":\"x\"}"}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":1.0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}"#,
        ];
        crate::fuzz::fuzz("mcp-message", &good, |body| match Message::parse(body) {
            Ok(message) => {
                let Message(read) = message;
                let written = serde_json::to_vec(&read).unwrap();
                let Ok(Message(again)) = Message::parse(&written) else {
                    panic!("what was read can be read again");
                };
                assert_eq!(again, read);
            }
            Err(Malformed {
                code, message, id, ..
            }) => {
                assert!((-32_768..=-32_000).contains(&code), "{code}");
                crate::fuzz::assert_own_words(&message);
                assert!(id.is_null() || id.is_string() || id.is_i64());
            }
        });
    }
}
