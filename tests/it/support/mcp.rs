//! Agents: they speak JSON-RPC to `/mcp`, in one revision of the protocol or another.

use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use super::{Actor, Answer};

/// The revisions, oldest first.
pub const REVISIONS: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

/// The newest one, and the one that most clients speak.
pub const NEWEST: &str = "2026-07-28";
pub const COMMON: &str = "2025-11-25";

/// Somebody's agent.
#[derive(Debug, Clone)]
pub struct Agent {
    pub actor: Actor,
    revision: &'static str,
}

/// What came of calling a tool.
#[derive(Debug, Clone)]
pub struct Called {
    pub failed: bool,
    pub text: String,
    /// The structured content; null if there is none.
    pub content: Value,
}

impl Actor {
    /// This user's agent, which speaks the revision that most do.
    pub fn agent(&self) -> Agent {
        self.agent_of(COMMON)
    }

    pub fn agent_of(&self, revision: &'static str) -> Agent {
        Agent {
            actor: self.clone(),
            revision,
        }
    }
}

impl Agent {
    /// A message to be completed and given to [`Actor::send`].
    pub fn message(&self, method: &str, params: Value) -> RequestBuilder {
        let mut params = params;
        let mut request = self
            .actor
            .request(Method::POST, "/mcp")
            .header(header::ACCEPT, "application/json, text/event-stream");
        // An initialize may go without: the version is what it asks for.
        if method != "initialize" {
            request = request.header("mcp-protocol-version", self.revision);
        }
        if self.revision == NEWEST {
            request = request.header("mcp-method", method);
            if let Some(name) = params["name"].as_str() {
                request = request.header("mcp-name", name);
            }
            params["_meta"] = meta();
        }
        request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
    }

    /// Asks for something, and gets whatever it is.
    pub async fn ask(&self, method: &str, params: Value) -> Answer {
        self.actor.send(self.message(method, params)).await
    }

    /// Calls a tool, whatever comes of it.
    pub async fn try_call(&self, tool: &str, arguments: Value) -> Answer {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask("tools/call", params).await
    }

    /// Calls a tool. What it answers with must be as its output schema says.
    pub async fn call(&self, tool: &str, arguments: Value) -> Called {
        let answer = self.try_call(tool, arguments).await.has(200);
        let result = &answer.body["result"];
        let text = result["content"][0]["text"].as_str();
        let called = Called {
            failed: result["isError"].as_bool().expect("isError"),
            text: text.unwrap_or_else(|| panic!("{answer}")).to_owned(),
            content: result["structuredContent"].clone(),
        };
        assert!(called.failed || called.content.is_object(), "{answer}");
        if called.content.is_object() {
            let schema = &self.tool(tool).await["outputSchema"];
            let validator = jsonschema::validator_for(schema).expect("a schema");
            let faults: Vec<_> = validator
                .iter_errors(&called.content)
                .map(|e| e.to_string())
                .collect();
            assert!(faults.is_empty(), "{faults:?} in {answer}");
        }
        called
    }

    /// All tools, as they are offered.
    pub async fn tools(&self) -> Vec<Value> {
        let answer = self.ask("tools/list", json!({})).await.has(200);
        answer.body["result"]["tools"]
            .as_array()
            .expect("tools")
            .clone()
    }

    async fn tool(&self, name: &str) -> Value {
        let tools = self.tools().await;
        tools
            .into_iter()
            .find(|tool| tool["name"] == name)
            .expect("a tool")
    }
}

/// What each request of the newest revision says about its client.
pub fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

impl Called {
    /// Asserts that it was done, at least in part, and gives it on.
    #[track_caller]
    pub fn done(self) -> Self {
        assert!(!self.failed, "{}", self.text);
        self
    }

    /// Asserts that nothing was done, and gives the words for why.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(self.failed, "{}", self.text);
        self.text
    }

    /// The results of a batch.
    #[track_caller]
    pub fn results(&self) -> &[Value] {
        self.content["results"].as_array().expect(&self.text)
    }
}
