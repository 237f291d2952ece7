//! What this server sees of a request, for `taskward doctor`, which looks for what a proxy changes.
//!
//! It is no operation of the contract, and says nothing that the client has not sent, but for whether the server believes the
//! proxy. No address is told.

use std::{net::IpAddr, sync::Arc};

use poem::{
    Endpoint, EndpointExt as _, Request, Response,
    endpoint::make_sync,
    http::{HeaderMap, HeaderName, header},
};
use serde_json::{Value, json};

use crate::access::TrustedProxies;

/// Where it is asked.
pub const PATH: &str = "/.well-known/taskward";
/// The header in which the client repeats what it has put into `X-Forwarded-For`.
pub const CLAIM: HeaderName = HeaderName::from_static("taskward-claim");

/// The endpoint. Each process has an id of its own, so that two can be told apart.
pub(super) fn probe(proxies: TrustedProxies) -> impl Endpoint<Output = Response> {
    let instance = format!("{:016x}", rand::random::<u64>());
    let state = Arc::new((instance, proxies));
    make_sync(move |request| {
        let (instance, proxies) = &*state;
        let body = seen(instance, proxies, &request);
        Response::builder()
            .content_type("application/json")
            .body(format!("{body:#}\n"))
    })
    .map_to_response()
}

fn seen(instance: &str, proxies: &TrustedProxies, request: &Request) -> Value {
    let nearest = proxies.nearest_hop(request);
    let claim = text(request.headers(), &CLAIM).and_then(|claim| claim.parse::<IpAddr>().ok());
    json!({
        "service": "taskward",
        "instance": instance,
        "host": text(request.headers(), &header::HOST),
        "authorization": request.headers().contains_key(header::AUTHORIZATION),
        "peer_is_trusted": nearest.peer_is_trusted,
        "noted": match nearest.noted {
            None => "nothing",
            Some(noted) if Some(noted) == claim => "claim",
            Some(_) => "address",
        },
    })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
