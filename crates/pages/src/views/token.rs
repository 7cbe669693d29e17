//! Workspace tokens: the table, the form, and the page that shows a fresh one once.

use askama::Template;
use quaymaster_core::Instant;

use super::connect::Connect;
use super::form::Field;
use super::layout::Layout;
use super::mix::{ListSize, MixPicker};

/// What a token may do with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    #[default]
    ReadWrite,
    ReadOnly,
}

impl Access {
    pub const ALL: [Access; 2] = [Access::ReadWrite, Access::ReadOnly];

    /// The value of the form field `access`.
    pub const fn value(self) -> &'static str {
        match self {
            Access::ReadWrite => "read_write",
            Access::ReadOnly => "read_only",
        }
    }

    /// From the value of the form field.
    pub fn from_value(value: &str) -> Option<Self> {
        Access::ALL
            .into_iter()
            .find(|access| access.value() == value)
    }

    pub const fn label(self) -> &'static str {
        match self {
            Access::ReadWrite => "Read and write",
            Access::ReadOnly => "Read only",
        }
    }

    pub const fn sentence(self) -> &'static str {
        match self {
            Access::ReadWrite => "All file tools, uploads and deletion included",
            Access::ReadOnly => "List, search and read; nothing can be changed",
        }
    }
}

/// One credential of a workspace.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Id of the credential, part of its paths.
    pub id: String,
    pub name: String,
    /// How it came to be, in a word or two: `default`, `reconnect`, `OAuth`.
    pub kind: String,
    /// The default token is regenerated in place; others are only revoked.
    pub is_default: bool,
    /// Whether the person may regenerate and revoke it: their own, or any for an administrator.
    pub may_change: bool,
    pub access: Access,
    /// What was ticked for it; none for the files.
    pub mix: Option<String>,
    pub created_by: String,
    pub created_at: Instant,
    pub last_used_at: Option<Instant>,
}

/// The form below the table: posts `name`, `access`.
#[derive(Debug, Clone, Default)]
pub struct TokenForm {
    pub name: Field,
    pub access: Access,
    pub mix: MixPicker,
}

/// Answer to a POST that made a token. The secret stands here and nowhere else.
#[derive(Debug, Clone, Template)]
#[template(path = "fresh_token.html")]
pub struct FreshTokenPage {
    pub layout: Layout,
    pub workspace_id: String,
    pub workspace_name: String,
    /// Name of the credential.
    pub name: String,
    pub access: Access,
    /// `<credential-id>.<secret>`
    pub token: String,
    /// The token took the place of another, which has stopped working.
    pub replaced: bool,
    /// Its list of tools.
    pub size: ListSize,
    /// With the token filled in.
    pub connect: Connect,
}
