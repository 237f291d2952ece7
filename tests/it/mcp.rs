//! `/mcp`: what agents can and cannot do.

mod add_tasks;
mod chat_app;
mod conversation;
mod dates;
mod find_tasks;
mod hostile;
mod http;
mod isolation;
mod lenient;
mod limits;
mod tools;
mod update_tasks;

use chrono::{DateTime, Utc};

use crate::support::{Backend, TestApp};

/// Noon of a Monday, in UTC.
fn monday() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A server where it is always that Monday.
async fn on_monday(on: Backend) -> TestApp {
    on.app_with(|settings| settings.mcp.now = monday).await
}
