//! Tokens that their client gives back (RFC 7009).

use super::token::bad_grant;
use super::{OAuthCode, OAuthError, Params};
use crate::App;
use crate::changes::ACCESS_ENDED;
use quaymaster_core::id::{AccessTokenId, CredentialId, RefreshTokenId};
use quaymaster_core::secret::Handle;
use quaymaster_store::oauth::AccessToken;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::net::IpAddr;

impl App {
    /// The revocation endpoint. What is no token of ours is revoked already (RFC 7009 §2.2). A
    /// refresh token takes the whole grant with it, an access token goes alone.
    pub async fn revoke_token(
        &self,
        params: &Params,
        from: Option<IpAddr>,
    ) -> Result<(), OAuthError> {
        let text = params.needed("token")?;
        let client_id = params.one("client_id")?;
        if let Some(presented) = Handle::<RefreshTokenId>::parse(text) {
            let token = self.store.oauth_refresh_token(&presented.id).await?;
            let Some(token) =
                token.filter(|token| token.secret.matches(presented.secret.expose_secret()))
            else {
                return self.not_ours(from, presented.id.as_str());
            };
            self.revocable(&token.credential, client_id).await?;
            let found = self.store.credential_to_admit(&token.credential).await?;
            if let Some(found) = found {
                let grant = found.credential;
                self.end_grant(&grant.org, &grant.id, "the client revoked it")
                    .await?;
            }
        } else if let Some(presented) = Handle::<AccessTokenId>::parse(text) {
            let token = self.store.oauth_access_token(&presented.id).await?;
            let Some(token) =
                token.filter(|token| token.secret.matches(presented.secret.expose_secret()))
            else {
                return self.not_ours(from, presented.id.as_str());
            };
            self.revocable(&token.credential, client_id).await?;
            self.end_access_token(&token).await?;
        }
        Ok(())
    }

    /// Ends one access token, and the streams that it opened.
    async fn end_access_token(&self, token: &AccessToken) -> Result<(), OAuthError> {
        let grant = self.store.credential_to_admit(&token.credential).await?;
        let mut tx = self.store.begin().await?;
        if !tx.end_oauth_access_token(&token.id).await? {
            return Ok(());
        }
        if let Some(grant) = grant.map(|found| found.credential) {
            let details = json!({ "access_token": token.id });
            let mut event = self.event(&grant.org, grant.id.as_str(), ACCESS_ENDED, details);
            event.credential = Some(grant.id);
            tx.record(&event).await?;
        }
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// Whoever has the token may revoke it; a client that names itself must be the right one.
    async fn revocable(
        &self,
        grant: &CredentialId,
        client_id: Option<&str>,
    ) -> Result<(), OAuthError> {
        let Some(client_id) = client_id else {
            return Ok(());
        };
        let client = self.store.oauth_client(grant).await?;
        if client.is_some_and(|client| client.client_id == client_id) {
            return Ok(());
        }
        Err(bad_grant("The token was given to another client."))
    }

    fn not_ours(&self, from: Option<IpAddr>, about: &str) -> Result<(), OAuthError> {
        let error = self.guessed(from, about, "");
        match error.code {
            OAuthCode::TooManyRequests => Err(error),
            _ => Ok(()),
        }
    }
}
