//! What OAuth brings, among the secrets of an account.

use super::Renewable;
use super::checks::Checked;
use crate::App;
use quaymaster_connectors::definition::{Auth, AuthKind, Grant, OAuth2};
use quaymaster_connectors::oauth::Tokens;
use quaymaster_core::id::OrgId;
use quaymaster_core::{Fault, Instant};
use quaymaster_store::authorization::Flow;
use quaymaster_store::connection::Secrets;
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;

/// In front of all names of here: a definition's fields have no dots.
const PREFIX: &str = "oauth.";
pub(super) const ACCESS: &str = "oauth.access_token";
pub(super) const REFRESH: &str = "oauth.refresh_token";
/// Stands with every account that has tokens: `code`, `device`, `client` or `given`.
pub(super) const GRANT: &str = "oauth.grant";
pub(super) const VERIFIER: &str = "oauth.verifier";
pub(super) const DEVICE_CODE: &str = "oauth.device_code";
/// The app's public name, which requests of some services carry.
pub(super) const CLIENT_ID: &str = "client_id";
pub(super) const CLIENT_SECRET: &str = "client_secret";
/// The account signs in by an app of its own.
pub(super) const OF_CLIENT: &str = "client";
/// Its tokens were got elsewhere, and are used there as well.
pub(super) const GIVEN: &str = "given";

const USUAL_MARGIN: i64 = 120;

/// When an access token ends, and when it is renewed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Life {
    pub(super) expires_at: Option<Instant>,
    pub(super) renew_at: Option<Instant>,
}

/// How an account of this way comes to its tokens; none when not by OAuth.
pub(crate) fn flows(auth: &Auth) -> Vec<Flow> {
    let grants = auth.oauth2.as_ref().map(|oauth2| &oauth2.grants);
    let flow = |grant: &Grant| match grant {
        Grant::AuthorizationCode => Some(Flow::Code),
        Grant::DeviceCode => Some(Flow::Device),
        Grant::ClientCredentials => None,
    };
    grants.into_iter().flatten().filter_map(flow).collect()
}

/// Whether an account of this way has an app of its own, which a person types in.
pub(crate) fn is_of_client(auth: &Auth) -> bool {
    auth.kind == AuthKind::Oauth2 && flows(auth).is_empty()
}

/// Puts new tokens in the place of old ones.
pub(super) fn put(
    secrets: &mut Secrets,
    fields: &mut BTreeMap<String, String>,
    tokens: Tokens,
    oauth2: &OAuth2,
    now: Instant,
) -> Life {
    secrets.insert(ACCESS.to_owned(), tokens.access_token);
    // A server that does not rotate leaves it out.
    if let Some(refresh) = tokens.refresh_token {
        secrets.insert(REFRESH.to_owned(), refresh);
    }
    fields.extend(tokens.fields);
    let Some(life) = tokens.expires_in else {
        return Life::default();
    };
    let margin = oauth2.refresh.margin_s.map_or(USUAL_MARGIN, i64::from);
    // Else a token that lives shorter than the margin would be renewed with every call.
    let margin = margin.min(life / 5);
    Life {
        expires_at: Some(now.plus_seconds(life)),
        renew_at: Some(now.plus_seconds(life - margin)),
    }
}

impl App {
    /// Puts tokens that a developer got by an app of their own into an account. They are renewed by the
    /// organization's app, if at all.
    pub(super) async fn put_given(
        &self,
        org: &OrgId,
        checked: &mut Checked,
        tokens: Tokens,
    ) -> Result<Life, Fault> {
        let oauth2 = checked.auth()?.oauth2.clone();
        let oauth2 = oauth2.ok_or_else(Fault::internal)?;
        let (secrets, fields) = (&mut checked.secrets, &mut checked.fields);
        let life = put(secrets, fields, tokens, &oauth2, self.now());
        secrets.insert(GRANT.to_owned(), GIVEN.into());
        let app = self.store.oauth_app(org, &checked.definition.key).await?;
        if let Some(app) = app {
            secrets.insert(CLIENT_ID.to_owned(), app.client_id.into());
        }
        Ok(life)
    }
}

/// The fields of the account itself, without what OAuth brought.
pub(super) fn without(mut secrets: Secrets) -> Secrets {
    secrets.retain(|name, _| !name.starts_with(PREFIX));
    secrets
}

pub(super) fn renewable(secrets: &Secrets) -> Renewable {
    let Some(grant) = secrets.get(GRANT) else {
        return Renewable::Not;
    };
    if secrets.contains_key(REFRESH) || grant.expose_secret() == OF_CLIENT {
        Renewable::Yes
    } else {
        Renewable::NoMore
    }
}
