//! Signed-in browsers. The cookie's secret is stored as a digest.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, SessionId, UserId};
use quaymaster_core::secret::SecretDigest;

#[derive(Debug, Clone)]
pub struct BrowserSession {
    pub id: SessionId,
    pub secret: SecretDigest,
    pub user: UserId,
    /// The organization that its pages show.
    pub org: OrgId,
    /// What the browser is, in words.
    pub agent: String,
    /// Where it signed in from.
    pub address: Option<String>,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// Exact to a minute.
    pub last_seen_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    secret_sha256: Vec<u8>,
    user_id: String,
    org_id: String,
    agent: String,
    address: Option<String>,
    created_at: i64,
    expires_at: i64,
    last_seen_at: i64,
}

impl TryFrom<Row> for BrowserSession {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let secret: [u8; 32] = row
            .secret_sha256
            .try_into()
            .map_err(|_| StoreError::Corrupt(format!("session {}", row.id)))?;
        Ok(BrowserSession {
            id: id(&row.id)?,
            secret: SecretDigest(secret),
            user: id(&row.user_id)?,
            org: id(&row.org_id)?,
            agent: row.agent,
            address: row.address,
            created_at: Instant::from_micros(row.created_at),
            expires_at: Instant::from_micros(row.expires_at),
            last_seen_at: Instant::from_micros(row.last_seen_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, secret_sha256, user_id, org_id, agent, address, created_at, expires_at, \
         last_seen_at FROM browser_sessions "
    };
}

const SEEN: &str = "UPDATE members SET last_seen_at = $3 WHERE org_id = $1 AND user_id = $2";

impl Store {
    /// The session of a cookie; whose it is, only the session says. Expired ones are not found.
    pub async fn browser_session(
        &self,
        secret: &SecretDigest,
        now: Instant,
    ) -> Result<Option<BrowserSession>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE secret_sha256 = $1 AND expires_at > $2");
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(secret.0.to_vec())
                .bind(now.micros())
                .fetch_optional(pool)
                .await?
        });
        row.map(BrowserSession::try_from).transpose()
    }

    /// The browsers that a user is signed in with, in whatever organization; the last one seen
    /// first.
    pub async fn browser_sessions(
        &self,
        user: &UserId,
        now: Instant,
    ) -> Result<Vec<BrowserSession>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC, id DESC"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(user.as_str()).bind(now.micros()).fetch_all(pool).await?
        });
        rows.into_iter().map(BrowserSession::try_from).collect()
    }
}

impl Tx {
    /// Adds a session, by which its user is seen, and forgets expired ones.
    pub async fn add_browser_session(
        &mut self,
        session: &BrowserSession,
    ) -> Result<(), StoreError> {
        const SWEEP: &str = "DELETE FROM browser_sessions WHERE expires_at <= $1";
        const ADD: &str = "INSERT INTO browser_sessions (id, secret_sha256, user_id, org_id, agent, \
             address, created_at, expires_at, last_seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        within!(self, conn => {
            sqlx::query(SWEEP).bind(session.created_at.micros()).execute(&mut *conn).await?;
            sqlx::query(ADD)
                .bind(session.id.as_str())
                .bind(session.secret.0.to_vec())
                .bind(session.user.as_str())
                .bind(session.org.as_str())
                .bind(&session.agent)
                .bind(session.address.as_deref())
                .bind(session.created_at.micros())
                .bind(session.expires_at.micros())
                .bind(session.last_seen_at.micros())
                .execute(&mut *conn)
                .await?;
            sqlx::query(SEEN)
                .bind(session.org.as_str())
                .bind(session.user.as_str())
                .bind(session.last_seen_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Remembers that a session was used, and its user seen in its organization.
    pub async fn touch_browser_session(
        &mut self,
        session: &BrowserSession,
        now: Instant,
    ) -> Result<(), StoreError> {
        const SESSION: &str =
            "UPDATE browser_sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2";
        within!(self, conn => {
            sqlx::query(SESSION).bind(session.id.as_str()).bind(now.micros()).execute(&mut *conn).await?;
            sqlx::query(SEEN)
                .bind(session.org.as_str())
                .bind(session.user.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Lets a session show another organization of its user. `false` when it has ended.
    pub async fn move_browser_session(
        &mut self,
        session: &SessionId,
        org: &OrgId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE browser_sessions SET org_id = $2 WHERE id = $1";
        let moved = within!(self, conn => {
            sqlx::query(SQL).bind(session.as_str()).bind(org.as_str()).execute(conn).await?.rows_affected()
        });
        Ok(moved == 1)
    }

    /// `false` when the user has no such session.
    pub async fn end_browser_session(
        &mut self,
        user: &UserId,
        session: &SessionId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM browser_sessions WHERE user_id = $1 AND id = $2";
        let ended = within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).bind(session.as_str()).execute(conn).await?.rows_affected()
        });
        Ok(ended == 1)
    }

    /// Ends the sessions of a user in every organization, all or all but one. How many went.
    pub async fn end_browser_sessions(
        &mut self,
        user: &UserId,
        but: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM browser_sessions WHERE user_id = $1 AND id <> $2";
        Ok(within!(self, conn => {
            sqlx::query(SQL)
                .bind(user.as_str())
                .bind(but.map_or("", SessionId::as_str))
                .execute(conn)
                .await?
                .rows_affected()
        }))
    }

    /// Ends the sessions of a user that show this organization.
    pub async fn end_browser_sessions_in(
        &mut self,
        org: &OrgId,
        user: &UserId,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM browser_sessions WHERE org_id = $1 AND user_id = $2";
        Ok(within!(self, conn => {
            sqlx::query(SQL).bind(org.as_str()).bind(user.as_str()).execute(conn).await?.rows_affected()
        }))
    }
}
