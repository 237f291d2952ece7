//! Checks that a request names exactly one host (RFC 9112 §3.2).

use poem::{
    Request,
    http::{Version, header, uri::Authority},
};

use crate::contract::{Problem, ProblemCode};

/// Refuses a request without a host, with two, or with an invalid one: otherwise a proxy and this server could take
/// it for different hosts.
///
/// # Errors
/// 400.
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let detail = match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < Version::HTTP_11 => return Ok(()),
        (None, _) => "The request has no Host header; send one.",
        (Some(_), Some(_)) => "The request has more than one Host header; send one.",
        (Some(host), None) => {
            let host = host.as_bytes();
            let is_host = |authority: Authority| !authority.as_str().contains('@');
            // An empty one is allowed where there is no host to name (RFC 9110 §7.2).
            if host.is_empty() || Authority::try_from(host).is_ok_and(is_host) {
                return Ok(());
            }
            "The Host header must be a host name or address, with the port if it is not the default."
        }
    };
    Err(Problem::new(ProblemCode::InvalidHost, detail))
}
