//! The settings by name, as `--help` shows them.

/// Name, default, meaning.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("HOST", "127.0.0.1", "IP address to listen on"),
    ("PORT", "8000", "port to listen on; 0 takes a free one"),
    (
        "DATABASE_URL",
        "sqlite://taskward.db?mode=rwc",
        "or postgres://… (a pooled one is fine)",
    ),
    (
        "DATABASE_DIRECT_URL",
        "DATABASE_URL",
        "without a pooler, for migrations",
    ),
    (
        "DATABASE_MAX_CONNECTIONS",
        "by cores",
        "connections of this process",
    ),
    (
        "AUTO_MIGRATE",
        "on for SQLite",
        "apply pending migrations at the start",
    ),
    (
        "PUBLIC_URL",
        "",
        "address of this server; agents sign in for PUBLIC_URL/mcp, and call it by this host",
    ),
    (
        "BETTER_AUTH_URL",
        "",
        "trust this Better Auth app: its issuer, audience and keys",
    ),
    ("AUTH_ISSUER", "", "trusted issuers (iss), by comma"),
    (
        "AUTH_AUDIENCE",
        "",
        "audience (aud) of each issuer, by comma; several of one by space",
    ),
    ("AUTH_JWKS_URL", "", "key set of each issuer, by comma"),
    (
        "AUTH_HS256_SECRET",
        "",
        "shared secret of at least 32 bytes, for HS256 tokens",
    ),
    (
        "BETTER_AUTH_SECRET",
        "",
        "the same, by the name that front ends use",
    ),
    (
        "AUTH_JWKS_TTL_SECONDS",
        "300",
        "how long fetched keys count as fresh",
    ),
    (
        "AUTH_JWKS_COOLDOWN_SECONDS",
        "10",
        "least time between fetches for unknown keys",
    ),
    ("AUTH_LEEWAY_SECONDS", "30", "how far clocks may differ"),
    (
        "CORS_ALLOWED_ORIGINS",
        "",
        "exact origins, by comma (development: http://localhost:3000)",
    ),
    (
        "OWNER_PATHS_LIST",
        "array",
        "lists on /api/{user_id}/tasks: `array`, or `tasks` for {tasks, total}",
    ),
    ("RATE_LIMIT", "50/s", "requests of each user, or `off`"),
    (
        "MAX_TASKS_PER_USER",
        "10000",
        "tasks that one user can have",
    ),
    (
        "TOMBSTONE_RETENTION_DAYS",
        "30",
        "how long a deleted task can be restored",
    ),
    (
        "MCP_ALLOWED_HOSTS",
        "",
        "hosts by which /mcp may be called beside PUBLIC_URL's and localhost, by comma",
    ),
    (
        "MCP_CHAT_APP_TOOLS",
        "off",
        "also offer add_task, list_tasks, … with a user_id, as todo chat apps call them",
    ),
    ("DOCS_ENABLED", "on", "serve Swagger UI at /docs/"),
    (
        "SHUTDOWN_DELAY_SECONDS",
        "1",
        "requests are taken so long after SIGTERM, /readyz failing",
    ),
    ("LOG_FORMAT", "pretty on a terminal", "`pretty` or `json`"),
    (
        "RUST_LOG",
        "info,rmcp=error,rmcp::service=off",
        "what to log",
    ),
];

/// Whether it is the name of a setting.
pub(super) fn is_setting(name: &str) -> bool {
    SETTINGS.iter().any(|(known, _, _)| *known == name)
}

/// The settings as text for `--help`.
pub fn help() -> String {
    let mut text =
        String::from("Settings, from the environment (in development also from .env):\n");
    for (name, default, meaning) in SETTINGS {
        text.push_str(&format!("  {name:<27} {meaning}"));
        if !default.is_empty() {
            text.push_str(&format!(" [{default}]"));
        }
        text.push('\n');
    }
    text
}
