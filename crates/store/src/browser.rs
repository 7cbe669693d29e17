//! Signed-in browsers. The cookie's secret is stored as a digest.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, UserId};
use quaymaster_core::secret::SecretDigest;

#[derive(Debug, Clone)]
pub struct BrowserSession {
    pub secret: SecretDigest,
    pub user: UserId,
    pub org: OrgId,
    pub created_at: Instant,
    pub expires_at: Instant,
}

impl Store {
    /// The session of a cookie; whose it is, only the session says. Expired ones are not found.
    pub async fn browser_session(
        &self,
        secret: &SecretDigest,
        now: Instant,
    ) -> Result<Option<BrowserSession>, StoreError> {
        const SQL: &str = "SELECT user_id, org_id, created_at, expires_at FROM browser_sessions \
             WHERE secret_sha256 = $1 AND expires_at > $2";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, i64, i64)>(SQL)
                .bind(secret.0.to_vec())
                .bind(now.micros())
                .fetch_optional(pool)
                .await?
        });
        row.map(|(user, org, created_at, expires_at)| {
            Ok(BrowserSession {
                secret: *secret,
                user: id(&user)?,
                org: id(&org)?,
                created_at: Instant::from_micros(created_at),
                expires_at: Instant::from_micros(expires_at),
            })
        })
        .transpose()
    }
}

impl Tx {
    /// Adds a session and forgets expired ones.
    pub async fn add_browser_session(
        &mut self,
        session: &BrowserSession,
    ) -> Result<(), StoreError> {
        const SWEEP: &str = "DELETE FROM browser_sessions WHERE expires_at <= $1";
        const ADD: &str = "INSERT INTO browser_sessions (secret_sha256, user_id, org_id, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5)";
        within!(self, conn => {
            sqlx::query(SWEEP).bind(session.created_at.micros()).execute(&mut *conn).await?;
            sqlx::query(ADD)
                .bind(session.secret.0.to_vec())
                .bind(session.user.as_str())
                .bind(session.org.as_str())
                .bind(session.created_at.micros())
                .bind(session.expires_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    pub async fn end_browser_session(&mut self, secret: &SecretDigest) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM browser_sessions WHERE secret_sha256 = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(secret.0.to_vec()).execute(conn).await?;
        });
        Ok(())
    }
}
