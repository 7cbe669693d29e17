//! OAuth clients that people connected to a workspace.

use quaymaster_app::oauth::redirect::Destination;
use quaymaster_core::Instant;

use super::token::Access;

/// One client with what it was granted.
#[derive(Debug, Clone)]
pub struct ClientRow {
    /// Id of the credential, part of its path.
    pub id: String,
    /// What the client calls itself.
    pub name: String,
    /// Where it gets its answers; none when that is not known any more.
    pub destination: Option<Destination>,
    /// The hosted server whose tools it has; none has the files.
    pub server: Option<String>,
    pub access: Access,
    /// What was ticked for it; none for the files.
    pub mix: Option<String>,
    pub connected_by: String,
    pub connected_at: Instant,
    pub last_used_at: Option<Instant>,
    /// Whether the person may revoke it: their own, or any for an administrator.
    pub may_revoke: bool,
}

impl ClientRow {
    /// What it may do with the tools of a hosted server.
    pub const fn tools(&self) -> &'static str {
        match self.access {
            Access::ReadWrite => "All of them",
            Access::ReadOnly => "Those that only read",
        }
    }
}
