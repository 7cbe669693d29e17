//! Hosted servers: MCP servers that users made, and the tools that were picked for them by hand.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{EndUserId, OrgId, ServerId, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Each action is a tool.
    #[default]
    Tools,
    /// Three tools that search, document and call all actions by code.
    Code,
}

/// How clients sign in to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    Oauth,
    Bearer,
    #[default]
    OauthAndBearer,
}

/// Which members of the organization become end users of the workspace by signing in, and so can
/// connect accounts of their own: administrators only, or everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndUserAccess {
    #[default]
    Restricted,
    Open,
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
                    other => Err(StoreError::Corrupt(format!("{other:?} of a server"))),
                }
            }
        }
    };
}

names! { Mode { Tools "TOOLS" Code "CODE" } }
names! { AuthMode { Oauth "oauth" Bearer "bearer" OauthAndBearer "oauth_and_bearer" } }
names! { EndUserAccess { Restricted "restricted" Open "open" } }

impl AuthMode {
    /// Whether bearer tokens of ours open the server.
    pub const fn takes_tokens(self) -> bool {
        !matches!(self, AuthMode::Oauth)
    }

    /// Whether people sign clients in to the server by OAuth.
    pub const fn takes_oauth(self) -> bool {
        !matches!(self, AuthMode::Bearer)
    }
}

#[derive(Debug, Clone)]
pub struct Server {
    pub id: ServerId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub description: Option<String>,
    pub mode: Mode,
    /// Kept for clients of the API; nothing here acts on it.
    pub settings: Map<String, Value>,
    pub auth_mode: AuthMode,
    pub end_user_access: EndUserAccess,
    /// Every call is this person's.
    pub end_user: Option<EndUserId>,
    /// Its tools are picked by hand, since the first one was; else it follows its workspace. It stays
    /// so when the last one is taken away, which must not show everything.
    pub is_picked: bool,
    /// Who made it.
    pub user: UserId,
    /// Raised whenever what it is made of changes.
    pub revision: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    name: String,
    description: Option<String>,
    mode: String,
    settings: String,
    auth_mode: String,
    end_user_access: String,
    end_user_id: Option<String>,
    is_picked: bool,
    user_id: String,
    revision: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<Row> for Server {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Server {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            name: row.name,
            description: row.description,
            mode: Mode::read(&row.mode)?,
            settings: serde_json::from_str(&row.settings)?,
            auth_mode: AuthMode::read(&row.auth_mode)?,
            end_user_access: EndUserAccess::read(&row.end_user_access)?,
            end_user: optional_id(row.end_user_id.as_deref())?,
            is_picked: row.is_picked,
            user: id(&row.user_id)?,
            revision: row.revision,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, workspace_id, name, description, mode, settings, auth_mode, end_user_access, \
         end_user_id, is_picked, user_id, revision, created_at, updated_at FROM servers "
    };
}

impl Store {
    /// Those of an organization, newest first; all, or a workspace's.
    pub async fn servers(
        &self,
        org: &OrgId,
        workspace: Option<&WorkspaceId>,
    ) -> Result<Vec<Server>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND ($2 IS NULL OR workspace_id = $2) ORDER BY created_at DESC, id DESC"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(workspace.map(WorkspaceId::as_str))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Server::try_from).collect()
    }

    /// A page of those of a workspace with the words in their name or description, or of all, newest
    /// first; and how many there are in all pages.
    pub async fn servers_page(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Server>, i64), StoreError> {
        let mut clauses = Clauses::of_workspace(org, workspace);
        clauses.words(&["name", "description"], words);
        let total = self.count_of("servers", &clauses).await?;
        let page = self.page_of::<Row, _>(
            columns!(),
            clauses,
            "created_at DESC, id DESC",
            limit,
            offset,
        );
        Ok((page.await?, total))
    }

    pub async fn server(
        &self,
        org: &OrgId,
        server: &ServerId,
    ) -> Result<Option<Server>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 AND id = $2");
        self.row_of::<Row, _>(SQL, org, server.as_str()).await
    }

    /// The server at an address, when nobody knows yet who asks and of which organization they are.
    pub async fn server_at_address(&self, server: &ServerId) -> Result<Option<Server>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE id = $1");
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(server.as_str())
                .fetch_optional(pool)
                .await?
        });
        row.map(Server::try_from).transpose()
    }
}

impl Tx {
    pub async fn add_server(&mut self, server: &Server) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO servers (id, org_id, workspace_id, name, description, mode, settings, \
             auth_mode, end_user_access, end_user_id, is_picked, user_id, revision, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let settings = serde_json::to_string(&server.settings)?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(server.id.as_str())
                .bind(server.org.as_str())
                .bind(server.workspace.as_str())
                .bind(&server.name)
                .bind(&server.description)
                .bind(server.mode.name())
                .bind(settings)
                .bind(server.auth_mode.name())
                .bind(server.end_user_access.name())
                .bind(server.end_user.as_ref().map(EndUserId::as_str))
                .bind(server.is_picked)
                .bind(server.user.as_str())
                .bind(server.revision)
                .bind(server.created_at.micros())
                .bind(server.updated_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Writes everything that can change, and raises the revision. `false` when there is no such
    /// server.
    pub async fn update_server(&mut self, server: &Server) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE servers SET name = $3, description = $4, mode = $5, settings = $6, \
             auth_mode = $7, end_user_access = $8, end_user_id = $9, is_picked = $10, updated_at = $11, \
             revision = revision + 1 WHERE org_id = $1 AND id = $2";
        let settings = serde_json::to_string(&server.settings)?;
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(server.org.as_str())
                .bind(server.id.as_str())
                .bind(&server.name)
                .bind(&server.description)
                .bind(server.mode.name())
                .bind(settings)
                .bind(server.auth_mode.name())
                .bind(server.end_user_access.name())
                .bind(server.end_user.as_ref().map(EndUserId::as_str))
                .bind(server.is_picked)
                .bind(server.updated_at.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// With its picked tools. `false` when there is no such server.
    pub async fn delete_server(
        &mut self,
        org: &OrgId,
        server: &ServerId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM servers WHERE org_id = $1 AND id = $2";
        self.of_one(SQL, org, server.as_str()).await
    }
}
