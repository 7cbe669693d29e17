//! Codes and refresh tokens against access tokens (RFC 6749 §4.1.3 and §6).

use super::{
    ACCESS_SECONDS, GRACE_SECONDS, GRACE_USES, OAuthCode, OAuthError, Params, REFRESH_SECONDS,
    SCOPES, scope_text, scopes_asked,
};
use crate::App;
use crate::credentials::told_of;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quaymaster_core::caller::{Audience, Pick, Reach};
use quaymaster_core::id::{AccessTokenId, CodeId, CredentialId, OrgId, RefreshTokenId};
use quaymaster_core::secret::{Handle, TokenKind};
use quaymaster_core::{Code as FaultCode, Fault, Scopes};
use quaymaster_store::Tx;
use quaymaster_store::credential::{Credential, Origin};
use quaymaster_store::oauth::{AccessToken, Code, Grace, GrantedClient, RefreshToken};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;

/// What a client gets.
#[derive(Debug)]
pub struct Tokens {
    pub access: SecretString,
    pub refresh: SecretString,
    pub expires_in: i64,
    pub scope: String,
}

pub(super) fn bad_grant(why: &str) -> OAuthError {
    OAuthError::new(OAuthCode::InvalidGrant, why)
}

impl App {
    /// The token endpoint. Runs as its own task: a client that goes away in the middle leaves nothing
    /// half done.
    /// `from` is where the request comes from, for limits on guessing.
    pub async fn token(&self, params: Params, from: Option<IpAddr>) -> Result<Tokens, OAuthError> {
        let app = self.clone();
        let task = self
            .tasks
            .spawn(async move { app.tokens(&params, from).await });
        task.await.unwrap_or_else(|_| Err(Fault::internal().into()))
    }

    async fn tokens(&self, params: &Params, from: Option<IpAddr>) -> Result<Tokens, OAuthError> {
        let grant_type = params.needed("grant_type")?;
        match grant_type {
            "authorization_code" => self.exchange(params, from).await,
            "refresh_token" => self.refresh(params, from).await,
            _ => Err(OAuthError::new(
                OAuthCode::UnsupportedGrantType,
                "This server knows authorization_code and refresh_token.",
            )),
        }
    }

    async fn exchange(&self, params: &Params, from: Option<IpAddr>) -> Result<Tokens, OAuthError> {
        const UNKNOWN: &str = "The code is unknown, was used before or has expired.";
        let client_id = client_id(params)?;
        let presented = Handle::<CodeId>::parse(params.needed("code")?);
        let presented = presented.ok_or_else(|| bad_grant(UNKNOWN))?;
        let verifier = params.needed("code_verifier")?;
        let redirect_uri = params.one("redirect_uri")?;
        let audience = self.audience_asked(params)?;
        let code = self.store.oauth_code(&presented.id).await?;
        let code = code
            .filter(|code| code.secret.matches(presented.secret.expose_secret()))
            .ok_or_else(|| self.guessed(from, presented.id.as_str(), UNKNOWN))?;
        if code.used_at.is_some() {
            self.code_was_stolen(&code).await?;
            return Err(bad_grant(UNKNOWN));
        }
        if code.expires_at <= self.now() || code.client_id != client_id {
            return Err(bad_grant(UNKNOWN));
        }
        // OAuth 2.1 drops this parameter; a client that sends it must send what it sent before.
        if redirect_uri.is_some_and(|uri| uri != code.redirect_uri) {
            return Err(bad_grant("The redirect URI is another than the code's."));
        }
        if !proves(verifier, &code.code_challenge) {
            return Err(bad_grant("The code verifier does not fit the challenge."));
        }
        // What was granted is what a client gets that does not say it again (RFC 8707 §2.2).
        if audience.is_some_and(|audience| audience != code.audience) {
            return Err(OAuthError::new(
                OAuthCode::InvalidTarget,
                "The code was given for another resource.",
            ));
        }
        if self.store.member(&code.org, &code.user).await?.is_none() {
            return Err(bad_grant("Whoever granted this left the organization."));
        }
        self.still_signs_in(&code.audience).await?;
        let grant = self.grant_of(&code);
        let client = GrantedClient {
            client_id: code.client_id.clone(),
            redirect_uri: code.redirect_uri.clone(),
        };
        let mut tx = self.store.begin().await?;
        tx.add_oauth_grant(&grant, &client).await?;
        if !tx.use_oauth_code(&code.id, &grant.id, self.now()).await? {
            // Somebody presented the same code a moment ago, and the client cannot be both.
            drop(tx);
            let code = self.store.oauth_code(&code.id).await?;
            if let Some(code) = code.filter(|code| code.used_at.is_some()) {
                self.code_was_stolen(&code).await?;
            }
            return Err(bad_grant(UNKNOWN));
        }
        let mut details = json!({
            "name": grant.name,
            "scopes": grant.scopes,
            "origin": grant.origin.name(),
            "client": client.client_id,
        });
        told_of(&mut details, &grant.mix);
        let mut event = self.event(
            &grant.org,
            grant.user.as_str(),
            "credential.created",
            details,
        );
        event.credential = Some(grant.id.clone());
        tx.record(&event).await?;
        let tokens = self
            .add_tokens(&mut tx, &grant.id, grant.scopes, &code.audience)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(tokens)
    }

    async fn refresh(&self, params: &Params, from: Option<IpAddr>) -> Result<Tokens, OAuthError> {
        const UNKNOWN: &str = "The refresh token is unknown, was revoked or has expired.";
        let client_id = client_id(params)?;
        let presented = Handle::<RefreshTokenId>::parse(params.needed("refresh_token")?);
        let presented = presented.ok_or_else(|| bad_grant(UNKNOWN))?;
        let scope = params.one("scope")?;
        let audience = self.audience_asked(params)?;
        let token = self.store.oauth_refresh_token(&presented.id).await?;
        let token = token
            .filter(|token| token.secret.matches(presented.secret.expose_secret()))
            .ok_or_else(|| self.guessed(from, presented.id.as_str(), UNKNOWN))?;
        let client = self.store.oauth_client(&token.credential).await?;
        if client.is_none_or(|client| client.client_id != client_id) {
            return Err(bad_grant("The refresh token was given to another client."));
        }
        if audience.is_some_and(|audience| audience != token.audience) {
            return Err(OAuthError::new(
                OAuthCode::InvalidTarget,
                "The refresh token was given for another resource.",
            ));
        }
        let found = self.store.credential_to_admit(&token.credential).await?;
        let grant = found
            .filter(|found| found.is_member && found.credential.revoked_at.is_none())
            .map(|found| found.credential)
            .ok_or_else(|| bad_grant(UNKNOWN))?;
        self.still_signs_in(&token.audience).await?;
        let scopes = match scope {
            Some(_) => within(scopes_asked(scope)?, grant.scopes)?,
            None => grant.scopes,
        };
        if !self.refreshes.take(&grant.id) {
            return Err(OAuthError::new(
                OAuthCode::TooManyRequests,
                "The client refreshes too often. An access token is good for a day: use it.",
            ));
        }
        let grace = Grace {
            seconds: GRACE_SECONDS,
            uses: GRACE_USES,
        };
        let mut tx = self.store.begin().await?;
        if !tx
            .use_oauth_refresh_token(&token.id, grace, self.now())
            .await?
        {
            drop(tx);
            let over = self.now().plus_seconds(-GRACE_SECONDS);
            if token.rotated_at.is_some_and(|at| at < over) {
                // Two parties have it, and nobody knows which of them is the client.
                let why = "a refresh token was used again";
                self.end_grant(&grant.org, &grant.id, why).await?;
            }
            return Err(bad_grant(UNKNOWN));
        }
        let tokens = self
            .add_tokens(&mut tx, &grant.id, scopes, &token.audience)
            .await?;
        tx.commit().await?;
        Ok(tokens)
    }

    /// Counts a code or token whose secret is wrong.
    pub(super) fn guessed(&self, from: Option<IpAddr>, about: &str, why: &str) -> OAuthError {
        if self.guesses.one_more(from, about) {
            return OAuthError::new(
                OAuthCode::TooManyRequests,
                "Too many bad codes and tokens. Wait a minute, then present a good one.",
            );
        }
        bad_grant(why)
    }

    /// The hosted server may have gone or been closed to OAuth since the person agreed.
    async fn still_signs_in(&self, audience: &Audience) -> Result<(), OAuthError> {
        let Audience::Server(server) = audience else {
            return Ok(());
        };
        match self.server_to_sign_in_to(server).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.code == FaultCode::McpOauthDisabled => Err(bad_grant(
                "The hosted server takes OAuth clients no longer.",
            )),
            Err(fault) => Err(fault.into()),
        }
    }

    async fn code_was_stolen(&self, code: &Code) -> Result<(), OAuthError> {
        match &code.credential {
            Some(grant) => {
                let why = "its authorization code was used again";
                self.end_grant(&code.org, grant, why).await
            }
            None => Ok(()),
        }
    }

    /// Ends a grant with all its tokens, unless it has ended before.
    pub(super) async fn end_grant(
        &self,
        org: &OrgId,
        grant: &CredentialId,
        why: &str,
    ) -> Result<(), OAuthError> {
        let mut tx = self.store.begin().await?;
        if tx.revoke_credential(org, grant, self.now()).await? {
            let mut event = self.event(
                org,
                grant.as_str(),
                "credential.revoked",
                json!({ "why": why }),
            );
            event.credential = Some(grant.clone());
            tx.record(&event).await?;
            tx.commit().await?;
            self.changed().await;
        }
        Ok(())
    }

    fn grant_of(&self, code: &Code) -> Credential {
        let now = self.now();
        Credential {
            id: CredentialId::fresh(&*self.clock, &*self.entropy),
            org: code.org.clone(),
            kind: TokenKind::OAuthGrant,
            name: code.client_name.clone(),
            user: code.user.clone(),
            workspace: Some(code.workspace.clone()),
            server: match &code.audience {
                Audience::Mcp => None,
                Audience::Server(server) => Some(server.clone()),
            },
            end_user: None,
            flows: Pick::All,
            in_url: false,
            mix: code.mix.clone(),
            origin: Origin::Consent,
            scopes: code.scopes,
            reach: Reach::Organization,
            secret: None,
            created_at: now,
            expires_at: Some(now.plus_seconds(REFRESH_SECONDS)),
            last_used_at: None,
            revoked_at: None,
        }
    }

    async fn add_tokens(
        &self,
        tx: &mut Tx,
        grant: &CredentialId,
        scopes: Scopes,
        audience: &Audience,
    ) -> Result<Tokens, OAuthError> {
        let now = self.now();
        let entropy = &*self.entropy;
        let access = Handle::fresh(AccessTokenId::fresh(&*self.clock, entropy), entropy);
        let refresh = Handle::fresh(RefreshTokenId::fresh(&*self.clock, entropy), entropy);
        tx.add_oauth_access_token(&AccessToken {
            id: access.id.clone(),
            credential: grant.clone(),
            secret: access.digest(),
            scopes,
            audience: audience.clone(),
            created_at: now,
            expires_at: now.plus_seconds(ACCESS_SECONDS),
        })
        .await?;
        tx.add_oauth_refresh_token(&RefreshToken {
            id: refresh.id.clone(),
            credential: grant.clone(),
            secret: refresh.digest(),
            audience: audience.clone(),
            created_at: now,
            expires_at: now.plus_seconds(REFRESH_SECONDS),
            rotated_at: None,
        })
        .await?;
        Ok(Tokens {
            access: access.reveal(),
            refresh: refresh.reveal(),
            expires_in: ACCESS_SECONDS,
            scope: scope_text(scopes),
        })
    }
}

/// Public clients say who they are in the body (RFC 6749 §3.2.1).
fn client_id(params: &Params) -> Result<&str, OAuthError> {
    params.one("client_id")?.ok_or_else(|| {
        OAuthError::new(
            OAuthCode::InvalidClient,
            "Clients are public here: send client_id in the body, and no secret.",
        )
    })
}

/// A refresh may ask for less and never gets more (RFC 6749 §6). Clients repeat what they asked for
/// at first, even when the person granted less.
fn within(asked: Scopes, granted: Scopes) -> Result<Scopes, OAuthError> {
    let both: Scopes = asked.iter().filter(|scope| granted.has(*scope)).collect();
    if !both.is_empty() {
        // What the person ticked, no client knows to ask for.
        let ticked = granted.iter().filter(|scope| !SCOPES.contains(scope));
        return Ok(both.iter().chain(ticked).collect());
    }
    Err(OAuthError::new(
        OAuthCode::InvalidScope,
        "That is more than was granted. Ask the person again at the authorization endpoint.",
    ))
}

/// Whether a verifier is the one that a challenge was made of (RFC 7636 §4.6).
fn proves(verifier: &str, challenge: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    let unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return false;
    }
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    made.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_proves_itself() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(proves(verifier, challenge));
        assert!(!proves(&verifier.replace('d', "e"), challenge));
        assert!(!proves(challenge, challenge));
        assert!(!proves("short", challenge));
    }
}
