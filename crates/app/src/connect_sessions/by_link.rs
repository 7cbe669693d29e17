//! Somebody opens a link, and connects an account by it: with what they type in, or by signing in at the service.

use super::{
    ConnectSession, FailedLink, Invited, SessionStatus, link_in_use, on_behalf, unknown_link,
    wanted,
};
use crate::App;
use crate::connections::{Aim, Authorization, Connection, Fields, Flow, NewConnection};
use quaymaster_core::id::ConnectSessionId;
use quaymaster_core::{Code, Fault};
use serde_json::json;

impl App {
    /// What a link asks for, while it is good.
    pub async fn invited_to_connect(&self, token: &str) -> Result<Invited, Fault> {
        let session = self.session_of(token).await?;
        let session = session.filter(|session| session.expires_at > self.now());
        let session = session.ok_or_else(unknown_link)?;
        let open = [SessionStatus::Pending, SessionStatus::Connecting];
        if !open.contains(&session.status) {
            return Err(unknown_link());
        }
        let organization = self.store.organization(&session.org).await?;
        Ok(Invited {
            definition: self.definition(&session.org, &session.connector).await?,
            organization: organization.map(|org| org.name).unwrap_or_default(),
            session,
        })
    }

    /// Connects the account that a link asks for. One that the service refuses is not kept, and the
    /// link stays good.
    pub async fn connect_by_link(
        &self,
        token: &str,
        auth: Option<String>,
        fields: Fields,
    ) -> Result<(ConnectSession, Connection), Fault> {
        let Invited { session, .. } = self.invited_to_connect(token).await?;
        let by = on_behalf(&session);
        let new = NewConnection {
            auth: session.auth.clone().or(auth),
            fields,
            ..wanted(&session)
        };
        let made = match self.make_connection(&by, new).await {
            // Somebody else was faster with the same link, or is at it.
            Err(fault) if fault.code == Code::AlreadyExists => {
                self.invited_to_connect(token).await?;
                return Err(link_in_use());
            }
            made => made?,
        };
        let tried = self.verify_as(&by, &made).await?;
        if let Some(problem) = &tried.problem {
            self.disconnect(&by, &made).await?;
            return Err(Fault::new(Code::UpstreamError, problem.clone())
                .hint("Check what you typed in, and try again."));
        }
        self.complete_session(&session, &tried).await?;
        Ok((session, tried))
    }

    /// Begins the sign-in at the service that a link asks for.
    pub async fn begin_by_link(
        &self,
        token: &str,
        auth: Option<String>,
        fields: Fields,
    ) -> Result<Authorization, Fault> {
        let Invited { session, .. } = self.invited_to_connect(token).await?;
        let new = NewConnection {
            auth: session.auth.clone().or(auth),
            fields,
            ..wanted(&session)
        };
        let (by, aim) = (on_behalf(&session), Aim::New(Box::new(new)));
        let begun = self.begin_authorization(&by, aim, Some(Flow::Code)).await?;
        self.mark_session(&session.id, SessionStatus::Connecting, None)
            .await?;
        Ok(begun)
    }

    async fn mark_session(
        &self,
        session: &ConnectSessionId,
        status: SessionStatus,
        problem: Option<&str>,
    ) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        tx.move_connect_session(session, status, None, problem, self.now())
            .await?;
        Ok(tx.commit().await?)
    }

    /// A sign-in by a link came to nothing: the link is good for another try.
    pub(crate) async fn reopen_session(&self, session: &ConnectSessionId, problem: &str) {
        let status = SessionStatus::Pending;
        if let Err(error) = self.mark_session(session, status, Some(problem)).await {
            tracing::warn!(%error, "a connect session was not opened again");
        }
    }

    pub(crate) async fn link_to_try_again(
        &self,
        session: &ConnectSessionId,
        problem: String,
    ) -> Result<Option<FailedLink>, Fault> {
        let Some(session) = self.store.connect_session_of_link(session).await? else {
            return Ok(None);
        };
        let service = self
            .connector_title(&session.org, &session.connector)
            .await?;
        Ok(Some(FailedLink {
            service,
            problem,
            token: self.setup_link_of(&session)?.token,
            next: session.error_redirect,
        }))
    }

    /// Where somebody goes on who connected an account by a link: the title of the service, and the
    /// address that the session names.
    pub async fn after_link(
        &self,
        connection: &Connection,
        session: &ConnectSessionId,
    ) -> Result<(String, Option<String>), Fault> {
        let found = self.store.connect_session(&connection.org, session).await?;
        let title = self
            .connector_title(&connection.org, &connection.connector)
            .await?;
        Ok((title, found.and_then(|session| session.success_redirect)))
    }

    /// Marks a session as done. Somebody who completed it first wins: the connection that came
    /// second is taken away again.
    pub(crate) async fn complete_session(
        &self,
        session: &ConnectSession,
        connection: &Connection,
    ) -> Result<(), Fault> {
        let now = self.now();
        let details = json!({ "session": session.id, "connection": connection.id });
        let event = self.event(
            &session.org,
            "setup link",
            "connect_session.completed",
            details,
        );
        let mut tx = self.store.begin().await?;
        let status = SessionStatus::Completed;
        let first = tx
            .move_connect_session(&session.id, status, Some(&connection.id), None, now)
            .await?;
        if !first {
            drop(tx);
            self.disconnect(&on_behalf(session), &connection.id).await?;
            return Err(unknown_link());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }
}
