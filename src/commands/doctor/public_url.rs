//! The way from clients to the server: `PUBLIC_URL`, and the proxy in between.

use taskward::{check::Check, config::Config};
use url::Url;

use super::{
    listener::Listening,
    seen::{self, Noted, Seen, Unseen},
};

const REACHES: &str = "public_url.reaches";
const TLS: &str = "public_url.tls";
const HOST: &str = "public_url.host";
const TOKEN: &str = "public_url.authorization";
const ADDRESS: &str = "public_url.client_address";

/// Among several processes behind a load balancer, this one should come at one of so many requests.
const TRIES: usize = 8;

pub(super) async fn examine(config: &Config, listening: &Listening) -> Vec<Check> {
    let Some(url) = &config.http.public_url else {
        return vec![Check::skipped(REACHES, "PUBLIC_URL is not set")];
    };
    let mut checks = vec![transport(url)];
    let base = url.as_str().trim_end_matches('/');
    let client = match seen::client(is_here(url)) {
        Ok(client) => client,
        Err(why) => {
            checks.push(Check::skipped(REACHES, why));
            return checks;
        }
    };
    let mut found = seen::seen(&client, base).await;
    if let Listening::Running { instance, .. } = listening {
        for _ in 1..TRIES {
            match &found {
                Ok(seen) if seen.instance != *instance => found = seen::seen(&client, base).await,
                _ => break,
            }
        }
    }
    match found {
        Ok(seen) => {
            checks.push(reaches(&seen, listening));
            checks.push(host(&seen, url));
            checks.push(authorization(&seen));
            checks.push(client_address(&seen, url, config.port));
        }
        Err(unseen) => checks.push(missed(unseen, url, listening)),
    }
    checks
}

/// Whether an address is on this machine.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn transport(url: &Url) -> Check {
    match url.scheme() {
        "https" => Check::ok(TLS, "encrypted"),
        _ if is_here(url) => Check::ok(TLS, "not encrypted; the address is on this machine"),
        _ => Check::warning(
            TLS,
            "tokens go over the network in clear: end TLS at the proxy, and set PUBLIC_URL to https",
        ),
    }
}

fn reaches(seen: &Seen, listening: &Listening) -> Check {
    match listening {
        Listening::Running { instance, .. } if *instance == seen.instance => {
            Check::ok(REACHES, "reaches this server")
        }
        Listening::Running { .. } => Check::warning(
            REACHES,
            "reaches Taskward, but not the process on this machine: right behind a load balancer; otherwise correct the \
             proxy's target, or PUBLIC_URL",
        ),
        Listening::No => Check::ok(REACHES, "reaches a Taskward that does not run here"),
    }
}

fn missed(unseen: Unseen, url: &Url, listening: &Listening) -> Check {
    let what = match unseen {
        Unseen::NoAnswer { why, .. } => format!(
            "nothing answers at {url} ({why}): check its name, its certificate and the proxy"
        ),
        Unseen::Other(what) => {
            let prefix = match url.path().trim_matches('/') {
                "" => String::new(),
                path => format!(", and that it takes /{path} off the path"),
            };
            format!(
                "what answers at {url} is not Taskward ({what}): check the proxy's target{prefix}"
            )
        }
    };
    match listening {
        Listening::Running { .. } => Check::problem(REACHES, what),
        Listening::No => {
            Check::skipped(REACHES, format!("the server does not run here, and {what}"))
        }
    }
}

fn host(seen: &Seen, url: &Url) -> Check {
    let host = url.host_str().unwrap_or_default();
    let expected = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    match &seen.host {
        Some(seen) if seen.eq_ignore_ascii_case(&expected) => Check::ok(HOST, "is passed on"),
        _ => Check::problem(
            HOST,
            "the proxy does not pass on the header Host, so /mcp refuses its clients: let it, with nginx `proxy_set_header \
             Host $http_host`",
        ),
    }
}

fn authorization(seen: &Seen) -> Check {
    match seen.authorization {
        true => Check::ok(TOKEN, "is passed on"),
        false => Check::problem(
            TOKEN,
            "the proxy does not pass on the header Authorization, so every request is 401: let it",
        ),
    }
}

/// Whether failed tokens are counted for the client that sent them.
fn client_address(seen: &Seen, url: &Url, port: u16) -> Check {
    if is_here(url) && url.port_or_known_default() == Some(port) {
        return Check::skipped(
            ADDRESS,
            "PUBLIC_URL is the address of this server; no proxy is in between",
        );
    }
    match (seen.noted, seen.peer_is_trusted) {
        (Noted::Address, true) => Check::ok(ADDRESS, "the proxy notes it, and is believed"),
        (Noted::Address, false) => Check::warning(
            ADDRESS,
            "the proxy notes it, but is none of TRUSTED_PROXIES, so all clients count as one: set TRUSTED_PROXIES to the \
             address of the proxy",
        ),
        (Noted::Claim, true) => Check::problem(
            ADDRESS,
            "the proxy passes on what a client writes into X-Forwarded-For, so each client can choose its address: let it \
             add the address, with nginx `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`",
        ),
        (Noted::Claim, false) => Check::ok(
            ADDRESS,
            "no trusted proxy is in between; the address of the connection counts",
        ),
        (Noted::Nothing, _) => Check::warning(
            ADDRESS,
            "the proxy does not note it (X-Forwarded-For), so all clients share one budget of failed tokens: let it, with \
             nginx `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskward::check::CheckStatus::{self, Ok, Problem, Warning};

    fn seen(host: Option<&str>) -> Seen {
        Seen {
            service: "taskward".to_owned(),
            instance: "i".to_owned(),
            host: host.map(str::to_owned),
            authorization: true,
            peer_is_trusted: true,
            noted: Noted::Address,
        }
    }

    /// HTTP leaves out the port of its scheme (RFC 9110, section 7.2).
    #[test]
    fn the_host_is_compared_with_that_of_the_url() {
        let found = |url: &str, passed_on: Option<&str>| {
            host(&seen(passed_on), &url.parse().unwrap()).status
        };
        let (plain, with_port) = (
            "https://tasks.example.com",
            "https://tasks.example.com:8443",
        );
        assert_eq!(found(plain, Some("tasks.example.com")), Ok);
        assert_eq!(found(plain, Some("Tasks.Example.COM")), Ok);
        assert_eq!(found(with_port, Some("tasks.example.com:8443")), Ok);
        assert_eq!(found(with_port, Some("tasks.example.com")), Problem);
        assert_eq!(found(plain, Some("127.0.0.1:8000")), Problem);
        assert_eq!(found(plain, None), Problem);
    }

    #[test]
    fn whose_word_on_the_address_counts_is_judged() {
        let url = "https://tasks.example.com".parse().unwrap();
        let found = |noted: Noted, peer_is_trusted: bool| -> CheckStatus {
            let seen = Seen {
                noted,
                peer_is_trusted,
                ..seen(None)
            };
            client_address(&seen, &url, 8000).status
        };
        for (noted, of_trusted, of_others) in [
            (Noted::Address, Ok, Warning),
            (Noted::Claim, Problem, Ok),
            (Noted::Nothing, Warning, Warning),
        ] {
            assert_eq!(
                [found(noted, true), found(noted, false)],
                [of_trusted, of_others],
                "{noted:?}"
            );
        }
    }
}
