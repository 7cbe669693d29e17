//! Who somebody is: bearer tokens, cached for at most half a second.
//!
//! A refused credential is answered a fixed time after it came, so that nobody reads from the time
//! whether it was known.

mod anonymous;
mod beliefs;
mod grants;
mod in_url;

pub(crate) use beliefs::{Callers, fresh, last};
pub(crate) use grants::{toolsets_of, usual};

use self::in_url::Misplaced;
use crate::App;
use crate::oauth::{SCOPES, scope_text};
use crate::workspaces::unknown_workspace;
use quaymaster_core::caller::{Access, Audience, Presented, Refusal, Side};
use quaymaster_core::id::{AccessTokenId, CredentialId, OrgId, WorkspaceId};
use quaymaster_core::secret::{Handle, SecretDigest, Token, TokenKind};
use quaymaster_core::{Caller, Code, Fault, Scope, Who};
use quaymaster_store::credential::Credential;
use quaymaster_store::oauth::AccessToken;
use quaymaster_store::workspace::Workspace;
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;

/// Longer than looking a credential up takes, and a multiple of the timer's millisecond.
const REFUSED_AFTER: Duration = Duration::from_millis(10);

#[derive(Clone)]
struct Known {
    caller: Arc<Caller>,
    /// None for a grant, which is reached by its access tokens.
    secret: Option<SecretDigest>,
    /// Whether it is taken from an address, too.
    in_url: bool,
    dead: Option<Dead>,
}

/// Where a credential is presented.
#[derive(Clone, Copy)]
struct Place<'a> {
    audience: Option<&'a Audience>,
    side: Side,
    /// In the address of the request.
    in_url: bool,
}

/// What a bearer token looks like.
enum Bearer {
    Token(Token),
    Access(Handle<AccessTokenId>),
}

impl Bearer {
    fn parse(text: &str) -> Option<Self> {
        let access = Handle::parse(text).map(Bearer::Access);
        access.or_else(|| Token::parse(text).map(Bearer::Token))
    }

    /// Whom a guess is about.
    fn id(&self) -> &str {
        match self {
            Bearer::Token(token) => token.credential.as_str(),
            Bearer::Access(access) => access.id.as_str(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Dead {
    Revoked,
    NoMember,
    /// Its hosted server is gone, or takes such credentials no longer.
    Closed,
}

impl App {
    pub(crate) async fn admit_presented(&self, presented: Presented) -> Result<Caller, Refusal> {
        let mut at = Place {
            audience: presented.audience.as_ref(),
            side: presented.side,
            in_url: !presented.in_url.is_empty(),
        };
        let shown = match in_url::shown(&presented) {
            Ok(Some(shown)) => shown,
            Ok(None) => {
                let caller = self.admit_anonymous(&presented, at).await?;
                return of_organization(caller, &presented);
            }
            Err(Misplaced::Twofold) => return Err(in_url::twofold().into()),
            Err(Misplaced::NoFlowToken(why)) => {
                return Err(self.refusal(at, Some("invalid_token"), why).await);
            }
        };
        at.in_url = shown.in_url;
        let came = tokio::time::Instant::now();
        let bearer = Bearer::parse(shown.text.expose_secret());
        let unknown = match self.recognise(bearer.as_ref(), at).await {
            Ok(caller) => return of_organization(Caller::clone(&caller), &presented),
            Err(unknown) => unknown,
        };
        tokio::time::sleep_until(came + REFUSED_AFTER).await;
        let (why, guessed) = match unknown {
            Unknown::Fault(fault) => return Err(fault.into()),
            Unknown::Proved(why) => (why, None),
            Unknown::Credential(why) => (why, bearer.as_ref().map(Bearer::id)),
        };
        if guessed.is_some_and(|about| self.guesses.one_more(presented.address, about)) {
            let fault = Fault::new(Code::RateLimited, "Too many bad credentials.")
                .hint("Wait a minute, then present a good one.")
                .detail("retry_after_s", 60);
            return Err(Refusal {
                fault,
                challenge: Some(self.challenge(at, Some("invalid_token")).await),
            });
        }
        Err(self.refusal(at, Some("invalid_token"), why).await)
    }

    async fn recognise(
        &self,
        bearer: Option<&Bearer>,
        at: Place<'_>,
    ) -> Result<Arc<Caller>, Unknown> {
        let caller = match bearer {
            Some(Bearer::Token(token)) => self.of_token(token, at).await?,
            Some(Bearer::Access(access)) => self.of_access_token(access, at).await?,
            None => {
                let why = "The credential is not one of this server's.";
                return Err(Unknown::Credential(why));
            }
        };
        if caller.good_until().is_some_and(|at| at <= self.now()) {
            return Err(Unknown::Proved("The credential has expired."));
        }
        let is_at = match at.audience {
            Some(Audience::Server(server)) => Some(server),
            Some(Audience::Mcp) | None => None,
        };
        if caller.kind == TokenKind::FlowToken && at.audience != Some(&Audience::Mcp) {
            return Err(Unknown::Proved("A flow token is good at /mcp only."));
        }
        if at.audience.is_some() && !caller.reach.is_whole() {
            return Err(Unknown::Proved(
                "This key is for the management API of single workspaces, and calls no tools here.",
            ));
        }
        if caller.hosted().map(|(server, _)| server) != is_at {
            return Err(Unknown::Proved(match is_at {
                Some(_) => "The credential is not this server's.",
                None => "The credential is good at the endpoint of its hosted server only.",
            }));
        }
        Ok(caller)
    }

    async fn of_token(&self, token: &Token, at: Place<'_>) -> Result<Arc<Caller>, Unknown> {
        const UNKNOWN: Unknown = Unknown::Credential("The credential is unknown.");
        let secret = token.secret.expose_secret();
        let known = self.known(&token.credential).await?.ok_or(UNKNOWN)?;
        let proved = known.secret.is_some_and(|digest| digest.matches(secret));
        if !proved || known.caller.kind != token.kind {
            return Err(UNKNOWN);
        }
        let fits = known.in_url || !at.in_url;
        let caller = known.living()?;
        if fits {
            return Ok(caller);
        }
        Err(Unknown::Proved(
            "This token may not be used in an address. Send it in the header, or make one that may.",
        ))
    }

    /// The caller behind an access token: its grant, with no more than the token's scopes and time.
    async fn of_access_token(
        &self,
        access: &Handle<AccessTokenId>,
        at: Place<'_>,
    ) -> Result<Arc<Caller>, Unknown> {
        const UNKNOWN: Unknown =
            Unknown::Credential("The access token is unknown, was revoked or has expired.");
        let token = self.access_token(&access.id).await?.ok_or(UNKNOWN)?;
        if !token.secret.matches(access.secret.expose_secret()) {
            return Err(UNKNOWN);
        }
        if at.audience != Some(&token.audience) {
            let why = "The access token is good for another endpoint of this server only.";
            return Err(Unknown::Proved(why));
        }
        let grant = self.known(&token.credential).await?.ok_or(UNKNOWN)?;
        let mut caller = Caller::clone(&*grant.living()?);
        let scopes = caller.scopes.iter();
        caller.scopes = scopes.filter(|scope| token.scopes.has(*scope)).collect();
        caller.access = Some(Access {
            token: token.id.clone(),
            expires_at: token.expires_at,
            side: at.side,
        });
        Ok(Arc::new(caller))
    }

    pub(crate) async fn access_token(
        &self,
        id: &AccessTokenId,
    ) -> Result<Option<Arc<AccessToken>>, Fault> {
        if let Some(token) = fresh(&self.callers.access_tokens, id) {
            return Ok(Some(token));
        }
        let before = self.callers.generation();
        let Some(token) = self.store.oauth_access_token(id).await? else {
            return Ok(None);
        };
        let token = Arc::new(token);
        self.callers.remember(
            &self.callers.access_tokens,
            before,
            id.clone(),
            token.clone(),
        );
        Ok(Some(token))
    }

    async fn known(&self, id: &CredentialId) -> Result<Option<Known>, Fault> {
        if let Some(known) = fresh(&self.callers.credentials, id) {
            return Ok(Some(known));
        }
        let before = self.callers.generation();
        // Closed on failure: a database that does not answer admits nobody.
        let Some(found) = self.store.credential_to_admit(id).await? else {
            return Ok(None);
        };
        let mut credential = found.credential;
        let dead = if credential.revoked_at.is_some() {
            Some(Dead::Revoked)
        } else if !found.is_member {
            Some(Dead::NoMember)
        } else if self.is_open_to(&mut credential).await? {
            None
        } else {
            Some(Dead::Closed)
        };
        let (secret, in_url) = (credential.secret, credential.in_url);
        let known = Known {
            caller: Arc::new(caller_of(credential)),
            secret,
            in_url,
            dead,
        };
        self.callers
            .remember(&self.callers.credentials, before, id.clone(), known.clone());
        Ok(Some(known))
    }

    /// Whether a credential's hosted server, if it has one, takes it. A grant learns here which end
    /// user its person is: that can change while it lives.
    async fn is_open_to(&self, credential: &mut Credential) -> Result<bool, Fault> {
        let Some(server) = &credential.server else {
            return Ok(true);
        };
        let Some(server) = self.store.server(&credential.org, server).await? else {
            return Ok(false);
        };
        if credential.kind != TokenKind::OAuthGrant {
            return Ok(server.auth_mode.takes_tokens());
        }
        let person = self.signs_in(&server, &credential.user).await?;
        credential.end_user = person.clone().flatten();
        Ok(server.auth_mode.takes_oauth() && person.is_some())
    }

    /// Whether a credential may still be used.
    pub(crate) async fn is_alive(&self, credential: &CredentialId) -> Result<bool, Fault> {
        Ok(self.living(credential).await?.is_some())
    }

    /// Whether a credential may still be used to change something.
    pub(crate) async fn may_write(&self, credential: &CredentialId) -> Result<bool, Fault> {
        let living = self.living(credential).await?;
        Ok(living.is_some_and(|caller| caller.scopes.has(Scope::WriteTools)))
    }

    pub(crate) async fn living(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<Arc<Caller>>, Fault> {
        let (known, now) = (self.known(credential).await?, self.now());
        Ok(known
            .filter(|known| known.dead.is_none())
            .map(|known| known.caller)
            .filter(|caller| caller.expires_at.is_none_or(|at| at > now)))
    }

    /// A 401 with the challenge of RFC 6750 §3; the text names what a good credential looks like.
    async fn refusal(&self, at: Place<'_>, error: Option<&str>, why: &str) -> Refusal {
        let fault = Fault::new(
            Code::Unauthenticated,
            format!(
                "{why} Present `Authorization: Bearer` with an API key that starts with sk-org- and has \
                 not expired, with a workspace token <credential-id>.<secret>, or at /mcp with a flow \
                 token that starts with at_."
            ),
        )
        .hint(format!("Make a new one at {}.", self.settings.public_url));
        Refusal {
            fault,
            challenge: Some(self.challenge(at, error).await),
        }
    }

    /// The refusal of a grant that does not allow a tool: a client may ask its person for more.
    pub(crate) fn too_narrow(&self, caller: &Caller, fault: Fault) -> Refusal {
        let audience = match caller.hosted() {
            Some((server, _)) => Audience::Server(server.clone()),
            None => Audience::Mcp,
        };
        let side = caller.access.as_ref().map(|access| access.side);
        let at = Place {
            audience: Some(&audience),
            side: side.unwrap_or_default(),
            in_url: false,
        };
        Refusal {
            fault,
            challenge: Some(self.challenge_that_leads(at, Some("insufficient_scope"))),
        }
    }

    /// At an endpoint that takes OAuth tokens it says where to get one (RFC 9728 §5.1) and, in one
    /// go, all scopes that may be needed.
    async fn challenge(&self, at: Place<'_>, error: Option<&str>) -> String {
        let leads = match at.audience {
            None => false,
            Some(Audience::Mcp) => true,
            // A database that does not answer has been told already, where it matters.
            Some(Audience::Server(server)) => self.server_to_sign_in_to(server).await.is_ok(),
        };
        if leads {
            self.challenge_that_leads(at, error)
        } else {
            self.bare_challenge(error)
        }
    }

    fn challenge_that_leads(&self, at: Place<'_>, error: Option<&str>) -> String {
        let bare = self.bare_challenge(error);
        let audience = at.audience.unwrap_or(&Audience::Mcp);
        let metadata = self.resource_metadata(audience, at.side);
        let scope = scope_text(SCOPES.into_iter().collect());
        format!("{bare}, resource_metadata=\"{metadata}\", scope=\"{scope}\"")
    }

    fn bare_challenge(&self, error: Option<&str>) -> String {
        let challenge = format!("Bearer realm=\"{}\"", self.settings.server_name);
        match error {
            Some(error) => format!("{challenge}, error=\"{error}\""),
            None => challenge,
        }
    }

    /// The organization's oldest workspace, which calls count to that touch none.
    pub(crate) async fn first_workspace(&self, org: &OrgId) -> Result<Arc<Workspace>, Fault> {
        if let Some(first) = fresh(&self.callers.first_workspaces, org) {
            return self.believed_workspace(org, &first).await;
        }
        let before = self.callers.generation();
        let oldest = self.store.workspaces(org).await?;
        let oldest = oldest.into_iter().min_by(|a, b| a.id.cmp(&b.id));
        let oldest = oldest.ok_or_else(|| {
            Fault::not_found("The organization has no workspace yet.")
                .hint("An administrator makes one on the first page.")
        })?;
        let map = &self.callers.first_workspaces;
        self.callers
            .remember(map, before, org.clone(), oldest.id.clone());
        Ok(Arc::new(oldest))
    }

    /// A workspace of the organization, believed for half a second.
    pub(crate) async fn believed_workspace(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Arc<Workspace>, Fault> {
        if let Some(known) = fresh(&self.callers.workspaces, workspace)
            && known.org == *org
        {
            return Ok(known);
        }
        let before = self.callers.generation();
        let found = self
            .store
            .workspace(org, workspace)
            .await?
            .ok_or_else(unknown_workspace)?;
        let found = Arc::new(found);
        self.callers.remember(
            &self.callers.workspaces,
            before,
            workspace.clone(),
            found.clone(),
        );
        Ok(found)
    }
}

enum Unknown {
    /// Nothing of ours, or a guess.
    Credential(&'static str),
    /// The secret is right, the credential good no more: whoever presents it guesses nothing.
    Proved(&'static str),
    Fault(Fault),
}

impl From<Fault> for Unknown {
    fn from(fault: Fault) -> Self {
        Unknown::Fault(fault)
    }
}

impl Known {
    fn living(self) -> Result<Arc<Caller>, Unknown> {
        match self.dead {
            None => Ok(self.caller),
            Some(Dead::Revoked) => Err(Unknown::Proved("The credential was revoked.")),
            Some(Dead::NoMember) => Err(Unknown::Proved(
                "The credential's user left the organization.",
            )),
            Some(Dead::Closed) => Err(Unknown::Proved(
                "The hosted server is gone, or takes this kind of credential no longer.",
            )),
        }
    }
}

/// `X-Org-Id` may only confirm the caller's organization.
fn of_organization(caller: Caller, presented: &Presented) -> Result<Caller, Refusal> {
    match &presented.org {
        Some(org) if org != caller.org.as_str() => Err(Fault::new(
            Code::Forbidden,
            "The header X-Org-Id names another organization than the credential's.",
        )
        .hint("Leave the header out; the credential says the organization.")
        .into()),
        _ => Ok(caller),
    }
}

pub(crate) fn caller_of(credential: Credential) -> Caller {
    let grants = grants::grants_of(&credential);
    let is_of_person = grants::is_of_person(&credential);
    let who = match (credential.kind, credential.server, credential.workspace) {
        (TokenKind::ServerToken, Some(server), _) => Who::Server(server, credential.end_user),
        (TokenKind::WorkspaceToken | TokenKind::FlowToken, _, Some(workspace)) if !is_of_person => {
            Who::Workspace(workspace)
        }
        (TokenKind::OAuthGrant, Some(_), _) => Who::SignedIn(credential.user, credential.end_user),
        _ => Who::User(credential.user),
    };
    Caller {
        org: credential.org,
        who,
        credential: credential.id,
        kind: credential.kind,
        scopes: credential.scopes,
        reach: credential.reach,
        grants,
        tools: credential.mix.tools,
        expires_at: credential.expires_at,
        access: None,
    }
}
