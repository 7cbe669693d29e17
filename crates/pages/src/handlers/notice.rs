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
    SkillSaved,
    SkillEnabled,
    SkillDisabled,
    SkillDeleted,
    SkillRestored,
    SkillImported,
    NoteSaved,
    NoteRenamed,
    NoteDeleted,
    NoteRestored,
    NoteRedacted,
    MemorySet,
    IntegrationAdded,
    IntegrationSaved,
    IntegrationRemoved,
    ServerMade,
    ServerSaved,
    ServerDeleted,
    ToolsPicked,
    ServerFollows,
    ToolSaved,
    ToolRemoved,
    PartialSaved,
    PartialDeleted,
    EndUserMade,
    EndUserDeleted,
    DocumentAdded,
    DocumentsQueued,
    DocumentDeleted,
    AuthenticationRequired,
    AuthenticationOff,
    FlowSaved,
    FlowEnabled,
    FlowDisabled,
    FlowDeleted,
    FlowRolledBack,
    RunCancelled,
    SecretSet,
    SecretDeleted,
    PackAdded,
    PackReplaced,
    PackSaved,
    PackKept,
    PackRemoved,
    FileSaved,
    FileSent,
    FileMoved,
    FileDeleted,
}

impl Notice {
    const ALL: [Notice; 83] = [
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
        Notice::SkillSaved,
        Notice::SkillEnabled,
        Notice::SkillDisabled,
        Notice::SkillDeleted,
        Notice::SkillRestored,
        Notice::SkillImported,
        Notice::NoteSaved,
        Notice::NoteRenamed,
        Notice::NoteDeleted,
        Notice::NoteRestored,
        Notice::NoteRedacted,
        Notice::MemorySet,
        Notice::IntegrationAdded,
        Notice::IntegrationSaved,
        Notice::IntegrationRemoved,
        Notice::ServerMade,
        Notice::ServerSaved,
        Notice::ServerDeleted,
        Notice::ToolsPicked,
        Notice::ServerFollows,
        Notice::ToolSaved,
        Notice::ToolRemoved,
        Notice::PartialSaved,
        Notice::PartialDeleted,
        Notice::EndUserMade,
        Notice::EndUserDeleted,
        Notice::DocumentAdded,
        Notice::DocumentsQueued,
        Notice::DocumentDeleted,
        Notice::AuthenticationRequired,
        Notice::AuthenticationOff,
        Notice::FlowSaved,
        Notice::FlowEnabled,
        Notice::FlowDisabled,
        Notice::FlowDeleted,
        Notice::FlowRolledBack,
        Notice::RunCancelled,
        Notice::SecretSet,
        Notice::SecretDeleted,
        Notice::PackAdded,
        Notice::PackReplaced,
        Notice::PackSaved,
        Notice::PackKept,
        Notice::PackRemoved,
        Notice::FileSaved,
        Notice::FileSent,
        Notice::FileMoved,
        Notice::FileDeleted,
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
            Notice::SkillSaved => "skill-saved",
            Notice::SkillEnabled => "skill-enabled",
            Notice::SkillDisabled => "skill-disabled",
            Notice::SkillDeleted => "skill-deleted",
            Notice::SkillRestored => "skill-restored",
            Notice::SkillImported => "skill-imported",
            Notice::NoteSaved => "note-saved",
            Notice::NoteRenamed => "note-renamed",
            Notice::NoteDeleted => "note-deleted",
            Notice::NoteRestored => "note-restored",
            Notice::NoteRedacted => "note-redacted",
            Notice::MemorySet => "memory-set",
            Notice::IntegrationAdded => "integration-added",
            Notice::IntegrationSaved => "integration-saved",
            Notice::IntegrationRemoved => "integration-removed",
            Notice::ServerMade => "server-made",
            Notice::ServerSaved => "server-saved",
            Notice::ServerDeleted => "server-deleted",
            Notice::ToolsPicked => "tools-picked",
            Notice::ServerFollows => "server-follows",
            Notice::ToolSaved => "tool-saved",
            Notice::ToolRemoved => "tool-removed",
            Notice::PartialSaved => "partial-saved",
            Notice::PartialDeleted => "partial-deleted",
            Notice::EndUserMade => "end-user-made",
            Notice::EndUserDeleted => "end-user-deleted",
            Notice::DocumentAdded => "document-added",
            Notice::DocumentsQueued => "documents-queued",
            Notice::DocumentDeleted => "document-deleted",
            Notice::AuthenticationRequired => "authentication-required",
            Notice::AuthenticationOff => "authentication-off",
            Notice::FlowSaved => "flow-saved",
            Notice::FlowEnabled => "flow-enabled",
            Notice::FlowDisabled => "flow-disabled",
            Notice::FlowDeleted => "flow-deleted",
            Notice::FlowRolledBack => "flow-rolled-back",
            Notice::RunCancelled => "run-cancelled",
            Notice::SecretSet => "secret-set",
            Notice::SecretDeleted => "secret-deleted",
            Notice::PackAdded => "pack-added",
            Notice::PackReplaced => "pack-replaced",
            Notice::PackSaved => "pack-saved",
            Notice::PackKept => "pack-kept",
            Notice::PackRemoved => "pack-removed",
            Notice::FileSaved => "file-saved",
            Notice::FileSent => "file-sent",
            Notice::FileMoved => "file-moved",
            Notice::FileDeleted => "file-deleted",
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
            Notice::SkillSaved => "The skill is saved. Agents see it as it is now.",
            Notice::SkillEnabled => "The skill is enabled. Agents see it.",
            Notice::SkillDisabled => "The skill is disabled. Agents no longer see it.",
            Notice::SkillDeleted => "The skill is deleted.",
            Notice::SkillRestored => "The version is restored, as a new one.",
            Notice::SkillImported => "The skill is imported. Agents see it.",
            Notice::NoteSaved => "The note is saved.",
            Notice::NoteRenamed => "The note has its new path.",
            Notice::NoteDeleted => "The note is deleted. It can be restored from its history.",
            Notice::NoteRestored => "The note says that again.",
            Notice::NoteRedacted => "What the version said is gone from the history.",
            Notice::MemorySet => "The setting is saved.",
            Notice::IntegrationAdded => "The integration is switched on.",
            Notice::IntegrationSaved => "The integration is saved. Connected clients are told.",
            Notice::IntegrationRemoved => {
                "The integration is switched off, and its tools are gone from every server."
            }
            Notice::ServerMade => "The server is made. Clients sign in to it; it has no token.",
            Notice::ServerSaved => "The server is saved. Connected clients are told.",
            Notice::ServerDeleted => {
                "The server is deleted. Its endpoint and tokens have stopped working."
            }
            Notice::ToolsPicked => "The tools are saved. Connected clients are told.",
            Notice::ServerFollows => {
                "The server follows the integrations of its workspace from now on."
            }
            Notice::ToolSaved => "The tool is saved. Connected clients are told.",
            Notice::ToolRemoved => "The tool is taken away. Connected clients are told.",
            Notice::PartialSaved => "The partial is saved. Calls use it from now on.",
            Notice::PartialDeleted => "The partial is deleted.",
            Notice::EndUserMade => "The end user is made.",
            Notice::EndUserDeleted => {
                "The end user is deleted, with their accounts, links, tokens and servers."
            }
            Notice::DocumentAdded => "The document is stored. Agents find it once it was read.",
            Notice::DocumentsQueued => "It is read again. What is found until then stays.",
            Notice::DocumentDeleted => "The document is deleted, with its text and its file.",
            Notice::AuthenticationRequired => {
                "Authentication is required. Clients without a token are cut off."
            }
            Notice::AuthenticationOff => {
                "Authentication is off. Anybody who reaches the endpoint can call the flows."
            }
            Notice::FlowSaved => "The flow is saved, and its tool is live.",
            Notice::FlowEnabled => "The flow is switched on. Agents see its tool.",
            Notice::FlowDisabled => "The flow is switched off. Agents no longer see its tool.",
            Notice::FlowDeleted => "The flow is deleted.",
            Notice::FlowRolledBack => "That version runs from now on.",
            Notice::RunCancelled => "The run is cancelled.",
            Notice::SecretSet => "The secret is set. Runs that begin from now on use it.",
            Notice::SecretDeleted => "The secret is deleted. Flows that use it fail from now on.",
            Notice::PackAdded => "The pack is here. Choose its accounts and tools, and install it.",
            Notice::PackReplaced => {
                "The new text is here. Upgrade the pack to install what is newer in it."
            }
            Notice::PackSaved => "The tools are installed. Connected clients are told.",
            Notice::PackKept => "The pack is saved. What was changed by hand stayed as it is.",
            Notice::PackRemoved => "The pack is removed. Agents no longer see its tools.",
            Notice::FileSaved => "The file is saved.",
            Notice::FileSent => "The file is in the workspace.",
            Notice::FileMoved => "The file has its new path.",
            Notice::FileDeleted => "It is in the trash, and can be restored for 7 days.",
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
