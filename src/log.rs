//! Lines of the log as JSON, one object per line: as `tracing-subscriber` writes them with `flatten_event`, but the fields
//! of a span are kept as they are written. There, each line reads them as JSON and writes them again, which was a tenth
//! of the work of a request.

use std::fmt::{self, Debug};

use taskward::telemetry::SpanQueue;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::Record,
};
use tracing_appender::non_blocking::ErrorCounter;
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// What others need of the log.
pub(crate) struct Log {
    /// How many lines were dropped.
    pub(crate) dropped: ErrorCounter,
    /// The spans that are sent; `None`: none are.
    pub(crate) spans: Option<SpanQueue>,
}

/// Writes the fields of a span as members of an object, without its braces.
pub(crate) struct JsonMembers;

impl<'writer> FormatFields<'writer> for JsonMembers {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut members = Members::new(writer, true);
        fields.record(&mut members);
        members.result
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let is_first = current.fields.is_empty();
        let mut members = Members::new(current.as_writer(), is_first);
        fields.record(&mut members);
        members.result
    }
}

/// Writes an event as a line.
pub(crate) struct JsonLine;

impl<S> FormatEvent<S, JsonMembers> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonMembers>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        writer.write_str(r#"{"timestamp":""#)?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, r#"","level":"{}""#, metadata.level())?;
        let mut members = Members::new(writer.by_ref(), false);
        event.record(&mut members);
        let Members { result, target, .. } = members;
        result?;
        writer.write_str(r#","target":"#)?;
        write_text(&mut writer, target.as_deref().unwrap_or(metadata.target()))?;
        // The span of the request is enough: one of a tool, within it, is for traces.
        let current = context.lookup_current();
        if let Some(span) = current.and_then(|span| span.scope().last()) {
            writer.write_str(r#","span":{"#)?;
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonMembers>>();
            if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
                writer.write_str(fields)?;
                writer.write_char(',')?;
            }
            writer.write_str(r#""name":"#)?;
            write_text(&mut writer, span.name())?;
            writer.write_char('}')?;
        }
        writer.write_str("}\n")
    }
}

/// Writes fields as members of an object.
struct Members<'a> {
    writer: Writer<'a>,
    is_first: bool,
    /// What a crate that logs by `log` is called; its events have the target "log".
    target: Option<String>,
    result: fmt::Result,
}

impl<'a> Members<'a> {
    fn new(writer: Writer<'a>, is_first: bool) -> Self {
        Self {
            writer,
            is_first,
            target: None,
            result: Ok(()),
        }
    }

    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'a>) -> fmt::Result) {
        let name = field.name();
        // The bridge from `log` says there what the metadata of other events say, and `otel.` is for traces.
        if self.result.is_err() || name.starts_with("log.") || name.starts_with("otel.") {
            return;
        }
        let comma = if self.is_first { "" } else { "," };
        self.is_first = false;
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.result = write!(self.writer, r#"{comma}"{name}":"#);
        self.result = self.result.and_then(|()| value(&mut self.writer));
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        self.member(field, |writer| match value.is_finite() {
            true => write!(writer, "{value:?}"),
            false => writer.write_str("null"),
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.target = Some(value.to_owned());
        }
        self.member(field, |writer| write_text(writer, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, |writer| write_text(writer, &format!("{value:?}")));
    }
}

/// Writes a JSON string (RFC 8259 §7).
fn write_text(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    let is_plain = |byte: &u8| *byte >= b' ' && !matches!(byte, b'"' | b'\\');
    if text.as_bytes().iter().all(is_plain) {
        writer.write_char('"')?;
        writer.write_str(text)?;
        return writer.write_char('"');
    }
    let escaped = serde_json::to_string(text).map_err(|_| fmt::Error)?;
    writer.write_str(&escaped)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing::{error_span, field::Empty, info};
    use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Memory {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// The lines that were written, without their times.
    fn lines(memory: &Memory) -> Vec<Value> {
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        let line = |line: &str| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            line["timestamp"] = Value::Null;
            line
        };
        text.lines().map(line).collect()
    }

    fn events() {
        info!(answer = 42, small = -1, yes = true, half = 0.5, "no span");
        let span = error_span!(
            "request",
            request_id = "a\"b\\c\nd\u{1}é",
            user = Empty,
            tool = Empty
        );
        span.in_scope(|| info!(r#type = "text", debug = ?Some("x"), "in a {}", "span"));
        span.record("user", format_args!("{:04x}", 10));
        span.record("tool", "add \"tasks\"");
        let error = io::Error::other("broken\tline");
        span.in_scope(|| {
            info!(
                error = &error as &dyn std::error::Error,
                code = None::<&str>,
                "more"
            );
        });
        error_span!("empty").in_scope(|| info!(target: "elsewhere", "last"));
    }

    #[test]
    fn lines_are_those_of_tracing_subscriber() {
        let (ours, theirs) = (Memory::default(), Memory::default());
        let builder = || SubscriberBuilder::default();
        let subscriber = builder()
            .fmt_fields(JsonMembers)
            .event_format(JsonLine)
            .with_writer(ours.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, events);
        let subscriber = builder()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(theirs.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, events);
        // As values: theirs has the fields of a span in the order of their names.
        assert_eq!(lines(&ours), lines(&theirs));
        assert_eq!(lines(&ours).len(), 4);
    }

    #[test]
    fn what_crates_log_by_log_has_their_target() {
        let memory = Memory::default();
        let subscriber = SubscriberBuilder::default()
            .fmt_fields(JsonMembers)
            .event_format(JsonLine)
            .with_writer(memory.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            info!(target: "log", { log.target = "other", log.line = 7 }, "text");
        });
        let line =
            json!({"timestamp": null, "level": "INFO", "message": "text", "target": "other"});
        assert_eq!(lines(&memory), [line]);
    }
}
