//! Who sees the server's numbers and traces. The names are those of OpenTelemetry's specification, "Environment Variable
//! Specification" and "Protocol Exporter".

use std::{net::SocketAddr, time::Duration};

use percent_encoding::percent_decode_str;
use poem::http::{HeaderName, HeaderValue};
use url::Url;

use super::{
    Source,
    setting::{Setting, settings},
    value::{either, flag, list, must_be, number, optional, parsed, web_url},
};
use crate::telemetry::{Collector, Endpoints, Resource, Sampling, TelemetrySettings};

settings! { "Telemetry";
    /// address on which Prometheus may scrape /metrics, like 127.0.0.1:9464; let only Prometheus reach it
    METRICS_ADDR: Option<SocketAddr> = "", |text| optional(text, |text| parsed(text, "an IP address and a port like `127.0.0.1:9464`"));

    /// OpenTelemetry collector, to which traces and metrics are sent, like http://127.0.0.1:4318
    OTEL_EXPORTER_OTLP_ENDPOINT: Option<Url> = "", |text| optional(text, endpoint);

    /// the whole URL for traces, where it is another one
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Option<Url> = "", |text| optional(text, endpoint);

    /// the whole URL for metrics, where it is another one
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: Option<Url> = "", |text| optional(text, endpoint);

    /// headers for the collector, as name=value by comma, percent-encoded
    OTEL_EXPORTER_OTLP_HEADERS: Vec<(HeaderName, HeaderValue)> = "",
        |text| pairs(text)?.into_iter().map(header).collect();

    /// the protocol, of which there is one: `http/protobuf`
    OTEL_EXPORTER_OTLP_PROTOCOL: () = "http/protobuf", protocol;

    /// milliseconds that a message to the collector may take
    OTEL_EXPORTER_OTLP_TIMEOUT: Duration = "10000", |text| millis(text, 1..=600_000);

    /// `otlp`, or `none` to send no traces
    OTEL_TRACES_EXPORTER: bool = "otlp", exporter;

    /// `otlp`, or `none` to send no metrics
    OTEL_METRICS_EXPORTER: bool = "otlp", exporter;

    /// milliseconds between two messages with metrics
    OTEL_METRIC_EXPORT_INTERVAL: Duration = "60000", |text| millis(text, 100..=3_600_000);

    /// which traces to send: `always_on`, `always_off` or `traceidratio`, or with `parentbased_` before it, where the decision of the
    /// client counts if it has made one
    OTEL_TRACES_SAMPLER: Sampler = "parentbased_always_on", sampler;

    /// share of the traces that `traceidratio` sends, from 0 to 1
    OTEL_TRACES_SAMPLER_ARG: f64 = "1", ratio;

    /// `service.name` of this server
    OTEL_SERVICE_NAME: String = "taskward", |text| Ok(text.to_owned());

    /// what else describes this process, as name=value by comma, percent-encoded
    OTEL_RESOURCE_ATTRIBUTES: Vec<(String, String)> = "", pairs;

    /// `true` to send nothing to a collector
    OTEL_SDK_DISABLED: bool = "false", flag;
}

/// A sampler without its share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampler {
    parent_based: bool,
    /// `None`: that of `OTEL_TRACES_SAMPLER_ARG`.
    ratio: Option<f64>,
}

pub(super) fn read(source: &mut Source) -> TelemetrySettings {
    source.get(&OTEL_EXPORTER_OTLP_PROTOCOL);
    let Sampler {
        parent_based,
        ratio,
    } = source.get(&OTEL_TRACES_SAMPLER);
    let share = source.get(&OTEL_TRACES_SAMPLER_ARG);
    let metrics_address = source.get(&METRICS_ADDR);
    if metrics_address.is_some_and(|address| !address.ip().is_loopback()) {
        let note =
            "other machines may be able to read the metrics: let only Prometheus connect to it";
        source.note_all(METRICS_ADDR.name, &[note.to_owned()]);
    }
    TelemetrySettings {
        metrics_address,
        collector: Collector {
            endpoints: endpoints(source),
            headers: source.get(&OTEL_EXPORTER_OTLP_HEADERS),
            timeout: source.get(&OTEL_EXPORTER_OTLP_TIMEOUT),
        },
        sampling: Sampling {
            parent_based,
            ratio: ratio.unwrap_or(share),
        },
        metrics_interval: source.get(&OTEL_METRIC_EXPORT_INTERVAL),
        resource: Resource::new(
            &source.get(&OTEL_SERVICE_NAME),
            source.is_set(&OTEL_SERVICE_NAME),
            source.get(&OTEL_RESOURCE_ATTRIBUTES),
        ),
    }
}

fn endpoints(source: &mut Source) -> Endpoints {
    let base = source.get(&OTEL_EXPORTER_OTLP_ENDPOINT);
    let disabled = source.get(&OTEL_SDK_DISABLED);
    let mut of = |own: &Setting<Option<Url>>, exporter: &Setting<bool>, path: &str| {
        let own = source.get(own);
        let sent = source.get(exporter) && !disabled;
        let url = own.or_else(|| base.as_ref().map(|base| below(base, path)));
        url.filter(|_| sent)
    };
    Endpoints {
        traces: of(
            &OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
            &OTEL_TRACES_EXPORTER,
            "v1/traces",
        ),
        metrics: of(
            &OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
            &OTEL_METRICS_EXPORTER,
            "v1/metrics",
        ),
    }
}

/// A path below a base, with or without a slash at its end.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

fn endpoint(text: &str) -> Result<Url, String> {
    web_url(text).ok_or_else(|| must_be(text, "an http or https URL like http://127.0.0.1:4318"))
}

fn protocol(text: &str) -> Result<(), String> {
    match text {
        "http/protobuf" => Ok(()),
        _ => Err(must_be(
            text,
            "`http/protobuf`, for which a collector usually listens on port 4318",
        )),
    }
}

fn exporter(text: &str) -> Result<bool, String> {
    either(text, ("otlp", true), ("none", false))
}

fn millis(text: &str, range: std::ops::RangeInclusive<u64>) -> Result<Duration, String> {
    number(text, range, " of milliseconds").map(Duration::from_millis)
}

fn sampler(text: &str) -> Result<Sampler, String> {
    let (parent_based, root) = match text.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, text),
    };
    let ratio = match root {
        "always_on" => Some(1.0),
        "always_off" => Some(0.0),
        "traceidratio" => None,
        _ => {
            let expected =
                "`always_on`, `always_off`, `traceidratio`, or one of these after `parentbased_`";
            return Err(must_be(text, expected));
        }
    };
    Ok(Sampler {
        parent_based,
        ratio,
    })
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| must_be(text, "a number from 0 to 1"))
}

/// Names and values, as `name=value` by comma. A value may be a secret: no error repeats one.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let pair = |(index, entry): (usize, &str)| {
        let fault = |what: &str| format!("entry {} {what}", index + 1);
        let (name, value) = entry
            .split_once('=')
            .ok_or_else(|| fault("must be name=value"))?;
        let value = percent_decode_str(value.trim()).decode_utf8();
        let value = value.map_err(|_| fault("has a value that is not percent-encoded UTF-8"))?;
        match name.trim() {
            "" => Err(fault("has no name")),
            name => Ok((name.to_owned(), value.into_owned())),
        }
    };
    list(text).enumerate().map(pair).collect()
}

fn header((name, value): (String, String)) -> Result<(HeaderName, HeaderValue), String> {
    let fault = |what: &str| format!("has an entry whose {what} cannot be that of a header");
    let name = name.parse().map_err(|_| fault("name"))?;
    let mut value: HeaderValue = value.parse().map_err(|_| fault("value"))?;
    value.set_sensitive(true);
    Ok((name, value))
}
