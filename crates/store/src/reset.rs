//! Links that set a new password. The secret is stored as a digest. A person has at most one live
//! link that somebody made for them, and one that was mailed.

use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, ResetId, UserId};
use quaymaster_core::secret::SecretDigest;

/// Who had the link made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetOrigin {
    /// An administrator of this organization.
    Administrator { org: OrgId, user: UserId },
    /// The operator at the command line.
    Operator,
    /// Whoever asked on the sign-in page; it was mailed to the person's address.
    Mail,
}

#[derive(Debug, Clone)]
pub struct Reset {
    pub id: ResetId,
    pub user: UserId,
    pub origin: ResetOrigin,
    pub secret: SecretDigest,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
    /// By a newer one.
    pub replaced_at: Option<Instant>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    user_id: String,
    origin: String,
    org_id: Option<String>,
    issued_by: Option<String>,
    secret_sha256: Vec<u8>,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
    replaced_at: Option<i64>,
}

impl TryFrom<Row> for Reset {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("password reset {}", row.id));
        let origin = match row.origin.as_str() {
            "operator" => ResetOrigin::Operator,
            "mail" => ResetOrigin::Mail,
            "administrator" => ResetOrigin::Administrator {
                org: optional_id(row.org_id.as_deref())?.ok_or_else(corrupt)?,
                user: optional_id(row.issued_by.as_deref())?.ok_or_else(corrupt)?,
            },
            _ => return Err(corrupt()),
        };
        let secret: [u8; 32] = row
            .secret_sha256
            .clone()
            .try_into()
            .map_err(|_| corrupt())?;
        Ok(Reset {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            origin,
            secret: SecretDigest(secret),
            created_at: Instant::from_micros(row.created_at),
            expires_at: Instant::from_micros(row.expires_at),
            used_at: row.used_at.map(Instant::from_micros),
            replaced_at: row.replaced_at.map(Instant::from_micros),
        })
    }
}

impl Store {
    /// A link that somebody opens; whose it is, only the row says.
    pub async fn reset(&self, reset: &ResetId) -> Result<Option<Reset>, StoreError> {
        const SQL: &str = "SELECT id, user_id, origin, org_id, issued_by, secret_sha256, created_at, \
             expires_at, used_at, replaced_at FROM password_resets WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(reset.as_str()).fetch_optional(pool).await?
        });
        row.map(Reset::try_from).transpose()
    }
}

impl Tx {
    pub async fn add_reset(&mut self, reset: &Reset) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO password_resets (id, user_id, origin, org_id, issued_by, \
             secret_sha256, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let (origin, org, user) = match &reset.origin {
            ResetOrigin::Administrator { org, user } => ("administrator", Some(org), Some(user)),
            ResetOrigin::Operator => ("operator", None, None),
            ResetOrigin::Mail => ("mail", None, None),
        };
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(reset.id.as_str())
                .bind(reset.user.as_str())
                .bind(origin)
                .bind(org.map(OrgId::as_str))
                .bind(user.map(UserId::as_str))
                .bind(reset.secret.0.to_vec())
                .bind(reset.created_at.micros())
                .bind(reset.expires_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Ends the mailed link of a user that is still good. Anybody can have one mailed, which ends
    /// none that an administrator or the operator made.
    pub async fn end_mailed_resets(
        &mut self,
        user: &UserId,
        now: Instant,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE password_resets SET replaced_at = $2 WHERE user_id = $1 \
             AND origin = 'mail' AND used_at IS NULL AND replaced_at IS NULL";
        within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).bind(now.micros()).execute(conn).await?;
        });
        Ok(())
    }

    /// Ends what somebody had made for others, in any organization.
    pub async fn end_resets_issued_by(
        &mut self,
        issuer: &UserId,
        now: Instant,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE password_resets SET replaced_at = $2 \
             WHERE issued_by = $1 AND used_at IS NULL AND replaced_at IS NULL";
        within!(self, conn => {
            sqlx::query(SQL).bind(issuer.as_str()).bind(now.micros()).execute(conn).await?;
        });
        Ok(())
    }

    /// Ends the live links of a user.
    pub async fn end_resets(&mut self, user: &UserId, now: Instant) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE password_resets SET replaced_at = $2 \
             WHERE user_id = $1 AND used_at IS NULL AND replaced_at IS NULL";
        within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).bind(now.micros()).execute(conn).await?;
        });
        Ok(())
    }

    /// Uses a link up. `false` when somebody was faster, or it was replaced or has expired.
    pub async fn use_reset(&mut self, reset: &ResetId, now: Instant) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE password_resets SET used_at = $2 \
             WHERE id = $1 AND used_at IS NULL AND replaced_at IS NULL AND expires_at > $2";
        let changed = within!(self, conn => {
            sqlx::query(SQL).bind(reset.as_str()).bind(now.micros()).execute(conn).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    /// How many links were mailed to a user since then.
    pub async fn mailed_resets_since(
        &mut self,
        user: &UserId,
        since: Instant,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM password_resets \
             WHERE user_id = $1 AND origin = 'mail' AND created_at > $2";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL).bind(user.as_str()).bind(since.micros()).fetch_one(conn).await?
        }))
    }
}
