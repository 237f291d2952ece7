//! What can be set.

use std::{fmt, net::SocketAddr, time::Duration};

use poem::http::{HeaderName, HeaderValue};
use rand::Rng as _;
use url::Url;

/// Who sees the server's numbers and traces.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// Where Prometheus may scrape; `None`: nowhere.
    pub metrics_address: Option<SocketAddr>,
    /// The collector.
    pub collector: Collector,
    /// Which traces are sent.
    pub sampling: Sampling,
    /// How often numbers are sent.
    pub metrics_interval: Duration,
    /// What describes this process, by OpenTelemetry's names.
    pub resource: Resource,
}

/// The collector, to which OTLP is sent over HTTP.
#[derive(Clone)]
pub struct Collector {
    /// Where to.
    pub endpoints: Endpoints,
    /// The headers of each message. They may hold a secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long a message may take.
    pub timeout: Duration,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            endpoints,
            headers,
            timeout,
        } = self;
        let names: Vec<&HeaderName> = headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Collector")
            .field("endpoints", endpoints)
            .field("headers", &names)
            .field("timeout", timeout)
            .finish()
    }
}

/// Where the messages of a collector go. `None`: they are not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints {
    /// Spans.
    pub traces: Option<Url>,
    /// Numbers.
    pub metrics: Option<Url>,
}

/// Which traces are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Whether the decision of the client counts, where it has made one.
    pub parent_based: bool,
    /// The share of the other traces, from 0 to 1.
    pub ratio: f64,
}

/// What describes this process, by OpenTelemetry's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource(pub Vec<(String, String)>);

impl Resource {
    /// The name and version of the service, an id of this process, and what else is said of it, which goes before these. A
    /// `service.name` among the attributes counts unless the name is set by itself.
    pub fn new(service: &str, is_set: bool, attributes: Vec<(String, String)>) -> Self {
        let instance = format!("{:032x}", rand::rng().random::<u128>());
        let own = [
            ("service.name", service),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", &instance),
        ];
        let mut all: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &str| {
            if all.iter().all(|(other, _)| other != name) {
                all.push((name.to_owned(), value.to_owned()));
            }
        };
        if is_set {
            add("service.name", service);
        }
        // Of two with one name, the last counts.
        for (name, value) in attributes.iter().rev() {
            add(name, value);
        }
        for (name, value) in own {
            add(name, value);
        }
        all.sort();
        Self(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_is_set_by_itself_counts_then_the_attributes_then_what_is_known() {
        let given = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let value = |resource: &Resource, name: &str| {
            let mut found = resource.0.iter().filter(|(other, _)| other == name);
            let value = found.next().unwrap().1.clone();
            assert_eq!(found.next(), None);
            value
        };
        let attributes = vec![
            given("service.name", "a"),
            given("service.name", "b"),
            given("zone", "z"),
        ];
        let resource = Resource::new("taskward", false, attributes.clone());
        assert_eq!(value(&resource, "service.name"), "b");
        assert_eq!(value(&resource, "zone"), "z");
        assert_eq!(
            value(&resource, "service.version"),
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(value(&resource, "service.instance.id").len(), 32);
        let named = Resource::new("tasks", true, attributes);
        assert_eq!(value(&named, "service.name"), "tasks");
        assert_ne!(
            value(&named, "service.instance.id"),
            value(&resource, "service.instance.id")
        );
    }
}
