//! Where a request goes: built from parts, and checked as a whole at the end.
//!
//! Credentials go to one origin and below one path: those of the connector's `base_url` with the
//! account's fields in it, and to hosts that the definition names in `allow_hosts`.

use super::account::Signer;
use crate::definition::{Template, push_percent, push_segment};
use quaymaster_core::{Code, Fault};
use std::borrow::Cow;
use url::Url;

/// A base address with the account's fields in it.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) url: Url,
    /// Its path without a slash at the end.
    prefix: String,
}

impl Base {
    pub(crate) fn resolve(template: &Template, signer: Signer<'_>) -> Result<Base, Fault> {
        let text = template.write(|name, written| {
            let value = signer.value(name).ok_or_else(|| signer.missing(name))?;
            let place = match written.find("://") {
                None => write_address(written, value),
                Some(at) if !written[at + 3..].contains('/') => write_host(written, value),
                Some(_) if has_dots(value) || value.is_empty() => Err("it is no part of a path"),
                Some(_) => {
                    push_segment(written, value);
                    Ok(())
                }
            };
            place.map_err(|reason| unusable(name, reason))
        })?;
        let url = Url::parse(&text).map_err(|_| unusable("base_url", "it is no address"))?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.port() != Some(0)
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            let reason = "it is more than a scheme, a host and a path";
            return Err(unusable("base_url", reason));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        if host
            .split('.')
            .any(|label| label.is_empty() || label.starts_with('-'))
        {
            return Err(unusable("base_url", "its host is no host name"));
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Base { url, prefix })
    }

    /// The base with `path` behind its own. `secret` stands between them: it was made by
    /// [`push_segment`] and is not shown in errors.
    pub(crate) fn join(&self, secret: &str, path: &str) -> Result<Url, Fault> {
        let path = clean_path(path)?;
        let whole = format!("{}{secret}{path}", self.prefix);
        let whole = if whole.is_empty() { "/" } else { &whole };
        let mut url = self.url.clone();
        url.set_path(whole);
        // If the reader of URLs took anything for something else than it was written as, it shows.
        if url.path() != whole || !self.holds(&url) {
            return Err(bad_path("it leads to another address"));
        }
        Ok(url)
    }

    /// Whether the address is on this origin and below this path.
    pub(crate) fn holds(&self, url: &Url) -> bool {
        let below = url.path().strip_prefix(self.prefix.as_str());
        url.origin() == self.url.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && !has_dots(url.path())
    }

    /// The path behind the base's own, if it is there.
    pub(crate) fn below<'u>(&self, url: &'u Url) -> Option<&'u str> {
        self.holds(url).then(|| &url.path()[self.prefix.len()..])
    }
}

/// Whether the definition says that this host may see the credentials.
pub(crate) fn is_allowed_host(allow_hosts: &[String], url: &Url) -> bool {
    let named = |host: &str| allow_hosts.iter().any(|own| own.eq_ignore_ascii_case(host));
    url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.host_str().is_some_and(named)
}

/// A path that somebody wrote, percent-encoded where it must be. The rest is refused: what could
/// lead to another place once it is normalised, decoded or passed on.
fn clean_path(path: &str) -> Result<Cow<'_, str>, Fault> {
    if path.is_empty() {
        return Ok(Cow::Borrowed(""));
    }
    if path.contains("://") {
        return Err(bad_path(
            "it is a whole address; give only the path behind the service's own",
        ));
    }
    if let Some(brace) = path.find('{') {
        let name = path[brace..]
            .split_inclusive('}')
            .next()
            .unwrap_or_default();
        return Err(bad_path(&format!(
            "{name} stands for a value; put the value there"
        )));
    }
    if path.contains('?') {
        return Err(bad_path(
            "it has a question mark; give the query apart, in `query`",
        ));
    }
    if let Some(unfit) = path.chars().find(|c| c.is_control() || "#\\}".contains(*c)) {
        return Err(bad_path(&format!(
            "it has {unfit:?} in it; write it percent-encoded if it belongs there"
        )));
    }
    let with_slash = if path.starts_with('/') {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(format!("/{path}"))
    };
    if with_slash.contains("//") {
        return Err(bad_path("a part of it is empty"));
    }
    if !percent_is_whole(&with_slash) {
        return Err(bad_path(
            "a % in it is not followed by two hexadecimal digits; write %25 for the sign",
        ));
    }
    if has_dots(&with_slash) {
        return Err(bad_path("a part of it is `.` or `..`"));
    }
    if std::str::from_utf8(&decode_once(&with_slash)).is_err() {
        // Other spellings of dots and slashes hide there (RFC 3629 §10).
        return Err(bad_path("what is percent-encoded in it is not UTF-8"));
    }
    if decoded(&with_slash)
        .bytes()
        .any(|byte| byte.is_ascii_control())
    {
        return Err(bad_path("it has an encoded control character"));
    }
    if with_slash.bytes().all(is_path_byte) {
        return Ok(with_slash);
    }
    let mut encoded = String::with_capacity(with_slash.len() + 16);
    for byte in with_slash.bytes() {
        if is_path_byte(byte) {
            encoded.push(char::from(byte));
        } else {
            push_percent(&mut encoded, byte);
        }
    }
    Ok(Cow::Owned(encoded))
}

/// `pchar`, `/` and `%` (RFC 3986 §3.3).
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

fn percent_is_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let mut bytes = rest.bytes();
        let mut digit = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        digit() && digit()
    })
}

/// Decoded until nothing changes: a proxy may decode, and a server behind it once more.
fn decoded(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..4 {
        if !text.contains('%') {
            break;
        }
        text = Cow::Owned(String::from_utf8_lossy(&decode_once(&text)).into_owned());
    }
    text
}

/// A `%` without two digits stays what it is.
fn decode_once(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

/// Whether any part is only dots, however it is written: encoded, behind a backslash, or with
/// parameters (`..;x`), which some servers take off.
pub(crate) fn has_dots(text: &str) -> bool {
    if !text.contains('.') && !text.contains('%') {
        return false;
    }
    decoded(text).split(['/', '\\']).any(|part| {
        let part = part.split(';').next().unwrap_or_default().trim();
        matches!(part, "." | "..")
    })
}

/// A field that holds scheme, host and path, of a server of one's own.
fn write_address(written: &mut String, value: &str) -> Result<(), &'static str> {
    if !written.is_empty() {
        return Err("it stands where a scheme does");
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
    if !value.bytes().all(fits) || has_dots(value) {
        return Err("it is no address like https://example.com/path");
    }
    let url = Url::parse(value).map_err(|_| "it is no address like https://example.com/path")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("it is no address like https://example.com/path");
    }
    written.push_str(url.as_str().trim_end_matches('/'));
    Ok(())
}

/// A field that is a host, a part of its name, or a host and port.
fn write_host(written: &mut String, value: &str) -> Result<(), &'static str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if value.is_empty() || !value.bytes().all(fits) {
        return Err("it is no host name; write it like example.com");
    }
    written.push_str(value);
    Ok(())
}

fn bad_path(reason: &str) -> Fault {
    Fault::invalid_arg(
        "/path",
        "path",
        format!("The path cannot be used: {reason}."),
    )
    .hint("Give a path like those that describe_service lists.")
}

fn unusable(name: &str, reason: &str) -> Fault {
    let message = format!("The account's {name} cannot be used: {reason}.");
    Fault::new(Code::InvalidArg, message)
        .hint("Correct the connection's fields.")
        .detail("field", name)
}
