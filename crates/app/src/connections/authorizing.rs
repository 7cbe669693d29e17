//! Signing an account in at a service: begun here, done there, completed in `completing`.
//!
//! Who may begin is decided by whoever calls [`App::begin_authorization`] with an [`Author`].

use super::tokens::{self, flows};
use super::{Author, Checked, NewConnection, unknown};
use crate::App;
use crate::actor::Actor;
use crate::catalog::Usable;
use crate::invoke::MOVED;
use quaymaster_connectors::definition::{Auth, Definition, OAuth2};
use quaymaster_connectors::oauth::{self, AuthorizationServer};
use quaymaster_connectors::request::Account;
use quaymaster_core::id::{AuthorizationId, ConnectSessionId, ConnectionId};
use quaymaster_core::secret::{self, Handle, SecretDigest};
use quaymaster_core::{Code, Fault, ManagementName};
pub use quaymaster_store::authorization::{Authorization, Device, Flow};
use quaymaster_store::connection::Secrets;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a sign-in in the browser may take.
const WITHIN_SECONDS: i64 = 600;

/// What a sign-in is for.
#[derive(Debug, Clone)]
pub enum Aim {
    New(Box<NewConnection>),
    /// An account that signs in again.
    Again(ConnectionId),
}

/// Somebody on the way to the service.
#[derive(Debug)]
pub struct Started {
    /// Where they sign in.
    pub url: String,
    /// What their browser brings back, in a cookie.
    pub browser: SecretString,
}

/// All that a sign-in needs, read once.
pub(super) struct Underway {
    pub(super) authorization: Authorization,
    pub(super) secrets: Secrets,
    pub(super) usable: Usable,
    pub(super) app: oauth::OAuthApp,
    pub(super) account: Account,
}

impl Underway {
    pub(super) fn server<'a>(&'a self, app: &'a App) -> Result<AuthorizationServer<'a>, Fault> {
        let definition = self.definition();
        AuthorizationServer::new(&app.services, definition, &self.account, &self.app)
    }

    pub(super) fn definition(&self) -> &Arc<Definition> {
        self.usable.definition()
    }

    pub(super) fn oauth2(&self) -> Result<&OAuth2, Fault> {
        let mut ways = self.definition().auth.iter();
        let way = ways.find(|auth| auth.key == self.authorization.auth);
        way.and_then(|auth| auth.oauth2.as_ref())
            .ok_or_else(Fault::internal)
    }

    pub(super) fn author(&self) -> Author {
        Author {
            org: self.authorization.org.clone(),
            user: self.authorization.user.clone(),
            label: self.authorization.begun_by.clone(),
            vouches: false,
        }
    }
}

/// An account for the protocol, of which nothing but fields matters.
pub(super) fn account_of(
    auth: &str,
    fields: &BTreeMap<String, String>,
    secrets: &Secrets,
    local: bool,
) -> Account {
    let plain = fields.iter();
    let plain = plain.map(|(name, value)| (name.clone(), value.clone().into()));
    let mut all: BTreeMap<String, SecretString> = plain.collect();
    all.extend(tokens::without(secrets.clone()));
    Account {
        auth: auth.to_owned(),
        fields: all,
        local,
        ..Account::default()
    }
}

impl App {
    /// Begins a sign-in. In the browser it goes on with [`App::start_authorization`]; on another
    /// device with the code that the answer has, and [`App::poll_authorization`].
    pub async fn begin_authorization(
        &self,
        by: &Author,
        aim: Aim,
        flow: Option<Flow>,
    ) -> Result<Authorization, Fault> {
        let (checked, name, connection, session, is_own) = match aim {
            Aim::New(new) => {
                let checked = self.checked_new(&by.org, &new, signs_in).await?;
                let name = new.name.as_deref();
                let name = self.checked_name(&by.org, &new.connector, name).await?;
                (checked, new.name.map(|_| name), None, new.session, true)
            }
            Aim::Again(id) => {
                let (checked, is_own) = self.checked_again(by, &id).await?;
                (checked, None, Some(id), None, is_own)
            }
        };
        let known = flows(checked.auth()?);
        let title = &checked.definition.title;
        let flow = flow.or(known.first().copied());
        let Some(flow) = flow.filter(|flow| known.contains(flow)) else {
            return Err(no_such_flow(title));
        };
        let connector = checked.definition.key.clone();
        let usable = self.usable(&by.org, &connector).await?;
        let app = self.app_for(&by.org, &usable, &checked.auth).await?;
        let now = self.now();
        let mut underway = Underway {
            authorization: Authorization {
                id: AuthorizationId::fresh(&*self.clock, &*self.entropy),
                org: by.org.clone(),
                user: by.user.clone(),
                begun_by: by.label.clone(),
                flow,
                connector,
                connection,
                name,
                workspace: checked.workspace.clone(),
                session,
                is_local: checked.is_local,
                state: None,
                browser: None,
                device: None,
                created_at: now,
                expires_at: now.plus_seconds(WITHIN_SECONDS),
                used_at: None,
                connected: None,
                problem: None,
                fields: checked.fields.clone(),
                auth: checked.auth.clone(),
            },
            account: account_of(
                &checked.auth,
                &checked.fields,
                &checked.secrets,
                checked.is_local,
            ),
            secrets: checked.secrets,
            usable,
            app,
        };
        if by.vouches && is_own {
            self.vouch_for(by, &mut underway).await?;
        }
        match flow {
            // Told at once rather than on the way: addresses that cannot be.
            Flow::Code => {
                let nothing = SecretString::from("-");
                let server = underway.server(self)?;
                server.authorize_url(&self.redirect_uri(), &nothing, &nothing)?;
            }
            Flow::Device => {
                let code = underway.server(self)?.device_code().await;
                let code = code.map_err(|problem| problem.fault)?;
                let at = self.now();
                let secrets = &mut underway.secrets;
                secrets.insert(tokens::DEVICE_CODE.to_owned(), code.device_code);
                underway.authorization.expires_at = at.plus_seconds(code.expires_in);
                underway.authorization.device = Some(Device {
                    user_code: code.user_code,
                    verification_uri: code.verification_uri,
                    verification_uri_complete: code.verification_uri_complete,
                    interval: code.interval,
                    poll_after: at.plus_seconds(code.interval),
                });
            }
        }
        let Underway {
            authorization,
            secrets,
            ..
        } = underway;
        self.store.prepare_sealing(now, by.org.as_str()).await?;
        let sealed = self
            .store
            .seal_authorization(&by.org, &authorization.id, &secrets)?;
        let mut tx = self.store.begin().await?;
        tx.add_authorization(&authorization, sealed).await?;
        tx.commit().await?;
        Ok(authorization)
    }

    /// A sign-in of the organization.
    pub async fn authorization(
        &self,
        actor: &Actor,
        id: &AuthorizationId,
    ) -> Result<Authorization, Fault> {
        let found = self.store.authorization(id).await?;
        found
            .filter(|found| found.org == actor.org)
            .ok_or_else(no_longer)
    }

    /// The connect session that a sign-in is for.
    pub async fn session_of_authorization(
        &self,
        id: &AuthorizationId,
    ) -> Result<Option<ConnectSessionId>, Fault> {
        let found = self.store.authorization(id).await?;
        Ok(found.and_then(|found| found.session))
    }

    /// Sends somebody to the service. A second time makes the first way back useless.
    pub async fn start_authorization(&self, id: &AuthorizationId) -> Result<Started, Fault> {
        let now = self.now();
        let found = self.store.authorization(id).await?;
        let found = found.filter(|one| one.used_at.is_none() && one.expires_at > now);
        let mut underway = self.underway(found.ok_or_else(no_longer)?).await?;
        let state = Handle::fresh(id.clone(), &*self.entropy);
        let verifier = secret::fresh(&*self.entropy);
        let browser = secret::fresh(&*self.entropy);
        let server = underway.server(self)?;
        let url = server.authorize_url(&self.redirect_uri(), &state.reveal(), &verifier)?;
        let org = &underway.authorization.org;
        underway
            .secrets
            .insert(tokens::VERIFIER.to_owned(), verifier);
        self.store.prepare_sealing(now, org.as_str()).await?;
        let sealed = self.store.seal_authorization(org, id, &underway.secrets)?;
        let mut tx = self.store.begin().await?;
        let browser_digest = digest_of(&browser);
        if !tx
            .start_authorization(id, &state.digest(), &browser_digest, sealed, now)
            .await?
        {
            return Err(no_longer());
        }
        tx.commit().await?;
        Ok(Started { url, browser })
    }

    pub(super) async fn underway(&self, authorization: Authorization) -> Result<Underway, Fault> {
        let org = &authorization.org;
        let usable = self.usable(org, &authorization.connector).await?;
        let app = self.app_for(org, &usable, &authorization.auth).await?;
        let secrets = self.store.authorization_secrets(&authorization).await?;
        let account = account_of(
            &authorization.auth,
            &authorization.fields,
            &secrets,
            authorization.is_local,
        );
        Ok(Underway {
            authorization,
            secrets,
            usable,
            app,
            account,
        })
    }

    /// An account that signs in again, with the fields that it has; and whether an administrator typed
    /// them in for a sign-in. Else nobody vouches for the host that stands there.
    async fn checked_again(
        &self,
        by: &Author,
        id: &ConnectionId,
    ) -> Result<(Checked, bool), Fault> {
        let found = self.store.connection_in_full(&by.org, id).await?;
        let (connection, secrets) = found.ok_or_else(unknown)?;
        let usable = self.usable(&by.org, &connection.connector).await?;
        // What was given for another place stays here.
        if !usable.may_sign(&connection.auth, connection.destination.as_deref()) {
            let fault = Fault::new(Code::ConnectionRequired, MOVED);
            return Err(fault.hint("Disconnect the account, and connect it anew."));
        }
        let definition = usable.definition().clone();
        let mut fields = connection.fields;
        let ways = definition.auth.iter();
        let mut ways = ways.filter(|auth| auth.key == connection.auth);
        let brought = ways.next().and_then(|auth| auth.oauth2.as_ref());
        for name in brought
            .iter()
            .flat_map(|oauth2| oauth2.fields_from_token.keys())
        {
            fields.remove(name);
        }
        let grant = secrets.get(tokens::GRANT).map(SecretString::expose_secret);
        let is_own = connection.end_user.is_none()
            && connection.external_id.is_none()
            && grant != Some(tokens::GIVEN);
        let mut secrets = tokens::without(secrets);
        secrets.remove(tokens::CLIENT_ID);
        let checked = Checked {
            auth: connection.auth,
            workspace: connection.workspace,
            is_local: connection.is_local,
            destination: connection.destination,
            definition,
            fields,
            secrets,
        };
        Ok((checked, is_own))
    }
}

/// Whether accounts of this way sign in at the service.
pub(super) fn signs_in(definition: &Definition, auth: &Auth) -> Result<(), Fault> {
    if flows(auth).is_empty() {
        return Err(no_such_flow(&definition.title));
    }
    Ok(())
}

fn no_such_flow(title: &str) -> Fault {
    let message = format!("Accounts of {title} do not sign in that way.");
    Fault::invalid_arg("/flow", "enum", message)
        .called(ManagementName::NotOauth2)
        .hint("GET /api/v1/connectors/{key} says how they do, in `auth[].flows`.")
}

fn digest_of(secret: &SecretString) -> SecretDigest {
    SecretDigest::of(secret.expose_secret())
}

/// One sentence for all of it: whoever guesses learns nothing.
pub(super) fn no_longer() -> Fault {
    Fault::not_found("This sign-in is unknown, was used already, or took too long.")
        .hint("Begin again on the page of the connector.")
}
