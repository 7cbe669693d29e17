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
    PasswordChangedAndRevoked,
    PasswordSet,
    PasswordSetAndRevoked,
    BrowserSignedOut,
    BrowsersSignedOut,
    Switched,
    Left,
    LeftLast,
    RoleChanged,
    MemberRemoved,
    InvitationRevoked,
    Joined,
    AccountConnected,
    AccountSaved,
    AccountUntried,
    AccountWorks,
    AccountFails,
    AccountRenamed,
    CredentialsReplaced,
    CredentialsFail,
    AccountDisconnected,
    OAuthAppSet,
    DefinitionAdded,
    DefinitionReplaced,
    DefinitionDeleted,
    ToolsAccepted,
    DocumentAdded,
    DocumentsQueued,
    DocumentDeleted,
}

impl Notice {
    const ALL: [Notice; 38] = [
        Notice::SignedOut,
        Notice::CapSet,
        Notice::TokenRevoked,
        Notice::ClientRevoked,
        Notice::KeyRevoked,
        Notice::Restored,
        Notice::Renamed,
        Notice::NameSet,
        Notice::PasswordChanged,
        Notice::PasswordChangedAndRevoked,
        Notice::PasswordSet,
        Notice::PasswordSetAndRevoked,
        Notice::BrowserSignedOut,
        Notice::BrowsersSignedOut,
        Notice::Switched,
        Notice::Left,
        Notice::LeftLast,
        Notice::RoleChanged,
        Notice::MemberRemoved,
        Notice::InvitationRevoked,
        Notice::Joined,
        Notice::AccountConnected,
        Notice::AccountSaved,
        Notice::AccountUntried,
        Notice::AccountWorks,
        Notice::AccountFails,
        Notice::AccountRenamed,
        Notice::CredentialsReplaced,
        Notice::CredentialsFail,
        Notice::AccountDisconnected,
        Notice::OAuthAppSet,
        Notice::DefinitionAdded,
        Notice::DefinitionReplaced,
        Notice::DefinitionDeleted,
        Notice::ToolsAccepted,
        Notice::DocumentAdded,
        Notice::DocumentsQueued,
        Notice::DocumentDeleted,
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
            Notice::PasswordChangedAndRevoked => "password-changed-and-revoked",
            Notice::PasswordSet => "password-set",
            Notice::PasswordSetAndRevoked => "password-set-and-revoked",
            Notice::BrowserSignedOut => "browser-signed-out",
            Notice::BrowsersSignedOut => "browsers-signed-out",
            Notice::Switched => "switched",
            Notice::Left => "left",
            Notice::LeftLast => "left-last",
            Notice::RoleChanged => "role-changed",
            Notice::MemberRemoved => "member-removed",
            Notice::InvitationRevoked => "invitation-revoked",
            Notice::Joined => "joined",
            Notice::AccountConnected => "account-connected",
            Notice::AccountSaved => "account-saved",
            Notice::AccountUntried => "account-untried",
            Notice::AccountWorks => "account-works",
            Notice::AccountFails => "account-fails",
            Notice::AccountRenamed => "account-renamed",
            Notice::CredentialsReplaced => "credentials-replaced",
            Notice::CredentialsFail => "credentials-fail",
            Notice::AccountDisconnected => "account-disconnected",
            Notice::OAuthAppSet => "oauth-app-set",
            Notice::DefinitionAdded => "definition-added",
            Notice::DefinitionReplaced => "definition-replaced",
            Notice::DefinitionDeleted => "definition-deleted",
            Notice::ToolsAccepted => "tools-accepted",
            Notice::DocumentAdded => "document-added",
            Notice::DocumentsQueued => "documents-queued",
            Notice::DocumentDeleted => "document-deleted",
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
            Notice::PasswordChangedAndRevoked => {
                "Your password is changed. Every other browser is signed out, and what was made in your name is revoked."
            }
            Notice::PasswordSetAndRevoked => {
                "Your new password is set, every browser is signed out, and what was made in your name is revoked. Sign in with the new password."
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
            Notice::AccountConnected => "The account is connected, and works.",
            Notice::AccountSaved => {
                "The account is saved, but it does not work yet. The reason is below."
            }
            Notice::AccountUntried => {
                "The account is connected. There is no call to try it with, so it was not tried."
            }
            Notice::AccountWorks => "The account works.",
            Notice::AccountFails => "The account does not work. The reason is below.",
            Notice::AccountRenamed => "The account has its new name.",
            Notice::CredentialsReplaced => "The new credentials are stored, and work.",
            Notice::CredentialsFail => {
                "The new credentials are stored, but the account does not work with them. The reason is below."
            }
            Notice::AccountDisconnected => {
                "The account is disconnected. Agents cannot reach it any more."
            }
            Notice::OAuthAppSet => "The app is stored. Accounts can sign in by it now.",
            Notice::DefinitionAdded => {
                "The connector is saved. Connect an account, and agents can call it."
            }
            Notice::DefinitionReplaced => "The definition is saved. Agents use it from now on.",
            Notice::DefinitionDeleted => "The connector is deleted. Agents no longer find it.",
            Notice::ToolsAccepted => "The tools are accepted as they are now.",
            Notice::DocumentAdded => "The document is stored. Agents find it once it was read.",
            Notice::DocumentsQueued => "It is read again. What is found until then stays.",
            Notice::DocumentDeleted => "The document is deleted, with its text and its file.",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Notice::AccountSaved | Notice::AccountFails | Notice::CredentialsFail => Tone::Failed,
            _ => Tone::Done,
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
        tone: notice.tone(),
        message: notice.message().to_owned(),
    })
}

pub(super) fn sent<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie::read(app, headers, NAME)
}

pub(super) fn forgotten(app: &App) -> String {
    cookie::write(app, NAME, "", 0)
}
