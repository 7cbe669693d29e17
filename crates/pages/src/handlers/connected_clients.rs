//! `/workspaces/{id}/connected-clients`: OAuth clients that people connected, listed and revoked.

use axum::extract::State;
use axum::response::Response;
use quaymaster_app::credentials::ConnectedClient;
use quaymaster_app::oauth::redirect::RedirectUri;
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::{CredentialId, WorkspaceId};

use super::answer::{self, At, Stop};
use super::notice::Notice;
use super::person::Person;
use super::posted::Posted;
use super::{Pages, mixing, tokens, workspace, writers};
use crate::views::ClientRow;

pub(super) async fn revoke(
    State(pages): State<Pages>,
    person: Person,
    At((id, client)): At<(WorkspaceId, CredentialId)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let clients = pages.app.connected_clients(&person.actor, &id).await?;
    if !clients.iter().any(|one| one.credential.id == client) {
        let fault = "The workspace has no such connected client, or it was revoked before.";
        return Err(Fault::not_found(fault).into());
    }
    pages.app.revoke(&person.actor, &client).await?;
    Ok(answer::done(
        &pages,
        &workspace::path(&id),
        Notice::ClientRevoked,
    ))
}

/// The rows of the table of connected clients.
pub(super) async fn rows(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceId,
) -> Result<Vec<ClientRow>, Fault> {
    let clients = app.connected_clients(actor, workspace).await?;
    let ids = clients.iter().map(|client| client.credential.user.clone());
    let people = app.member_names(&actor.org, ids).await?;
    let row = |ConnectedClient {
                   credential,
                   client,
                   server,
               }| ClientRow {
        server,
        id: credential.id.to_string(),
        destination: RedirectUri::parse(&client.redirect_uri)
            .ok()
            .map(|uri| uri.destination()),
        access: tokens::access_of(&credential),
        mix: mixing::said(&credential.mix),
        connected_by: writers::name_of(&people, &credential.user),
        connected_at: credential.created_at,
        last_used_at: credential.last_used_at,
        may_revoke: actor.role.administers() || credential.user == actor.user,
        name: credential.name,
    };
    Ok(clients.into_iter().map(row).collect())
}
