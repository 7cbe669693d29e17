//! A host as it stands in a URL, in the one spelling that is checked and connected to.

use std::fmt;
use std::net::IpAddr;

/// A name or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// Lower case ASCII, without a dot at the end.
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// Reads a host as the URL Standard does (§3.5): `0x7f.1`, `2130706433`, `127.1` and full-width
    /// digits are addresses, `%` is decoded, letters become lower case and Punycode. IPv6 stands
    /// with or without brackets. The error is the rest of a sentence.
    pub(crate) fn parse(text: &str) -> Result<Host, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Host::Address(address));
        }
        match url::Host::parse(text) {
            Ok(host) => Host::of(host),
            Err(_) => Err(format!("{text:?} is no host name or address")),
        }
    }

    pub(crate) fn of<S: AsRef<str>>(host: url::Host<S>) -> Result<Host, String> {
        match host {
            url::Host::Ipv4(address) => Ok(Host::Address(address.into())),
            url::Host::Ipv6(address) => Ok(Host::Address(address.into())),
            url::Host::Domain(name) => {
                let name = name.as_ref();
                // The dot at the end only says that the name is complete; without it two
                // spellings of one host would be two origins.
                let bare = name.strip_suffix('.').unwrap_or(name);
                if bare.len() > 253 || bare.split('.').any(|l| l.is_empty() || l.len() > 63) {
                    return Err(format!("{name:?} is no host name"));
                }
                Ok(Host::Name(bare.to_ascii_lowercase()))
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => address.fmt(f),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
