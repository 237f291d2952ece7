//! What operators see of the server: numbers, and traces.
//!
//! Each part of the server has its instruments and counts in them, whether or not anybody looks. Whoever looks reads all of
//! them by the [`Registry`]: Prometheus over a listener of its own, or a collector to which they are sent by OTLP. Spans are made
//! only when they are sent.
//!
//! - `instrument.rs`: counters, gauges, histograms; `declare.rs`: how they are declared; `instruments.rs`: all of them;
//!   `http.rs`, `process.rs`: those that are more than a number.
//! - `prometheus.rs`: the text that Prometheus scrapes.
//! - `trace.rs`: the spans of requests, statements and tools; `context.rs`: the trace contexts of clients.
//! - `otlp/`: what is sent to a collector.
//! - `settings.rs`: what can be set.

mod context;
mod declare;
mod http;
mod instrument;
mod instruments;
mod otlp;
mod process;
pub mod prometheus;
mod settings;
pub mod trace;

/// The ids of a span, by which others belong to its trace.
pub use opentelemetry::trace::SpanContext as TraceContext;

pub use context::{TRACEPARENT, TRACESTATE, incoming, parse};
pub use declare::{Declared, Family, Registry, Source};
pub use http::{ActiveRequest, NO_ROUTE, Requests};
pub use instrument::{
    Age, By, Counter, Gauge, Histogram, Instrument, Kind, Label, Labels, Named, Observed, Point,
    UpDownCounter, Value,
};
pub use instruments::*;
pub use otlp::{Export, SpanQueue, spans_layer};
pub use settings::{Collector, Endpoints, Resource, Sampling, TelemetrySettings};
