//! The operations of REST: one file per resource. The first parameter of an operation is the caller, so that a request
//! without a valid token is refused before anything else of it is read.
//!
//! - `tasks.rs`, `batch.rs`, `changes.rs`, `events.rs`, `export.rs`, `me.rs`, `health.rs`, `owner_paths/`: the operations.
//! - `further_page.rs`: answers that are read while they are taken.
//! - `parameters.rs`: parameters of the path and the query; `conditions.rs`: the headers `If-Match`, `If-None-Match`
//!   and `Idempotency-Key`.
//! - `spec.rs`: the OpenAPI document; `docs.rs`: Swagger UI; `home.rs`: what is at `/`; `fixed.rs`: answers that never
//!   change.
//! - `readiness.rs`: what `/readyz` checks; `protected_resource.rs`: where MCP clients get a token.

mod batch;
mod changes;
mod conditions;
pub mod docs;
mod events;
mod export;
mod fixed;
mod further_page;
mod health;
mod home;
mod me;
mod owner_paths;
mod parameters;
pub mod protected_resource;
mod readiness;
pub mod spec;
mod tasks;

use poem_openapi::{OpenApi, OpenApiService, Tags};

pub use fixed::AllowHeader;
pub use home::Home;
pub use owner_paths::ListShape;
pub use readiness::{Readiness, Stopping};

/// The groups of operations.
#[derive(Tags)]
enum OperationGroup {
    /// Your tasks.
    Tasks,
    /// What has changed since, to keep a copy in step.
    Changes,
    /// The paths that todo front ends written for FastAPI call, with the owner in them.
    #[oai(rename = "Owner paths")]
    OwnerPaths,
    /// Your account, as the server sees it.
    Account,
    /// For operators of the server.
    Health,
}

/// All operations. They get what they need (such as the [`Authenticator`](crate::access::Authenticator)) from each
/// request, so that the contract can be printed without a database.
fn operations() -> impl OpenApi {
    (
        tasks::Tasks,
        batch::Batches,
        changes::Changes,
        events::Events,
        owner_paths::OwnerPaths,
        me::Me,
        export::Exports,
        health::Health,
    )
}

/// The operations as a service.
pub fn service() -> OpenApiService<impl OpenApi, ()> {
    OpenApiService::new(operations(), "Taskward", env!("CARGO_PKG_VERSION"))
        .summary("A multi-user todo API")
        .description(include_str!("description.md"))
        .license(
            poem_openapi::LicenseObject::new("MIT OR Apache-2.0").identifier("MIT OR Apache-2.0"),
        )
}
