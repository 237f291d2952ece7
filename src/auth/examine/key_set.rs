//! The key set of an issuer: whether it can be fetched, and what is in it.

use std::time::{Duration, Instant};

use chrono::Utc;
use url::Url;

use super::super::{
    fetch::{Fetched, Fetcher},
    jwk,
    key::Key,
    settings::without_secrets,
};
use crate::{
    check::{Check, clock_difference, in_time},
    tls::is_loopback,
};

const KEYS: &str = "issuers.keys";
const SPEED: &str = "issuers.speed";
const TLS: &str = "issuers.tls";
const CLOCK: &str = "issuers.clock";

/// A fetch that takes longer makes the first request of a new key wait.
const SLOW: Duration = Duration::from_secs(2);
/// Seconds by which the clocks may differ without a word, beside the second to which the issuer tells its time.
const CLOCKS: f64 = 2.0;

/// All checks of one key set, which is fetched once.
pub(super) async fn key_set(url: &Url, leeway: Duration) -> Vec<Check> {
    let of = without_secrets(url).to_string();
    let mut checks = vec![transport(url)];
    let began = Instant::now();
    let fetched = match Fetcher::new(url.clone()) {
        Ok(fetcher) => in_time(KEYS, fetcher.fetch()).await,
        Err(error) => Ok(Err(error)),
    };
    match fetched {
        Ok(Ok(fetched)) => {
            let took = began.elapsed();
            checks.extend([keys(&fetched.body), speed(took), clock(&fetched, took, leeway)]);
        }
        Ok(Err(error)) => checks.push(Check::problem(
            KEYS,
            format!(
                "the key set cannot be fetched ({error:#}), so no token of its issuer is accepted: correct the URL, or start \
                 the issuer; from this machine it must be reachable"
            ),
        )),
        Err(hung) => checks.push(hung),
    }
    checks
        .into_iter()
        .map(|check| check.of(of.as_str()))
        .collect()
}

fn transport(url: &Url) -> Check {
    match url.scheme() {
        "https" => Check::ok(TLS, "encrypted, and the certificate is checked"),
        _ if is_loopback(url) => Check::ok(TLS, "not encrypted; the issuer is on this machine"),
        _ => Check::warning(
            TLS,
            "the keys are fetched without TLS, so whoever is between can replace them and sign tokens: use https, unless \
             this is a private network",
        ),
    }
}

/// Which keys tokens can be signed with, and what is wrong with the others.
fn keys(body: &[u8]) -> Check {
    let judged = match jwk::judge_set(body) {
        Ok(judged) => judged,
        Err(error) => {
            return Check::problem(KEYS, format!("{error:#}: correct the URL of the key set"));
        }
    };
    let (good, left_out): (Vec<_>, Vec<_>) = judged.into_iter().partition(Result::is_ok);
    let good: Vec<String> = good.into_iter().flatten().map(|key| shown(&key)).collect();
    let left_out: Vec<String> = left_out
        .into_iter()
        .filter_map(Result::err)
        .map(|why| format!("{why:#}"))
        .collect();
    let reasons = left_out.join("; ");
    let publishes_secret = left_out.iter().any(|why| why.contains(jwk::PRIVATE));
    match (good.is_empty(), left_out.is_empty()) {
        (true, true) => Check::problem(KEYS, "the key set is empty: let the issuer make a key"),
        (true, false) => Check::problem(
            KEYS,
            format!(
                "no key can be used ({reasons}): let the issuer sign with EdDSA, ES256, RS256 or PS256"
            ),
        ),
        (false, true) => Check::ok(KEYS, good.join(", ")),
        (false, false) if publishes_secret => Check::warning(
            KEYS,
            format!(
                "{}; but {reasons}: replace that key at the issuer at once",
                good.join(", ")
            ),
        ),
        (false, false) => Check::ok(KEYS, format!("{}; left out: {reasons}", good.join(", "))),
    }
}

fn shown(key: &Key) -> String {
    let algs: Vec<&str> = key.algs.iter().map(|alg| alg.name()).collect();
    let algs = algs.join(" or ");
    match &key.kid {
        Some(kid) => {
            let kid: String = kid.chars().take(60).collect();
            format!("{algs} {kid:?}")
        }
        None => algs,
    }
}

fn speed(took: Duration) -> Check {
    let millis = took.as_millis();
    match took < SLOW {
        true => Check::ok(SPEED, format!("{millis} ms for the key set")),
        false => Check::warning(
            SPEED,
            format!(
                "the key set takes {millis} ms, for which requests with a new key wait: look at the issuer"
            ),
        ),
    }
}

/// A token is good from its `nbf` to its `exp`, by the clock of the issuer.
fn clock(fetched: &Fetched, took: Duration, leeway: Duration) -> Check {
    let Some(date) = fetched.date else {
        return Check::skipped(CLOCK, "the issuer does not tell its time (no header Date)");
    };
    // The header has whole seconds, and is half a second behind on average.
    let middle = took.as_secs_f64() / 2.0;
    let ahead = (date - Utc::now()).as_seconds_f64() + 0.5 + middle;
    let leeway_seconds = leeway.as_secs();
    match clock_difference(ahead, CLOCKS + middle) {
        None => Check::ok(CLOCK, "agrees with that of this machine"),
        Some(ahead) if ahead.abs() >= leeway.as_secs_f64() => Check::problem(
            CLOCK,
            format!(
                "differs from that of this machine by {:.0} s, more than AUTH_LEEWAY_SECONDS ({leeway_seconds}), so tokens \
                 are refused: synchronise both (NTP)",
                ahead.abs()
            ),
        ),
        Some(ahead) => Check::warning(
            CLOCK,
            format!(
                "differs from that of this machine by {:.0} s: synchronise both (NTP)",
                ahead.abs()
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::CheckStatus::{Ok, Problem, Skipped, Warning};

    #[test]
    fn a_key_set_is_judged_by_its_usable_keys() {
        let good = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let mut private = good.clone();
        private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        let x25519 = json!({ "kty": "OKP", "crv": "X25519", "x": "AA" });
        for (keys_of, expected, words) in [
            (json!([good]), Ok, "EdDSA \"a\""),
            (json!([good, x25519]), Ok, "left out: its curve"),
            (json!([good, private]), Warning, "publishes its private key"),
            (json!([x25519]), Problem, "no key can be used (its curve"),
            (json!([]), Problem, "is empty"),
        ] {
            let body = json!({ "keys": keys_of }).to_string();
            let check = keys(body.as_bytes());
            assert_eq!(check.status, expected, "{body}: {check:?}");
            assert!(check.detail.contains(words), "{check:?}");
        }
        assert_eq!(keys(b"<html>").status, Problem);
    }

    #[test]
    fn keys_without_tls_and_slow_keys_are_told() {
        for (url, expected) in [
            ("https://issuer.example/jwks", Ok),
            ("http://127.0.0.1:3000/jwks", Ok),
            ("http://issuer.example/jwks", Warning),
        ] {
            assert_eq!(transport(&url.parse().unwrap()).status, expected, "{url}");
        }
        let found = [1_999, 2_000].map(|millis| speed(Duration::from_millis(millis)).status);
        assert_eq!(found, [Ok, Warning]);
    }

    #[test]
    fn clocks_that_differ_are_told() {
        let at = |seconds: i64| {
            let date = Utc::now() + chrono::TimeDelta::seconds(seconds);
            let fetched = Fetched {
                body: Vec::new(),
                date: Some(date),
            };
            clock(&fetched, Duration::from_millis(10), Duration::from_secs(30)).status
        };
        assert_eq!(
            [0, -1, 1, -10, 10, -40, 40].map(at),
            [Ok, Ok, Ok, Warning, Warning, Problem, Problem]
        );
        let untold = Fetched {
            body: Vec::new(),
            date: None,
        };
        assert_eq!(
            clock(&untold, Duration::ZERO, Duration::ZERO).status,
            Skipped
        );
    }
}
