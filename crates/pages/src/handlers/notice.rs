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
    NameSet,
    PasswordChanged,
    PasswordSet,
    BrowserSignedOut,
    BrowsersSignedOut,
    Switched,
    Left,
    LeftLast,
    RoleChanged,
    MemberRemoved,
    InvitationRevoked,
    Joined,
}

impl Notice {
    const ALL: [Notice; 19] = [
        Notice::SignedOut,
        Notice::CapSet,
        Notice::TokenRevoked,
        Notice::ClientRevoked,
        Notice::KeyRevoked,
        Notice::Restored,
        Notice::Renamed,
        Notice::NameSet,
        Notice::PasswordChanged,
        Notice::PasswordSet,
        Notice::BrowserSignedOut,
        Notice::BrowsersSignedOut,
        Notice::Switched,
        Notice::Left,
        Notice::LeftLast,
        Notice::RoleChanged,
        Notice::MemberRemoved,
        Notice::InvitationRevoked,
        Notice::Joined,
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
            Notice::NameSet => "name-set",
            Notice::PasswordChanged => "password-changed",
            Notice::PasswordSet => "password-set",
            Notice::BrowserSignedOut => "browser-signed-out",
            Notice::BrowsersSignedOut => "browsers-signed-out",
            Notice::Switched => "switched",
            Notice::Left => "left",
            Notice::LeftLast => "left-last",
            Notice::RoleChanged => "role-changed",
            Notice::MemberRemoved => "member-removed",
            Notice::InvitationRevoked => "invitation-revoked",
            Notice::Joined => "joined",
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
            Notice::NameSet => "Your name is set.",
            Notice::PasswordChanged => {
                "Your password is changed. Every other browser is signed out."
            }
            Notice::PasswordSet => {
                "Your new password is set, and every browser is signed out. Sign in with it."
            }
            Notice::BrowserSignedOut => "That browser is signed out.",
            Notice::BrowsersSignedOut => "Every other browser is signed out.",
            Notice::Switched => "Pages show this organization from now on.",
            Notice::Left => "You left the organization.",
            Notice::LeftLast => "You left your last organization, and are signed out.",
            Notice::RoleChanged => "The role is changed.",
            Notice::MemberRemoved => {
                "The member is removed. Their keys and tokens have stopped working."
            }
            Notice::InvitationRevoked => "The invitation is revoked. Its link has stopped working.",
            Notice::Joined => "Welcome. You are a member now.",
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
