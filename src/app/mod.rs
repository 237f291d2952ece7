//! Puts the routes together into one endpoint, and around them what every request passes: `edge.rs` (id, errors,
//! headers, log), `cors.rs`, `host.rs`. `problems.rs` writes every error as a problem; `refused.rs` is about requests
//! that are no HTTP.

mod challenge;
mod cors;
mod edge;
mod host;
mod prefix;
pub mod probe;
mod problems;
mod refused;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use poem::{Endpoint, EndpointExt, Response, Route, get};
use url::Url;

use crate::{
    access::{AccessLimits, AllowedOrigin, Anonymous, Authenticator},
    api::{self, Home, ListShape, Readiness, Stopping, docs, protected_resource, spec},
    auth::{Resource, Verifier},
    in_flight::InFlight,
    mcp::{Mcp, McpSettings},
    store::Database,
    telemetry::{BudgetInstruments, Registry, StreamInstruments},
};

/// The settings that concern HTTP.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The origins whose scripts may read responses.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Whether Swagger UI is served at `/docs/`.
    pub docs: bool,
    /// The shape of lists on the owner paths.
    pub owner_list: ListShape,
    /// What bounds the requests that are authenticated.
    pub limits: AccessLimits,
    /// The address of this server, as clients know it.
    pub public_url: Option<Url>,
    /// The settings of `/mcp`.
    pub mcp: McpSettings,
    /// The MCP endpoint as a resource of OAuth; `None` if no authorization server is known for it.
    pub resource: Option<Resource>,
}

/// How often the limits forget users and addresses that have become idle.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Builds the service. Must be called within a tokio runtime. The registry gets the instruments of all parts.
pub fn app(
    database: Database,
    verifier: Verifier,
    stopping: Stopping,
    settings: &HttpSettings,
    registry: &Registry,
) -> impl Endpoint<Output = Response> + use<> {
    database.observe(registry);
    verifier.observe(registry);
    let budgets = Arc::new(BudgetInstruments::default());
    let streams = Arc::new(StreamInstruments::default());
    registry.add(budgets.clone());
    registry.add(streams.clone());
    let authenticator = Arc::new(Authenticator::new(
        verifier.clone(),
        database.clone(),
        &settings.limits,
        &budgets,
    ));
    let in_flight = Arc::new(InFlight::new(budgets));
    let anonymous = Arc::new(Anonymous::new());
    tokio::spawn(forget_idle(
        Arc::downgrade(&authenticator),
        Arc::downgrade(&in_flight),
        Arc::downgrade(&anonymous),
    ));
    let operations = api::service();
    let mcp = Mcp::new(
        Arc::clone(&authenticator),
        settings.public_url.as_ref(),
        &settings.allowed_origins,
        &settings.mcp,
    );
    mcp.observe(registry);
    let mut routes = Route::new()
        .nest_no_strip("/", Home::before(operations, settings.docs))
        .at(
            "/openapi.json",
            docs::document(document(settings, spec::json), "application/json"),
        )
        .at(
            "/openapi.yaml",
            docs::document(document(settings, spec::yaml), "application/yaml"),
        )
        .at(
            "/mcp",
            mcp.with(challenge::CompleteChallenge::new(
                settings.resource.as_ref(),
            )),
        )
        .at("/llms.txt", docs::for_language_models())
        .at(
            probe::PATH,
            get(probe::probe(settings.limits.proxies.clone())),
        )
        .at(
            "/.well-known/oauth-protected-resource",
            protected_resource::metadata(settings.resource.as_ref()),
        )
        // Clients ask here first: the well-known path, followed by the path of the resource (RFC 9728 §3.1).
        .at(
            "/.well-known/oauth-protected-resource/mcp",
            protected_resource::metadata(settings.resource.as_ref()),
        );
    if settings.docs {
        routes = routes.nest("/docs", docs::docs());
    }
    let inner = routes
        .data(authenticator)
        .data(settings.owner_list)
        .data(stopping.clone())
        .data(streams)
        .data(Readiness::new(database, verifier, stopping.clone()));
    edge::Edge::new(
        inner,
        settings,
        problems::Routes::of(spec::paths()),
        in_flight,
        anonymous,
        stopping,
        registry,
    )
}

/// The OpenAPI document in one of its forms, once somebody asks for it.
fn document(
    settings: &HttpSettings,
    written: fn(Option<&Url>) -> String,
) -> impl Fn() -> String + Send + Sync + use<> {
    let public_url = settings.public_url.clone();
    move || written(public_url.as_ref())
}

async fn forget_idle(
    authenticator: Weak<Authenticator>,
    in_flight: Weak<InFlight>,
    anonymous: Weak<Anonymous>,
) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        let (Some(authenticator), Some(in_flight), Some(anonymous)) = (
            authenticator.upgrade(),
            in_flight.upgrade(),
            anonymous.upgrade(),
        ) else {
            return;
        };
        authenticator.forget_idle();
        in_flight.forget_idle();
        anonymous.forget_idle();
    }
}
