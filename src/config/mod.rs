//! The settings, and the only reader of the environment.
//!
//! Each file declares the settings of one concern and makes of them what the layer of that concern takes;
//! [`setting`] says what a declaration is. All faults are reported at once, by name, and no secret is ever
//! printed.

mod auth;
mod database;
mod database_url;
mod development;
mod env_file;
mod http;
mod log;
mod mcp;
mod origin;
mod server;
mod setting;
mod source;
mod spelling;
mod telemetry;
#[cfg(test)]
mod tests;
mod unreadable;
mod value;

use std::{net::IpAddr, path::PathBuf, time::Duration};

pub use log::LogFormat;
pub use setting::help;
pub use source::Source;

use crate::{
    app::HttpSettings, auth::AuthSettings, store::DatabaseSettings, telemetry::TelemetrySettings,
};

/// All settings, in the order of the documentation.
const GROUPS: &[setting::Group] = &[
    server::GROUP,
    database::GROUP,
    auth::GROUP,
    http::GROUP,
    mcp::GROUP,
    log::GROUP,
    telemetry::GROUP,
    development::GROUP,
];

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub host: IpAddr,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// The database for requests.
    pub database: DatabaseSettings,
    /// The database for migrations: the same, without a pooler in between.
    pub direct: DatabaseSettings,
    /// Whether `serve` applies pending migrations first.
    pub auto_migrate: bool,
    /// Whom to trust. No issuer means development mode.
    pub auth: AuthSettings,
    /// The file with the key of development mode.
    pub development_key: PathBuf,
    /// What concerns HTTP.
    pub http: HttpSettings,
    /// Open connections of one address.
    pub max_connections_per_address: usize,
    /// How long requests are accepted after SIGTERM while `/readyz` fails.
    pub shutdown_delay: Duration,
    /// How to write the log.
    pub log_format: LogFormat,
    /// What to write to the log (`RUST_LOG`).
    pub log_filter: String,
    /// Who sees the numbers and the traces.
    pub telemetry: TelemetrySettings,
    /// How some settings were read, for the log.
    pub notes: Vec<String>,
    /// Things that are allowed but probably not meant.
    pub warnings: Vec<String>,
}

/// All that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[error("the settings have faults:\n  - {}", .0.join("\n  - "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// All faults of all settings.
    pub fn read(mut source: Source) -> Result<Self, ConfigError> {
        let public_url = source.get(&server::PUBLIC_URL);
        let auth = auth::read(&mut source, public_url.as_ref());
        let is_development = auth.issuers.is_empty() && !source.has_faults();
        source.check_spelling(is_development);
        let database = database::read(&mut source);
        let host = server::host(&mut source, is_development);
        auth::check_file(&mut source, host, public_url.as_ref());
        let config = Self {
            host,
            port: source.get(&server::PORT),
            database: database.pooled,
            direct: database.direct,
            auto_migrate: database.auto_migrate,
            http: http::read(&mut source, is_development, public_url, &auth),
            auth,
            development_key: development::key_file(&mut source, is_development),
            max_connections_per_address: source.get(&server::MAX_CONNECTIONS_PER_ADDRESS),
            shutdown_delay: source.get(&server::SHUTDOWN_DELAY_SECONDS),
            log_format: log::format(&mut source),
            log_filter: source.get(&log::RUST_LOG),
            telemetry: telemetry::read(&mut source),
            notes: Vec::new(),
            warnings: Vec::new(),
        };
        let (notes, mut warnings) = source.finish()?;
        warnings.extend(server_without_a_name(&config));
        Ok(Self {
            notes,
            warnings,
            ..config
        })
    }

    /// Whether the server makes its own key, because no issuer is set.
    pub fn is_development(&self) -> bool {
        self.auth.issuers.is_empty()
    }
}

/// Warns where clients of other machines can connect, but have no host by which they may call `/mcp`.
fn server_without_a_name(config: &Config) -> Option<String> {
    let HttpSettings {
        public_url, mcp, ..
    } = &config.http;
    let has_no_name = public_url.is_none() && mcp.allowed_hosts.is_empty();
    (has_no_name && !config.host.is_loopback()).then(|| {
        "/mcp is served only to clients that call this server localhost: set PUBLIC_URL or MCP_ALLOWED_HOSTS to \
         the host by which they reach it"
            .to_owned()
    })
}
