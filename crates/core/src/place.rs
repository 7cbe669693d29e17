//! Where a connection comes from, as limits count it.

use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the 64 leading bits of an IPv6 address: whoever has one address of such a
/// network usually has all of them (RFC 6177 §2), so counting each alone would count nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(IpAddr);

impl Place {
    /// `None` for loopback: that is the machine itself, or a proxy on it that is not trusted to
    /// name its clients, so it tells nobody from anybody.
    pub fn of(address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        Some(Place(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        }))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: &str) -> Option<Place> {
        Place::of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_place_and_an_ipv4_address_another() {
        assert_eq!(place("2001:db8:1:2::1"), place("2001:db8:1:2:ffff::9"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_ne!(place("203.0.113.1"), place("203.0.113.2"));
        assert_eq!(place("::ffff:203.0.113.1"), place("203.0.113.1"));
        assert_ne!(place("203.0.113.1"), None);
    }

    #[test]
    fn loopback_is_nowhere() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(place(address), None, "{address}");
        }
    }
}
