//! The revisions of the protocol, and the header that names the one of a message.

use poem::http::{HeaderMap, HeaderValue};
use rmcp::model::ProtocolVersion;
use serde_json::{Value, json};

use super::{arguments::short, message::Malformed};

/// The supported revisions. The one before these had another transport.
pub(super) const VERSIONS: [ProtocolVersion; 4] = [
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// JSON-RPC's code for it since revision 2026-07-28. Older clients read the message.
const UNSUPPORTED_PROTOCOL_VERSION: i32 = -32022;

/// Checks the header `MCP-Protocol-Version` of the message with this `id`. Without the header, the revision is 2025-03-26.
///
/// # Errors
/// For a revision that does not exist. The error lists those that are supported.
pub(super) fn check(headers: &HeaderMap, id: &Value) -> Result<(), Malformed> {
    let is_known = |value: &HeaderValue| {
        let mut known = ProtocolVersion::KNOWN_VERSIONS.iter();
        known.any(|version| version.as_str() == value)
    };
    let mut named = headers.get_all("mcp-protocol-version").iter();
    let Some(unknown) = named.find(|value| !is_known(value)) else {
        return Ok(());
    };
    let requested = short(&String::from_utf8_lossy(unknown.as_bytes()));
    let supported: Vec<&str> = VERSIONS.iter().map(ProtocolVersion::as_str).collect();
    let message = format!(
        "Unsupported protocol version: the header MCP-Protocol-Version is `{requested}`, and must be one of {}; send \
         the one that `initialize` answered with",
        supported.join(", ")
    );
    Err(Malformed {
        code: UNSUPPORTED_PROTOCOL_VERSION,
        message,
        data: Some(Box::new(
            json!({ "requested": requested, "supported": supported }),
        )),
        id: id.clone(),
    })
}
