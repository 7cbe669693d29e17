//! What a credential opens: the toolsets that were ticked for it, or those that its kind usually has.

use quaymaster_core::Grant;
use quaymaster_core::mix::ToolsetKey;
use quaymaster_core::secret::TokenKind;
use quaymaster_store::credential::Credential;
use std::collections::BTreeSet;

/// The toolsets of a kind of credential for which nobody ticked any. API keys have files as far as they
/// have a workspace.
pub(crate) fn usual(kind: TokenKind) -> BTreeSet<ToolsetKey> {
    match kind {
        TokenKind::ApiKey => ToolsetKey::ALL.into_iter().collect(),
        TokenKind::WorkspaceToken | TokenKind::OAuthGrant => [ToolsetKey::Files].into(),
        TokenKind::FlowToken => [ToolsetKey::Flows].into(),
        TokenKind::ServerToken => BTreeSet::new(),
    }
}

pub(crate) fn toolsets_of(credential: &Credential) -> BTreeSet<ToolsetKey> {
    let ticked = credential.mix.toolsets.clone();
    ticked.unwrap_or_else(|| usual(credential.kind))
}

/// Whether it acts for the person who made it, as some of its toolsets need.
pub(super) fn is_of_person(credential: &Credential) -> bool {
    let mut toolsets = toolsets_of(credential).into_iter();
    toolsets.any(ToolsetKey::is_of_person)
}

pub(super) fn grants_of(credential: &Credential) -> Vec<Grant> {
    let workspace = credential.workspace.clone();
    if let (Some(server), Some(workspace)) = (&credential.server, &workspace) {
        return vec![Grant::Hosted(server.clone(), workspace.clone())];
    }
    let grant = |key| match key {
        ToolsetKey::Files => workspace.clone().map(Grant::Files),
        ToolsetKey::Flows if credential.kind == TokenKind::ApiKey => Some(Grant::AllFlows),
        ToolsetKey::Flows => workspace
            .clone()
            .map(|workspace| Grant::Flows(workspace, credential.flows.clone())),
        ToolsetKey::Catalog => Some(Grant::Catalog),
        ToolsetKey::Repl => Some(Grant::Repl),
        ToolsetKey::Memory => Some(Grant::Memory),
        ToolsetKey::Knowledge => Some(Grant::Knowledge),
        ToolsetKey::Skills => Some(Grant::Skills),
    };
    toolsets_of(credential)
        .into_iter()
        .filter_map(grant)
        .collect()
}
