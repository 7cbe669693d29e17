//! Sign-ins of accounts at the authorization servers of services, while they are under way.

use crate::connection::{Secrets, corrupt, secrets_of, text_of};
use crate::credential::digest;
use crate::db::{Store, StoreError, Tx, id, optional_id};
use crate::seal::Place;
use quaymaster_core::Instant;
use quaymaster_core::id::{
    AuthorizationId, ConnectSessionId, ConnectionId, OrgId, UserId, WorkspaceId,
};
use quaymaster_core::secret::SecretDigest;
use std::collections::BTreeMap;

/// How somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// In the browser, which comes back with a code (RFC 6749 §4.1).
    Code,
    /// On another device (RFC 8628).
    Device,
}

impl Flow {
    const fn name(self) -> &'static str {
        match self {
            Flow::Code => "code",
            Flow::Device => "device",
        }
    }
}

/// A sign-in, without its secrets.
#[derive(Debug, Clone)]
pub struct Authorization {
    pub id: AuthorizationId,
    pub org: OrgId,
    /// Whose the connection is.
    pub user: UserId,
    /// What events say of who it was.
    pub begun_by: String,
    pub flow: Flow,
    /// The connector's key, and its way to sign in.
    pub connector: String,
    pub auth: String,
    /// The connection that signs in again; none makes a new one.
    pub connection: Option<ConnectionId>,
    pub name: Option<String>,
    pub workspace: Option<WorkspaceId>,
    /// The connect session that it is for: whose the connection will be stands there.
    pub session: Option<ConnectSessionId>,
    pub is_local: bool,
    pub fields: BTreeMap<String, String>,
    /// None until somebody went to the service.
    pub state: Option<SecretDigest>,
    /// Of what the browser that went there keeps.
    pub browser: Option<SecretDigest>,
    pub device: Option<Device>,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
    /// The connection that came of it.
    pub connected: Option<ConnectionId>,
    /// Why nothing came of it.
    pub problem: Option<String>,
}

/// What a person needs to sign in on another device.
#[derive(Debug, Clone)]
pub struct Device {
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: Option<String>,
    /// Seconds between two polls.
    pub interval: i64,
    pub poll_after: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    user_id: String,
    begun_by: String,
    flow: String,
    connector: String,
    auth: String,
    connection_id: Option<String>,
    name: Option<String>,
    workspace_id: Option<String>,
    session_id: Option<String>,
    is_local: bool,
    fields: String,
    state_sha256: Option<Vec<u8>>,
    browser_sha256: Option<Vec<u8>>,
    user_code: Option<String>,
    verification_uri: Option<String>,
    verification_uri_complete: Option<String>,
    interval_s: i64,
    poll_after: i64,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
    connected_id: Option<String>,
    problem: Option<String>,
}

impl TryFrom<Row> for Authorization {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let device = match (row.user_code, row.verification_uri) {
            (Some(user_code), Some(verification_uri)) => Some(Device {
                user_code,
                verification_uri,
                verification_uri_complete: row.verification_uri_complete,
                interval: row.interval_s,
                poll_after: Instant::from_micros(row.poll_after),
            }),
            _ => None,
        };
        Ok(Authorization {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            user: id(&row.user_id)?,
            begun_by: row.begun_by,
            flow: match row.flow.as_str() {
                "device" => Flow::Device,
                _ => Flow::Code,
            },
            connector: row.connector,
            auth: row.auth,
            connection: optional_id(row.connection_id.as_deref())?,
            name: row.name,
            workspace: optional_id(row.workspace_id.as_deref())?,
            session: optional_id(row.session_id.as_deref())?,
            is_local: row.is_local,
            fields: serde_json::from_str(&row.fields).map_err(|error| corrupt(&error))?,
            state: row.state_sha256.map(digest).transpose()?,
            browser: row.browser_sha256.map(digest).transpose()?,
            device,
            created_at: Instant::from_micros(row.created_at),
            expires_at: Instant::from_micros(row.expires_at),
            used_at: row.used_at.map(Instant::from_micros),
            connected: optional_id(row.connected_id.as_deref())?,
            problem: row.problem,
        })
    }
}

fn place<'a>(org: &'a str, row: &'a str) -> Place<'a> {
    Place {
        table: "authorizations",
        column: "sealed",
        row,
        org,
    }
}

impl Store {
    /// By its id alone: whoever comes back from a service brings nothing else, and the state proves
    /// that they were sent there.
    pub async fn authorization(
        &self,
        authorization: &AuthorizationId,
    ) -> Result<Option<Authorization>, StoreError> {
        const SQL: &str = "SELECT id, org_id, user_id, begun_by, flow, connector, auth, connection_id, \
             name, workspace_id, session_id, is_local, fields, state_sha256, browser_sha256, user_code, \
             verification_uri, verification_uri_complete, interval_s, poll_after, created_at, \
             expires_at, used_at, connected_id, problem FROM authorizations WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(authorization.as_str()).fetch_optional(pool).await?
        });
        row.map(Authorization::try_from).transpose()
    }

    /// Its opened secrets.
    pub async fn authorization_secrets(
        &self,
        authorization: &Authorization,
    ) -> Result<Secrets, StoreError> {
        const SQL: &str = "SELECT sealed FROM authorizations WHERE org_id = $1 AND id = $2";
        let (org, id) = (authorization.org.as_str(), authorization.id.as_str());
        let sealed = reading!(self, pool => {
            sqlx::query_scalar::<_, Vec<u8>>(SQL).bind(org).bind(id).fetch_one(pool).await?
        });
        secrets_of(&self.unseal(place(org, id), &sealed).await?)
    }

    /// Seals the secrets of a sign-in ([`Store::prepare_sealing`] comes before).
    pub fn seal_authorization(
        &self,
        org: &OrgId,
        authorization: &AuthorizationId,
        secrets: &Secrets,
    ) -> Result<Vec<u8>, StoreError> {
        let place = place(org.as_str(), authorization.as_str());
        self.seal(place, &text_of(secrets)?)
    }
}

impl Tx {
    pub async fn add_authorization(
        &mut self,
        new: &Authorization,
        sealed: Vec<u8>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO authorizations (id, org_id, user_id, begun_by, flow, connector, \
             auth, connection_id, name, workspace_id, is_local, fields, sealed, user_code, \
             verification_uri, verification_uri_complete, interval_s, poll_after, created_at, \
             expires_at, session_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
             $14, $15, $16, $17, $18, $19, $20, $21)";
        let fields = serde_json::to_string(&new.fields).map_err(|error| corrupt(&error))?;
        let device = new.device.as_ref();
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(new.id.as_str())
                .bind(new.org.as_str())
                .bind(new.user.as_str())
                .bind(&new.begun_by)
                .bind(new.flow.name())
                .bind(&new.connector)
                .bind(&new.auth)
                .bind(new.connection.as_ref().map(ConnectionId::as_str))
                .bind(&new.name)
                .bind(new.workspace.as_ref().map(WorkspaceId::as_str))
                .bind(new.is_local)
                .bind(fields)
                .bind(sealed)
                .bind(device.map(|device| device.user_code.as_str()))
                .bind(device.map(|device| device.verification_uri.as_str()))
                .bind(device.and_then(|device| device.verification_uri_complete.as_deref()))
                .bind(device.map_or(0, |device| device.interval))
                .bind(device.map_or(0, |device| device.poll_after.micros()))
                .bind(new.created_at.micros())
                .bind(new.expires_at.micros())
                .bind(new.session.as_ref().map(ConnectSessionId::as_str))
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Sends a browser to the service: from now on only its way back counts. `false` when the
    /// sign-in was used or is too old.
    pub async fn start_authorization(
        &mut self,
        authorization: &AuthorizationId,
        state: &SecretDigest,
        browser: &SecretDigest,
        sealed: Vec<u8>,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE authorizations SET state_sha256 = $2, browser_sha256 = $3, sealed = $4 \
             WHERE id = $1 AND used_at IS NULL AND expires_at > $5";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(authorization.as_str())
                .bind(state.0.to_vec())
                .bind(browser.0.to_vec())
                .bind(sealed)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Uses a sign-in up. `false` when somebody was faster or it is too old.
    pub async fn use_authorization(
        &mut self,
        authorization: &AuthorizationId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE authorizations SET used_at = $2 \
             WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(authorization.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Says what came of a sign-in: a connection, or why not.
    pub async fn end_authorization(
        &mut self,
        authorization: &AuthorizationId,
        outcome: Result<&ConnectionId, &str>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE authorizations SET connected_id = $2, problem = $3 WHERE id = $1";
        let (connected, problem) = match outcome {
            Ok(connected) => (Some(connected.as_str()), None),
            Err(problem) => (None, Some(problem)),
        };
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(authorization.as_str())
                .bind(connected)
                .bind(problem)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Takes the turn to poll; the next one is not before `until`. `false` when it is too early, or
    /// there is nothing to poll for any more.
    pub async fn take_poll(
        &mut self,
        authorization: &AuthorizationId,
        now: Instant,
        until: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE authorizations SET poll_after = $3 \
             WHERE id = $1 AND used_at IS NULL AND expires_at > $2 AND poll_after <= $2";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(authorization.as_str())
                .bind(now.micros())
                .bind(until.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// When to poll next, and how often from then on.
    pub async fn set_poll(
        &mut self,
        authorization: &AuthorizationId,
        interval: i64,
        after: Instant,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE authorizations SET interval_s = $2, poll_after = $3 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(authorization.as_str())
                .bind(interval)
                .bind(after.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}
