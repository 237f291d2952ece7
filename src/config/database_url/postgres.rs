//! Servers of PostgreSQL.

use std::net::IpAddr;

use url::{Host, Url};

use super::DatabaseUrl;

/// The parameters of the driver, but for `sslmode`.
const PARAMETERS: [&str; 15] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "user",
];
const SSL_MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

const MALFORMED: &str = "cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with the special \
     characters of the password percent-encoded (`@` as %40, `#` as %23, `/` as %2F, `?` as %3F, `%` as %25)";

/// Reads what follows `postgres:`.
pub(super) fn read(rest: &str) -> Result<DatabaseUrl, String> {
    let mut url = Url::parse(&format!("postgres:{rest}")).map_err(|_| MALFORMED.to_owned())?;
    // A password with such a character ends the name of the host early: then a part of it would be taken for a
    // host, and shown.
    if !rest.starts_with("//") || url.fragment().is_some() || url.path().contains('@') {
        return Err(MALFORMED.to_owned());
    }
    let is_local = is_local(&url);
    let mut notes = Vec::new();
    let mut parameters = Vec::new();
    for (name, value) in url.query_pairs() {
        let value = value.into_owned();
        match &*name {
            // Neon puts it into its URLs. The driver does without.
            "channel_binding" => {}
            // `ssl` is asyncpg's name for it.
            "ssl" | "sslmode" | "ssl-mode" => {
                let mode = ssl_mode(&value, is_local)?;
                if mode != value && value == "require" {
                    notes.push(format!(
                        "has {name}=require, and is read as verify-full: Taskward also checks whose certificate the \
                         server shows. If an authority of your own signed it, add sslrootcert=FILE"
                    ));
                }
                parameters.push(("sslmode".to_owned(), mode));
            }
            name if PARAMETERS.contains(&name) || name.starts_with("options[") => {
                parameters.push((name.to_owned(), value));
            }
            name if is_word(name) => {
                notes.push(format!("has the parameter `{name}`, which is not used"));
            }
            _ => return Err(MALFORMED.to_owned()),
        }
    }
    url.set_query(None);
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    Ok(DatabaseUrl {
        url: url.into(),
        notes,
    })
}

/// `require` encrypts, but for whoever answers: to another machine it becomes `verify-full`.
fn ssl_mode(value: &str, is_local: bool) -> Result<String, String> {
    let mode = match value {
        "true" => "require",
        "false" => "disable",
        mode => mode,
    };
    if !SSL_MODES.contains(&mode) {
        let modes = SSL_MODES.join(", ");
        return Err(format!("has an `sslmode` that is none of {modes}"));
    }
    let verified = match mode {
        "require" if !is_local => "verify-full",
        mode => mode,
    };
    Ok(verified.to_owned())
}

/// Whether it can be the name of a parameter, and is no part of a password.
fn is_word(name: &str) -> bool {
    name.len() <= 40
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '_' || c == '-')
}

fn is_local(url: &Url) -> bool {
    // libpq takes the host from here, too.
    if url
        .query_pairs()
        .any(|(name, host)| name == "host" && !host.starts_with('/') && host != "localhost")
    {
        return false;
    }
    match url.host() {
        None => true,
        // The host of a URL that is not of the web is not parsed further than this.
        Some(Host::Domain(name)) => {
            name.is_empty()
                || name == "localhost"
                || name.starts_with("%2F")
                || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
    }
}
