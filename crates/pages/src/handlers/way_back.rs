//! Where somebody wanted to go who was sent to the sign-in page, kept in a cookie: a sign-in link is
//! opened by itself and has no room for the way back.

use axum::http::HeaderMap;
use axum::response::Response;
use quaymaster_app::App;

use super::{cookie, local};

const NAME: &str = "quaymaster-next";
const SECONDS: i64 = 30 * 60;
/// Browsers drop a cookie of more than 4,096 bytes.
const LONGEST: usize = 3_800;

/// Remembers a path on this server.
pub(super) fn remember(app: &App, response: &mut Response, next: &str) {
    // Cookies do not have these; in a query, the escaped sign is the same as the sign.
    let value = next
        .replace(';', "%3B")
        .replace(',', "%2C")
        .replace('"', "%22");
    if value != "/" && value.len() <= LONGEST {
        cookie::add(response, &cookie::write(app, NAME, &value, SECONDS));
    }
}

/// The way back, or the first page.
pub(super) fn remembered<'a>(app: &App, headers: &'a HeaderMap) -> &'a str {
    cookie::read(app, headers, NAME).map_or("/", local::path)
}

pub(super) fn forget(app: &App, response: &mut Response) {
    cookie::add(response, &cookie::write(app, NAME, "", 0));
}
