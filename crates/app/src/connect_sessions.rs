//! Connect sessions: links by which somebody without an account here connects an account of
//! theirs. The secret of a link is made from the session's id, so that the same link is told again
//! for as long as it is good.

mod by_link;
mod secrets;

use crate::App;
use crate::actor::Actor;
use crate::connections::{Author, NewConnection};
use crate::connectors::Definition;
use crate::end_users::EndUser;
use crate::integrations::{Strategy, checked_auth, connector_key};
use quaymaster_core::id::{ConnectSessionId, EndUserId, IntegrationId, UserId, WorkspaceId};
use quaymaster_core::{Code, Fault, Instant, ManagementName};
pub use quaymaster_store::connect_session::{ConnectSession, OwnerScope, SessionStatus};
use quaymaster_store::integration::Integration;
use serde_json::json;
use std::sync::Arc;
use url::Url;

const USUAL_SECONDS: i64 = 24 * 3_600;
const MOST_SECONDS: i64 = 30 * 24 * 3_600;
/// A link that ends sooner than this is not told again: whoever reads it could come too late.
const STILL_GOOD_SECONDS: i64 = 10 * 60;

/// A link to connect an account. Whoever has it can use it.
#[derive(Debug, Clone)]
pub struct SetupLink {
    pub session: ConnectSessionId,
    /// The secret part of the link, by which a developer's program follows the session.
    pub token: String,
    pub url: String,
    pub expires_at: Instant,
}

/// What a new session shall be.
#[derive(Debug, Clone, Default)]
pub struct NewConnectSession {
    pub connector: String,
    pub integration: Option<Integration>,
    pub auth: Option<String>,
    pub name: String,
    pub external_id: String,
    pub scope: Option<OwnerScope>,
    pub end_user: Option<EndUserId>,
    pub success_redirect: Option<String>,
    pub error_redirect: Option<String>,
    /// A day unless said otherwise; at most 30.
    pub expires_in_s: Option<i64>,
    /// The address that the link is mailed to, for the record.
    pub mailed_to: Option<String>,
}

/// A link by which somebody tried to sign in at the service, and nothing came of it.
#[derive(Debug, Clone)]
pub struct FailedLink {
    /// The title of the connector.
    pub service: String,
    pub problem: String,
    /// The secret part of the link, which is good for another try.
    pub token: String,
    /// The address that the session names for this.
    pub next: Option<String>,
}

/// What the page behind a link needs.
#[derive(Debug, Clone)]
pub struct Invited {
    pub session: ConnectSession,
    pub definition: Arc<Definition>,
    /// Who asks: the organization.
    pub organization: String,
}

fn unknown_link() -> Fault {
    Fault::not_found("This link is not good, or it was used or has expired.")
        .hint("Ask whoever sent it for a new one.")
}

/// In the details of the refusal of somebody whose link is being used by somebody else.
pub const LINK_IN_USE: &str = "link_in_use";

fn link_in_use() -> Fault {
    Fault::new(
        Code::AlreadyExists,
        "The account is connected already, or somebody connects it with this link at this moment.",
    )
    .hint("Open the link again in a moment.")
    .detail(LINK_IN_USE, true)
}

/// Where a person is sent afterwards: an address of the web, or of a program of theirs.
fn checked_redirect(field: &str, text: Option<String>) -> Result<Option<String>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let url = Url::parse(&text).ok();
    let good = url.is_some_and(|url| {
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        url.username().is_empty()
            && url.password().is_none()
            && (url.scheme() == "https" || (url.scheme() == "http" && local))
    });
    if good {
        return Ok(Some(text));
    }
    Err(Fault::invalid_arg(
        field,
        "format",
        "A redirect is an https address; http is good for this machine only.",
    ))
}

impl App {
    /// Asks somebody to connect an account.
    pub async fn create_connect_session(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        new: NewConnectSession,
    ) -> Result<SetupLink, Fault> {
        let definition = self.definition(&actor.org, &new.connector).await?;
        let of = new.integration.as_ref();
        if of.is_some_and(|integration| integration.connector != new.connector) {
            let message = "The integration is of another connector, and would not use the account.";
            let field = "/workspace_integration_id";
            return Err(Fault::invalid_arg(field, "const", message));
        }
        checked_auth(&definition, new.auth.as_ref())?;
        let seconds = new.expires_in_s.unwrap_or(USUAL_SECONDS);
        if !(60..=MOST_SECONDS).contains(&seconds) {
            return Err(Fault::invalid_arg(
                "/expires_in",
                "range",
                "A link is good for 60 seconds to 30 days.",
            ));
        }
        let usual = match new.end_user {
            Some(_) => OwnerScope::User,
            None if actor.reach.is_whole() => OwnerScope::Organization,
            None => OwnerScope::Workspace,
        };
        let scope = new.scope.unwrap_or(usual);
        actor.must_reach((scope != OwnerScope::Organization).then_some(workspace))?;
        if (scope == OwnerScope::User) != new.end_user.is_some() {
            return Err(Fault::invalid_arg(
                "/scope",
                "const",
                "The scope USER belongs to an end user, and an end user's connection has that scope.",
            ));
        }
        let now = self.now();
        let session = ConnectSession {
            id: ConnectSessionId::fresh(&*self.clock, &*self.entropy),
            org: actor.org.clone(),
            workspace: workspace.clone(),
            connector: new.connector,
            integration: new.integration.map(|integration| integration.id),
            auth: new.auth,
            name: new.name,
            external_id: new.external_id,
            scope,
            end_user: new.end_user,
            user: actor.user.clone(),
            success_redirect: checked_redirect("/success_redirect_uri", new.success_redirect)?,
            error_redirect: checked_redirect("/error_redirect_uri", new.error_redirect)?,
            status: SessionStatus::Pending,
            connection: None,
            problem: None,
            created_at: now,
            expires_at: now.plus_seconds(seconds),
        };
        self.keep(&session, &actor.label, new.mailed_to.as_deref())
            .await?;
        self.setup_link_of(&session)
    }

    /// A link by which an end user connects an account; see [`session_for`](App::session_for).
    pub async fn end_user_link(
        &self,
        actor: &Actor,
        end_user: &EndUserId,
        integration: Option<&IntegrationId>,
        connector: Option<&str>,
        expires_in_s: Option<i64>,
    ) -> Result<SetupLink, Fault> {
        let end_user = self.end_user(actor, end_user).await?;
        let new = self
            .session_for(actor, &end_user, integration, connector, expires_in_s)
            .await?;
        self.create_connect_session(actor, &end_user.workspace, new)
            .await
    }

    /// What a link for an end user asks for: an account for an integration of their workspace, or for
    /// a connector, which means its first integration where there is one. A workspace with one
    /// integration that uses accounts of end users says it by itself.
    pub async fn session_for(
        &self,
        actor: &Actor,
        end_user: &EndUser,
        integration: Option<&IntegrationId>,
        connector: Option<&str>,
        expires_in_s: Option<i64>,
    ) -> Result<NewConnectSession, Fault> {
        let mut known = self
            .integrations(actor, &end_user.workspace)
            .await?
            .into_iter();
        let (integration, connector) = match (integration, connector) {
            (Some(id), _) => {
                let found = known.find(|one| one.id == *id);
                let found =
                    found.ok_or_else(|| Fault::not_found("There is no such integration."))?;
                let connector = found.connector.clone();
                (Some(found), connector)
            }
            (None, Some(name)) => {
                let key = connector_key(name);
                (known.find(|one| one.connector == key), key)
            }
            (None, None) => {
                let mut theirs = known.filter(|one| one.strategy != Strategy::Fixed);
                let (Some(only), None) = (theirs.next(), theirs.next()) else {
                    return Err(Fault::invalid_arg(
                        "/integrationName",
                        "required",
                        "The link is for a connector: pass integrationName or workspaceIntegrationId.",
                    ));
                };
                let connector = only.connector.clone();
                (Some(only), connector)
            }
        };
        Ok(NewConnectSession {
            auth: integration.as_ref().and_then(|one| one.auth.clone()),
            name: connector.clone(),
            // One account of a connector for each time a link is made and used.
            external_id: format!("{}-{}", connector, self.fresh_call_id()),
            connector,
            integration,
            end_user: Some(end_user.id.clone()),
            expires_in_s,
            ..NewConnectSession::default()
        })
    }

    /// Where an end user connects their account for an integration: the link that they have, or a
    /// new one.
    pub(crate) async fn setup_link(
        &self,
        integration: &Integration,
        end_user: &EndUserId,
        on_behalf: &UserId,
    ) -> Result<SetupLink, Fault> {
        let now = self.now();
        let live = self
            .store
            .live_connect_session(&integration.org, end_user, &integration.id, now)
            .await?;
        let enough = now.plus_seconds(STILL_GOOD_SECONDS);
        if let Some(session) = live.filter(|session| session.expires_at > enough) {
            return self.setup_link_of(&session);
        }
        let definition = self
            .definition(&integration.org, &integration.connector)
            .await?;
        let id = ConnectSessionId::fresh(&*self.clock, &*self.entropy);
        let session = ConnectSession {
            org: integration.org.clone(),
            workspace: integration.workspace.clone(),
            connector: integration.connector.clone(),
            integration: Some(integration.id.clone()),
            auth: integration.auth.clone(),
            name: definition.title.clone(),
            external_id: id.to_string(),
            id,
            scope: OwnerScope::User,
            end_user: Some(end_user.clone()),
            user: on_behalf.clone(),
            success_redirect: None,
            error_redirect: None,
            status: SessionStatus::Pending,
            connection: None,
            problem: None,
            created_at: now,
            expires_at: now.plus_seconds(USUAL_SECONDS),
        };
        self.keep(&session, "hosted server", None).await?;
        self.setup_link_of(&session)
    }

    async fn keep(
        &self,
        session: &ConnectSession,
        by: &str,
        mailed_to: Option<&str>,
    ) -> Result<(), Fault> {
        let details = json!({
            "session": session.id,
            "connector": session.connector,
            "end_user": session.end_user,
            "mailed_to": mailed_to,
        });
        let mut event = self.event(&session.org, by, "connect_session.created", details);
        event.workspace = Some(session.workspace.clone());
        let mut tx = self.store.begin().await?;
        tx.add_connect_session(session).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn connect_session(
        &self,
        actor: &Actor,
        id: &ConnectSessionId,
    ) -> Result<ConnectSession, Fault> {
        let found = self.store.connect_session(&actor.org, id).await?;
        found
            .filter(|session| actor.reaches(Some(&session.workspace)))
            .ok_or_else(|| Fault::not_found("There is no such connect session."))
    }

    /// The session behind the token of a link, in whatever state it is.
    pub async fn connect_session_by_token(
        &self,
        actor: &Actor,
        token: &str,
    ) -> Result<ConnectSession, Fault> {
        let bad = || {
            Fault::new(
                Code::Unauthenticated,
                "The token of the connect session is not good.",
            )
            .called(ManagementName::InvalidToken)
        };
        let session = self.session_of(token).await?.ok_or_else(bad)?;
        if session.org == actor.org && actor.reaches(Some(&session.workspace)) {
            Ok(session)
        } else {
            Err(bad())
        }
    }
}

/// The connection that a session is for, but for the credentials.
pub(crate) fn wanted(session: &ConnectSession) -> NewConnection {
    NewConnection {
        connector: session.connector.clone(),
        workspace: (session.scope != OwnerScope::Organization).then(|| session.workspace.clone()),
        end_user: session.end_user.clone(),
        integration: session.integration.clone(),
        external_id: Some(session.external_id.clone()),
        display_name: Some(session.name.clone()),
        session: Some(session.id.clone()),
        ..NewConnection::default()
    }
}

/// Whoever made the session answers for what comes of it.
fn on_behalf(session: &ConnectSession) -> Author {
    Author {
        org: session.org.clone(),
        user: session.user.clone(),
        label: format!("setup link {}", session.id),
        vouches: false,
    }
}
