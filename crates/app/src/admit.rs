//! Who somebody is: bearer tokens, cached for at most half a second.

use crate::App;
use quaymaster_core::caller::{Presented, Refusal};
use quaymaster_core::id::{CredentialId, OrgId, WorkspaceId};
use quaymaster_core::secret::{SecretDigest, Token, TokenKind};
use quaymaster_core::{Caller, Code, Fault, Grant, Scope, Who};
use quaymaster_store::credential::Credential;
use quaymaster_store::workspace::Workspace;
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// How long a credential is believed without asking the database again. What revokes a credential
/// on this node drops it at once; on others this bounds it.
const BELIEVED: Duration = Duration::from_millis(500);
/// Entries kept; the cache is emptied when it is full, which costs one query each.
const MOST: usize = 10_000;

#[derive(Default)]
pub(crate) struct Callers {
    credentials: Mutex<HashMap<CredentialId, Believed<Known>>>,
    workspaces: Mutex<HashMap<WorkspaceId, Believed<Arc<Workspace>>>>,
    /// Raised whenever something is forgotten: what was read from the database before that is not
    /// remembered.
    forgotten: AtomicU64,
}

struct Believed<T> {
    since: Monotonic,
    what: T,
}

#[derive(Clone)]
struct Known {
    caller: Arc<Caller>,
    secret: SecretDigest,
    dead: Option<Dead>,
}

#[derive(Debug, Clone, Copy)]
enum Dead {
    Revoked,
    NoMember,
}

fn fresh<K: std::hash::Hash + Eq, T: Clone>(
    map: &Mutex<HashMap<K, Believed<T>>>,
    key: &K,
) -> Option<T> {
    let map = map.lock().unwrap_or_else(PoisonError::into_inner);
    map.get(key)
        .filter(|entry| entry.since.elapsed() < BELIEVED)
        .map(|entry| entry.what.clone())
}

impl Callers {
    fn generation(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Remembers what was read when the generation was `read_at`, unless something was forgotten
    /// since: that may have been this.
    fn remember<K: std::hash::Hash + Eq, T>(
        &self,
        map: &Mutex<HashMap<K, Believed<T>>>,
        read_at: u64,
        key: K,
        what: T,
    ) {
        let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != read_at {
            return;
        }
        if map.len() >= MOST {
            map.clear();
        }
        let since = Monotonic::now();
        map.insert(key, Believed { since, what });
    }

    pub(crate) fn forget_credential(&self, credential: &CredentialId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(credential);
    }

    pub(crate) fn forget_workspace(&self, workspace: &WorkspaceId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.workspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(workspace);
    }
}

impl App {
    pub(crate) async fn admit_presented(&self, presented: Presented) -> Result<Caller, Refusal> {
        let Some(bearer) = &presented.bearer else {
            return Err(self.refusal(None, "No credential was presented."));
        };
        let parsed = Token::parse(bearer.expose_secret());
        match self.recognise(parsed.as_ref()).await {
            Ok(caller) => {
                if let Some(org) = &presented.org
                    && org != caller.org.as_str()
                {
                    return Err(Fault::new(
                        Code::Forbidden,
                        "The header X-Org-Id names another organization than the credential's.",
                    )
                    .hint("Leave the header out; the credential says the organization.")
                    .into());
                }
                Ok(Caller::clone(&caller))
            }
            Err(Unknown::Fault(fault)) => Err(fault.into()),
            Err(Unknown::Credential(why)) => {
                let id = parsed.map(|token| token.credential);
                if self
                    .guesses
                    .one_more(presented.address, id.as_ref().map(CredentialId::as_str))
                {
                    return Err(Fault::new(Code::RateLimited, "Too many bad credentials.")
                        .hint("Wait a minute, then present a good one.")
                        .detail("retry_after_s", 60)
                        .into());
                }
                Err(self.refusal(Some("invalid_token"), why))
            }
        }
    }

    async fn recognise(&self, token: Option<&Token>) -> Result<Arc<Caller>, Unknown> {
        // An unknown id costs the same comparison as a known one.
        let nobody = SecretDigest([0; 32]);
        let Some(token) = token else {
            return Err(Unknown::Credential(
                "The credential is not one of this server's.",
            ));
        };
        let secret = token.secret.expose_secret();
        let known = self
            .known(&token.credential)
            .await
            .map_err(Unknown::Fault)?;
        let Some(known) = known else {
            let _ = nobody.matches(secret);
            return Err(Unknown::Credential("The credential is unknown."));
        };
        if !known.secret.matches(secret) || known.caller.kind != token.kind {
            return Err(Unknown::Credential("The credential is unknown."));
        }
        match known.dead {
            Some(Dead::Revoked) => return Err(Unknown::Credential("The credential was revoked.")),
            Some(Dead::NoMember) => {
                return Err(Unknown::Credential(
                    "The credential's user left the organization.",
                ));
            }
            None => {}
        }
        if known.caller.expires_at.is_some_and(|at| at <= self.now()) {
            return Err(Unknown::Credential("The credential has expired."));
        }
        Ok(known.caller)
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
        let credential = found.credential;
        let dead = if credential.revoked_at.is_some() {
            Some(Dead::Revoked)
        } else if found.is_member {
            None
        } else {
            Some(Dead::NoMember)
        };
        let secret = credential.secret;
        let known = Known {
            caller: Arc::new(caller_of(credential)),
            secret,
            dead,
        };
        self.callers
            .remember(&self.callers.credentials, before, id.clone(), known.clone());
        Ok(Some(known))
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

    async fn living(&self, credential: &CredentialId) -> Result<Option<Arc<Caller>>, Fault> {
        let (known, now) = (self.known(credential).await?, self.now());
        Ok(known
            .filter(|known| known.dead.is_none())
            .map(|known| known.caller)
            .filter(|caller| caller.expires_at.is_none_or(|at| at > now)))
    }

    /// A 401 with the challenge of RFC 6750 §3; the text names what a good credential looks like.
    fn refusal(&self, error: Option<&str>, why: &str) -> Refusal {
        let fault = Fault::new(
            Code::Unauthenticated,
            format!(
                "{why} Present `Authorization: Bearer` with an API key that starts with sk-org- and has \
                 not expired, or with a workspace token <credential-id>.<secret>."
            ),
        )
        .hint(format!("Make a new one at {}.", self.settings.public_url));
        let mut challenge = format!("Bearer realm=\"{}\"", self.settings.server_name);
        if let Some(error) = error {
            challenge = format!("{challenge}, error=\"{error}\"");
        }
        Refusal {
            fault,
            challenge: Some(challenge),
        }
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
            .ok_or_else(|| Fault::not_found("There is no such workspace."))?;
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
    Credential(&'static str),
    Fault(Fault),
}

fn caller_of(credential: Credential) -> Caller {
    let who = match (&credential.kind, &credential.workspace) {
        (TokenKind::WorkspaceToken, Some(workspace)) => Who::Workspace(workspace.clone()),
        _ => Who::User(credential.user),
    };
    Caller {
        org: credential.org,
        who,
        credential: credential.id,
        kind: credential.kind,
        scopes: credential.scopes,
        grants: credential.workspace.map(Grant::Files).into_iter().collect(),
        expires_at: credential.expires_at,
    }
}
