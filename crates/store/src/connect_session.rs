//! Connect sessions: somebody is asked to connect an account, by a link or inside another product.

use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{
    ConnectSessionId, ConnectionId, EndUserId, IntegrationId, OrgId, UserId, WorkspaceId,
};

/// Whose the connection will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OwnerScope {
    Organization,
    Workspace,
    User,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SessionStatus {
    Pending,
    /// The person is at the service's own sign-in page.
    Connecting,
    Completed,
    Failed,
}

macro_rules! names {
    ($kind:ident { $($variant:ident $name:literal)* }) => {
        impl $kind {
            pub const fn name(self) -> &'static str {
                match self { $($kind::$variant => $name),* }
            }

            fn read(name: &str) -> Result<Self, StoreError> {
                match name {
                    $($name => Ok($kind::$variant),)*
                    other => Err(StoreError::Corrupt(format!("{other:?} of a connect session"))),
                }
            }
        }
    };
}

names! { OwnerScope { Organization "ORGANIZATION" Workspace "WORKSPACE" User "USER" } }
names! { SessionStatus { Pending "PENDING" Connecting "CONNECTING" Completed "COMPLETED" Failed "FAILED" } }

#[derive(Debug, Clone)]
pub struct ConnectSession {
    pub id: ConnectSessionId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// The connector's key.
    pub connector: String,
    pub integration: Option<IntegrationId>,
    /// The connector's way to sign in; none lets the person choose.
    pub auth: Option<String>,
    /// What the connection will be called.
    pub name: String,
    pub external_id: String,
    pub scope: OwnerScope,
    pub end_user: Option<EndUserId>,
    /// On whose behalf the connection is made.
    pub user: UserId,
    pub success_redirect: Option<String>,
    pub error_redirect: Option<String>,
    pub status: SessionStatus,
    pub connection: Option<ConnectionId>,
    /// Why it failed.
    pub problem: Option<String>,
    pub created_at: Instant,
    pub expires_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    connector: String,
    integration_id: Option<String>,
    auth: Option<String>,
    name: String,
    external_id: String,
    scope: String,
    end_user_id: Option<String>,
    user_id: String,
    success_redirect: Option<String>,
    error_redirect: Option<String>,
    status: String,
    connection_id: Option<String>,
    problem: Option<String>,
    created_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for ConnectSession {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(ConnectSession {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            connector: row.connector,
            integration: optional_id(row.integration_id.as_deref())?,
            auth: row.auth,
            name: row.name,
            external_id: row.external_id,
            scope: OwnerScope::read(&row.scope)?,
            end_user: optional_id(row.end_user_id.as_deref())?,
            user: id(&row.user_id)?,
            success_redirect: row.success_redirect,
            error_redirect: row.error_redirect,
            status: SessionStatus::read(&row.status)?,
            connection: optional_id(row.connection_id.as_deref())?,
            problem: row.problem,
            created_at: Instant::from_micros(row.created_at),
            expires_at: Instant::from_micros(row.expires_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, workspace_id, connector, integration_id, auth, name, external_id, scope, end_user_id, \
         user_id, success_redirect, error_redirect, status, connection_id, problem, created_at, expires_at \
         FROM connect_sessions "
    };
}

impl Store {
    /// For whoever has the link, when the organization is not known yet.
    pub async fn connect_session_of_link(
        &self,
        session: &ConnectSessionId,
    ) -> Result<Option<ConnectSession>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE id = $1");
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(session.as_str()).fetch_optional(pool).await?
        });
        row.map(ConnectSession::try_from).transpose()
    }

    pub async fn connect_session(
        &self,
        org: &OrgId,
        session: &ConnectSessionId,
    ) -> Result<Option<ConnectSession>, StoreError> {
        let found = self.connect_session_of_link(session).await?;
        Ok(found.filter(|session| session.org == *org))
    }

    /// The newest session of an end user for an integration that is still good at that time.
    pub async fn live_connect_session(
        &self,
        org: &OrgId,
        end_user: &EndUserId,
        integration: &IntegrationId,
        now: Instant,
    ) -> Result<Option<ConnectSession>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND end_user_id = $2 AND integration_id = $3 AND expires_at > $4 \
             AND status IN ('PENDING', 'CONNECTING') ORDER BY created_at DESC, id DESC LIMIT 1"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(end_user.as_str())
                .bind(integration.as_str())
                .bind(now.micros())
                .fetch_optional(pool)
                .await?
        });
        row.map(ConnectSession::try_from).transpose()
    }
}

impl Tx {
    pub async fn add_connect_session(
        &mut self,
        session: &ConnectSession,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO connect_sessions (id, org_id, workspace_id, connector, integration_id, auth, \
             name, external_id, scope, end_user_id, user_id, success_redirect, error_redirect, status, \
             connection_id, problem, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(session.id.as_str())
                .bind(session.org.as_str())
                .bind(session.workspace.as_str())
                .bind(&session.connector)
                .bind(session.integration.as_ref().map(IntegrationId::as_str))
                .bind(&session.auth)
                .bind(&session.name)
                .bind(&session.external_id)
                .bind(session.scope.name())
                .bind(session.end_user.as_ref().map(EndUserId::as_str))
                .bind(session.user.as_str())
                .bind(&session.success_redirect)
                .bind(&session.error_redirect)
                .bind(session.status.name())
                .bind(session.connection.as_ref().map(ConnectionId::as_str))
                .bind(&session.problem)
                .bind(session.created_at.micros())
                .bind(session.expires_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Takes a session to its next state, from one that is not an end. `false` when it had ended
    /// before or there is none: two people with one link complete it once.
    pub async fn move_connect_session(
        &mut self,
        session: &ConnectSessionId,
        status: SessionStatus,
        connection: Option<&ConnectionId>,
        problem: Option<&str>,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE connect_sessions SET status = $2, connection_id = $3, problem = $4 \
             WHERE id = $1 AND status IN ('PENDING', 'CONNECTING') AND expires_at > $5";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(session.as_str())
                .bind(status.name())
                .bind(connection.map(ConnectionId::as_str))
                .bind(problem)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }
}
