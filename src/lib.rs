//! Taskward: a multi-user todo API that keeps each user's tasks strictly apart.
//!
//! A request passes three rooms: [`app`] (what holds for every request), [`api`] (one operation),
//! [`store`] (one statement). Which module may use which:
//!
//! ```text
//! main     → config, server, app, import, store, auth   the process
//! config   → settings of auth, store, app       the only reader of the environment
//! server                                        connections; knows poem's requests, nothing of tasks
//! app      → api, mcp                           middleware, the shape of errors
//! api      → contract, auth, store              what is served over REST
//! mcp      → api (its gate), contract, store    what is served to language models
//! import   → contract, store                    tasks of another backend, for the operator
//! store    → contract, auth::UserId             the only module that names sea-orm; entities are private
//! auth                                          who is calling; no web framework, no database
//! contract                                      wire types, and how they are read
//! ```
//!
//! The right to act is the thing one acts with: only a verified token makes an [`auth::UserId`], only
//! that opens a [`store::Scope`], and only a scope reaches tasks.

pub mod api;
pub mod app;
pub mod auth;
pub mod config;
pub mod contract;
pub mod import;
pub mod mcp;
pub mod server;
pub mod store;
