//! Cookies: how they are named, read and written.
//!
//! Over https they have the prefix `__Host-`, which browsers take only with `Secure`, for the
//! whole host and from no other (RFC 6265bis §4.1.3.2). Over http, on loopback, neither works.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::browsers::SESSION_SECONDS;
use secrecy::{ExposeSecret as _, SecretString};

const SESSION: &str = "quaymaster";

fn is_secure(app: &App) -> bool {
    app.settings().public_url.starts_with("https://")
}

fn full_name(app: &App, name: &str) -> String {
    if is_secure(app) {
        format!("__Host-{name}")
    } else {
        name.to_owned()
    }
}

/// The value of a cookie that the browser sent.
pub(super) fn read<'a>(app: &App, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let wanted = full_name(app, name);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// The text of `Set-Cookie`. Zero seconds remove the cookie.
pub(super) fn write(app: &App, name: &str, value: &str, seconds: i64) -> String {
    let name = full_name(app, name);
    let secure = if is_secure(app) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

pub(super) fn add(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

pub(super) fn session<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    read(app, headers, SESSION)
}

pub(super) fn signed_in(app: &App, secret: &SecretString) -> String {
    write(app, SESSION, secret.expose_secret(), SESSION_SECONDS)
}

pub(super) fn signed_out(app: &App) -> String {
    write(app, SESSION, "", 0)
}
