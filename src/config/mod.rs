//! The settings, and the only reader of the environment.
//!
//! All faults are reported at once, by name, and no secret is ever printed.

mod auth;
mod database;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use poem::http::{HeaderValue, uri::Authority};
use tracing_subscriber::EnvFilter;
use url::Url;

pub use source::Source;
pub use table::help;

use crate::{
    access::RateLimit,
    api::ListShape,
    app::HttpSettings,
    auth::{AuthSettings, Resource},
    mcp::McpSettings,
    store::DatabaseSettings,
};

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
    /// What concerns HTTP.
    pub http: HttpSettings,
    /// How long after SIGTERM requests are still taken, while `/readyz` fails already.
    pub shutdown_delay: Duration,
    /// How to write the log.
    pub log_format: LogFormat,
    /// What to write to the log (`RUST_LOG`).
    pub log_filter: String,
    /// Things that are allowed but probably not meant.
    pub warnings: Vec<String>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// All that is wrong with the settings.
#[derive(Debug)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings have faults:")?;
        self.0
            .iter()
            .try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for ConfigError {}

/// Where development mode keeps its key.
pub fn development_key() -> PathBuf {
    PathBuf::from("taskward-development-key.pem")
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// All faults of all settings.
    pub fn read(mut source: Source) -> Result<Self, ConfigError> {
        let public_url = source.parse(
            "PUBLIC_URL",
            "an http or https URL without query or fragment and without /mcp, like https://tasks.example.com",
            auth::base_url,
        );
        let auth = auth::read(&mut source, public_url.as_ref());
        let development = auth.issuers.is_empty() && !source.has_faults();
        let host = source
            .parse("HOST", "an IP address", |text| text.parse().ok())
            .unwrap_or(IpAddr::from([127, 0, 0, 1]));
        if development && !host.is_loopback() {
            source.fault(
                "HOST",
                format!(
                    "is {host}, but no issuer is set: development mode, whose key is no secret, listens \
                     on loopback only. Set BETTER_AUTH_URL, AUTH_ISSUER or AUTH_HS256_SECRET"
                ),
            );
        }
        let (database, direct) = database::read(&mut source);
        let auto_migrate = source
            .flag("AUTO_MIGRATE")
            .unwrap_or_else(|| database.url.starts_with("sqlite:"));
        let config = Self {
            host,
            port: source
                .parse("PORT", "a number from 0 to 65535", |t| t.parse().ok())
                .unwrap_or(8000),
            auto_migrate,
            http: HttpSettings {
                resource: public_url
                    .as_ref()
                    .and_then(|url| Resource::new(url, &auth.issuers)),
                ..http(&mut source, development, public_url)
            },
            shutdown_delay: source
                .parse(
                    "SHUTDOWN_DELAY_SECONDS",
                    "a whole number of seconds",
                    seconds,
                )
                .unwrap_or(Duration::from_secs(1)),
            log_format: log_format(&mut source),
            log_filter: source
                .parse(
                    "RUST_LOG",
                    "a filter like `info` or `taskward=debug`",
                    |text| text.parse::<EnvFilter>().ok().map(|_| text.to_owned()),
                )
                // rmcp tells of each message three times, and of each fault of a client; its service of each
                // client that hung up.
                .unwrap_or_else(|| "info,rmcp=error,rmcp::service=off".to_owned()),
            database,
            direct,
            auth,
            warnings: Vec::new(),
        };
        let mut warnings = source.finish()?;
        warnings.extend(auth::warning(&config.auth));
        warnings.extend(unnamed(&config));
        Ok(Self { warnings, ..config })
    }

    /// Whether the server makes its own key, because no issuer is set.
    pub fn is_development(&self) -> bool {
        self.auth.issuers.is_empty()
    }
}

/// What those should know whose server can be reached from elsewhere, by no name that it knows.
fn unnamed(config: &Config) -> Option<String> {
    let HttpSettings {
        public_url, mcp, ..
    } = &config.http;
    let is_unnamed = public_url.is_none() && mcp.allowed_hosts.is_empty();
    (is_unnamed && !config.host.is_loopback()).then(|| {
        "/mcp is served to clients that call this server localhost only: set PUBLIC_URL, or MCP_ALLOWED_HOSTS, to \
         the host by which they reach it"
            .to_owned()
    })
}

fn http(source: &mut Source, development: bool, public_url: Option<Url>) -> HttpSettings {
    let default_origins = if development {
        "http://localhost:3000"
    } else {
        ""
    };
    let origins = source
        .take("CORS_ALLOWED_ORIGINS")
        .unwrap_or_else(|| default_origins.to_owned());
    let mut allowed_origins = Vec::new();
    for origin in origins.split(',').map(str::trim).filter(|o| !o.is_empty()) {
        match exact_origin(origin) {
            Ok(value) => allowed_origins.push(value),
            Err(fault) => source.fault("CORS_ALLOWED_ORIGINS", format!("has `{origin}`, {fault}")),
        }
    }
    HttpSettings {
        allowed_origins,
        docs: source.flag("DOCS_ENABLED").unwrap_or(true),
        owner_list: source
            .parse(
                "OWNER_PATHS_LIST",
                "`array` or `tasks`",
                |text| match text {
                    "array" => Some(ListShape::Array),
                    "tasks" => Some(ListShape::Tasks),
                    _ => None,
                },
            )
            .unwrap_or(ListShape::Array),
        rate_limit: source
            .parse(
                "RATE_LIMIT",
                "`off`, or requests per second like `50/s`",
                rate_limit,
            )
            .unwrap_or_else(|| rate_limit("50/s").flatten()),
        public_url,
        mcp: McpSettings {
            allowed_hosts: hosts(source),
            chat_app_tools: source.flag("MCP_CHAT_APP_TOOLS").unwrap_or(false),
            ..McpSettings::default()
        },
        resource: None,
    }
}

/// Hosts as they stand in the header `Host`: a name or address, and a port if it matters.
fn hosts(source: &mut Source) -> Vec<String> {
    let name = "MCP_ALLOWED_HOSTS";
    let text = source.take(name).unwrap_or_default();
    let mut hosts = Vec::new();
    for host in text
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
    {
        match host.parse::<Authority>() {
            Ok(_) if !host.contains('@') => hosts.push(host.to_owned()),
            _ => source.fault(
                name,
                format!("has `{host}`, which is no host like `taskward:8000`"),
            ),
        }
    }
    hosts
}

/// An origin as browsers send it (RFC 6454 §6.2): compared byte by byte, so it must be exact.
fn exact_origin(text: &str) -> Result<HeaderValue, String> {
    let url = auth::web_url(text).ok_or("which is no http or https origin")?;
    let origin = url.origin().ascii_serialization();
    if origin != text {
        return Err(format!("which must be written `{origin}`"));
    }
    HeaderValue::from_str(&origin).map_err(|_| "which is no origin".to_owned())
}

/// `off`, or a rate; a pause saves up to two seconds' worth.
fn rate_limit(text: &str) -> Option<Option<RateLimit>> {
    if text == "off" {
        return Some(None);
    }
    let per_second: NonZeroU32 = text.strip_suffix("/s")?.parse().ok()?;
    let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1));
    Some(Some(RateLimit { per_second, burst }))
}

fn log_format(source: &mut Source) -> LogFormat {
    let read = |text: &str| match text {
        "pretty" => Some(LogFormat::Pretty),
        "json" => Some(LogFormat::Json),
        _ => None,
    };
    source
        .parse("LOG_FORMAT", "`pretty` or `json`", read)
        .unwrap_or_else(|| {
            if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
                LogFormat::Pretty
            } else {
                LogFormat::Json
            }
        })
}

/// A whole number of seconds.
fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_secs)
}
