//! From a client's question to a code (RFC 6749 §4.1.1 and §4.1.2, RFC 7636, RFC 9207).
//!
//! Nothing is kept between the question and the answer: the consent page sends the question along,
//! and it is checked again.

use super::client::{Client, ClientId};
use super::documents::told;
use super::redirect::{Destination, RedirectUri};
use super::{CODE_SECONDS, OAuthCode, OAuthError, Params, SCOPES, scopes_asked};
use crate::App;
use crate::actor::Actor;
use crate::credentials::Origin;
use crate::mixing::Ticked;
use quaymaster_core::caller::Audience;
use quaymaster_core::id::{CodeId, UserId, WorkspaceId};
use quaymaster_core::mix::Mix;
use quaymaster_core::secret::{Handle, TokenKind};
use quaymaster_core::{Code, Fault, Scope, Scopes};
use quaymaster_store::oauth::Code as AuthorizationCode;
use quaymaster_store::server::Server;
use secrecy::ExposeSecret as _;

/// A question that may be put to a person.
#[derive(Debug, Clone)]
pub struct Asked {
    pub client: Client,
    pub redirect_uri: RedirectUri,
    pub scopes: Scopes,
    /// The hosted server that is asked for; none asks for the files of a workspace.
    pub server: Option<Server>,
    audience: Audience,
    state: Option<String>,
    code_challenge: String,
}

/// What a question asks for, but for the client.
struct Checked {
    scopes: Scopes,
    server: Option<Server>,
    audience: Audience,
    code_challenge: String,
}

/// Why a question is not put to a person.
#[derive(Debug)]
pub enum Unasked {
    /// The client's description must be fetched, and that is done for nobody who is not signed in.
    SignInFirst,
    /// Nobody knows where an answer could go, so the person reads this.
    Told(Fault),
    /// The client hears of it.
    Answered(Answered),
}

/// An error that goes back to the client.
#[derive(Debug)]
pub struct Answered {
    pub error: OAuthError,
    /// The address to go on to, with the error in it.
    pub location: String,
    /// What is there. Anybody can register an address of the web, so a browser that goes there by
    /// itself could be led anywhere (RFC 9700 §4.11.2): the person decides.
    pub destination: Destination,
}

/// What a person grants.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Whose files the client gets. A hosted server has its own one.
    pub workspace: Option<WorkspaceId>,
    /// Besides reading.
    pub write: bool,
    /// In the place of the files; says nothing of a hosted server.
    pub ticked: Ticked,
}

impl App {
    /// Checks the query of an authorization request. `asker` is whoever is signed in.
    pub async fn authorization_asked(
        &self,
        query: &str,
        asker: Option<&UserId>,
    ) -> Result<Asked, Unasked> {
        let params = Params::parse(query.as_bytes());
        let told = |why: String| Unasked::Told(told(why));
        let of_error = |error: OAuthError| told(error.description);
        let client_id = params.needed("client_id").map_err(of_error)?;
        let client = match (ClientId::of(client_id), asker) {
            (ClientId::Document, None) => return Err(Unasked::SignInFirst),
            (ClientId::Document, Some(asker)) => self
                .client_of_document(client_id, asker)
                .await
                .map_err(Unasked::Told)?,
            (ClientId::Registered, _) => self.registered_client(client_id).map_err(told)?,
        };
        let redirect = params.one("redirect_uri").map_err(of_error)?;
        let redirect_uri = client.redirect(redirect).map_err(told)?;
        let state = params.one("state").ok().flatten().map(str::to_owned);
        match self.checked(&params).await {
            Ok(Checked {
                scopes,
                server,
                audience,
                code_challenge,
            }) => Ok(Asked {
                client,
                redirect_uri,
                scopes,
                server,
                audience,
                state,
                code_challenge,
            }),
            Err(error) => Err(Unasked::Answered(Answered {
                location: self.answer(
                    &redirect_uri,
                    state.as_deref(),
                    &[
                        ("error", error.code.name()),
                        ("error_description", &error.description),
                    ],
                ),
                destination: redirect_uri.destination(),
                error,
            })),
        }
    }

    async fn checked(&self, params: &Params) -> Result<Checked, OAuthError> {
        let refuse = |why: &str| Err(OAuthError::new(OAuthCode::InvalidRequest, why));
        params.one("state")?;
        if params.needed("response_type")? != "code" {
            return Err(OAuthError::new(
                OAuthCode::UnsupportedResponseType,
                "This server knows response_type=code.",
            ));
        }
        if params
            .one("response_mode")?
            .is_some_and(|mode| mode != "query")
        {
            return refuse("This server knows response_mode=query.");
        }
        // Without a method the challenge would be plain (RFC 7636 §4.3), which protects nothing.
        if params.one("code_challenge_method")? != Some("S256") {
            return refuse("This server needs PKCE with code_challenge_method=S256.");
        }
        let challenge = params.needed("code_challenge")?;
        if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
            return refuse("code_challenge must be the SHA-256 of the verifier in base64url.");
        }
        let audience = self.audience_asked(params)?.unwrap_or(Audience::Mcp);
        let scopes = scopes_asked(params.one("scope")?)?;
        let server = match &audience {
            Audience::Mcp => None,
            Audience::Server(server) => {
                let found = self.server_to_sign_in_to(server).await;
                Some(found.map_err(|fault| match fault.code {
                    Code::McpOauthDisabled => {
                        OAuthError::new(OAuthCode::InvalidTarget, fault.message)
                    }
                    _ => fault.into(),
                })?)
            }
        };
        Ok(Checked {
            scopes,
            server,
            audience,
            code_challenge: challenge.to_owned(),
        })
    }

    /// The person agrees. Answers the address to go on to, with a code.
    pub async fn authorization_granted(
        &self,
        actor: &Actor,
        asked: &Asked,
        granted: &Granted,
    ) -> Result<String, Fault> {
        let workspace = match (&asked.server, &granted.workspace) {
            (Some(server), _) => {
                self.may_sign_in_to(actor, server).await?;
                server.workspace.clone()
            }
            (None, Some(workspace)) => workspace.clone(),
            (None, None) => {
                return Err(Fault::invalid_arg(
                    "/workspace",
                    "required",
                    "Choose the workspace that the client shall use.",
                ));
            }
        };
        self.believed_workspace(&actor.org, &workspace).await?;
        let scopes: Scopes = SCOPES
            .into_iter()
            .filter(|scope| asked.scopes.has(*scope) && actor.scopes.has(*scope))
            .filter(|scope| *scope != Scope::WriteTools || granted.write)
            .collect();
        if scopes.is_empty() {
            return Err(Fault::invalid_arg(
                "/write",
                "minItems",
                match asked.server {
                    Some(_) => "The client asks to change things only. Allow that, or cancel.",
                    None => "The client asks to change files only. Allow that, or cancel.",
                },
            ));
        }
        let (scopes, mix) = match asked.server {
            Some(_) => (scopes, Mix::default()),
            None => {
                self.mix_granted(actor, &workspace, scopes, &granted.ticked)
                    .await?
            }
        };
        let now = self.now();
        let handle = Handle::fresh(CodeId::fresh(&*self.clock, &*self.entropy), &*self.entropy);
        let code = AuthorizationCode {
            id: handle.id.clone(),
            secret: handle.digest(),
            org: actor.org.clone(),
            user: actor.user.clone(),
            workspace,
            scopes,
            mix,
            audience: asked.audience.clone(),
            client_id: asked.client.id.clone(),
            client_name: asked.client.name.clone(),
            redirect_uri: asked.redirect_uri.as_str().to_owned(),
            code_challenge: asked.code_challenge.clone(),
            created_at: now,
            expires_at: now.plus_seconds(CODE_SECONDS),
            used_at: None,
            credential: None,
        };
        if let Some(server) = &asked.server {
            self.become_end_user(actor, server).await?;
        }
        let mut tx = self.store.begin().await?;
        tx.add_oauth_code(&code).await?;
        tx.commit().await?;
        Ok(self.answer(
            &asked.redirect_uri,
            asked.state.as_deref(),
            &[("code", handle.reveal().expose_secret())],
        ))
    }

    /// What the grant has of what the person ticked, and the scopes that it needs for that.
    async fn mix_granted(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        scopes: Scopes,
        ticked: &Ticked,
    ) -> Result<(Scopes, Mix), Fault> {
        let kind = TokenKind::OAuthGrant;
        let fresh = self.fresh(actor, kind, String::new(), Origin::Consent, scopes);
        let mut grant = fresh.credential;
        grant.workspace = Some(workspace.clone());
        self.put_mix(&mut grant, ticked).await?;
        if !grant.scopes.within(actor.scopes) {
            return Err(Fault::new(
                Code::ScopeDenied,
                "A client cannot be given more than you may do yourself.",
            ));
        }
        Ok((grant.scopes, grant.mix))
    }

    /// The person does not agree. Answers the address to go on to.
    pub fn authorization_denied(&self, asked: &Asked) -> String {
        self.answer(
            &asked.redirect_uri,
            asked.state.as_deref(),
            &[
                ("error", OAuthCode::AccessDenied.name()),
                ("error_description", "The person did not agree."),
            ],
        )
    }

    /// Every answer says who gives it (RFC 9207), so that no client mixes servers up.
    fn answer(
        &self,
        redirect: &RedirectUri,
        state: Option<&str>,
        params: &[(&str, &str)],
    ) -> String {
        let mut all = params.to_vec();
        all.extend(state.map(|state| ("state", state)));
        all.push(("iss", self.issuer()));
        redirect.with(&all)
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
