//! The spans of requests, of calls of tools, and of statements, by OpenTelemetry's conventions.
//!
//! The span of a request is the one by which its lines in the log carry its id; where traces are sent, it is sent as well. The
//! others exist only then. No attribute has a user, a path, a token or a text in it: [`is_sent`] leaves out the fields that are
//! for the log.
//!
//! A statement that does the work of several requests is a span in the trace of each of them, so that each trace tells where its
//! time went. They have the same begin and end, `db.operation.batch.size`, and a link to the first of them.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{SpanContext, Status, TraceContextExt as _},
};
use poem::http::HeaderMap;
use tracing::{Metadata, Span, error_span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{Label as _, Method, NO_ROUTE, StatementFault, StatementKind, context};

/// The target of spans that the log does not see.
pub const TARGET: &str = "taskward::spans";

/// Whether spans are sent.
static ON: AtomicBool = AtomicBool::new(false);

/// From now on spans are sent.
pub(super) fn turn_on() {
    ON.store(true, Relaxed);
}

/// Whether spans are sent.
pub fn is_on() -> bool {
    ON.load(Relaxed)
}

/// The current span, where spans are sent.
pub fn current() -> Span {
    match is_on() {
        true => Span::current(),
        false => Span::none(),
    }
}

/// Whether a span is one of this program, and not of a crate that it uses. Events are for the log.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("taskward")
}

/// Whether an attribute is sent. The names of OpenTelemetry and ours have a dot; the fields for the log have none.
pub(super) fn is_sent(attribute: &KeyValue) -> bool {
    attribute.key.as_str().contains('.')
}

/// Notes in the span of a request what it asks for, and the trace to which it belongs: that of its client, or a new one. Returns
/// the context of the span for the answer, where spans are sent.
pub fn request(
    span: &Span,
    request_id: &str,
    method: Method,
    route: Option<&str>,
    client: Option<SpanContext>,
) -> Option<String> {
    if !is_on() {
        if let Some(client) = client {
            note_ids(span, &client);
        }
        return None;
    }
    if let Some(client) = client {
        let parent = Context::new().with_remote_span_context(client);
        // It fails if the filter of the log leaves the span out, and then there is none.
        let _ = span.set_parent(parent);
    }
    let route = route.unwrap_or(NO_ROUTE);
    // OpenTelemetry's name where the method is not known.
    let verb = match method {
        Method::Other => "HTTP",
        known => known.name(),
    };
    span.record("otel.name", format_args!("{verb} {route}"));
    span.record("otel.kind", "server");
    span.set_attribute("http.request.method", method.name());
    span.set_attribute("http.route", route.to_owned());
    span.set_attribute("url.scheme", "http");
    span.set_attribute("taskward.request.id", request_id.to_owned());
    let own = context_of(span);
    if !own.is_valid() {
        return None;
    }
    note_ids(span, &own);
    Some(context::written(&own))
}

/// Notes in the span of a request how it was answered.
pub fn answered(span: &Span, status: u16, problem: Option<&'static str>) {
    if !is_on() {
        return;
    }
    span.set_attribute("http.response.status_code", i64::from(status));
    if let Some(problem) = problem {
        span.set_attribute("taskward.problem.code", problem);
    }
    if status >= 500 {
        span.set_attribute("error.type", status.to_string());
        span.set_status(Status::error(""));
    }
}

/// Notes the ids of a trace in the span of a request, for the log.
pub fn note_ids(span: &Span, context: &SpanContext) {
    span.record("trace_id", display(context.trace_id()));
    span.record("span_id", display(context.span_id()));
}

/// Notes in the span of a request for MCP that its message belongs to a trace, where nothing else says to which one the request
/// does.
pub fn belongs_to(span: &Span, headers: &HeaderMap, context: &SpanContext) {
    if !is_on() && context::incoming(headers).is_none() {
        note_ids(span, context);
    }
}

fn display(id: impl fmt::Display) -> impl tracing::Value {
    tracing::field::display(id)
}

/// The span of a call of a tool, within that of its request. If the message has a context of its own (`_meta`), the call belongs
/// to that trace, and has a link to the request.
pub fn tool(name: &str, client: Option<SpanContext>) -> Span {
    if !is_on() {
        return Span::none();
    }
    let request = context_of(&Span::current());
    // At the level at which errors are logged: the lines of the call find the request by it.
    let span = error_span!(
        "tool",
        otel.name = format_args!("tools/call {name}"),
        otel.kind = "server"
    );
    if let Some(client) = client {
        let _ = span.set_parent(Context::new().with_remote_span_context(client));
        span.add_link(request);
    }
    span.set_attribute("mcp.method.name", "tools/call");
    span.set_attribute("gen_ai.operation.name", "execute_tool");
    span.set_attribute("gen_ai.tool.name", name.to_owned());
    span
}

/// Notes in the span of a call of a tool that it failed.
pub fn tool_failed(span: &Span) {
    if !span.is_none() {
        span.set_attribute("error.type", "tool_error");
        span.set_status(Status::error(""));
    }
}

/// The spans of a statement, one in the trace of each request that it is sent for, until this is dropped.
#[derive(Debug, Default)]
pub struct Statement(Vec<Span>);

impl Statement {
    /// A statement that is sent for these requests, each given by its span and by the time for which it has waited.
    pub fn begin<'a>(
        system: &'static str,
        kind: StatementKind,
        requests: impl ExactSizeIterator<Item = (&'a Span, Duration)>,
    ) -> Self {
        if !is_on() {
            return Self::default();
        }
        let summary = StatementKind::VALUES.get(kind.index()).copied();
        let summary = summary.unwrap_or_default();
        let size = i64::try_from(requests.len()).unwrap_or(i64::MAX);
        let mut first = None;
        // What nobody's request asks for is in no trace.
        let requests = requests.filter(|(request, _)| !request.is_none());
        let spans = requests.map(|(request, waited)| {
            let span = info_span!(
                target: TARGET,
                parent: request,
                "statement",
                otel.name = summary,
                otel.kind = "client",
                db.system.name = system,
                db.query.summary = summary,
                taskward.store.waited = waited.as_secs_f64(),
            );
            if size > 1 {
                span.set_attribute("db.operation.batch.size", size);
                let own = context_of(&span);
                match &first {
                    None => first = Some(own),
                    Some(first) => span.add_link(SpanContext::clone(first)),
                }
            }
            span
        });
        Self(spans.collect())
    }

    /// It has ended.
    pub fn end(self, fault: StatementFault) {
        let fault = StatementFault::VALUES.get(fault.index()).copied();
        let fault = fault.filter(|fault| !fault.is_empty());
        for (span, fault) in self.0.iter().zip(fault.into_iter().cycle()) {
            span.set_attribute("error.type", fault);
            span.set_status(Status::error(""));
        }
    }
}

fn context_of(span: &Span) -> SpanContext {
    span.context().span().span_context().clone()
}
