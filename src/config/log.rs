//! The log.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

use super::{
    Source,
    setting::settings,
    value::{either, must_be, optional},
};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

settings! { "Log";
    /// `pretty` or `json` (one object per line), on standard error
    LOG_FORMAT: Option<LogFormat> = "" ("pretty on a terminal, else json"),
        |text| optional(text, |text| either(text, ("pretty", LogFormat::Pretty), ("json", LogFormat::Json)));

    /// what to log, by level and module (a filter of tracing-subscriber)
    // rmcp logs each message three times, and each fault of a client; its service logs each client that hangs up.
    // `serve` logs once what sea_orm_migration logs. A notice of PostgreSQL only says that a table exists already.
    RUST_LOG: String = "info,rmcp=error,rmcp::service=off,sea_orm_migration=warn,sqlx::postgres::notice=warn", filter;
}

fn filter(text: &str) -> Result<String, String> {
    match text.parse::<EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(must_be(text, "a filter like `info` or `taskward=debug`")),
    }
}

pub(super) fn format(source: &mut Source) -> LogFormat {
    source
        .get(&LOG_FORMAT)
        .unwrap_or_else(|| match stderr().is_terminal() {
            true => LogFormat::Pretty,
            false => LogFormat::Json,
        })
}
