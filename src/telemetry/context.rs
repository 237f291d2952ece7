//! The trace contexts of clients (W3C Trace Context, level 1), from the headers of a request or the `_meta` of a message of MCP.

use std::str::FromStr as _;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use poem::http::HeaderMap;

/// The header, and the member of `_meta`, that has the ids.
pub const TRACEPARENT: &str = "traceparent";
/// The one that has what tracing systems add.
pub const TRACESTATE: &str = "tracestate";
/// The longest list of what they add that is passed on, in bytes (§3.3.1.5: at least 512).
const MAX_STATE: usize = 512;

/// The trace context of a request, if it has one. One that is malformed, or comes twice, is none (§4.3).
pub fn incoming(headers: &HeaderMap) -> Option<SpanContext> {
    // Nearly always.
    if !headers.contains_key(TRACEPARENT) {
        return None;
    }
    let mut parents = headers.get_all(TRACEPARENT).iter();
    let (parent, None) = (parents.next()?, parents.next()) else {
        return None;
    };
    let states = headers.get_all(TRACESTATE).iter();
    let states: Option<Vec<&str>> = states.map(|value| value.to_str().ok()).collect();
    parse(parent.to_str().ok()?, &states.unwrap_or_default().join(","))
}

/// Reads a trace context: version, trace id, parent id, flags. A later version may have more at its end.
pub fn parse(parent: &str, state: &str) -> Option<SpanContext> {
    let mut parts = parent.trim_matches([' ', '\t']).splitn(5, '-');
    let mut hex = |digits: usize| {
        let part = parts.next()?;
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (part.len() == digits && part.bytes().all(is_hex)).then_some(part)
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    if version == "ff" || version == "00" && parts.next().is_some() {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let state = match state.len() {
        1..=MAX_STATE => TraceState::from_str(state).unwrap_or_default(),
        _ => TraceState::default(),
    };
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, state);
    context.is_valid().then_some(context)
}

/// A trace context as a header.
pub fn written(context: &SpanContext) -> String {
    let (trace, span) = (context.trace_id(), context.span_id());
    format!("00-{trace}-{span}-{:02x}", context.trace_flags())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_context_is_read_and_written() {
        let context = parse(PARENT, "vendor=1,other=2").unwrap();
        assert_eq!(written(&context), PARENT);
        assert!(context.is_sampled() && context.is_remote());
        assert_eq!(context.trace_state().header(), "vendor=1,other=2");
        // A flag of a later version means nothing here.
        let later = parse(&PARENT.replace("00-", "cc-").replace("-01", "-03-more"), "").unwrap();
        assert_eq!(written(&later), PARENT);
    }

    #[test]
    fn what_is_malformed_is_no_context() {
        let zeros = |digits: usize| "0".repeat(digits);
        for parent in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-é1",
            &format!("00-{}-b7ad6b7169203331-01", zeros(32)),
            &format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", zeros(16)),
        ] {
            assert_eq!(parse(parent, ""), None, "{parent}");
        }
        let state = format!("vendor={}", "x".repeat(600));
        assert_eq!(parse(PARENT, &state).unwrap().trace_state().header(), "");
    }

    #[test]
    fn a_header_that_comes_twice_is_no_context() {
        let mut headers = HeaderMap::new();
        assert_eq!(incoming(&headers), None);
        headers.append(TRACEPARENT, PARENT.parse().unwrap());
        headers.append(TRACESTATE, "vendor=1".parse().unwrap());
        headers.append(TRACESTATE, "other=2".parse().unwrap());
        let context = incoming(&headers).unwrap();
        assert_eq!(context.trace_state().header(), "vendor=1,other=2");
        headers.append(TRACEPARENT, PARENT.parse().unwrap());
        assert_eq!(incoming(&headers), None);
    }
}
