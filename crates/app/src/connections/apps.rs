//! The apps that an organization registered at the services' authorization servers.

use super::Author;
use super::authorizing::Underway;
use super::tokens::flows;
use crate::App;
use crate::actor::{Actor, Admin};
use crate::catalog::Usable;
use quaymaster_connectors::definition::Auth;
use quaymaster_connectors::oauth;
use quaymaster_core::id::{OAuthAppId, OrgId};
use quaymaster_core::{Code, Fault, ManagementName};
pub use quaymaster_store::oauth_app::OAuthApp;
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeMap;

const LONGEST: usize = 2_048;

impl App {
    /// Where services send people back to: what is registered with an app.
    pub fn redirect_uri(&self) -> String {
        format!("{}/connections/callback", self.settings.public_url)
    }

    /// The organization's app for a connector, if it has one.
    pub async fn oauth_app(
        &self,
        actor: &Actor,
        connector: &str,
    ) -> Result<Option<OAuthApp>, Fault> {
        self.definition(&actor.org, connector).await?;
        Ok(self.store.oauth_app(&actor.org, connector).await?)
    }

    /// The organization's apps by the keys of their connectors.
    pub async fn oauth_app_ids(
        &self,
        actor: &Actor,
    ) -> Result<BTreeMap<String, OAuthAppId>, Fault> {
        Ok(self.store.oauth_app_ids(&actor.org).await?)
    }

    /// Refuses an app that is not the organization's for a connector; none is whichever it has.
    pub async fn checked_oauth_app(
        &self,
        actor: &Actor,
        connector: &str,
        named: Option<&str>,
    ) -> Result<(), Fault> {
        let Some(named) = named else { return Ok(()) };
        let own = self.oauth_app_ids(actor).await?;
        if own.get(connector).is_some_and(|id| id.as_str() == named) {
            return Ok(());
        }
        Err(
            Fault::not_found(format!("{connector} has no OAuth app {named:?} here."))
                .called(ManagementName::OauthAppNotFound)
                .hint("PUT /api/v1/connectors/{key}/oauth-app sets the one that a connector has."),
        )
    }

    /// Sets the organization's app for a connector. Without a secret, that of the same client id
    /// stays; a public client has none. Another secret is for no origin that accounts name yet.
    pub async fn set_oauth_app(
        &self,
        admin: &Admin,
        connector: &str,
        client_id: &str,
        secret: Option<SecretString>,
    ) -> Result<OAuthApp, Fault> {
        use secrecy::ExposeSecret as _;
        let usable = self.usable(&admin.org, connector).await?;
        let definition = usable.definition();
        if definition.auth.iter().all(|auth| flows(auth).is_empty()) {
            let message = format!("Nobody signs in to {} by an app.", definition.title);
            return Err(Fault::invalid_arg("/connector", "enum", message));
        }
        let client_id = client_id.trim();
        let checked = |name: &str, title: &str, text: &str| {
            let fits = text.len() <= LONGEST && !text.contains(char::is_control);
            fits.then_some(()).ok_or_else(|| {
                let message = format!("{title} is too long or has characters that it cannot have.");
                Fault::invalid_arg(name, "length", message)
            })
        };
        if client_id.is_empty() {
            let fault = Fault::invalid_arg("/client_id", "required", "The client id is needed.");
            return Err(fault.hint("The service shows it where the app is registered."));
        }
        checked("/client_id", "The client id", client_id)?;
        let secret = secret
            .map(|secret| SecretString::from(secret.expose_secret().trim().to_owned()))
            .filter(|secret| !secret.expose_secret().is_empty());
        if let Some(secret) = &secret {
            checked(
                "/client_secret",
                "The client secret",
                secret.expose_secret(),
            )?;
        }
        let known = self.store.oauth_app(&admin.org, connector).await?;
        // A secret is not led elsewhere by setting the app again without it.
        let stays = |known: &OAuthApp| {
            let same = |auth: &Auth| {
                known.destinations.get(&auth.key).map(String::as_str)
                    == usable.destination(&auth.key)
            };
            known.client_id == client_id && definition.auth.iter().all(same)
        };
        let kept = known.filter(stays);
        let origins = kept.as_ref().map(|kept| kept.origins.clone());
        let origins = origins.unwrap_or_default();
        let app = OAuthApp {
            id: OAuthAppId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            connector: connector.to_owned(),
            client_id: client_id.to_owned(),
            secret: secret.or_else(|| kept?.secret),
            destinations: definition
                .auth
                .iter()
                .filter_map(|auth| {
                    let destination = usable.destination(&auth.key)?;
                    Some((auth.key.clone(), destination.to_owned()))
                })
                .collect(),
            origins,
            user: admin.user.clone(),
            changed_at: self.now(),
        };
        self.store
            .prepare_sealing(self.now(), admin.org.as_str())
            .await?;
        let sealed = app.secret.as_ref();
        let sealed = sealed.map(|secret| self.store.seal_oauth_app(&app.org, &app.id, secret));
        let details = json!({ "connector": connector, "client_id": app.client_id });
        let event = self.event(&admin.org, &admin.label, "oauth_app.set", details);
        let mut tx = self.store.begin().await?;
        tx.set_oauth_app(&app, sealed.transpose()?).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(app)
    }

    /// Forgets the organization's app. Accounts that signed in by it work until their tokens end.
    pub async fn remove_oauth_app(&self, admin: &Admin, connector: &str) -> Result<(), Fault> {
        let details = json!({ "connector": connector });
        let event = self.event(&admin.org, &admin.label, "oauth_app.removed", details);
        let mut tx = self.store.begin().await?;
        if !tx.remove_oauth_app(&admin.org, connector).await? {
            return Err(Fault::not_found("There is no app for that connector.")
                .called(ManagementName::OauthAppNotFound));
        }
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The app as the protocol needs it.
    pub(super) async fn app_for(
        &self,
        org: &OrgId,
        usable: &Usable,
        auth: &str,
    ) -> Result<oauth::OAuthApp, Fault> {
        let definition = usable.definition();
        let (connector, title) = (&definition.key, &definition.title);
        let mend = |message: String| {
            Fault::new(Code::ConnectionRequired, message).hint(format!(
                "An administrator registers one at the service and enters its client id and secret \
                 at {}/connectors/{connector}#connect.",
                self.settings.public_url
            ))
        };
        let app = self.store.oauth_app(org, connector).await?;
        let app = app.ok_or_else(|| {
            mend(format!(
                "Your organization has no OAuth app for {title} yet."
            ))
            .called(ManagementName::NoOauthApp)
        })?;
        if app.destinations.get(auth).map(String::as_str) != usable.destination(auth) {
            return Err(mend(format!(
                "The definition of {title} sends the secret of the OAuth app to another place now."
            )));
        }
        Ok(oauth::OAuthApp {
            client_id: app.client_id,
            client_secret: app.secret,
            origins: Some(app.origins),
        })
    }

    /// Remembers that the app is meant for where a sign-in of an administrator leads.
    pub(super) async fn vouch_for(
        &self,
        by: &Author,
        underway: &mut Underway,
    ) -> Result<(), Fault> {
        let mut new = underway.server(self)?.chosen_origins();
        let known = underway.app.origins.get_or_insert_default();
        new.retain(|origin| !known.contains(origin));
        if new.is_empty() || underway.app.client_secret.is_none() {
            return Ok(());
        }
        let connector = underway.definition().key.clone();
        let details = json!({ "connector": connector, "origins": new });
        let event = self.event(&by.org, &by.label, "oauth_app.origins_added", details);
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&by.org).await?;
        tx.add_oauth_app_origins(&by.org, &connector, &new).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        underway.app.origins.get_or_insert_default().extend(new);
        Ok(())
    }
}
