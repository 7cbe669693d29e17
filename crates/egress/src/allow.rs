//! What an operator allows beside public servers.

use crate::host::Host;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// One entry of `egress.allow`. What matches it may have any address and may be reached by plain
/// http.
///
/// Written as a range (`10.0.0.0/8`, `fd00::/8`), an address, a host name or `*.suffix` (every
/// name below the suffix, not the suffix itself); all but a range may end in `:port`, an IPv6
/// address with a port stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    what: What,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Range { network: IpAddr, prefix: u8 },
    Name(String),
    Below(String),
}

/// Why an entry cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entry:?} cannot be used: {reason}")]
pub struct AllowError {
    entry: String,
    reason: String,
}

impl Allow {
    /// One port of one host, and nothing else of it.
    pub(crate) fn one(host: &Host, port: u16) -> Allow {
        let what = match host {
            Host::Name(name) => What::Name(name.clone()),
            Host::Address(address) => {
                let network = address.to_canonical();
                let prefix = if network.is_ipv4() { 32 } else { 128 };
                What::Range { network, prefix }
            }
        };
        Allow {
            what,
            port: Some(port),
        }
    }

    /// Whether a host of that name may be anywhere on `port`.
    pub(crate) fn names(&self, name: &str, port: u16) -> bool {
        self.has_port(port)
            && match &self.what {
                What::Range { .. } => false,
                What::Name(own) => own == name,
                What::Below(suffix) => name
                    .strip_suffix(suffix.as_str())
                    .and_then(|front| front.strip_suffix('.'))
                    .is_some_and(|front| !front.is_empty()),
            }
    }

    /// Whether `port` of that address may be reached.
    pub(crate) fn covers(&self, address: IpAddr, port: u16) -> bool {
        match &self.what {
            What::Range { network, prefix } => {
                self.has_port(port) && within(address.to_canonical(), *network, *prefix)
            }
            What::Name(_) | What::Below(_) => false,
        }
    }

    /// Whether it speaks of addresses, so that a name must be resolved to know whether it matches.
    pub(crate) fn is_range(&self) -> bool {
        matches!(self.what, What::Range { .. })
    }

    fn has_port(&self, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
    }
}

impl FromStr for Allow {
    type Err = AllowError;

    fn from_str(entry: &str) -> Result<Self, AllowError> {
        parse(entry).map_err(|reason| AllowError {
            entry: entry.to_owned(),
            reason,
        })
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.what, self.port) {
            (What::Range { network, prefix }, None) => write!(f, "{network}/{prefix}"),
            (What::Range { network, .. }, Some(port)) => {
                std::net::SocketAddr::new(*network, port).fmt(f)
            }
            (What::Name(name), None) => f.write_str(name),
            (What::Name(name), Some(port)) => write!(f, "{name}:{port}"),
            (What::Below(suffix), None) => write!(f, "*.{suffix}"),
            (What::Below(suffix), Some(port)) => write!(f, "*.{suffix}:{port}"),
        }
    }
}

fn parse(entry: &str) -> Result<Allow, String> {
    if entry.is_empty() {
        return Err("it is empty".into());
    }
    if entry.contains("://") {
        return Err("write the host, or host:port, without the scheme".into());
    }
    if let Some(unfit) = entry
        .chars()
        .find(|c| c.is_whitespace() || c.is_control() || "@?#%\\".contains(*c))
    {
        return Err(format!("{unfit:?} is in no host name or address"));
    }
    if let Some((network, prefix)) = entry.split_once('/') {
        return Ok(Allow {
            what: range(network, prefix)?,
            port: None,
        });
    }
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Ok(Allow {
            what: single(address)?,
            port: None,
        });
    }
    let (host, port) = split_port(entry)?;
    let what = match host.strip_prefix("*.") {
        Some(suffix) => What::Below(name(suffix)?),
        None if host == "*" => {
            return Err("a bare * would allow everything; write *.suffix or a range".into());
        }
        None => match host.parse::<IpAddr>() {
            Ok(address) => single(address)?,
            Err(_) => What::Name(name(host)?),
        },
    };
    Ok(Allow { what, port })
}

/// Splits `host:port` and `[v6]:port`; brackets are taken off.
fn split_port(entry: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = if let Some(rest) = entry.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or("the bracket is not closed")?;
        if inside.parse::<Ipv6Addr>().is_err() {
            return Err("an IPv6 address belongs between the brackets".into());
        }
        match after {
            "" => (inside, None),
            _ => (
                inside,
                Some(
                    after
                        .strip_prefix(':')
                        .ok_or("after the bracket comes :port or nothing")?,
                ),
            ),
        }
    } else {
        match entry.split_once(':') {
            None => (entry, None),
            Some((_, port)) if port.contains(':') => {
                return Err("it is no IPv6 address; one with a port stands in brackets".into());
            }
            Some((host, port)) => (host, Some(port)),
        }
    };
    let port = port.map(|text| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<u16>() {
            Ok(port) if digits && port > 0 => Ok(port),
            _ => Err(format!("{text:?} is no port; ports are 1 to 65535")),
        }
    });
    Ok((host, port.transpose()?))
}

fn name(text: &str) -> Result<String, String> {
    if text.contains('*') {
        return Err("a * stands only in front, as in *.suffix".into());
    }
    match Host::parse(text) {
        Ok(Host::Name(name)) => Ok(name),
        Ok(Host::Address(address)) => Err(format!("write the address in full: {address}")),
        Err(reason) => Err(reason),
    }
}

fn single(address: IpAddr) -> Result<What, String> {
    let prefix = if address.is_ipv4() { 32 } else { 128 };
    written_plainly(address)?;
    Ok(What::Range {
        network: address,
        prefix,
    })
}

fn range(network: &str, prefix: &str) -> Result<What, String> {
    let network: IpAddr = network
        .parse()
        .map_err(|_| format!("{network:?} is no address; a range is written like 10.0.0.0/8"))?;
    written_plainly(network)?;
    let longest = if network.is_ipv4() { 32 } else { 128 };
    let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
    let prefix: u8 = prefix
        .parse()
        .ok()
        .filter(|prefix| digits && *prefix <= longest)
        .ok_or(format!(
            "{prefix:?} is no prefix length; here it is 0 to {longest}"
        ))?;
    let start = masked(network, prefix);
    if start != network {
        return Err(format!(
            "the range starts at {start}; write {start}/{prefix}"
        ));
    }
    Ok(What::Range { network, prefix })
}

/// Addresses are compared as IPv4 when they are IPv4, however they came.
fn written_plainly(address: IpAddr) -> Result<(), String> {
    let plain = address.to_canonical();
    if plain == address {
        Ok(())
    } else {
        Err(format!("write it as IPv4: {plain}"))
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let rest = |bits: u8| u32::from(bits - prefix);
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(rest(32)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(rest(128)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

/// Whether the address is in the range; addresses of the other family are in none.
pub(crate) fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    address.is_ipv4() == network.is_ipv4() && masked(address, prefix) == network
}
