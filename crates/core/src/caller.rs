//! Who a request is.

use crate::clock::Instant;
use crate::fault::Fault;
use crate::id::{
    AccessTokenId, CredentialId, EndUserId, FlowId, OrgId, ServerId, UserId, WorkspaceId,
};
use crate::mix::Picked;
use crate::place::Place;
use crate::scope::{Scope, Scopes};
use crate::secret::{SecretDigest, TokenKind};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whoever stands behind a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    User(UserId),
    /// A credential that acts for a workspace and no person, as a workspace token does.
    Workspace(WorkspaceId),
    /// A hosted server, for the end user if it is of one.
    Server(ServerId, Option<EndUserId>),
    /// A person who signed a client in to a hosted server, and the end user that they are in its
    /// workspace, whose accounts are their own.
    SignedIn(UserId, Option<EndUserId>),
    /// Anybody: nothing was presented, and the workspace is open to that.
    Anonymous(WorkspaceId),
}

/// Which flows of a workspace a credential reaches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pick {
    /// Those that there are at the time of a request.
    All,
    /// These, as far as they still exist.
    Only(Arc<BTreeSet<FlowId>>),
}

impl Pick {
    pub fn has(&self, flow: &FlowId) -> bool {
        match self {
            Pick::All => true,
            Pick::Only(flows) => flows.contains(flow),
        }
    }
}

/// Which workspaces an API key manages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    #[default]
    Organization,
    /// These, and nothing that is of the whole organization.
    Workspaces(Arc<BTreeSet<WorkspaceId>>),
}

impl Reach {
    pub fn has(&self, workspace: &WorkspaceId) -> bool {
        match self {
            Reach::Organization => true,
            Reach::Workspaces(workspaces) => workspaces.contains(workspace),
        }
    }

    pub fn is_whole(&self) -> bool {
        matches!(self, Reach::Organization)
    }
}

/// One toolset that a caller sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Grant {
    /// The tools of connectors, over the organization's connected accounts.
    Catalog,
    /// Python with the connected accounts of the caller.
    Repl,
    /// The memory files of the person and of the organization.
    Memory,
    /// The documents of the organization.
    Knowledge,
    /// The skills of the organization, as resources.
    Skills,
    /// The 19 file tools over the home directory of one workspace. A caller has at most one.
    Files(WorkspaceId),
    /// The tools of one hosted server and nothing else, and the workspace that it is of.
    Hosted(ServerId, WorkspaceId),
    /// The flows of one workspace that are tools, of flow tokens and anonymous callers.
    Flows(WorkspaceId, Pick),
    /// The flows of every workspace of the organization, of API keys.
    AllFlows,
}

/// Who a request is and what is behind its credential. Made by [`crate::Door::admit`].
#[derive(Debug, Clone)]
pub struct Caller {
    pub org: OrgId,
    pub who: Who,
    /// What sessions and limits know the caller by. Of an anonymous one it stands for the workspace and
    /// the place that the request came from, and no credential has it; see [`Caller::principal`].
    pub credential: CredentialId,
    /// That of an anonymous caller is a flow token, whose rights they have.
    pub kind: TokenKind,
    pub scopes: Scopes,
    /// What the management API lets it touch.
    pub reach: Reach,
    pub grants: Vec<Grant>,
    /// The tools that the caller has and no others; without them, all of the grants.
    pub tools: Option<Arc<Picked>>,
    /// When the credential ends. That of an OAuth grant moves on with each refresh.
    pub expires_at: Option<Instant>,
    /// The access token that was presented, when the credential is an OAuth grant.
    pub access: Option<Access>,
}

/// An access token of an OAuth grant, which ends before its grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub token: AccessTokenId,
    pub expires_at: Instant,
    /// The address that it was presented at.
    pub side: Side,
}

impl Caller {
    /// The workspace whose files the caller reaches.
    pub fn files(&self) -> Option<&WorkspaceId> {
        self.grants.iter().find_map(|grant| match grant {
            Grant::Files(workspace) => Some(workspace),
            _ => None,
        })
    }

    /// The hosted server that the caller is at, and its workspace.
    pub fn hosted(&self) -> Option<(&ServerId, &WorkspaceId)> {
        self.grants.iter().find_map(|grant| match grant {
            Grant::Hosted(server, workspace) => Some((server, workspace)),
            _ => None,
        })
    }

    /// The workspace whose flows the caller calls as tools, and which of them. API keys, which reach
    /// the flows of several workspaces, have none.
    pub fn flows(&self) -> Option<(&WorkspaceId, &Pick)> {
        self.grants.iter().find_map(|grant| match grant {
            Grant::Flows(workspace, pick) => Some((workspace, pick)),
            _ => None,
        })
    }

    /// The open workspace of a caller who presented nothing.
    pub fn anonymous(&self) -> Option<&WorkspaceId> {
        match &self.who {
            Who::Anonymous(workspace) => Some(workspace),
            _ => None,
        }
    }

    /// What records know the caller by: the credential. Anonymous callers of a workspace are one there,
    /// wherever they come from.
    pub fn principal(&self) -> CredentialId {
        match self.anonymous() {
            Some(workspace) => anonymous_id(workspace, None),
            None => self.credential.clone(),
        }
    }

    /// The end user whose accounts the caller uses.
    pub fn end_user(&self) -> Option<&EndUserId> {
        match &self.who {
            Who::Server(_, end_user) | Who::SignedIn(_, end_user) => end_user.as_ref(),
            Who::User(_) | Who::Workspace(_) | Who::Anonymous(_) => None,
        }
    }

    /// When what was presented is good no longer.
    pub fn good_until(&self) -> Option<Instant> {
        let access = self.access.as_ref().map(|access| access.expires_at);
        access.into_iter().chain(self.expires_at).min()
    }

    pub fn has(&self, grant: &Grant) -> bool {
        self.grants.contains(grant)
    }

    /// Whether a tool of the program is one of those that were ticked for the caller.
    pub fn picks(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.has(tool))
    }

    /// The same of a flow, and the name that the caller knows its tool by.
    pub fn picks_flow(&self, flow: &FlowId, tool: &str) -> bool {
        let tools = self.tools.as_ref();
        tools.is_none_or(|tools| tools.has_flow(flow, tool))
    }

    pub fn user(&self) -> Option<&UserId> {
        match &self.who {
            Who::User(user) | Who::SignedIn(user, _) => Some(user),
            Who::Workspace(_) | Who::Server(..) | Who::Anonymous(_) => None,
        }
    }

    pub fn needs(&self, scope: Scope) -> Result<(), Fault> {
        if self.scopes.has(scope) {
            return Ok(());
        }
        Err(Fault::new(
            crate::Code::ScopeDenied,
            format!(
                "This needs the scope {}, which the credential lacks.",
                scope.name()
            ),
        )
        .hint("Ask whoever made the credential for one with that scope.")
        .detail("scope", scope.name()))
    }
}

/// What anonymous callers of a workspace have in the place of a credential's id: those of one place
/// for sessions and limits, all together for records, which keep no address.
pub fn anonymous_id(workspace: &WorkspaceId, place: Option<Place>) -> CredentialId {
    let place = place.map_or_else(String::new, |place| place.to_string());
    let SecretDigest(digest) = SecretDigest::of(&format!("anonymous {workspace} {place}"));
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    CredentialId::of_digest(half)
}

/// An endpoint of the protocol. An OAuth access token is good for one and nothing else (RFC 8707).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// The MCP endpoint `/mcp`.
    Mcp,
    /// The endpoint of a hosted server, under both of its addresses.
    Server(ServerId),
}

/// Which of the two addresses of a hosted server's endpoint is meant. Clients compare the one that
/// its metadata name with the one that they know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// `/mcp/{id}`; the MCP endpoint `/mcp` has no other.
    #[default]
    Endpoint,
    /// Where the management API has it: `/api/v1/mcp/servers/{id}/protocol`.
    Protocol,
}

/// What somebody presents at a door.
#[derive(Debug, Clone, Default)]
pub struct Presented {
    /// Where it is presented. Without one, no OAuth access token is good.
    pub audience: Option<Audience>,
    /// Under which address of that endpoint.
    pub side: Side,
    /// The token of `Authorization: Bearer`; empty for a header that has none, which is no anonymous
    /// caller's.
    pub bearer: Option<SecretString>,
    /// The tokens of `?token=`, which only a flow token may be, each in its turn.
    pub in_url: Vec<SecretString>,
    /// The header `X-Org-Id`, which may only confirm what the credential says.
    pub org: Option<String>,
    /// Where the connection comes from, for limits on guessing.
    pub address: Option<std::net::IpAddr>,
}

/// Why somebody is not let in. Carries the challenge for `WWW-Authenticate` (RFC 6750 §3).
#[derive(Debug, Clone)]
pub struct Refusal {
    pub fault: Fault,
    pub challenge: Option<String>,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal {
            fault,
            challenge: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_callers_are_told_apart_by_workspace_and_place() {
        let workspace = |last| {
            format!("ws_01arz3ndektsv4rrffq69g5fa{last}")
                .parse()
                .unwrap()
        };
        let place = |address: &str| Place::of(address.parse().unwrap());
        let ids = [
            anonymous_id(&workspace('v'), None),
            anonymous_id(&workspace('w'), None),
            anonymous_id(&workspace('v'), place("203.0.113.1")),
            anonymous_id(&workspace('v'), place("203.0.113.2")),
        ];
        let apart: BTreeSet<_> = ids.iter().collect();
        assert_eq!(apart.len(), ids.len());
        assert_eq!(ids[2], anonymous_id(&workspace('v'), place("203.0.113.1")));
    }
}
