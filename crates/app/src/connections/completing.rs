//! Somebody comes back from a service: the code is exchanged, and the account connected.
//!
//! The way back trusts nothing but the state, which is used once, and the browser that was sent.

use super::authorizing::{Underway, no_longer};
use super::tokens::{self, Life};
use super::{Author, Connection, unknown};
use crate::App;
use crate::connect_sessions::{self, ConnectSession, FailedLink};
use quaymaster_connectors::oauth::Tokens;
use quaymaster_core::id::{AuthorizationId, ConnectSessionId, ConnectionId};
use quaymaster_core::secret::{Handle, SecretDigest};
use quaymaster_core::{Code, Fault};
use quaymaster_store::authorization::{Authorization, Flow};
use quaymaster_store::connection::{ConnectionChange, Credentials, Secrets};
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeMap;

/// What the service sent somebody back with (RFC 6749 §4.1.2, RFC 9207).
#[derive(Debug, Clone, Default)]
pub struct Callback {
    pub state: String,
    pub code: Option<SecretString>,
    pub error: Option<String>,
    pub error_description: Option<String>,
    pub iss: Option<String>,
}

/// What a sign-in brought, for a connection.
struct Got {
    fields: BTreeMap<String, String>,
    secrets: Secrets,
    life: Life,
    destination: Option<String>,
}

impl App {
    /// Completes a sign-in: makes the connection, or gives it new tokens, and tries it. `browser` is
    /// what the browser kept since it was sent.
    pub async fn complete_authorization(
        &self,
        back: Callback,
        browser: Option<&str>,
    ) -> Result<Connection, Fault> {
        let state = Handle::<AuthorizationId>::parse(&back.state).ok_or_else(no_longer)?;
        let found = self.store.authorization(&state.id).await?;
        let found = found.ok_or_else(no_longer)?;
        let is_its_own = found.state.is_some_and(|own| same(own, state.digest()));
        if !is_its_own || found.used_at.is_some() || found.expires_at <= self.now() {
            return Err(no_longer());
        }
        let sent = browser.map(SecretDigest::of);
        if !sent.is_some_and(|sent| found.browser.is_some_and(|own| same(own, sent))) {
            let message = "This sign-in was begun in another browser, so nothing was connected.";
            return Err(Fault::new(Code::Forbidden, message)
                .hint("Begin again in this browser, on the page of the connector."));
        }
        // A browser that goes away does not lose what the service gives only once.
        let app = self.clone();
        let completing = self
            .tasks
            .spawn(async move { Box::pin(app.complete(found, back)).await });
        completing.await.map_err(|_| Fault::internal())?
    }

    async fn complete(&self, found: Authorization, back: Callback) -> Result<Connection, Fault> {
        let (id, session) = (found.id.clone(), found.session.clone());
        let mut tx = self.store.begin().await?;
        if !tx.use_authorization(&id, self.now()).await? {
            return Err(no_longer());
        }
        tx.commit().await?;
        let completed = match self.underway(found).await {
            Ok(underway) => match self.exchanged(&underway, back).await {
                Ok(tokens) => self.settle(underway, tokens).await,
                Err(fault) => Err(fault),
            },
            Err(fault) => Err(fault),
        };
        match completed {
            Ok(connection) => Ok(connection),
            Err(fault) => {
                self.end(&id, &fault.message).await;
                if let Some(session) = session {
                    self.reopen_session(&session, &fault.message).await;
                }
                Err(fault)
            }
        }
    }

    /// What a link leads on to whose sign-in at the service came to nothing. Only for the browser that was
    /// sent there: it is told the link again.
    pub async fn failed_link(
        &self,
        id: &AuthorizationId,
        browser: &str,
    ) -> Result<Option<FailedLink>, Fault> {
        let Some(found) = self.store.authorization(id).await? else {
            return Ok(None);
        };
        let sent = SecretDigest::of(browser);
        let is_its_own = found.browser.is_some_and(|own| same(own, sent));
        match (found.problem, found.session) {
            (Some(problem), Some(session)) if is_its_own => {
                self.link_to_try_again(&session, problem).await
            }
            _ => Ok(None),
        }
    }

    async fn exchanged(&self, underway: &Underway, back: Callback) -> Result<Tokens, Fault> {
        let server = underway.server(self)?;
        if !server.is_issuer(back.iss.as_deref()) {
            let title = &underway.definition().title;
            let message = format!("The answer to the sign-in did not come from {title}.");
            return Err(Fault::new(Code::Forbidden, message).hint("Begin again."));
        }
        if let Some(error) = &back.error {
            let denial = server.denial(error, back.error_description.as_deref());
            return Err(denial.fault);
        }
        let code = back.code.ok_or_else(|| {
            let message = "The service sent you back without a code.";
            Fault::new(Code::UpstreamError, message).hint("Begin again.")
        })?;
        let verifier = underway.secrets.get(tokens::VERIFIER);
        let exchanged = server.exchange(&code, &self.redirect_uri(), verifier).await;
        exchanged.map_err(|problem| {
            let mut fault = problem.fault;
            // Nothing is connected yet, and the code cannot be used again.
            if fault.code == Code::ConnectionRequired {
                fault.code = Code::UpstreamError;
            }
            fault.retryable = false;
            fault
        })
    }

    /// Stores what a sign-in brought, and tries the connection.
    pub(super) async fn settle(
        &self,
        underway: Underway,
        tokens: Tokens,
    ) -> Result<Connection, Fault> {
        let now = self.now();
        let by = underway.author();
        let mut secrets = tokens::without(underway.secrets.clone());
        let mut fields = underway.authorization.fields.clone();
        let life = tokens::put(&mut secrets, &mut fields, tokens, underway.oauth2()?, now);
        let flow = match underway.authorization.flow {
            Flow::Code => "code",
            Flow::Device => "device",
        };
        secrets.insert(tokens::GRANT.to_owned(), flow.into());
        let destination = underway.usable.destination(&underway.authorization.auth);
        let destination = destination.map(str::to_owned);
        let client_id = underway.app.client_id.clone();
        secrets.insert(tokens::CLIENT_ID.to_owned(), client_id.into());
        let authorization = underway.authorization;
        let got = Got {
            fields,
            secrets,
            life,
            destination,
        };
        let id = match authorization.connection.clone() {
            Some(id) => {
                self.signed_in_again(&by, &authorization, &id, got).await?;
                id
            }
            None => {
                let session = match &authorization.session {
                    Some(session) => Some(self.session_of_sign_in(session).await?),
                    None => None,
                };
                let id = self
                    .signed_in_first(&by, authorization, session.as_ref(), got)
                    .await?;
                if let Some(session) = session {
                    self.changed().await;
                    let tried = self.verify_as(&by, &id).await?;
                    if let Some(problem) = &tried.problem {
                        self.disconnect(&by, &id).await?;
                        return Err(Fault::new(Code::UpstreamError, problem.clone())
                            .hint("Open the link that you were given, and try again."));
                    }
                    self.complete_session(&session, &tried).await?;
                    return Ok(tried);
                }
                id
            }
        };
        self.changed().await;
        self.verify_as(&by, &id).await
    }

    async fn session_of_sign_in(&self, id: &ConnectSessionId) -> Result<ConnectSession, Fault> {
        let found = self.store.connect_session_of_link(id).await?;
        found.ok_or_else(no_longer)
    }

    async fn signed_in_again(
        &self,
        by: &Author,
        authorization: &Authorization,
        id: &ConnectionId,
        got: Got,
    ) -> Result<(), Fault> {
        let connection = self.store.connection(&by.org, id).await?;
        let connection = connection.ok_or_else(unknown)?;
        self.store
            .prepare_sealing(self.now(), by.org.as_str())
            .await?;
        let change = ConnectionChange {
            credentials: Some(Credentials {
                fields: &got.fields,
                sealed: self.store.seal_connection(&by.org, id, &got.secrets)?,
                destination: got.destination.as_deref(),
                expires_at: got.life.expires_at,
                renew_at: got.life.renew_at,
            }),
            verified: Some(Ok(None)),
            ..ConnectionChange::default()
        };
        let details = json!({
            "connection": id,
            "connector": connection.connector,
            "name": connection.name,
        });
        let event = self.event(&by.org, &by.label, "connection.authorized", details);
        let mut tx = self.store.begin().await?;
        if !tx
            .update_connection(&by.org, id, change, self.now())
            .await?
        {
            return Err(unknown());
        }
        tx.end_authorization(&authorization.id, Ok(id)).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        self.sender.end_session(id.as_str()).await;
        Ok(())
    }

    async fn signed_in_first(
        &self,
        by: &Author,
        authorization: Authorization,
        session: Option<&ConnectSession>,
        got: Got,
    ) -> Result<ConnectionId, Fault> {
        let id = ConnectionId::fresh(&*self.clock, &*self.entropy);
        let of = session.map(connect_sessions::wanted).unwrap_or_default();
        // What was given cannot be asked for again, so a name that was taken meanwhile is no reason
        // to lose it.
        let wanted = authorization.name.as_deref();
        let connector = &authorization.connector;
        let name = match self.checked_name(&by.org, connector, wanted).await {
            _ if of.end_user.is_some() => id.to_string(),
            Ok(name) => name,
            Err(_) => self.checked_name(&by.org, connector, None).await?,
        };
        let connection = Connection {
            id,
            org: by.org.clone(),
            workspace: of.workspace.or(authorization.workspace),
            end_user: of.end_user,
            integration: of.integration,
            connector: authorization.connector,
            name,
            external_id: of.external_id,
            display_name: of.display_name,
            label: None,
            auth: authorization.auth,
            fields: got.fields,
            is_local: authorization.is_local,
            destination: got.destination,
            problem: None,
            user: by.user.clone(),
            created_at: self.now(),
            verified_at: None,
            expires_at: got.life.expires_at,
            renew_at: got.life.renew_at,
            revision: 1,
        };
        let id = connection.id.clone();
        self.add_connection(by, connection, &got.secrets, Some(&authorization.id))
            .await?;
        Ok(id)
    }

    /// Remembers why nothing came of a sign-in.
    pub(super) async fn end(&self, id: &AuthorizationId, problem: &str) {
        let ended = async {
            let mut tx = self.store.begin().await?;
            tx.end_authorization(id, Err(problem)).await?;
            tx.commit().await
        };
        if let Err(error) = ended.await {
            tracing::warn!(%error, "the end of a sign-in was not stored");
        }
    }
}

fn same(one: SecretDigest, other: SecretDigest) -> bool {
    use subtle::ConstantTimeEq as _;
    one.0.ct_eq(&other.0).into()
}
