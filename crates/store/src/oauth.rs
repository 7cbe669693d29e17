//! What the OAuth authorization server remembers: codes, access tokens, refresh tokens, and the
//! client behind each grant. Only digests of secrets are stored.

use crate::credential::{Credential, MixColumns, digest};
use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::caller::Audience;
use quaymaster_core::id::{
    AccessTokenId, CodeId, CredentialId, OrgId, RefreshTokenId, UserId, WorkspaceId,
};
use quaymaster_core::mix::Mix;
use quaymaster_core::secret::SecretDigest;
use quaymaster_core::{Instant, Scopes};
use std::collections::HashMap;

/// The client behind a grant, as it named itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedClient {
    pub client_id: String,
    pub redirect_uri: String,
}

/// An authorization code (RFC 6749 §4.1.2), with everything that its exchange needs.
#[derive(Debug, Clone)]
pub struct Code {
    pub id: CodeId,
    pub secret: SecretDigest,
    pub org: OrgId,
    pub user: UserId,
    pub workspace: WorkspaceId,
    pub scopes: Scopes,
    /// What the person ticked.
    pub mix: Mix,
    pub audience: Audience,
    pub client_id: String,
    pub client_name: String,
    pub redirect_uri: String,
    /// SHA-256 of the verifier in base64url (RFC 7636 §4.2).
    pub code_challenge: String,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
    /// The credential that its exchange made.
    pub credential: Option<CredentialId>,
}

#[derive(Debug, Clone)]
pub struct AccessToken {
    pub id: AccessTokenId,
    pub credential: CredentialId,
    pub secret: SecretDigest,
    /// The grant's, or fewer.
    pub scopes: Scopes,
    pub audience: Audience,
    pub created_at: Instant,
    pub expires_at: Instant,
}

#[derive(Debug, Clone)]
pub struct RefreshToken {
    pub id: RefreshTokenId,
    pub credential: CredentialId,
    pub secret: SecretDigest,
    pub audience: Audience,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// When it was used first.
    pub rotated_at: Option<Instant>,
}

/// How often and how long a refresh token works after its first use.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    pub seconds: i64,
    pub uses: i64,
}

fn audience_name(audience: &Audience) -> &str {
    match audience {
        Audience::Mcp => "mcp",
        Audience::Server(server) => server.as_str(),
    }
}

fn audience(name: &str) -> Result<Audience, StoreError> {
    match name {
        "mcp" => Ok(Audience::Mcp),
        server => Ok(Audience::Server(id(server)?)),
    }
}

fn scopes(text: &str) -> Result<Scopes, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn text_of(scopes: Scopes) -> Result<String, StoreError> {
    serde_json::to_string(&scopes).map_err(|error| StoreError::Corrupt(error.to_string()))
}

#[derive(sqlx::FromRow)]
struct CodeRow {
    id: String,
    secret_sha256: Vec<u8>,
    org_id: String,
    user_id: String,
    workspace_id: String,
    scopes: String,
    #[sqlx(flatten)]
    mix: MixColumns,
    audience: String,
    client_id: String,
    client_name: String,
    redirect_uri: String,
    code_challenge: String,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
    credential_id: Option<String>,
}

impl TryFrom<CodeRow> for Code {
    type Error = StoreError;
    fn try_from(row: CodeRow) -> Result<Self, StoreError> {
        Ok(Code {
            id: id(&row.id)?,
            secret: digest(row.secret_sha256)?,
            org: id(&row.org_id)?,
            user: id(&row.user_id)?,
            workspace: id(&row.workspace_id)?,
            scopes: scopes(&row.scopes)?,
            mix: row.mix.read()?,
            audience: audience(&row.audience)?,
            client_id: row.client_id,
            client_name: row.client_name,
            redirect_uri: row.redirect_uri,
            code_challenge: row.code_challenge,
            created_at: Instant::from_micros(row.created_at),
            expires_at: Instant::from_micros(row.expires_at),
            used_at: row.used_at.map(Instant::from_micros),
            credential: optional_id(row.credential_id.as_deref())?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct AccessRow {
    id: String,
    credential_id: String,
    secret_sha256: Vec<u8>,
    scopes: String,
    audience: String,
    created_at: i64,
    expires_at: i64,
}

#[derive(sqlx::FromRow)]
struct RefreshRow {
    id: String,
    credential_id: String,
    secret_sha256: Vec<u8>,
    audience: String,
    created_at: i64,
    expires_at: i64,
    rotated_at: Option<i64>,
}

/// A code and the tokens are what somebody presents, so none of these queries can know the
/// organization before.
impl Store {
    pub async fn oauth_code(&self, code: &CodeId) -> Result<Option<Code>, StoreError> {
        const SQL: &str = "SELECT id, secret_sha256, org_id, user_id, workspace_id, scopes, audience, \
             client_id, client_name, redirect_uri, code_challenge, created_at, expires_at, used_at, \
             credential_id, toolsets, tools, tool_flows FROM oauth_codes WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, CodeRow>(SQL).bind(code.as_str()).fetch_optional(pool).await?
        });
        row.map(Code::try_from).transpose()
    }

    pub async fn oauth_access_token(
        &self,
        token: &AccessTokenId,
    ) -> Result<Option<AccessToken>, StoreError> {
        const SQL: &str = "SELECT id, credential_id, secret_sha256, scopes, audience, created_at, \
             expires_at FROM oauth_access_tokens WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, AccessRow>(SQL).bind(token.as_str()).fetch_optional(pool).await?
        });
        row.map(|row| {
            Ok(AccessToken {
                id: id(&row.id)?,
                credential: id(&row.credential_id)?,
                secret: digest(row.secret_sha256)?,
                scopes: scopes(&row.scopes)?,
                audience: audience(&row.audience)?,
                created_at: Instant::from_micros(row.created_at),
                expires_at: Instant::from_micros(row.expires_at),
            })
        })
        .transpose()
    }

    pub async fn oauth_refresh_token(
        &self,
        token: &RefreshTokenId,
    ) -> Result<Option<RefreshToken>, StoreError> {
        const SQL: &str = "SELECT id, credential_id, secret_sha256, audience, created_at, expires_at, \
             rotated_at FROM oauth_refresh_tokens WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, RefreshRow>(SQL).bind(token.as_str()).fetch_optional(pool).await?
        });
        row.map(|row| {
            Ok(RefreshToken {
                id: id(&row.id)?,
                credential: id(&row.credential_id)?,
                secret: digest(row.secret_sha256)?,
                audience: audience(&row.audience)?,
                created_at: Instant::from_micros(row.created_at),
                expires_at: Instant::from_micros(row.expires_at),
                rotated_at: row.rotated_at.map(Instant::from_micros),
            })
        })
        .transpose()
    }

    /// The client of a grant, whoever's it is: the token that named the grant was proved.
    pub async fn oauth_client(
        &self,
        grant: &CredentialId,
    ) -> Result<Option<GrantedClient>, StoreError> {
        const SQL: &str =
            "SELECT client_id, redirect_uri FROM oauth_clients WHERE credential_id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, (String, String)>(SQL)
                .bind(grant.as_str())
                .fetch_optional(pool)
                .await?
        });
        Ok(row.map(|(client_id, redirect_uri)| GrantedClient {
            client_id,
            redirect_uri,
        }))
    }

    /// The live grants to a workspace with their clients, newest first.
    pub async fn oauth_grants(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        now: Instant,
    ) -> Result<Vec<(Credential, GrantedClient)>, StoreError> {
        const SQL: &str = "SELECT o.credential_id, o.client_id, o.redirect_uri FROM oauth_clients o \
             JOIN credentials c ON c.id = o.credential_id \
             WHERE c.org_id = $1 AND c.workspace_id = $2 AND c.revoked_at IS NULL";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, String)>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_all(pool)
                .await?
        });
        let mut clients: HashMap<String, GrantedClient> = rows
            .into_iter()
            .map(|(credential, client_id, redirect_uri)| {
                let client = GrantedClient {
                    client_id,
                    redirect_uri,
                };
                (credential, client)
            })
            .collect();
        let grants = self.workspace_grants(org, workspace, now).await?;
        Ok(grants
            .into_iter()
            .filter_map(|grant| {
                let client = clients.remove(grant.id.as_str())?;
                Some((grant, client))
            })
            .collect())
    }
}

impl Tx {
    pub async fn add_oauth_code(&mut self, code: &Code) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO oauth_codes (id, secret_sha256, org_id, user_id, workspace_id, \
             scopes, audience, client_id, client_name, redirect_uri, code_challenge, created_at, \
             expires_at, toolsets, tools, tool_flows) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        let scopes = text_of(code.scopes)?;
        let mix = MixColumns::of(&code.mix)?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(code.id.as_str())
                .bind(code.secret.0.to_vec())
                .bind(code.org.as_str())
                .bind(code.user.as_str())
                .bind(code.workspace.as_str())
                .bind(scopes)
                .bind(audience_name(&code.audience))
                .bind(&code.client_id)
                .bind(&code.client_name)
                .bind(&code.redirect_uri)
                .bind(&code.code_challenge)
                .bind(code.created_at.micros())
                .bind(code.expires_at.micros())
                .bind(mix.toolsets)
                .bind(mix.tools)
                .bind(mix.tool_flows)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Uses a code up for a grant. `false` when somebody was faster or it has expired.
    pub async fn use_oauth_code(
        &mut self,
        code: &CodeId,
        grant: &CredentialId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE oauth_codes SET used_at = $3, credential_id = $2 \
             WHERE id = $1 AND used_at IS NULL AND expires_at > $3";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(code.as_str())
                .bind(grant.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Adds the credential of a grant and the client it was granted to.
    pub async fn add_oauth_grant(
        &mut self,
        credential: &Credential,
        client: &GrantedClient,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO oauth_clients (credential_id, client_id, redirect_uri) \
             VALUES ($1, $2, $3)";
        self.add_credential(credential).await?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(credential.id.as_str())
                .bind(&client.client_id)
                .bind(&client.redirect_uri)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    pub async fn add_oauth_access_token(&mut self, token: &AccessToken) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO oauth_access_tokens (id, credential_id, secret_sha256, scopes, \
             audience, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let scopes = text_of(token.scopes)?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(token.id.as_str())
                .bind(token.credential.as_str())
                .bind(token.secret.0.to_vec())
                .bind(scopes)
                .bind(audience_name(&token.audience))
                .bind(token.created_at.micros())
                .bind(token.expires_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Adds a refresh token, and lets its grant live as long as it does.
    pub async fn add_oauth_refresh_token(
        &mut self,
        token: &RefreshToken,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO oauth_refresh_tokens (id, credential_id, secret_sha256, audience, \
             created_at, expires_at, uses) VALUES ($1, $2, $3, $4, $5, $6, 0)";
        const LONGER: &str = "UPDATE credentials SET expires_at = $2 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(token.id.as_str())
                .bind(token.credential.as_str())
                .bind(token.secret.0.to_vec())
                .bind(audience_name(&token.audience))
                .bind(token.created_at.micros())
                .bind(token.expires_at.micros())
                .execute(&mut *conn)
                .await?;
            sqlx::query(LONGER)
                .bind(token.credential.as_str())
                .bind(token.expires_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Uses a refresh token: for the first time, or again within the grace. `false` when it may not
    /// be used any more.
    pub async fn use_oauth_refresh_token(
        &mut self,
        token: &RefreshTokenId,
        grace: Grace,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE oauth_refresh_tokens \
             SET rotated_at = COALESCE(rotated_at, $2), uses = uses + 1 \
             WHERE id = $1 AND expires_at > $2 \
             AND (rotated_at IS NULL OR (rotated_at >= $3 AND uses <= $4))";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(token.as_str())
                .bind(now.micros())
                .bind(now.plus_seconds(-grace.seconds).micros())
                .bind(grace.uses)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Ends one access token. `false` when there was none.
    pub async fn end_oauth_access_token(
        &mut self,
        token: &AccessTokenId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM oauth_access_tokens WHERE id = $1";
        let gone = within!(self, conn => {
            sqlx::query(SQL).bind(token.as_str()).execute(conn).await?.rows_affected()
        });
        Ok(gone == 1)
    }
}
