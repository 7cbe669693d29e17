//! What the last request did, said once on the next page.
//!
//! A short-lived cookie carries a code, never text, so that nobody can make a page say something.

use axum::http::HeaderMap;
use quaymaster_app::App;

use super::cookie;
use crate::views::{Flash, Tone};

const NAME: &str = "quaymaster-notice";
const SECONDS: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    SignedOut,
    CapSet,
    TokenRevoked,
    ClientRevoked,
    KeyRevoked,
    Restored,
    Renamed,
}

impl Notice {
    const ALL: [Notice; 7] = [
        Notice::SignedOut,
        Notice::CapSet,
        Notice::TokenRevoked,
        Notice::ClientRevoked,
        Notice::KeyRevoked,
        Notice::Restored,
        Notice::Renamed,
    ];

    const fn code(self) -> &'static str {
        match self {
            Notice::SignedOut => "signed-out",
            Notice::CapSet => "cap-set",
            Notice::TokenRevoked => "token-revoked",
            Notice::ClientRevoked => "client-revoked",
            Notice::KeyRevoked => "key-revoked",
            Notice::Restored => "restored",
            Notice::Renamed => "renamed",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Notice::SignedOut => "You are signed out.",
            Notice::CapSet => "The daily cap is set.",
            Notice::TokenRevoked => "The token is revoked. Nothing can use it any more.",
            Notice::ClientRevoked => "The client is revoked. It cannot reach the files any more.",
            Notice::KeyRevoked => "The key is revoked. Nothing can use it any more.",
            Notice::Restored => "It is back where it was.",
            Notice::Renamed => "The organization has its new name.",
        }
    }

    pub(super) fn cookie(self, app: &App) -> String {
        cookie::write(app, NAME, self.code(), SECONDS)
    }
}

/// The notice to show, when the browser sent one.
pub(super) fn flash(app: &App, headers: &HeaderMap) -> Option<Flash> {
    let code = sent(app, headers)?;
    let notice = Notice::ALL
        .into_iter()
        .find(|notice| notice.code() == code)?;
    Some(Flash {
        tone: Tone::Done,
        message: notice.message().to_owned(),
    })
}

pub(super) fn sent<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie::read(app, headers, NAME)
}

pub(super) fn forgotten(app: &App) -> String {
    cookie::write(app, NAME, "", 0)
}
