//! Numbers as messages of OTLP.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
        ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource,
};

use crate::telemetry::{Family, Kind, Labels, Point, Resource, Value};

/// The version of OpenTelemetry's conventions whose names are used.
pub(super) const SCHEMA: &str = "https://opentelemetry.io/schemas/1.40.0";

/// What describes this process.
pub(super) fn resource(of: &Resource) -> resource::v1::Resource {
    let attributes = of.0.iter().map(|(name, value)| attribute(name, value));
    resource::v1::Resource {
        attributes: attributes.collect(),
        ..resource::v1::Resource::default()
    }
}

/// All numbers, counted since then.
pub(super) fn metrics(
    families: &[Family],
    described: &Resource,
    since: SystemTime,
) -> ExportMetricsServiceRequest {
    let times = Times {
        start: nanos(since),
        now: nanos(SystemTime::now()),
    };
    let scope = InstrumentationScope {
        name: "taskward".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource(described)),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope),
                metrics: families
                    .iter()
                    .map(|family| metric(family, times))
                    .collect(),
                schema_url: String::new(),
            }],
            schema_url: SCHEMA.to_owned(),
        }],
    }
}

/// In nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Times {
    start: u64,
    now: u64,
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn metric(family: &Family, times: Times) -> Metric {
    let Family {
        name,
        unit,
        about,
        kind,
        points,
    } = family;
    let cumulative = AggregationTemporality::Cumulative.into();
    let numbers = || {
        points
            .iter()
            .filter_map(|point| number(point, times))
            .collect()
    };
    let data = match kind {
        Kind::Counter | Kind::UpDownCounter => Data::Sum(Sum {
            data_points: numbers(),
            aggregation_temporality: cumulative,
            is_monotonic: *kind == Kind::Counter,
        }),
        Kind::Gauge => Data::Gauge(Gauge {
            data_points: numbers(),
        }),
        Kind::Histogram => Data::Histogram(Histogram {
            data_points: points
                .iter()
                .filter_map(|point| histogram(point, times))
                .collect(),
            aggregation_temporality: cumulative,
        }),
    };
    Metric {
        name: (*name).to_owned(),
        description: (*about).to_owned(),
        unit: (*unit).to_owned(),
        metadata: Vec::new(),
        data: Some(data),
    }
}

fn number(Point { labels, value }: &Point, times: Times) -> Option<NumberDataPoint> {
    use number_data_point::Value::{AsDouble, AsInt};
    let value = match value {
        Value::Count(count) => AsInt(i64::try_from(*count).unwrap_or(i64::MAX)),
        Value::Level(level) => AsInt(*level),
        Value::Sum(number) | Value::Amount(number) => AsDouble(*number),
        Value::Distribution { .. } => return None,
    };
    Some(NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        value: Some(value),
        ..NumberDataPoint::default()
    })
}

fn histogram(Point { labels, value }: &Point, times: Times) -> Option<HistogramDataPoint> {
    let Value::Distribution {
        bounds,
        counts,
        sum,
    } = value
    else {
        return None;
    };
    Some(HistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        count: counts.iter().sum(),
        sum: Some(*sum),
        bucket_counts: counts.clone(),
        explicit_bounds: bounds.clone(),
        ..HistogramDataPoint::default()
    })
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    labels
        .iter()
        .map(|(name, value)| attribute(name, value))
        .collect()
}

fn attribute(name: &str, value: &str) -> KeyValue {
    // The one attribute that is a number.
    let value = match (name, value.parse()) {
        ("http.response.status_code", Ok(status)) => any_value::Value::IntValue(status),
        _ => any_value::Value::StringValue(value.to_owned()),
    };
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
