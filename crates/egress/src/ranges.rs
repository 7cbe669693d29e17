//! Addresses that no public server has.
//!
//! The tables follow the IANA special-purpose address registries (RFC 6890) and the RFC that each
//! row names. IPv4 has a list of what is refused. IPv6 has a list of what is allowed, because only
//! an eighth of it is in use.

use crate::allow::within;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

type Row<A> = (A, u8, &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const REFUSED_V4: &[Row<Ipv4Addr>] = &[
    (v4(0, 0, 0, 0), 8, "this network, RFC 791"),
    (v4(10, 0, 0, 0), 8, "private, RFC 1918"),
    (v4(100, 64, 0, 0), 10, "shared by carriers, RFC 6598"),
    (v4(127, 0, 0, 0), 8, "loopback, RFC 1122"),
    // Cloud metadata is here: 169.254.169.254, and 169.254.170.2 of containers.
    (v4(169, 254, 0, 0), 16, "link-local, RFC 3927"),
    (v4(172, 16, 0, 0), 12, "private, RFC 1918"),
    (v4(192, 0, 0, 0), 24, "protocol assignments, RFC 6890"),
    (v4(192, 0, 2, 0), 24, "documentation, RFC 5737"),
    (v4(192, 88, 99, 0), 24, "6to4 relays, RFC 7526"),
    (v4(192, 168, 0, 0), 16, "private, RFC 1918"),
    (v4(198, 18, 0, 0), 15, "benchmarking, RFC 2544"),
    (v4(198, 51, 100, 0), 24, "documentation, RFC 5737"),
    (v4(203, 0, 113, 0), 24, "documentation, RFC 5737"),
    (v4(224, 0, 0, 0), 4, "multicast, RFC 5771"),
    // With 255.255.255.255, the limited broadcast of RFC 919.
    (v4(240, 0, 0, 0), 4, "reserved, RFC 1112"),
    // A public number that answers only from inside Azure, with the machine's own settings.
    (v4(168, 63, 129, 16), 32, "Azure's platform address"),
];

const fn v6(a: u16, b: u16, c: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)
}

const GLOBAL_UNICAST: Row<Ipv6Addr> = (v6(0x2000, 0, 0), 3, "global unicast, RFC 4291");

/// Inside global unicast.
const REFUSED_V6: &[Row<Ipv6Addr>] = &[
    // Teredo 2001::/32 (RFC 4380), benchmarking 2001:2::/48 (RFC 5180) and ORCHID 2001:10::/28
    // and 2001:20::/28 (RFC 4843, RFC 7343) are parts of it; no web server is.
    (v6(0x2001, 0, 0), 23, "protocol assignments, RFC 2928"),
    (v6(0x2001, 0xdb8, 0), 32, "documentation, RFC 3849"),
    (v6(0x3fff, 0, 0), 20, "documentation, RFC 9637"),
];

/// What the ranges outside of global unicast are, for the log. The rest is unassigned.
const OUTSIDE_V6: &[Row<Ipv6Addr>] = &[
    (
        v6(0, 0, 0),
        96,
        "unspecified, loopback or IPv4-compatible, RFC 4291",
    ),
    (v6(0x64, 0xff9b, 1), 48, "local NAT64, RFC 8215"),
    (v6(0x100, 0, 0), 64, "discard, RFC 6666"),
    (v6(0x5f00, 0, 0), 16, "segment routing, RFC 9602"),
    (v6(0xfc00, 0, 0), 7, "unique local, RFC 4193"),
    (v6(0xfe80, 0, 0), 10, "link-local, RFC 4291"),
    (v6(0xfec0, 0, 0), 10, "site-local, RFC 3879"),
    (v6(0xff00, 0, 0), 8, "multicast, RFC 4291"),
];

const NAT64: Row<Ipv6Addr> = (v6(0x64, 0xff9b, 0), 96, "NAT64, RFC 6052");
const SIX_TO_FOUR: Row<Ipv6Addr> = (v6(0x2002, 0, 0), 16, "6to4, RFC 3056");

/// Whether a public server can have the address.
pub fn is_public(address: IpAddr) -> bool {
    not_public(address).is_none()
}

/// What kind of address it is, if a public server cannot have it. An IPv6 address that carries an
/// IPv4 address is judged by both.
pub(crate) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => not_public_v4(address),
        IpAddr::V6(address) => not_public_v6(address),
    }
}

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    first(REFUSED_V4, address)
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    if is_in(address, &NAT64) {
        return not_public_v4(inner(bits, 0));
    }
    if !is_in(address, &GLOBAL_UNICAST) {
        return Some(first(OUTSIDE_V6, address).unwrap_or("unassigned, RFC 4291"));
    }
    let carried = || {
        let six_to_four = is_in(address, &SIX_TO_FOUR).then(|| inner(bits, 80));
        // ISATAP, RFC 5214 §6.1: under any prefix, with or without the universal bit.
        let isatap = matches!((bits >> 32) as u32, 0x0000_5efe | 0x0200_5efe);
        let isatap = isatap.then(|| inner(bits, 0));
        [six_to_four, isatap]
            .into_iter()
            .flatten()
            .find_map(not_public_v4)
    };
    first(REFUSED_V6, address).or_else(carried)
}

/// The IPv4 address that ends `from` bits before the end.
fn inner(bits: u128, from: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits((bits >> from) as u32)
}

fn first<A: Copy + Into<IpAddr>>(rows: &[Row<A>], address: A) -> Option<&'static str> {
    rows.iter()
        .find(|row| is_in(address, row))
        .map(|(_, _, what)| *what)
}

fn is_in<A: Copy + Into<IpAddr>>(address: A, (network, prefix, _): &Row<A>) -> bool {
    within(address.into(), (*network).into(), *prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An address of one of the refused IPv4 ranges.
    fn refused_v4() -> impl Strategy<Value = Ipv4Addr> {
        (0..REFUSED_V4.len(), any::<u32>()).prop_map(|(row, host)| {
            let (network, prefix, _) = REFUSED_V4[row];
            let hosts = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(network.to_bits() | host & hosts)
        })
    }

    /// Every way to write an IPv4 address into an IPv6 one; `noise` fills what may be anything.
    fn embeddings(v4: Ipv4Addr, noise: u128) -> Vec<(&'static str, Ipv6Addr)> {
        let v4 = u128::from(v4.to_bits());
        let low = |bits: u32| noise & ((1 << bits) - 1);
        let global = (0x2a00 << 112) | (low(40) << 72);
        let bits = [
            ("mapped", (0xffff << 32) | v4),
            ("compatible", v4),
            ("NAT64", (0x0064_ff9b << 96) | v4),
            ("local NAT64, /96", (0x0064_ff9b_0001 << 80) | v4),
            // RFC 6052 §2.2: bits 64 to 71 are left out.
            (
                "local NAT64, /48",
                (0x0064_ff9b_0001 << 80) | ((v4 >> 16) << 64) | ((v4 & 0xffff) << 40),
            ),
            ("6to4", (0x2002 << 112) | (v4 << 80) | low(80)),
            (
                "Teredo client",
                (0x2001 << 112) | (low(32) << 64) | (!v4 & 0xffff_ffff),
            ),
            ("Teredo server", (0x2001 << 112) | (v4 << 64) | low(64)),
            ("ISATAP", global | (0x0000_5efe << 32) | v4),
            ("ISATAP, universal", global | (0x0200_5efe << 32) | v4),
            (
                "ISATAP, link-local",
                (0xfe80 << 112) | (0x0000_5efe << 32) | v4,
            ),
        ];
        bits.map(|(how, bits)| (how, Ipv6Addr::from_bits(bits)))
            .to_vec()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn a_refused_ipv4_address_is_refused_in_every_form(v4 in refused_v4(), noise: u128) {
            prop_assert!(not_public(v4.into()).is_some(), "{v4}");
            for (how, v6) in embeddings(v4, noise) {
                prop_assert!(not_public(v6.into()).is_some(), "{v4} as {how}: {v6}");
            }
        }

        #[test]
        fn every_other_ipv4_address_is_public(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets();
            // Said once more by numbers, apart from the table.
            let refused = matches!(
                (a, b, c, d),
                (0 | 10 | 127 | 224.., ..)
                    | (100, 64..=127, ..)
                    | (169, 254, ..)
                    | (172, 16..=31, ..)
                    | (192, 0, 0 | 2, _)
                    | (192, 88, 99, _)
                    | (192, 168, ..)
                    | (198, 18 | 19, ..)
                    | (198, 51, 100, _)
                    | (203, 0, 113, _)
                    | (168, 63, 129, 16)
            );
            prop_assert_eq!(not_public(v4.into()).is_some(), refused, "{}", v4);
            // Forms that are in use carry a public address to the public.
            let bits = u128::from(bits);
            for v6 in [(0xffff << 32) | bits, (0x0064_ff9b << 96) | bits, (0x2002 << 112) | (bits << 80)] {
                let v6 = Ipv6Addr::from_bits(v6);
                prop_assert_eq!(not_public(v6.into()).is_some(), refused, "{}", v6);
            }
        }

        #[test]
        fn global_unicast_is_public_but_for_its_refused_parts(bits: u128) {
            let v6 = Ipv6Addr::from_bits((bits >> 3) | (1 << 125));
            let [a, b, _, _, _, _, g, _] = v6.segments();
            prop_assume!(!(a == 0x2001 && (b < 0x200 || b == 0xdb8)));
            prop_assume!(!(a == 0x3fff && b < 0x1000) && a != 0x2002 && g != 0x5efe);
            prop_assert_eq!(not_public(v6.into()), None, "{}", v6);
        }

        #[test]
        fn nothing_outside_of_global_unicast_is_public_but_what_carries_ipv4(bits: u128) {
            let v6 = Ipv6Addr::from_bits(bits);
            prop_assume!(v6.segments()[0] >> 13 != 1 && v6.segments()[..2] != [0x64, 0xff9b]);
            prop_assert!(not_public(v6.into()).is_some(), "{v6}");
        }
    }

    #[test]
    fn the_ends_of_every_range_are_in_it_and_their_neighbours_are_not() {
        for (network, prefix, what) in REFUSED_V4 {
            let first = network.to_bits();
            let last = first | u32::MAX.checked_shr(u32::from(*prefix)).unwrap_or(0);
            for bits in [first, last] {
                assert!(not_public_v4(Ipv4Addr::from_bits(bits)).is_some(), "{what}");
            }
            let outside = |bits: Option<u32>| {
                bits.map(Ipv4Addr::from_bits)
                    .is_none_or(|address| first_row_of(address) != Some(*network))
            };
            assert!(
                outside(first.checked_sub(1)) && outside(last.checked_add(1)),
                "{what}"
            );
        }
        for (network, prefix, what) in REFUSED_V6.iter().chain(OUTSIDE_V6) {
            let first = network.to_bits();
            for bits in [first, first | (u128::MAX >> prefix)] {
                assert!(not_public_v6(Ipv6Addr::from_bits(bits)).is_some(), "{what}");
            }
        }
    }

    fn first_row_of(address: Ipv4Addr) -> Option<Ipv4Addr> {
        let row = REFUSED_V4.iter().find(|row| is_in(address, row));
        row.map(|(network, ..)| *network)
    }

    #[test]
    fn well_known_servers_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.9.9.9",
            "140.82.112.3",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2620:fe::fe",
            "2a01:4f8::1",
        ] {
            assert_eq!(not_public(address.parse().unwrap()), None, "{address}");
        }
    }
}
