//! How long requests take, by route, method and status, and how many are under way.

use std::{borrow::Cow, sync::Arc, time::Duration};

use poem::http;

use super::{
    instrument::{Histogram, Instrument, Kind, Label, Labels, Lazy, Point},
    instruments::{AnswerInstruments, HttpInstruments, Method, RequestSeconds},
};
use crate::telemetry::Registry;

/// The route of requests to paths that no operation has, by OpenTelemetry's word for what is not known.
pub const NO_ROUTE: &str = "_OTHER";

/// The first status that there can be, and how many there can be.
const STATUSES: (u16, usize) = (100, 500);

/// A histogram for each route, method and status that has occurred.
#[derive(Debug)]
pub struct Durations {
    /// The last is for requests without a route.
    routes: Box<[(Cow<'static, str>, ByMethod)]>,
}

type ByMethod = Box<[Lazy<ByStatus>]>;

/// The histograms of one route and method.
#[derive(Debug)]
struct ByStatus(Box<[Lazy<Histogram<RequestSeconds>>]>);

impl Default for ByStatus {
    fn default() -> Self {
        Self((0..STATUSES.1).map(|_| Lazy::default()).collect())
    }
}

impl Durations {
    fn new(routes: impl IntoIterator<Item = String>) -> Self {
        let routes = routes.into_iter().map(Cow::Owned);
        let by_method = || Method::VALUES.iter().map(|_| Lazy::default()).collect();
        let all = routes.chain([Cow::Borrowed(NO_ROUTE)]);
        Self {
            routes: all.map(|route| (route, by_method())).collect(),
        }
    }

    /// The histogram of requests to a route (`None`: to none) that were answered so.
    fn of(
        &self,
        route: Option<usize>,
        method: Method,
        status: u16,
    ) -> Option<&Histogram<RequestSeconds>> {
        let route = route.unwrap_or(self.routes.len() - 1);
        let (_, methods) = self.routes.get(route)?;
        let ByStatus(statuses) = methods.get(method.index())?.get();
        let status = status.checked_sub(STATUSES.0)?;
        statuses.get(usize::from(status)).map(Lazy::get)
    }
}

impl Instrument for ByStatus {
    const KIND: Kind = Kind::Histogram;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        let all = (STATUSES.0..).zip(&self.0);
        for (status, histogram) in all.filter_map(|(status, lazy)| Some((status, lazy.made()?))) {
            let mut labels = labels.clone();
            labels.push(("http.response.status_code", status.to_string().into()));
            if status >= 500 {
                labels.push(("error.type", status.to_string().into()));
            }
            histogram.read(&labels, points);
        }
    }
}

impl Instrument for Durations {
    const KIND: Kind = Kind::Histogram;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        for (route, methods) in &self.routes {
            for (method, statuses) in Method::VALUES.iter().zip(methods) {
                let mut labels = labels.clone();
                labels.push(("http.route", route.clone()));
                labels.push((Method::NAME, Cow::Borrowed(method)));
                statuses.read(&labels, points);
            }
        }
    }
}

impl Method {
    /// The label of a method.
    pub fn of(method: &http::Method) -> Self {
        match *method {
            http::Method::GET => Self::Get,
            http::Method::POST => Self::Post,
            http::Method::PATCH => Self::Patch,
            http::Method::DELETE => Self::Delete,
            http::Method::PUT => Self::Put,
            http::Method::HEAD => Self::Head,
            http::Method::OPTIONS => Self::Options,
            http::Method::CONNECT => Self::Connect,
            http::Method::TRACE => Self::Trace,
            _ => Self::Other,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::VALUES.get(self.index()).copied().unwrap_or_default()
    }
}

/// The instruments of all requests.
#[derive(Debug)]
pub struct Requests {
    /// How long they take.
    http: Arc<HttpInstruments>,
    /// What becomes of them.
    answers: Arc<AnswerInstruments>,
}

impl Requests {
    /// For these routes, each known by its place, and these codes of problems.
    pub fn new(
        routes: impl IntoIterator<Item = String>,
        codes: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self {
            http: Arc::new(HttpInstruments {
                duration: Durations::new(routes),
                active: Default::default(),
            }),
            answers: Arc::new(AnswerInstruments {
                problems: super::instrument::Named::new("taskward.problem.code", codes),
                delayed: Default::default(),
                abandoned: Default::default(),
            }),
        }
    }

    /// Shows what is counted.
    pub fn observe(&self, registry: &Registry) {
        let labels = vec![("url.scheme", "http".into())];
        registry.add_labelled(labels, self.http.clone());
        registry.add(self.answers.clone());
    }

    /// A refusal is held back.
    pub fn delayed(&self) {
        self.answers.delayed.increment();
    }

    /// A request begins.
    pub fn begin(&self, method: Method) -> ActiveRequest<'_> {
        self.http.active.of(method).increment();
        ActiveRequest {
            requests: self,
            method,
            answered: false,
        }
    }
}

/// A request whose answer has not begun. Dropped before [`answered`](Self::answered), its client went away.
#[derive(Debug)]
pub struct ActiveRequest<'a> {
    requests: &'a Requests,
    method: Method,
    answered: bool,
}

impl ActiveRequest<'_> {
    /// Counts its answer. `route`: its place among the routes, `problem`: the place of the code.
    pub fn answered(
        mut self,
        route: Option<usize>,
        status: u16,
        problem: Option<usize>,
        took: Duration,
    ) {
        self.answered = true;
        let Requests { http, answers } = self.requests;
        if let Some(histogram) = http.duration.of(route, self.method, status) {
            histogram.record_time(took);
        }
        if let Some(counter) = problem.and_then(|code| answers.problems.at(code)) {
            counter.increment();
        }
    }
}

impl Drop for ActiveRequest<'_> {
    fn drop(&mut self) {
        self.requests.http.active.of(self.method).decrement();
        if !self.answered {
            self.requests.answers.abandoned.increment();
        }
    }
}
