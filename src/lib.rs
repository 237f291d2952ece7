//! Taskward: a multi-user todo API that keeps each user's tasks strictly apart.
//!
//! A request passes these layers: `server` (connections), `app` (what holds for every request), `api` or `mcp`
//! (one operation), `access` (who is calling), `store` (one statement). Which module may use which (a test holds the
//! code to it):
//!
//! ```text
//! main     → api, app, auth, check, clock, config, import, server, store, telemetry, unicode   the process
//! config   → access, api, app, auth, mcp, store, telemetry, tls, unicode   their settings; the only reader of the environment
//! server   → peer_network                         connections; knows poem's requests, nothing of tasks
//! app      → access, api, auth, contract, in_flight, mcp, server, store, telemetry   routes, middleware, the shape of errors
//! api      → access, auth, contract, store, telemetry   what is served over REST
//! mcp      → access, contract, store, telemetry, unicode   what is served to language models
//! access   → auth, contract, in_flight, peer_network, store, telemetry   who is calling, what they may do, how often
//! import   → auth, contract, store, unicode       tasks of another backend, for the operator
//! store    → auth, check, clock, contract, telemetry, unicode   the only module that names sea-orm; entities are private
//! auth     → check, clock, telemetry, tls         verifies tokens; no web framework, no database
//! contract → in_flight, unicode                   wire types, and how they are read
//! check                                           what `taskward doctor` found
//! clock                                           what time it is; tests set it
//! in_flight → telemetry                           what each user has under way, and who waits
//! peer_network                                    which addresses are one client
//! telemetry → tls                                 what operators see: numbers and traces; knows nothing of tasks
//! tls                                             TLS for what this server asks of others
//! unicode                                         how texts are compared, searched and shown in messages
//! ```
//!
//! The right to act is the value you act with: only a verified token makes an [`auth::UserId`], only
//! that opens a [`store::Scope`], and only a scope reaches tasks.

pub mod access;
pub mod api;
pub mod app;
pub mod auth;
pub mod check;
pub mod clock;
pub mod config;
pub mod contract;
#[cfg(test)]
#[path = "../tests/fuzz/fuzz.rs"]
mod fuzz;
pub mod import;
pub mod in_flight;
pub mod mcp;
mod peer_network;
pub mod server;
pub mod store;
pub mod telemetry;
mod tls;
pub mod unicode;
