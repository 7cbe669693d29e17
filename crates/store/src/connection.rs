//! Connected accounts of connectors. What is secret in an account is one sealed value, bound to its
//! row and organization.

use crate::db::{Store, StoreError, Tx, id, optional_id};
use crate::seal::Place;
use quaymaster_core::Instant;
use quaymaster_core::id::{ConnectionId, OrgId, UserId, WorkspaceId};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;

/// A connected account, without its secrets.
#[derive(Debug, Clone)]
pub struct Connection {
    pub id: ConnectionId,
    pub org: OrgId,
    /// Only this workspace's callers reach it; none is all of the organization.
    pub workspace: Option<WorkspaceId>,
    /// The connector's key.
    pub connector: String,
    /// How agents name it: unique for a connector in the organization.
    pub name: String,
    /// What the service calls the account, once it was verified.
    pub label: Option<String>,
    /// The connector's way to sign in that it uses.
    pub auth: String,
    /// What is not secret, by the names of the definition's fields.
    pub fields: BTreeMap<String, String>,
    /// An administrator said that it may be inside the network.
    pub is_local: bool,
    /// Where an organization's own definition sent its credentials when they were given: a digest.
    /// None for a connector of everybody.
    pub destination: Option<String>,
    /// Why it does not work; none while it does.
    pub problem: Option<String>,
    pub user: UserId,
    pub created_at: Instant,
    pub verified_at: Option<Instant>,
}

/// Secret fields, by the names of the definition.
pub type Secrets = BTreeMap<String, SecretString>;

/// What changes at a connection; what is absent stays.
#[derive(Default)]
pub struct ConnectionChange<'a> {
    pub name: Option<&'a str>,
    /// Fields and sealed secrets together: they belong to each other, and so does their destination.
    pub credentials: Option<Credentials<'a>>,
    /// What verifying said: the label, or why it failed.
    pub verified: Option<Result<Option<&'a str>, &'a str>>,
}

/// New credentials of a connection.
pub struct Credentials<'a> {
    pub fields: &'a BTreeMap<String, String>,
    pub sealed: Vec<u8>,
    pub destination: Option<&'a str>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: Option<String>,
    connector: String,
    name: String,
    label: Option<String>,
    auth: String,
    fields: String,
    is_local: bool,
    destination: Option<String>,
    problem: Option<String>,
    user_id: String,
    created_at: i64,
    verified_at: Option<i64>,
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Connection {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: optional_id(row.workspace_id.as_deref())?,
            connector: row.connector,
            name: row.name,
            label: row.label,
            auth: row.auth,
            fields: serde_json::from_str(&row.fields).map_err(|error| corrupt(&error))?,
            is_local: row.is_local,
            destination: row.destination,
            problem: row.problem,
            user: id(&row.user_id)?,
            created_at: Instant::from_micros(row.created_at),
            verified_at: row.verified_at.map(Instant::from_micros),
        })
    }
}

fn corrupt(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Where the secrets of a connection stand.
pub(crate) fn place<'a>(org: &'a str, connection: &'a str) -> Place<'a> {
    Place {
        table: "connections",
        column: "secrets",
        row: connection,
        org,
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, workspace_id, connector, name, label, auth, fields, is_local, destination, \
         problem, user_id, created_at, verified_at FROM connections "
    };
}

impl Store {
    /// All of an organization, by connector and name.
    pub async fn connections(&self, org: &OrgId) -> Result<Vec<Connection>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 ORDER BY connector, name");
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        rows.into_iter().map(Connection::try_from).collect()
    }

    pub async fn connection(
        &self,
        org: &OrgId,
        connection: &ConnectionId,
    ) -> Result<Option<Connection>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 AND id = $2");
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .fetch_optional(pool)
                .await?
        });
        row.map(Connection::try_from).transpose()
    }

    /// The opened secrets of all connections of an organization.
    pub async fn connection_secrets(
        &self,
        org: &OrgId,
    ) -> Result<BTreeMap<ConnectionId, Secrets>, StoreError> {
        const SQL: &str = "SELECT id, secrets FROM connections WHERE org_id = $1";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, Vec<u8>)>(SQL)
                .bind(org.as_str())
                .fetch_all(pool)
                .await?
        });
        let mut all = BTreeMap::new();
        for (row, sealed) in rows {
            let plain = self.unseal(place(org.as_str(), &row), &sealed).await?;
            let secrets: BTreeMap<String, String> =
                serde_json::from_slice(&plain).map_err(|error| corrupt(&error))?;
            let secrets = secrets
                .into_iter()
                .map(|(name, secret)| (name, secret.into()))
                .collect();
            all.insert(id(&row)?, secrets);
        }
        Ok(all)
    }

    /// Seals the secrets of a connection ([`Store::prepare_sealing`] comes before).
    pub fn seal_connection(
        &self,
        org: &OrgId,
        connection: &ConnectionId,
        secrets: &Secrets,
    ) -> Result<Vec<u8>, StoreError> {
        let plain: BTreeMap<&str, &str> = secrets
            .iter()
            .map(|(name, secret)| (name.as_str(), secret.expose_secret()))
            .collect();
        let plain = serde_json::to_vec(&plain).map_err(|error| corrupt(&error))?;
        self.seal(place(org.as_str(), connection.as_str()), &plain)
    }

    /// Every sealed value, for rotation and verification: organization, id, value.
    pub(crate) async fn sealed_connections(
        &self,
    ) -> Result<Vec<(String, String, Vec<u8>)>, StoreError> {
        const SQL: &str = "SELECT org_id, id, secrets FROM connections ORDER BY org_id, id";
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, (String, String, Vec<u8>)>(SQL).fetch_all(pool).await?
        }))
    }
}

impl Tx {
    pub async fn add_connection(
        &mut self,
        connection: &Connection,
        sealed: Vec<u8>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO connections (id, org_id, workspace_id, connector, name, label, auth, \
             fields, secrets, is_local, destination, problem, user_id, created_at, verified_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let fields = serde_json::to_string(&connection.fields).map_err(|error| corrupt(&error))?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(connection.id.as_str())
                .bind(connection.org.as_str())
                .bind(connection.workspace.as_ref().map(WorkspaceId::as_str))
                .bind(&connection.connector)
                .bind(&connection.name)
                .bind(&connection.label)
                .bind(&connection.auth)
                .bind(fields)
                .bind(sealed)
                .bind(connection.is_local)
                .bind(&connection.destination)
                .bind(&connection.problem)
                .bind(connection.user.as_str())
                .bind(connection.created_at.micros())
                .bind(connection.verified_at.map(Instant::micros))
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there is no such connection.
    pub async fn update_connection(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
        change: ConnectionChange<'_>,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE connections SET name = COALESCE($3, name) WHERE org_id = $1 AND id = $2";
        const CREDENTIALS: &str = "UPDATE connections SET fields = $3, secrets = $4, destination = $5 \
             WHERE org_id = $1 AND id = $2";
        const VERIFIED: &str = "UPDATE connections SET label = COALESCE($3, label), problem = $4, verified_at = $5 \
             WHERE org_id = $1 AND id = $2";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .bind(change.name)
                .execute(conn)
                .await?
                .rows_affected()
        });
        if let Some(new) = change.credentials {
            let fields = serde_json::to_string(new.fields).map_err(|error| corrupt(&error))?;
            within!(self, conn => {
                sqlx::query(CREDENTIALS)
                    .bind(org.as_str())
                    .bind(connection.as_str())
                    .bind(fields)
                    .bind(new.sealed)
                    .bind(new.destination)
                    .execute(conn)
                    .await?;
            });
        }
        if let Some(verified) = change.verified {
            let (label, problem) = match verified {
                Ok(label) => (label, None),
                Err(problem) => (None, Some(problem)),
            };
            within!(self, conn => {
                sqlx::query(VERIFIED)
                    .bind(org.as_str())
                    .bind(connection.as_str())
                    .bind(label)
                    .bind(problem)
                    .bind(now.micros())
                    .execute(conn)
                    .await?;
            });
        }
        Ok(changed == 1)
    }

    /// `false` when there is no such connection.
    pub async fn delete_connection(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM connections WHERE org_id = $1 AND id = $2";
        let gone = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(gone == 1)
    }
}
