//! From which address a request comes.

use std::net::IpAddr;

use ipnet::IpNet;
use poem::{Addr, Request, http::HeaderName};

use crate::peer_network::peer_network;

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word on the address of a client counts.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

/// The last step of a request on its way to this server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NearestHop {
    /// Whether the other end of the connection is a trusted proxy.
    pub(crate) peer_is_trusted: bool,
    /// The last address in `X-Forwarded-For` or `Forwarded`.
    pub(crate) noted: Option<IpAddr>,
}

impl TrustedProxies {
    /// The address that a request comes from: the last one that no trusted proxy has. What stands before it in
    /// `X-Forwarded-For`, or in `Forwarded` (RFC 7239) where that is missing, is the client's own claim, and ignored.
    ///
    /// Of an IPv6 address its [network](peer_network) counts.
    pub(crate) fn client(&self, request: &Request) -> Option<IpAddr> {
        let Addr::SocketAddr(peer) = request.remote_addr().0 else {
            return None;
        };
        let mut client = peer.ip().to_canonical();
        // Nearly always where there is no proxy, and then nothing needs to be read.
        if !self.trusts(client) {
            return Some(peer_network(client));
        }
        let mut hops = hops(request);
        while self.trusts(client) {
            match hops.next() {
                Some(Some(hop)) => client = hop,
                // Nothing more is said, or nothing that can be read.
                _ => break,
            }
        }
        Some(peer_network(client))
    }

    /// What the connection and the proxy nearest to this server say of where a request comes from.
    pub(crate) fn nearest_hop(&self, request: &Request) -> NearestHop {
        let Addr::SocketAddr(peer) = request.remote_addr().0 else {
            return NearestHop::default();
        };
        NearestHop {
            peer_is_trusted: self.trusts(peer.ip().to_canonical()),
            noted: hops(request).next().flatten(),
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|proxies| proxies.contains(&address))
    }
}

/// The addresses that the proxies have noted, the nearest one first; `None` for what is no address. Each is read only when it
/// is asked for: what a client has put before them may be long.
fn hops(request: &Request) -> impl Iterator<Item = Option<IpAddr>> {
    let headers = request.headers();
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match headers.contains_key(X_FORWARDED_FOR)
    {
        true => (X_FORWARDED_FOR, address),
        false => (FORWARDED, forwarded_for),
    };
    let values = headers.get_all(name).into_iter().rev();
    let entries = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    // A client's own bytes, which may be no text, must not hide what a proxy has added to them.
    entries.map(move |entry| read(&String::from_utf8_lossy(entry)))
}

/// The `for` of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(node.trim().trim_matches('"'))
}

/// An address, with a port or without; one of IPv6 with a port is in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use poem::{
        Body, RequestParts,
        http::uri::Scheme,
        web::{LocalAddr, RemoteAddr},
    };

    use super::*;

    /// Whom the server takes for the client.
    fn client(peer: &str, proxies: &[&str], headers: &[(&str, &str)]) -> String {
        let mut request = poem::http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let peer: IpAddr = peer.parse().unwrap();
        let remote = RemoteAddr(Addr::SocketAddr((peer, 1).into()));
        let parts = RequestParts::from((parts, LocalAddr::default(), remote, Scheme::HTTP));
        let request = Request::from_parts(parts, Body::empty());
        let proxies = proxies.iter().map(|net| net.parse().unwrap()).collect();
        TrustedProxies(proxies)
            .client(&request)
            .unwrap()
            .to_string()
    }

    const XFF: &str = "X-Forwarded-For";

    #[test]
    fn a_client_cannot_choose_its_address() {
        assert_eq!(client("9.9.9.9", &[], &[(XFF, "1.1.1.1")]), "9.9.9.9");
        let proxies = ["10.0.0.0/8"];
        assert_eq!(client("9.9.9.9", &proxies, &[(XFF, "1.1.1.1")]), "9.9.9.9");
        let forged = [(XFF, "1.1.1.1, 9.9.9.9")];
        assert_eq!(client("10.0.0.1", &proxies, &forged), "9.9.9.9");
    }

    #[test]
    fn the_address_that_trusted_proxies_note_counts() {
        let proxies = ["10.0.0.0/8", "127.0.0.1/32", "::1/128"];
        for headers in [
            [(XFF, "9.9.9.9")],
            [(XFF, "9.9.9.9, 10.1.2.3")],
            [(XFF, "9.9.9.9:4711")],
            [("Forwarded", "for=9.9.9.9;proto=https, for=10.1.2.3")],
            [("Forwarded", "proto=https;For=\"9.9.9.9:80\"")],
            [(XFF, "unknown, 9.9.9.9")],
            [(XFF, "\u{feff}\u{ff}, 9.9.9.9")],
            [("Forwarded", "for=\u{ff}, for=9.9.9.9")],
        ] {
            assert_eq!(
                client("127.0.0.1", &proxies, &headers),
                "9.9.9.9",
                "{headers:?}"
            );
        }
        assert_eq!(
            client("::ffff:10.0.0.1", &proxies, &[(XFF, "9.9.9.9")]),
            "9.9.9.9"
        );
    }

    #[test]
    fn fuzz_what_proxies_note() {
        let good = [
            "9.9.9.9, 10.1.2.3",
            "[2001:db8::1]:4711, ::ffff:10.0.0.1",
            "for=9.9.9.9;proto=https, For=\"[2001:db8::1]:80\"",
            "for=unknown;by=_hidden, for=10.0.0.7",
        ];
        let proxies = ["10.0.0.0/8", "127.0.0.0/8", "::1/128"];
        crate::fuzz::fuzz("forwarded", &good, |value| {
            let Ok(text) = std::str::from_utf8(value) else {
                return;
            };
            if poem::http::HeaderValue::from_str(text).is_err() {
                return;
            }
            for name in [XFF, "Forwarded"] {
                assert_eq!(
                    client("9.9.9.9", &proxies, &[(name, text)]),
                    "9.9.9.9",
                    "nobody's word counts"
                );
                // A trusted proxy adds one address: that counts, whatever stands before it.
                let added = match name {
                    XFF => format!("{text}, 8.8.8.8"),
                    _ => format!("{text}, for=8.8.8.8"),
                };
                assert_eq!(
                    client("10.0.0.1", &proxies, &[(name, &added)]),
                    "8.8.8.8",
                    "{added}"
                );
                let found = client("10.0.0.1", &proxies, &[(name, text)]);
                assert!(found.parse::<IpAddr>().is_ok(), "{found}");
            }
        });
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        let proxies = ["10.0.0.0/8"];
        for text in ["unknown", "", "_hidden", "9.9.9.9, x"] {
            assert_eq!(
                client("10.0.0.1", &proxies, &[(XFF, text)]),
                "10.0.0.1",
                "{text}"
            );
        }
        assert_eq!(client("10.0.0.1", &proxies, &[]), "10.0.0.1");
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let one = client("2001:db8:1:2:3::4", &[], &[]);
        assert_eq!(one, client("2001:db8:1:2:ffff::1", &[], &[]));
        assert_ne!(one, client("2001:db8:1:3::1", &[], &[]));
    }
}
