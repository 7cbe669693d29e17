//! Links that are used once: sign-in links of users, reconnect links of workspaces.

use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, LinkId, OrgId, UserId, WorkspaceId};
use quaymaster_core::secret::SecretDigest;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTo {
    /// Signs this user in.
    SignIn(UserId),
    /// Makes a token of this workspace; asked for by that credential.
    Reconnect {
        workspace: WorkspaceId,
        asked_by: CredentialId,
        client_name: Option<String>,
    },
}

#[derive(Debug, Clone)]
pub struct Link {
    pub id: LinkId,
    pub org: OrgId,
    pub to: LinkTo,
    pub secret: SecretDigest,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    secret_sha256: Vec<u8>,
    org_id: String,
    user_id: Option<String>,
    workspace_id: Option<String>,
    credential_id: Option<String>,
    client_name: Option<String>,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

impl TryFrom<Row> for Link {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let missing = || StoreError::Corrupt(format!("link {}", row.id));
        let to = match row.kind.as_str() {
            "sign_in" => LinkTo::SignIn(optional_id(row.user_id.as_deref())?.ok_or_else(missing)?),
            "reconnect" => LinkTo::Reconnect {
                workspace: optional_id(row.workspace_id.as_deref())?.ok_or_else(missing)?,
                asked_by: optional_id(row.credential_id.as_deref())?.ok_or_else(missing)?,
                client_name: row.client_name.clone(),
            },
            _ => return Err(missing()),
        };
        let secret: [u8; 32] = row
            .secret_sha256
            .clone()
            .try_into()
            .map_err(|_| missing())?;
        Ok(Link {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            to,
            secret: SecretDigest(secret),
            created_at: Instant::from_micros(row.created_at),
            expires_at: Instant::from_micros(row.expires_at),
            used_at: row.used_at.map(Instant::from_micros),
        })
    }
}

impl Store {
    /// A link somebody opens; whose it is, only the link says.
    pub async fn link(&self, link: &LinkId) -> Result<Option<Link>, StoreError> {
        const SQL: &str = "SELECT id, kind, secret_sha256, org_id, user_id, workspace_id, credential_id, \
             client_name, created_at, expires_at, used_at FROM links WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(link.as_str()).fetch_optional(pool).await?
        });
        row.map(Link::try_from).transpose()
    }

    /// How many reconnect links a workspace got since then.
    pub async fn reconnect_links_since(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        since: Instant,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM links \
             WHERE org_id = $1 AND workspace_id = $2 AND kind = 'reconnect' AND created_at > $3";
        Ok(reading!(self, pool => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(since.micros())
                .fetch_one(pool)
                .await?
        }))
    }
}

impl Tx {
    pub async fn add_link(&mut self, link: &Link) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO links (id, kind, secret_sha256, org_id, user_id, workspace_id, \
             credential_id, client_name, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let (kind, user, workspace, credential, client) = match &link.to {
            LinkTo::SignIn(user) => ("sign_in", Some(user), None, None, None),
            LinkTo::Reconnect {
                workspace,
                asked_by,
                client_name,
            } => (
                "reconnect",
                None,
                Some(workspace),
                Some(asked_by),
                client_name.as_deref(),
            ),
        };
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(link.id.as_str())
                .bind(kind)
                .bind(link.secret.0.to_vec())
                .bind(link.org.as_str())
                .bind(user.map(UserId::as_str))
                .bind(workspace.map(WorkspaceId::as_str))
                .bind(credential.map(CredentialId::as_str))
                .bind(client)
                .bind(link.created_at.micros())
                .bind(link.expires_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Uses a link up. `false` when somebody was faster or it has expired.
    pub async fn use_link(&mut self, link: &LinkId, now: Instant) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE links SET used_at = $2 \
             WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
        let changed = within!(self, conn => {
            sqlx::query(SQL).bind(link.as_str()).bind(now.micros()).execute(conn).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    /// Ends the sign-in links of a user that nobody has used.
    pub async fn end_sign_in_links(
        &mut self,
        user: &UserId,
        now: Instant,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE links SET used_at = $2 \
             WHERE user_id = $1 AND kind = 'sign_in' AND used_at IS NULL";
        within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).bind(now.micros()).execute(conn).await?;
        });
        Ok(())
    }
}
