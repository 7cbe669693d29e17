//! Whoever presents nothing: a caller of the one workspace that is open, and of its flows alone.
//!
//! Invariant: a credential that is no good is refused here as anywhere; only its absence is anonymous.

use super::{Place, fresh};
use crate::App;
use quaymaster_core::caller::{Audience, Pick, Presented, Reach, Refusal, anonymous_id};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Caller, Fault, Grant, Scopes, Who};
use quaymaster_store::workspace::Workspace;
use std::net::IpAddr;
use std::sync::Arc;

impl App {
    pub(super) async fn admit_anonymous(
        &self,
        presented: &Presented,
        at: Place<'_>,
    ) -> Result<Caller, Refusal> {
        let open = match at.audience {
            Some(Audience::Mcp) => self.open_workspace().await?,
            Some(Audience::Server(_)) | None => None,
        };
        match open {
            Some(open) => Ok(caller_of(&open, presented.address)),
            None => Err(self.refusal(at, None, "No credential was presented.").await),
        }
    }

    /// The workspace whose flows need no credential, believed for half a second.
    pub(crate) async fn open_workspace(&self) -> Result<Option<Arc<Workspace>>, Fault> {
        if let Some(known) = fresh(&self.callers.open_workspace, &()) {
            return Ok(known);
        }
        let before = self.callers.generation();
        let open = self.store.open_workspace().await?.map(Arc::new);
        self.callers
            .remember(&self.callers.open_workspace, before, (), open.clone());
        Ok(open)
    }

    /// Whether a workspace is open to anonymous callers.
    pub(crate) async fn is_open(&self, workspace: &WorkspaceId) -> Result<bool, Fault> {
        let open = self.open_workspace().await?;
        Ok(open.is_some_and(|open| open.id == *workspace))
    }
}

fn caller_of(open: &Workspace, address: Option<IpAddr>) -> Caller {
    Caller {
        org: open.org.clone(),
        who: Who::Anonymous(open.id.clone()),
        credential: anonymous_id(&open.id, address.and_then(quaymaster_core::Place::of)),
        kind: TokenKind::FlowToken,
        scopes: Scopes::of_tools(),
        reach: Reach::Organization,
        grants: vec![Grant::Flows(open.id.clone(), Pick::All)],
        tools: None,
        expires_at: None,
        access: None,
    }
}
