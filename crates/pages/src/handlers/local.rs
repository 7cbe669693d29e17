//! Addresses that stay on this server.

use axum::http::{HeaderMap, Uri, header};

use crate::views::address::segment;

/// An authorization request has a client's id with all its addresses, and whatever the client wants
/// back. Usual proxies take 8,000 bytes in a line, and escaping makes an address longer.
const LONGEST: usize = 6_000;

/// Where to go after signing in, when the text is a path on this server; else the first page.
///
/// Browsers drop tabs and line ends from addresses and read `\` as `/`, so `/<tab>/host` and
/// `/\host` lead elsewhere.
pub(super) fn path(text: &str) -> &str {
    let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
    let local = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    if plain && local { text } else { "/" }
}

/// A page that comes first, for example `/sign-in`, and leads back to where the person wanted to go.
pub(super) fn before(first: &str, wanted: &Uri) -> String {
    let wanted = wanted.path_and_query();
    leading_to(first, wanted.map_or("/", |wanted| wanted.as_str()))
}

/// The address of a page that goes on to `next`.
pub(super) fn leading_to(first: &str, next: &str) -> String {
    match path(next) {
        "/" => first.to_owned(),
        next => format!("{first}?next={}", segment(next).replace("%2F", "/")),
    }
}

/// What [`leading_to`] put into a query: a path on this server.
pub(super) fn next_of(query: Option<&str>) -> String {
    let query = query.unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    path(&next.map_or_else(String::new, |(_, next)| next.into_owned())).to_owned()
}

/// Whether a form came from a page of ours, as the browser says: `Origin` names the host that was
/// asked, or the public address when a proxy changed the host (RFC 6454 §7.3). Every browser sends
/// it with a form, or `Sec-Fetch-Site`; what comes with neither is refused.
pub(super) fn is_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let site = headers.get("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return site.is_some();
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let named = origin.split_once("://").map(|(_, host)| host);
    origin == public_origin(public_url) || (named.is_some() && named == host)
}

fn public_origin(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url;
    };
    let host = rest.find('/').unwrap_or(rest.len());
    &url[..scheme.len() + 3 + host]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_on_this_server_is_followed() {
        for good in ["/", "/workspaces/ws_1", "/reconnect/lnk_1.x?a=b", "/a//b"] {
            assert_eq!(path(good), good);
        }
        for bad in [
            "",
            "workspaces",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a\r\nset-cookie: a=b",
        ] {
            assert_eq!(path(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn a_way_back_is_as_long_as_an_authorization_request() {
        let long = |bytes| format!("/authorize?client_id={}", "x".repeat(bytes));
        assert_eq!(path(&long(5_500)), long(5_500));
        assert_eq!(path(&long(6_000)), "/");
        let asked = "/authorize?redirect_uri=http%3A%2F%2Flocalhost%2F&state=a+b%26%25";
        let first = leading_to("/sign-in", asked);
        let (_, query) = first.split_once('?').unwrap();
        assert_eq!(next_of(Some(query)), asked);
        assert_eq!(next_of(None), "/");
    }

    #[test]
    fn the_sign_in_page_remembers_the_way() {
        let to = |uri: &'static str| before("/sign-in", &Uri::from_static(uri));
        assert_eq!(to("/"), "/sign-in");
        assert_eq!(to("/settings"), "/sign-in?next=/settings");
        assert_eq!(to("/a?b=c&d"), "/sign-in?next=/a%3Fb%3Dc%26d");
        assert_eq!(to("//evil.example"), "/sign-in");
    }

    #[test]
    fn a_form_of_another_site_is_told_from_ours() {
        let from = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| {
                    let name = axum::http::HeaderName::from_static(name);
                    (name, axum::http::HeaderValue::from_static(value))
                })
                .collect();
            is_from_here(&headers, "https://quay.example/base")
        };
        let host = ("host", "127.0.0.1:80");
        assert!(!from(&[host]), "no browser sends neither");
        assert!(from(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!from(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(from(&[host, ("origin", "http://127.0.0.1:80")]));
        assert!(from(&[host, ("origin", "https://quay.example")]));
        assert!(!from(&[host, ("origin", "https://evil.example")]));
        assert!(!from(&[host, ("origin", "http://127.0.0.1:81")]));
        assert!(!from(&[host, ("origin", "null")]));
        assert!(!from(&[host, ("sec-fetch-site", "same-site")]));
    }
}
