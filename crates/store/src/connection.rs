//! Connected accounts of connectors. What is secret in an account is one sealed value, bound to its
//! row and organization.

use crate::db::{Store, StoreError, Tx, id, optional_id};
use crate::seal::Place;
use quaymaster_core::Instant;
use quaymaster_core::id::{ConnectionId, EndUserId, IntegrationId, OrgId, UserId, WorkspaceId};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;

/// A connected account, without its secrets.
#[derive(Debug, Clone)]
pub struct Connection {
    pub id: ConnectionId,
    pub org: OrgId,
    /// Only this workspace's callers reach it; none is all of the organization.
    pub workspace: Option<WorkspaceId>,
    /// It is this person's, and only calls for them reach it.
    pub end_user: Option<EndUserId>,
    /// The integration that it was connected for, when an end user has several of a connector.
    pub integration: Option<IntegrationId>,
    /// The connector's key.
    pub connector: String,
    /// How agents name it: unique for a connector in the organization.
    pub name: String,
    /// What a developer calls it: unique for a connector among those of the same owner.
    pub external_id: Option<String>,
    /// For people.
    pub display_name: Option<String>,
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
    /// The end of its access token, where that is known.
    pub expires_at: Option<Instant>,
    /// When the access token is renewed, before its end.
    pub renew_at: Option<Instant>,
    /// Raised with each change of the credentials.
    pub revision: i64,
}

/// Secret fields, by the names of the definition, and what OAuth brought, by names that no field can
/// have.
pub type Secrets = BTreeMap<String, SecretString>;

/// What an account signs in with. It is replaced as a whole.
pub struct Credentials<'a> {
    pub fields: &'a BTreeMap<String, String>,
    /// By [`Store::seal_connection`].
    pub sealed: Vec<u8>,
    pub destination: Option<&'a str>,
    pub expires_at: Option<Instant>,
    pub renew_at: Option<Instant>,
}

/// What changes at a connection; what is absent stays.
#[derive(Default)]
pub struct ConnectionChange<'a> {
    pub name: Option<&'a str>,
    /// Fields and sealed secrets together: they belong to each other, and so does their destination.
    pub credentials: Option<Credentials<'a>>,
    /// What verifying said: the label, or why it failed.
    pub verified: Option<Result<Option<&'a str>, &'a str>>,
}

/// How many connections there are, and how many of them do not work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub all: usize,
    pub broken: usize,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: Option<String>,
    end_user_id: Option<String>,
    integration_id: Option<String>,
    connector: String,
    name: String,
    external_id: Option<String>,
    display_name: Option<String>,
    label: Option<String>,
    auth: String,
    fields: String,
    is_local: bool,
    destination: Option<String>,
    problem: Option<String>,
    user_id: String,
    created_at: i64,
    verified_at: Option<i64>,
    expires_at: Option<i64>,
    renew_at: Option<i64>,
    revision: i64,
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Connection {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: optional_id(row.workspace_id.as_deref())?,
            end_user: optional_id(row.end_user_id.as_deref())?,
            integration: optional_id(row.integration_id.as_deref())?,
            connector: row.connector,
            name: row.name,
            external_id: row.external_id,
            display_name: row.display_name,
            label: row.label,
            auth: row.auth,
            fields: serde_json::from_str(&row.fields).map_err(|error| corrupt(&error))?,
            is_local: row.is_local,
            destination: row.destination,
            problem: row.problem,
            user: id(&row.user_id)?,
            created_at: Instant::from_micros(row.created_at),
            verified_at: row.verified_at.map(Instant::from_micros),
            expires_at: row.expires_at.map(Instant::from_micros),
            renew_at: row.renew_at.map(Instant::from_micros),
            revision: row.revision,
        })
    }
}

pub(crate) fn corrupt(error: &serde_json::Error) -> StoreError {
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
        "id, org_id, workspace_id, end_user_id, integration_id, connector, name, external_id, \
         display_name, label, auth, fields, is_local, destination, \
         problem, user_id, created_at, verified_at, expires_at, renew_at, revision"
    };
}

macro_rules! without_secrets {
    ($which:literal) => {
        concat!("SELECT ", columns!(), " FROM connections ", $which)
    };
}

macro_rules! in_full {
    ($which:literal) => {
        concat!("SELECT ", columns!(), ", secrets FROM connections ", $which)
    };
}

mod lists;

/// Read at once, so that secrets never stand beside what belongs to others.
#[derive(sqlx::FromRow)]
struct InFull {
    #[sqlx(flatten)]
    row: Row,
    secrets: Vec<u8>,
}

impl Store {
    /// The organization's own, or those of one end user, by connector and name.
    pub async fn connections(
        &self,
        org: &OrgId,
        end_user: Option<&EndUserId>,
    ) -> Result<Vec<Connection>, StoreError> {
        const SQL: &str = without_secrets!(
            "WHERE org_id = $1 AND COALESCE(end_user_id, '') = $2 ORDER BY connector, name"
        );
        self.rows_of::<Row, _>(SQL, org, end_user.map_or("", EndUserId::as_str))
            .await
    }

    pub async fn connection(
        &self,
        org: &OrgId,
        connection: &ConnectionId,
    ) -> Result<Option<Connection>, StoreError> {
        const SQL: &str = without_secrets!("WHERE org_id = $1 AND id = $2");
        self.row_of::<Row, _>(SQL, org, connection.as_str()).await
    }

    /// The organization's own or those of one end user, with their opened secrets, by connector and
    /// name.
    pub async fn connections_in_full(
        &self,
        org: &OrgId,
        end_user: Option<&EndUserId>,
    ) -> Result<Vec<(Connection, Secrets)>, StoreError> {
        const SQL: &str = in_full!(
            "WHERE org_id = $1 AND COALESCE(end_user_id, '') = $2 ORDER BY connector, name"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, InFull>(SQL)
                .bind(org.as_str())
                .bind(end_user.map_or("", EndUserId::as_str))
                .fetch_all(pool)
                .await?
        });
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.push(self.opened(row).await?);
        }
        Ok(all)
    }

    /// A connection with its opened secrets.
    pub async fn connection_in_full(
        &self,
        org: &OrgId,
        connection: &ConnectionId,
    ) -> Result<Option<(Connection, Secrets)>, StoreError> {
        const SQL: &str = in_full!("WHERE org_id = $1 AND id = $2");
        let row = reading!(self, pool => {
            sqlx::query_as::<_, InFull>(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .fetch_optional(pool)
                .await?
        });
        match row {
            Some(row) => Ok(Some(self.opened(row).await?)),
            None => Ok(None),
        }
    }

    async fn opened(&self, row: InFull) -> Result<(Connection, Secrets), StoreError> {
        let connection = Connection::try_from(row.row)?;
        let place = place(connection.org.as_str(), connection.id.as_str());
        let plain = self.unseal(place, &row.secrets).await?;
        Ok((connection, secrets_of(&plain)?))
    }

    /// Seals the secrets of a connection ([`Store::prepare_sealing`] comes before).
    pub fn seal_connection(
        &self,
        org: &OrgId,
        connection: &ConnectionId,
        secrets: &Secrets,
    ) -> Result<Vec<u8>, StoreError> {
        self.seal(place(org.as_str(), connection.as_str()), &text_of(secrets)?)
    }
}

/// Secrets as they are sealed.
pub(crate) fn text_of(secrets: &Secrets) -> Result<Vec<u8>, StoreError> {
    let plain: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(name, secret)| (name.as_str(), secret.expose_secret()))
        .collect();
    serde_json::to_vec(&plain).map_err(|error| corrupt(&error))
}

pub(crate) fn secrets_of(plain: &[u8]) -> Result<Secrets, StoreError> {
    let secrets: BTreeMap<String, String> =
        serde_json::from_slice(plain).map_err(|error| corrupt(&error))?;
    let secrets = secrets.into_iter();
    Ok(secrets
        .map(|(name, secret)| (name, secret.into()))
        .collect())
}

impl Tx {
    pub async fn add_connection(
        &mut self,
        connection: &Connection,
        sealed: Vec<u8>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO connections (id, org_id, workspace_id, connector, name, label, auth, \
             fields, secrets, is_local, destination, problem, user_id, created_at, verified_at, expires_at, \
             renew_at, revision, end_user_id, integration_id, external_id, display_name) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
             $19, $20, $21, $22)";
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
                .bind(connection.expires_at.map(Instant::micros))
                .bind(connection.renew_at.map(Instant::micros))
                .bind(connection.revision)
                .bind(connection.end_user.as_ref().map(EndUserId::as_str))
                .bind(connection.integration.as_ref().map(IntegrationId::as_str))
                .bind(&connection.external_id)
                .bind(&connection.display_name)
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
        // Whoever renews the old token finds another revision, and lets it be.
        const CREDENTIALS: &str = "UPDATE connections SET fields = $3, secrets = $4, destination = $5, \
             expires_at = $6, renew_at = $7, revision = revision + 1, renewing_by = NULL, \
             renewing_until = NULL \
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
                    .bind(new.expires_at.map(Instant::micros))
                    .bind(new.renew_at.map(Instant::micros))
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

    /// Those of a connector, as they are in this very transaction.
    pub async fn connections_of(
        &mut self,
        org: &OrgId,
        connector: &str,
    ) -> Result<Vec<Connection>, StoreError> {
        const SQL: &str = without_secrets!("WHERE org_id = $1 AND connector = $2 ORDER BY name");
        let rows = within!(self, conn => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(connector)
                .fetch_all(conn)
                .await?
        });
        rows.into_iter().map(Connection::try_from).collect()
    }

    /// Says why a connection does not work, or that it does.
    pub async fn set_connection_problem(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
        problem: Option<&str>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE connections SET problem = $3 WHERE org_id = $1 AND id = $2";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .bind(problem)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there is no such connection.
    pub async fn delete_connection(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM connections WHERE org_id = $1 AND id = $2";
        self.of_one(SQL, org, connection.as_str()).await
    }
}
