//! The MCP endpoint.

use poem::http::uri::Authority;

use super::{
    Source,
    setting::settings,
    value::{flag, list},
};
use crate::mcp::McpSettings;

settings! { "Agents (/mcp)";
    /// hosts by which clients may call /mcp, beside localhost and the host of PUBLIC_URL, by comma
    MCP_ALLOWED_HOSTS: Vec<String> = "", |text| list(text).enumerate().map(host).collect();

    /// also offer add_task, list_tasks, … with a user_id, as todo chat apps call them
    MCP_CHAT_APP_TOOLS: bool = "off", flag;
}

pub(super) fn read(source: &mut Source) -> McpSettings {
    McpSettings {
        allowed_hosts: source.get(&MCP_ALLOWED_HOSTS),
        chat_app_tools: source.get(&MCP_CHAT_APP_TOOLS),
        ..McpSettings::default()
    }
}

/// A host as it stands in the header `Host`: a name or address, and a port if it matters.
fn host((index, text): (usize, &str)) -> Result<String, String> {
    match text.parse::<Authority>() {
        Ok(_) if !text.contains('@') => Ok(text.to_owned()),
        _ => Err(format!(
            "entry {} must be a host like `taskward:8000`, without scheme and path",
            index + 1
        )),
    }
}
