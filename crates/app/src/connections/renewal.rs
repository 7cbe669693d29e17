//! Access tokens are renewed before they end, and when a service refuses one: in a task of its own,
//! by one node at a time, and stored before anybody uses them.

use super::authorizing::account_of;
use super::tokens::{self, OF_CLIENT};
use super::{Connected, unknown};
use crate::App;
use crate::catalog::Usable;
use crate::invoke::MOVED;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use quaymaster_connectors::definition::OAuth2;
use quaymaster_connectors::oauth::{AuthorizationServer, OAuthApp, ProblemKind, Tokens};
use quaymaster_core::id::{ConnectionId, OrgId};
use quaymaster_core::{Code, Fault, secret};
use quaymaster_store::StoreError;
use quaymaster_store::connection::{Connection, Credentials, Secrets};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// How long one node may take; longer than a server is waited for.
const LEASE_SECONDS: i64 = 60;
/// How long another node is waited for, and how often it is looked after.
const WAIT_AT_MOST: i64 = 45;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A service that refuses a token as young as this refuses the account, not its age.
const YOUNG: Duration = Duration::from_secs(5);
/// Connections of which it is known when they were renewed last.
const REMEMBERED: usize = 10_000;
/// A database that does not take new tokens is asked again: the old ones are dead.
const STORE_TRIES: u32 = 5;

type Running = Shared<BoxFuture<'static, Result<(), Fault>>>;

/// The renewals of this node.
#[derive(Default)]
pub(crate) struct Renewals {
    running: Mutex<HashMap<ConnectionId, Running>>,
    /// The revision that came of the last one, and when.
    last: Mutex<HashMap<ConnectionId, (i64, Monotonic)>>,
}

/// Whether an account's token can be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewable {
    /// It does not sign in by OAuth.
    Not,
    /// Once the token has ended, a person signs in again.
    NoMore,
    Yes,
}

/// An account as it was given, or as it was read again.
pub(crate) enum Held<'a> {
    Given(&'a Connected),
    Read(Arc<[Connected]>, usize),
}

impl Deref for Held<'_> {
    type Target = Connected;
    fn deref(&self) -> &Connected {
        match self {
            Held::Given(connected) => connected,
            Held::Read(all, index) => &all[*index],
        }
    }
}

impl Renewals {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, id: &ConnectionId, revision: i64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= REMEMBERED {
            last.clear();
        }
        last.insert(id.clone(), (revision, Monotonic::now()));
    }

    /// Whether the token of this revision was got just now.
    fn is_young(&self, connection: &Connection) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(&connection.id)
            .is_some_and(|(revision, at)| *revision == connection.revision && at.elapsed() < YOUNG)
    }
}

/// Takes a renewal off the list, also when its task breaks.
struct Listed<'a>(&'a Renewals, ConnectionId);

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.0.running().remove(&self.1);
    }
}

impl Connected {
    /// Whether its token has to be renewed before it is used.
    fn is_due(&self, app: &App) -> bool {
        let now = app.now();
        self.account.access_token.is_none()
            || self.connection.renew_at.is_some_and(|at| at <= now)
            || self.has_ended(app)
    }

    fn has_ended(&self, app: &App) -> bool {
        let now = app.now();
        self.account.access_token.is_none()
            || self.connection.expires_at.is_some_and(|at| at <= now)
    }
}

impl App {
    /// The account with a token that is good, as far as is known.
    pub(crate) async fn with_good_token<'a>(
        &self,
        connected: &'a Connected,
    ) -> Result<Held<'a>, Fault> {
        if connected.renewable == Renewable::Not || !connected.is_due(self) {
            return Ok(Held::Given(connected));
        }
        let renewed = match connected.renewable {
            Renewable::Yes => self.renew(connected, false).await,
            _ => Ok(()),
        };
        let held = match renewed {
            Ok(()) if connected.renewable == Renewable::Yes => self.read_again(connected).await?,
            Ok(()) => Held::Given(connected),
            // Early: the present one still works.
            Err(_) if !connected.has_ended(self) => Held::Given(connected),
            Err(fault) => return Err(fault),
        };
        if held.has_ended(self) {
            let message = format!(
                "The sign-in of {}:{} has ended.",
                held.connection.connector, held.connection.name
            );
            let fault = Fault::new(Code::ConnectionRequired, message);
            return Err(fault.hint("Sign in to the account again."));
        }
        Ok(held)
    }

    /// The account with another token than the one that the service refused; none when there is no
    /// sense in trying again.
    pub(crate) async fn with_another_token<'a>(
        &self,
        refused: &Connected,
    ) -> Result<Option<Held<'a>>, Fault> {
        if refused.renewable != Renewable::Yes || self.renewals.is_young(&refused.connection) {
            return Ok(None);
        }
        self.renew(refused, true).await?;
        Ok(Some(self.read_again(refused).await?))
    }

    async fn read_again<'a>(&self, connected: &Connected) -> Result<Held<'a>, Fault> {
        let all = self
            .accounts(
                &connected.connection.org,
                connected.connection.end_user.as_ref(),
            )
            .await?;
        let mut indexed = all.iter().enumerate();
        let index = indexed.find(|(_, one)| one.connection.id == connected.connection.id);
        let index = index.map(|(index, _)| index).ok_or_else(unknown)?;
        Ok(Held::Read(all, index))
    }

    /// Joins the renewal of the connection that is under way, or begins one.
    async fn renew(&self, connected: &Connected, was_refused: bool) -> Result<(), Fault> {
        let connection = &connected.connection;
        let running = {
            let mut all = self.renewals.running();
            match all.get(&connection.id) {
                Some(running) => running.clone(),
                None => {
                    let app = self.clone();
                    let (org, id) = (connection.org.clone(), connection.id.clone());
                    let revision = connection.revision;
                    let task = self.tasks.spawn(async move {
                        let _listed = Listed(&app.renewals, id.clone());
                        app.renew_alone(&org, &id, revision, was_refused).await
                    });
                    let running =
                        async move { task.await.unwrap_or_else(|_| Err(Fault::internal())) };
                    let running = running.boxed().shared();
                    all.insert(connection.id.clone(), running.clone());
                    running
                }
            }
        };
        running.await
    }

    /// Renews the credentials of a revision, unless another node does or did.
    async fn renew_alone(
        &self,
        org: &OrgId,
        id: &ConnectionId,
        revision: i64,
        was_refused: bool,
    ) -> Result<(), Fault> {
        let holder = secret::fresh(&*self.entropy);
        let holder = holder.expose_secret();
        let patience = self.now().plus_seconds(WAIT_AT_MOST);
        // Before anything is asked for that could then not be stored.
        self.store.prepare_sealing(self.now(), org.as_str()).await?;
        let (connection, secrets) = loop {
            let found = self.store.connection_in_full(org, id).await?;
            let (connection, secrets) = found.ok_or_else(unknown)?;
            if connection.revision != revision {
                self.callers.forget_accounts(org);
                return Ok(());
            }
            let now = self.now();
            let until = now.plus_seconds(LEASE_SECONDS);
            let mut tx = self.store.begin().await?;
            let taken = tx
                .lease_renewal(org, id, revision, holder, now, until)
                .await?;
            tx.commit().await?;
            if taken {
                break (connection, secrets);
            }
            if now >= patience {
                let message = "The account's token is being renewed, which takes too long.";
                let mut fault = Fault::new(Code::UpstreamError, message);
                fault.retryable = true;
                return Err(fault.hint("Try again in a moment."));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let renewed = match self.new_tokens(&connection, &secrets).await {
            Ok((tokens, oauth2)) => {
                self.store_renewed(connection, secrets, tokens, &oauth2)
                    .await
            }
            Err((kind, fault)) => {
                self.not_renewed(&connection, secrets, kind, fault, was_refused, holder)
                    .await
            }
        };
        self.callers.forget_accounts(org);
        renewed
    }

    async fn new_tokens(
        &self,
        connection: &Connection,
        secrets: &Secrets,
    ) -> Result<(Tokens, OAuth2), (ProblemKind, Fault)> {
        let ours = |fault| (ProblemKind::Ours, fault);
        let usable = self.usable(&connection.org, &connection.connector).await;
        let usable = usable.map_err(ours)?;
        let definition = usable.definition();
        let (auth, is_local) = (&connection.auth, connection.is_local);
        let account = account_of(auth, &connection.fields, secrets, is_local);
        let app = self.app_of(connection, secrets, &usable).await;
        let app = app.map_err(ours)?;
        let server = AuthorizationServer::new(&self.services, definition, &account, &app);
        let server = server.map_err(ours)?;
        let asked = match secrets.get(tokens::REFRESH) {
            Some(refresh) => server.refresh(refresh).await,
            None => server.client_credentials().await,
        };
        let tokens = asked.map_err(|problem| (problem.kind, problem.fault))?;
        let mut ways = definition.auth.iter();
        let way = ways.find(|way| way.key == *auth);
        let oauth2 = way.and_then(|way| way.oauth2.clone());
        Ok((tokens, oauth2.ok_or_else(|| ours(Fault::internal()))?))
    }

    /// The app that an account signed in by: its own, or the organization's.
    pub(super) async fn app_of(
        &self,
        connection: &Connection,
        secrets: &Secrets,
        usable: &Usable,
    ) -> Result<OAuthApp, Fault> {
        if !usable.may_sign(&connection.auth, connection.destination.as_deref()) {
            return Err(Fault::new(Code::ConnectionRequired, MOVED));
        }
        let grant = secrets.get(tokens::GRANT).map(SecretString::expose_secret);
        if grant == Some(OF_CLIENT) {
            let client_id = connection.fields.get(tokens::CLIENT_ID);
            return Ok(OAuthApp {
                client_id: client_id.cloned().unwrap_or_default(),
                client_secret: secrets.get(tokens::CLIENT_SECRET).cloned(),
                origins: None,
            });
        }
        self.app_for(&connection.org, usable, &connection.auth)
            .await
    }

    async fn store_renewed(
        &self,
        connection: Connection,
        mut secrets: Secrets,
        new: Tokens,
        oauth2: &OAuth2,
    ) -> Result<(), Fault> {
        let mut fields = connection.fields;
        let life = tokens::put(&mut secrets, &mut fields, new, oauth2, self.now());
        let (org, id, revision) = (&connection.org, &connection.id, connection.revision);
        let mut tries = 0;
        loop {
            let stored = async {
                let credentials = Credentials {
                    fields: &fields,
                    sealed: self.store.seal_connection(org, id, &secrets)?,
                    destination: connection.destination.as_deref(),
                    expires_at: life.expires_at,
                    renew_at: life.renew_at,
                };
                let mut tx = self.store.begin().await?;
                let stored = tx.renew_connection(org, id, revision, credentials).await?;
                tx.commit().await?;
                Ok::<bool, StoreError>(stored)
            };
            match stored.await {
                Ok(true) => {
                    self.renewals.remember(id, revision + 1);
                    return Ok(());
                }
                // Somebody signed in again meanwhile, or disconnected the account.
                Ok(false) => return Ok(()),
                Err(error) if tries < STORE_TRIES => {
                    tracing::warn!(%error, connection = %id, "renewed tokens were not stored; trying again");
                    tries += 1;
                    tokio::time::sleep(LOOK_EVERY * tries).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What came of a renewal that failed: a server that is down changes nothing; all else is the
    /// connection's problem.
    async fn not_renewed(
        &self,
        connection: &Connection,
        mut secrets: Secrets,
        kind: ProblemKind,
        fault: Fault,
        was_refused: bool,
        holder: &str,
    ) -> Result<(), Fault> {
        let (org, id) = (&connection.org, &connection.id);
        let mut tx = self.store.begin().await?;
        if kind == ProblemKind::Down {
            tx.return_renewal(org, id, holder).await?;
            tx.commit().await?;
            return Err(fault);
        }
        let is_over = kind == ProblemKind::Grant && secrets.remove(tokens::REFRESH).is_some();
        let sealed = if is_over {
            if was_refused {
                secrets.remove(tokens::ACCESS);
            }
            Some(self.store.seal_connection(org, id, &secrets)?)
        } else {
            None
        };
        let problem = fault.message.as_str();
        let is_news = connection.problem.as_deref() != Some(problem);
        if tx
            .renewal_failed(org, id, connection.revision, problem, sealed)
            .await?
            && is_news
        {
            let details = json!({
                "connection": id,
                "connector": connection.connector,
                "name": connection.name,
                "problem": problem,
            });
            let event = self.event(org, "quaymaster", "connection.not_renewed", details);
            tx.record(&event).await?;
        }
        tx.commit().await?;
        self.changed().await;
        let mut fault = fault;
        fault.code = Code::ConnectionRequired;
        Err(fault)
    }

    /// Ends an account's token at the service, as far as the service lets one. Nobody waits for it.
    pub(super) fn revoke_upstream(&self, connection: Connection, secrets: Secrets) {
        let grant = secrets.get(tokens::GRANT).map(SecretString::expose_secret);
        if grant == Some(tokens::GIVEN) {
            return;
        }
        let app = self.clone();
        self.tasks.spawn(async move {
            let revoked = async {
                let (token, hint) = match secrets.get(tokens::REFRESH) {
                    Some(refresh) => (refresh, "refresh_token"),
                    None => (secrets.get(tokens::ACCESS)?, "access_token"),
                };
                let usable = app
                    .usable(&connection.org, &connection.connector)
                    .await
                    .ok()?;
                let definition = usable.definition();
                let (auth, is_local) = (&connection.auth, connection.is_local);
                let account = account_of(auth, &connection.fields, &secrets, is_local);
                let oauth_app = app.app_of(&connection, &secrets, &usable).await.ok()?;
                let services = &app.services;
                let server =
                    AuthorizationServer::new(services, definition, &account, &oauth_app).ok()?;
                Some(server.revoke(token, hint).await)
            };
            if let Some(Err(problem)) = revoked.await {
                let (id, reason) = (&connection.id, &problem.fault.message);
                tracing::warn!(connection = %id, %reason, "a token was not revoked at its service");
            }
        });
    }
}
