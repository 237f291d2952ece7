//! One request to `/mcp`, from its head to its answer.

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use poem::{
    Endpoint, Request, Response,
    http::{self, HeaderMap, HeaderValue, Method, StatusCode, header, response::Parts},
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use serde_json::Value;
use tracing::Span;
use url::Url;

use super::{
    McpSettings,
    host_policy::HostPolicy,
    message::{Malformed, Message},
    registry::{PreparedCall, ToolRegistry},
    revision,
    server::McpServer,
};
use crate::{
    access::{AllowedOrigin, Authenticator},
    contract::{Problem, ProblemCode, check_media_type, into_poem, read_body},
    telemetry::{Registry, trace},
    unicode::escaped,
};

/// The MCP endpoint (Streamable HTTP, without sessions).
pub struct Mcp {
    authenticator: Arc<Authenticator>,
    host_policy: HostPolicy,
    tools: Arc<ToolRegistry>,
    service: StreamableHttpService<McpServer, NeverSessionManager>,
}

const ALLOW: HeaderValue = HeaderValue::from_static("POST, OPTIONS");
const JSON: &str = "application/json";
/// The longest message of an error, in code points. A longer one repeats what the client sent.
const MAX_MESSAGE: usize = 600;

impl Mcp {
    /// The endpoint of a server at `public_url`. Pages of `origins` may call it.
    pub fn new(
        authenticator: Arc<Authenticator>,
        public_url: Option<&Url>,
        origins: &[AllowedOrigin],
        settings: &McpSettings,
    ) -> Self {
        let tools = Arc::new(ToolRegistry::new(settings));
        let server = McpServer::new(Arc::clone(&tools));
        // `host_policy` checks Host and Origin, before the token is checked.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .disable_allowed_hosts();
        Self {
            authenticator,
            host_policy: HostPolicy::new(public_url, &settings.allowed_hosts, origins),
            tools,
            service: StreamableHttpService::new(move || Ok(server.clone()), Arc::default(), config),
        }
    }

    /// What is counted of the calls of tools.
    pub fn observe(&self, registry: &Registry) {
        let labels = vec![("mcp.method.name", "tools/call".into())];
        registry.add_labelled(labels, self.tools.instruments().clone());
    }

    async fn answer(&self, request: Request) -> Result<Response, Problem> {
        self.host_policy.check(request.headers())?;
        if request.method() == Method::OPTIONS {
            let answer = Response::builder().status(StatusCode::NO_CONTENT);
            return Ok(answer.header(header::ALLOW, ALLOW).finish());
        }
        // Before the method is checked: clients also look for the challenge of a 401 by GET.
        let authenticated = self.authenticator.authenticate(&request).await?;
        check_method(request.method())?;
        check_accept(request.headers())?;
        check_media_type(&request, &[JSON])?;
        let (request, mut body) = request.split();
        let body = read_body(&request, &mut body).await?;
        let mut message = match Message::parse(&body) {
            Ok(message) => message,
            Err(malformed) => return Ok(malformed.response()),
        };
        let id = message.id();
        if let Err(unsupported) = revision::check(request.headers(), &id) {
            return Ok(unsupported.response());
        }
        let mut call = None;
        if let Some(tool) = message.tool().and_then(|name| self.tools.get(name)) {
            Span::current().record("tool", &*tool.listing.name);
            let trace = message.trace_context();
            if let Some(context) = &trace {
                trace::belongs_to(&Span::current(), request.headers(), context);
            }
            let arguments = message.take_arguments();
            let prepared = self.tools.prepare(tool, &authenticated, arguments, trace);
            call = Some(prepared?);
        }
        let answer = self
            .service
            .handle(to_rmcp(request.headers(), message, call))
            .await;
        let (head, body) = answer.into_parts();
        let Ok(body) = body.collect().await;
        from_rmcp(head, body.to_bytes(), id)
    }
}

impl Endpoint for Mcp {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        self.answer(request).await.map_err(into_poem)
    }
}

/// Without sessions and streams there is nothing to GET and nothing to DELETE.
fn check_method(method: &Method) -> Result<(), Problem> {
    if method == Method::POST {
        return Ok(());
    }
    let detail =
        format!("/mcp does not support {method}, only POST: it has no sessions and no streams.");
    let problem = Problem::new(ProblemCode::MethodNotAllowed, detail);
    Err(problem.header(header::ALLOW, ALLOW))
}

/// The client must accept JSON. The protocol asks it to accept `text/event-stream` as well, which is not needed here.
fn check_accept(headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(header::ACCEPT).iter().peekable();
    let takes_json = |range: &str| {
        let media_type = range.split(';').next().unwrap_or_default().trim();
        ["*/*", "application/*", JSON]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(media_type))
    };
    if lines.peek().is_none()
        || lines.any(|line| {
            line.to_str()
                .is_ok_and(|line| line.split(',').any(takes_json))
        })
    {
        return Ok(());
    }
    let detail = "/mcp answers with application/json, which the header Accept does not allow.";
    Err(Problem::new(ProblemCode::NotAcceptable, detail))
}

/// The request for rmcp, without the token: the prepared call knows its user.
fn to_rmcp(
    headers: &HeaderMap,
    message: Message,
    call: Option<PreparedCall>,
) -> http::Request<Full<Bytes>> {
    let mut request = http::Request::new(Full::new(Bytes::from(message.into_bytes())));
    *request.method_mut() = Method::POST;
    *request.headers_mut() = headers.clone();
    let headers = request.headers_mut();
    headers.remove(header::AUTHORIZATION);
    headers.remove(header::COOKIE);
    headers.insert(
        header::ACCEPT,
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    if let Some(call) = call {
        request.extensions_mut().insert(call);
    }
    request
}

/// Translates the answer of rmcp. An answer that is plain text instead of JSON-RPC says that rmcp could not read the
/// message, or that it failed.
fn from_rmcp(head: Parts, body: Bytes, id: Value) -> Result<Response, Problem> {
    let content_type = head.headers.get(header::CONTENT_TYPE);
    let is_rpc = content_type.is_some_and(|value| value == JSON);
    if is_rpc || head.status == StatusCode::ACCEPTED {
        let body = reworded(head.status, &body).unwrap_or(body);
        let mut answer = Response::builder().status(head.status).body(body);
        *answer.headers_mut() = head.headers;
        return Ok(answer);
    }
    let text = String::from_utf8_lossy(&body);
    if head.status.is_server_error() {
        tracing::error!(%text, "rmcp failed");
        return Err(Problem::internal());
    }
    // The texts of rmcp's parser name Rust types, which say nothing to a client.
    let words = match text.contains("deserialize") {
        true => "a member of `params` does not have the type that the protocol requires",
        false => &text,
    };
    Ok(Malformed::request(words, id).response())
}

/// Replaces the message of rmcp's error to an unknown method, which is only the method's name, and cuts and escapes what
/// its other errors quote. `None` for any other answer.
fn reworded(status: StatusCode, body: &Bytes) -> Option<Bytes> {
    const METHOD_NOT_FOUND: &[u8] = b"-32601";
    let len = METHOD_NOT_FOUND.len();
    if status.is_success() && !body.windows(len).any(|window| window == METHOD_NOT_FOUND) {
        return None;
    }
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    let error = answer.get_mut("error")?;
    let said = error["message"].as_str().unwrap_or_default();
    let words = match error["code"].as_i64()? {
        -32601 => format!(
            "Method not found: {said}. This server has tools only: tools/list and tools/call."
        ),
        _ => said.chars().take(MAX_MESSAGE).collect(),
    };
    *error.get_mut("message")? = escaped(&words).into();
    Some(answer.to_string().into())
}
