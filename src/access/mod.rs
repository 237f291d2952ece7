//! Access: who may do what. REST (`api`) and MCP (`mcp`) share this layer and nothing else.
//!
//! [`Authenticator`] verifies the token of a request and counts the request against the rate limit of its
//! user. [`Caller`] is the only way from a request to a [`Scope`](crate::store::Scope): an operation that
//! does not ask for one has no tasks to touch. [`store_problem`] says what an error of the store means to a
//! client, and [`AllowedOrigin`] whose pages may call this server.

mod anonymous;
mod authenticated;
mod authenticator;
mod bill;
mod bucket;
mod caller;
mod challenge;
mod failures;
mod origin;
mod peer;
mod price;
mod quota;
mod rate_limit;
mod store_problem;

pub(crate) use crate::in_flight::StreamPlace;
pub(crate) use anonymous::Anonymous;
pub(crate) use authenticated::{Authenticated, NoTurn};
pub use authenticator::{AccessLimits, Authenticator};
pub(crate) use caller::{Access, Caller};
pub use origin::AllowedOrigin;
pub use peer::TrustedProxies;
pub(crate) use price::Price;
pub use rate_limit::RateLimit;
pub(crate) use store_problem::problem;
