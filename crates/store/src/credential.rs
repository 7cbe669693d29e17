//! Credentials: API keys, workspace tokens, OAuth grants, tokens of hosted servers, flow tokens. Only the digest of a
//! secret is stored.

mod mix;

pub(crate) use mix::MixColumns;

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::caller::{Pick, Reach};
use quaymaster_core::id::{CredentialId, EndUserId, OrgId, ServerId, UserId, WorkspaceId};
use quaymaster_core::mix::Mix;
use quaymaster_core::secret::{SecretDigest, TokenKind};
use quaymaster_core::{Instant, Scopes};
use std::sync::Arc;

/// How a credential came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The one default token of a workspace.
    Default,
    /// Made by somebody on the page, by API or at the command line.
    Manual,
    /// Made by a reconnect link.
    Reconnect,
    /// Granted to an OAuth client on the consent page.
    Consent,
}

impl Origin {
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::Manual => "manual",
            Origin::Reconnect => "reconnect",
            Origin::Consent => "consent",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "default" => Ok(Origin::Default),
            "manual" => Ok(Origin::Manual),
            "reconnect" => Ok(Origin::Reconnect),
            "consent" => Ok(Origin::Consent),
            other => Err(StoreError::Corrupt(format!("origin {other:?}"))),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Credential {
    pub id: CredentialId,
    pub org: OrgId,
    pub kind: TokenKind,
    pub name: String,
    /// Whom an API key acts as; who made a workspace token or granted something to a client.
    pub user: UserId,
    /// The workspace whose files it reaches; of a server's token the one that the server is of; of a
    /// flow token the one whose flows it calls.
    pub workspace: Option<WorkspaceId>,
    /// The hosted server behind a token of one, or the one that was granted to an OAuth client.
    pub server: Option<ServerId>,
    /// Whom a server's token is for, when that is one end user. A grant is for whoever gave it.
    pub end_user: Option<EndUserId>,
    /// The flows that a flow token reaches. Says nothing of the other kinds.
    pub flows: Pick,
    /// Whether it is taken from an address, too. Only of flow tokens.
    pub in_url: bool,
    /// What was ticked for it. Says nothing of what opens a hosted server.
    pub mix: Mix,
    pub origin: Origin,
    pub scopes: Scopes,
    /// The workspaces that an API key manages. Says nothing of the other kinds.
    pub reach: Reach,
    /// None for an OAuth grant, which has tokens of its own ([`crate::oauth`]).
    pub secret: Option<SecretDigest>,
    pub created_at: Instant,
    pub expires_at: Option<Instant>,
    /// Exact to a minute.
    pub last_used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
}

impl Credential {
    pub fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    kind: String,
    name: String,
    user_id: String,
    workspace_id: Option<String>,
    server_id: Option<String>,
    end_user_id: Option<String>,
    flows: Option<String>,
    in_url: bool,
    #[sqlx(flatten)]
    mix: MixColumns,
    origin: String,
    scopes: String,
    reach: Option<String>,
    secret_sha256: Option<Vec<u8>>,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

const fn kind_name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::ApiKey => "api_key",
        TokenKind::WorkspaceToken => "workspace_token",
        TokenKind::OAuthGrant => "oauth_grant",
        TokenKind::ServerToken => "server_token",
        TokenKind::FlowToken => "flow_token",
    }
}

impl TryFrom<Row> for Credential {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = match row.kind.as_str() {
            "api_key" => TokenKind::ApiKey,
            "workspace_token" => TokenKind::WorkspaceToken,
            "oauth_grant" => TokenKind::OAuthGrant,
            "server_token" => TokenKind::ServerToken,
            "flow_token" => TokenKind::FlowToken,
            other => return Err(StoreError::Corrupt(format!("kind {other:?}"))),
        };
        let secret = row.secret_sha256.map(digest).transpose()?;
        Ok(Credential {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            kind,
            name: row.name,
            user: id(&row.user_id)?,
            workspace: optional_id(row.workspace_id.as_deref())?,
            server: optional_id(row.server_id.as_deref())?,
            end_user: optional_id(row.end_user_id.as_deref())?,
            flows: row.flows.as_deref().map_or(Ok(Pick::All), picked)?,
            in_url: row.in_url,
            mix: row.mix.read()?,
            origin: Origin::read(&row.origin)?,
            scopes: serde_json::from_str(&row.scopes)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            reach: row
                .reach
                .as_deref()
                .map_or(Ok(Reach::Organization), reached)?,
            secret,
            created_at: Instant::from_micros(row.created_at),
            expires_at: row.expires_at.map(Instant::from_micros),
            last_used_at: row.last_used_at.map(Instant::from_micros),
            revoked_at: row.revoked_at.map(Instant::from_micros),
        })
    }
}

fn picked(json: &str) -> Result<Pick, StoreError> {
    let flows =
        serde_json::from_str(json).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Pick::Only(Arc::new(flows)))
}

fn reached(json: &str) -> Result<Reach, StoreError> {
    let workspaces =
        serde_json::from_str(json).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Reach::Workspaces(Arc::new(workspaces)))
}

fn as_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(crate) fn digest(bytes: Vec<u8>) -> Result<SecretDigest, StoreError> {
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("digest of a secret".into()))?;
    Ok(SecretDigest(bytes))
}

macro_rules! columns {
    () => {
        "SELECT c.id, c.org_id, c.kind, c.name, c.user_id, c.workspace_id, c.server_id, c.end_user_id, c.origin, c.scopes, \
         c.secret_sha256, c.created_at, c.expires_at, c.last_used_at, c.revoked_at, c.flows, c.in_url, \
         c.toolsets, c.tools, c.tool_flows, c.reach FROM credentials c "
    };
}

/// A credential that somebody presents, with whether its user is still a member.
pub struct Presented {
    pub credential: Credential,
    pub is_member: bool,
}

/// As in the index `api_keys_newest`.
fn live_keys(org: &OrgId, user: Option<&UserId>) -> Clauses {
    let mut clauses = Clauses::of(org);
    clauses.holds("kind = 'api_key' AND revoked_at IS NULL");
    clauses.text("user_id =", user.map(UserId::as_str), "");
    clauses
}

impl Store {
    /// For signing in, when the organization is not known yet.
    pub async fn credential_to_admit(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<Presented>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE c.id = $1");
        const MEMBER: &str = "SELECT 1 FROM members WHERE org_id = $1 AND user_id = $2";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(credential.as_str()).fetch_optional(pool).await?
        });
        let Some(row) = row else { return Ok(None) };
        let credential = Credential::try_from(row)?;
        let is_member = reading!(self, pool => {
            sqlx::query(MEMBER)
                .bind(credential.org.as_str())
                .bind(credential.user.as_str())
                .fetch_optional(pool)
                .await?
                .is_some()
        });
        Ok(Some(Presented {
            credential,
            is_member,
        }))
    }

    pub async fn credential(
        &self,
        org: &OrgId,
        credential: &CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE c.org_id = $1 AND c.id = $2");
        self.row_of::<Row, _>(SQL, org, credential.as_str()).await
    }

    /// API keys that are not revoked, newest first; all of the organization, or one user's.
    pub async fn api_keys(
        &self,
        org: &OrgId,
        user: Option<&UserId>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Credential>, StoreError> {
        const ORDER: &str = "c.created_at DESC, c.id DESC";
        self.page_of::<Row, _>(columns!(), live_keys(org, user), ORDER, limit, offset)
            .await
    }

    pub async fn count_api_keys(
        &self,
        org: &OrgId,
        user: Option<&UserId>,
    ) -> Result<i64, StoreError> {
        self.count_of("credentials", &live_keys(org, user)).await
    }

    /// Tokens of a workspace that are not revoked, the default one first.
    pub async fn workspace_tokens(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Credential>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE c.org_id = $1 AND c.workspace_id = $2 AND c.kind = 'workspace_token' AND c.revoked_at IS NULL \
             ORDER BY CASE c.origin WHEN 'default' THEN 0 ELSE 1 END, c.created_at DESC, c.id DESC"
        );
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// Flow tokens of a workspace that are not revoked, newest first.
    pub async fn flow_tokens(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Credential>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE c.org_id = $1 AND c.workspace_id = $2 AND c.kind = 'flow_token' AND c.revoked_at IS NULL \
             ORDER BY c.created_at DESC, c.id DESC"
        );
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// OAuth grants to a workspace that are neither revoked nor over, newest first.
    pub(crate) async fn workspace_grants(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        now: Instant,
    ) -> Result<Vec<Credential>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE c.org_id = $1 AND c.workspace_id = $2 AND c.kind = 'oauth_grant' AND c.revoked_at IS NULL \
             AND (c.expires_at IS NULL OR c.expires_at > $3) ORDER BY c.created_at DESC, c.id DESC"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(now.micros())
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Credential::try_from).collect()
    }

    /// What opens a hosted server and is not revoked, oldest first: the server's own token, those of
    /// end users, and the grants of OAuth clients.
    pub async fn server_credentials(
        &self,
        org: &OrgId,
        server: &ServerId,
    ) -> Result<Vec<Credential>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE c.org_id = $1 AND c.server_id = $2 AND c.revoked_at IS NULL ORDER BY c.created_at, c.id"
        );
        self.rows_of::<Row, _>(SQL, org, server.as_str()).await
    }

    /// Tokens made for an end user that are not revoked.
    pub async fn end_user_tokens(
        &self,
        org: &OrgId,
        end_user: &EndUserId,
    ) -> Result<Vec<Credential>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE c.org_id = $1 AND c.end_user_id = $2 AND c.revoked_at IS NULL ORDER BY c.created_at, c.id"
        );
        self.rows_of::<Row, _>(SQL, org, end_user.as_str()).await
    }

    /// Every credential of a workspace that is not revoked, whatever its kind.
    pub async fn workspace_credentials(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Credential>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE c.org_id = $1 AND c.workspace_id = $2 AND c.revoked_at IS NULL ORDER BY c.created_at, c.id"
        );
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// Remembers when credentials were last used. Part of the batch that audit rows are written in.
    pub async fn touch_credentials(
        &self,
        used: &[(CredentialId, Instant)],
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE credentials SET last_used_at = $2 WHERE id = $1";
        let mut tx = self.begin().await?;
        for (credential, at) in used {
            within!(tx, conn => {
                sqlx::query(SQL).bind(credential.as_str()).bind(at.micros()).execute(conn).await?;
            });
        }
        tx.commit().await
    }
}

impl Tx {
    pub async fn add_credential(&mut self, credential: &Credential) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO credentials (id, org_id, kind, name, user_id, workspace_id, origin, \
             scopes, secret_sha256, created_at, expires_at, server_id, end_user_id, flows, in_url, toolsets, tools, tool_flows, \
             reach) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
        let scopes = as_json(&credential.scopes)?;
        let flows = match &credential.flows {
            Pick::All => None,
            Pick::Only(flows) => Some(as_json(&**flows)?),
        };
        let mix = MixColumns::of(&credential.mix)?;
        let reach = match &credential.reach {
            Reach::Organization => None,
            Reach::Workspaces(workspaces) => Some(as_json(&**workspaces)?),
        };
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(credential.id.as_str())
                .bind(credential.org.as_str())
                .bind(kind_name(credential.kind))
                .bind(&credential.name)
                .bind(credential.user.as_str())
                .bind(credential.workspace.as_ref().map(WorkspaceId::as_str))
                .bind(credential.origin.name())
                .bind(scopes)
                .bind(credential.secret.map(|secret| secret.0.to_vec()))
                .bind(credential.created_at.micros())
                .bind(credential.expires_at.map(Instant::micros))
                .bind(credential.server.as_ref().map(ServerId::as_str))
                .bind(credential.end_user.as_ref().map(EndUserId::as_str))
                .bind(flows)
                .bind(credential.in_url)
                .bind(mix.toolsets)
                .bind(mix.tools)
                .bind(mix.tool_flows)
                .bind(reach)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there is no such credential or it was revoked before.
    pub async fn revoke_credential(
        &mut self,
        org: &OrgId,
        credential: &CredentialId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE credentials SET revoked_at = $3 \
             WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(credential.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// An API key reaches no workspace's files any more.
    pub async fn forget_files(
        &mut self,
        org: &OrgId,
        credential: &CredentialId,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE credentials SET workspace_id = NULL WHERE org_id = $1 AND id = $2";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(credential.as_str())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Changes what a credential is called and may do; what is absent stays as it is at this very
    /// moment. `false` when there is none that is alive.
    pub async fn update_credential(
        &mut self,
        org: &OrgId,
        credential: &CredentialId,
        name: Option<&str>,
        scopes: Option<Scopes>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE credentials SET name = COALESCE($3, name), scopes = COALESCE($4, scopes) \
             WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";
        let scopes = scopes.as_ref().map(as_json).transpose()?;
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(credential.as_str())
                .bind(name)
                .bind(scopes)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }
}
