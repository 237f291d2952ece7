//! Which addresses count as one client.

use std::net::IpAddr;

use ipnet::Ipv6Net;

/// An IPv4 address, also one that is written as IPv6, stands for itself. Of an IPv6 address the first 64 bits count: one
/// client has all addresses of such a network (RFC 4291, section 2.5.4; RFC 6177).
pub(crate) fn peer_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Net::new(ip, 64).map_or(address, |net| IpAddr::V6(net.network())),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::peer_network;

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        for (one, other, same) in [
            ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::1", true),
            ("2001:db8:1:2:3::4", "2001:db8:1:3::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
        ] {
            let network = |text: &str| peer_network(text.parse().unwrap());
            assert_eq!(network(one) == network(other), same, "{one} {other}");
        }
    }
}
