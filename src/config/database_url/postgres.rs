//! Servers of PostgreSQL.

use std::net::IpAddr;

use url::{Host, ParseError, Url};

use super::{DatabaseUrl, repeated};

/// The parameters of the driver, but for `sslmode` and `port`. Of several names for one, the shortest.
const PARAMETERS: [&str; 10] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
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

/// Encrypts, and checks whose certificate the server shows.
const VERIFIED: &str = "verify-full";

const PORT: &str = "has a port that is not a number from 1 to 65535";
const MALFORMED: &str = "cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with the special \
     characters of the password percent-encoded (`@` as %40, `#` as %23, `/` as %2F, `?` as %3F, `%` as %25)";

/// Reads what follows `postgres:`.
pub(super) fn read(rest: &str) -> Result<DatabaseUrl, String> {
    let mut url = Url::parse(&format!("postgres:{rest}")).map_err(|error| match error {
        ParseError::InvalidPort if has_number_as_port(rest) => PORT.to_owned(),
        _ => MALFORMED.to_owned(),
    })?;
    // A password with such a character ends the name of the host early: then a part of it would be taken for a
    // host, and shown.
    if !rest.starts_with("//") || url.fragment().is_some() || url.path().contains('@') {
        return Err(MALFORMED.to_owned());
    }
    if url.port() == Some(0) {
        return Err(PORT.to_owned());
    }
    let is_local = is_local(&url);
    let mut notes = Vec::new();
    let mut parameters: Vec<(String, String)> = Vec::new();
    for (written, value) in url.query_pairs() {
        let value = value.into_owned();
        let name = match &*written {
            // `ssl` is asyncpg's name for it.
            "ssl" | "ssl-mode" => "sslmode",
            "ssl-ca" | "ssl-root-cert" => "sslrootcert",
            "ssl-cert" => "sslcert",
            "ssl-key" => "sslkey",
            name => name,
        };
        // Of two hosts or modes, one would be ignored.
        let is_known = ["sslmode", "port"].contains(&name) || PARAMETERS.contains(&name);
        if is_known && parameters.iter().any(|(earlier, _)| earlier == name) {
            return Err(repeated(name));
        }
        match name {
            // Neon puts it into its URLs. The driver does without.
            "channel_binding" => {}
            "sslmode" => {
                let mode = ssl_mode(&value, is_local)?;
                if mode == VERIFIED && value != VERIFIED {
                    notes.push(format!(
                        "has {written}={value}, and is read as verify-full: Taskward also checks whose certificate the \
                         server shows. If an authority of your own signed it, add sslrootcert=FILE"
                    ));
                }
                parameters.push((name.to_owned(), mode));
            }
            "port" if !value.parse::<u16>().is_ok_and(|port| port > 0) => {
                return Err(PORT.to_owned());
            }
            "port" => parameters.push((name.to_owned(), value)),
            name if PARAMETERS.contains(&name) || name.starts_with("options[") => {
                parameters.push((name.to_owned(), value));
            }
            name if is_word(name) => {
                notes.push(format!("has the parameter `{name}`, which is not used"));
            }
            _ => return Err(MALFORMED.to_owned()),
        }
    }
    if !is_local && !parameters.iter().any(|(name, _)| name == "sslmode") {
        notes.push(
            "has no sslmode, and is read as sslmode=verify-full, as the host is another machine: for a server without TLS, in \
             a network that you trust, add sslmode=disable"
                .to_owned(),
        );
        parameters.push(("sslmode".to_owned(), VERIFIED.to_owned()));
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

/// Whether what stands at the place of the port is a number, and no part of a password with a character that should be
/// percent-encoded.
fn has_number_as_port(rest: &str) -> bool {
    let rest = rest.trim_start_matches('/');
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let port = authority.rsplit(':').next().unwrap_or_default();
    !after.contains('@') && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// `require` encrypts, but for whoever answers, and `prefer` and `allow` give the password in clear to a server that says it
/// has no TLS: to another machine they become `verify-full`.
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
        "require" | "prefer" | "allow" if !is_local => VERIFIED,
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

fn is_local_host(host: &str) -> bool {
    let is_loopback = || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    host.starts_with('/') || host == "localhost" || is_loopback()
}

fn is_local(url: &Url) -> bool {
    // libpq takes the host from here, too.
    if url
        .query_pairs()
        .any(|(name, host)| (name == "host" || name == "hostaddr") && !is_local_host(&host))
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
