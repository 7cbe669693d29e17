//! Hosted servers: made, changed, taken away, and the tokens that open them.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::credentials::Fresh;
use crate::end_users::{EndUser, checked_text};
use quaymaster_connectors::surface;
use quaymaster_core::id::{CredentialId, EndUserId, ServerId, WorkspaceId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault, ManagementName, Scope, Scopes};
use quaymaster_store::Tx;
use quaymaster_store::credential::{Credential, Origin};
use quaymaster_store::integration::Strategy;
pub use quaymaster_store::server::{AuthMode, EndUserAccess, Mode, Server};
use serde_json::{Map, Value, json};

/// What a new server shall be.
#[derive(Debug, Clone, Default)]
pub struct NewServer {
    pub name: String,
    pub description: Option<String>,
    pub mode: Mode,
    pub settings: Map<String, Value>,
    pub auth_mode: AuthMode,
    pub end_user_access: EndUserAccess,
    /// Our id or the developer's.
    pub end_user: Option<String>,
}

/// What changes at a server: what is absent stays; `Some(None)` takes away.
#[derive(Debug, Clone, Default)]
pub struct ServerChange {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub mode: Option<Mode>,
    pub settings: Option<Map<String, Value>>,
    pub auth_mode: Option<AuthMode>,
    pub end_user_access: Option<EndUserAccess>,
    pub end_user: Option<Option<String>>,
}

/// A server's own token lives until it is replaced; an end user's for a day unless said otherwise.
const USUAL_SECONDS: i64 = 24 * 3_600;
const MOST_SECONDS: i64 = 365 * 24 * 3_600;

pub(crate) fn unknown_server() -> Fault {
    Fault::not_found("There is no such server.").hint("GET /api/v1/mcp/servers lists them.")
}

impl App {
    /// Those of the organization, newest first; all, or a workspace's.
    pub async fn servers(
        &self,
        actor: &Actor,
        workspace: Option<&WorkspaceId>,
    ) -> Result<Vec<Server>, Fault> {
        let mut all = self.store.servers(&actor.org, workspace).await?;
        all.retain(|server| actor.reaches(Some(&server.workspace)));
        Ok(all)
    }

    /// A page of a workspace's with the words in their name or description, or of all, newest first; and
    /// how many there are in all pages.
    pub async fn servers_page(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Server>, i64), Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let page = self
            .store
            .servers_page(&actor.org, workspace, words, limit, offset);
        Ok(page.await?)
    }

    pub async fn server(&self, actor: &Actor, id: &ServerId) -> Result<Server, Fault> {
        let found = self.store.server(&actor.org, id).await?;
        found
            .filter(|server| actor.reaches(Some(&server.workspace)))
            .ok_or_else(unknown_server)
    }

    /// Makes a server, and its token where tokens open it.
    pub async fn create_server(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        new: NewServer,
    ) -> Result<(Server, Option<Fresh>), Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        let end_user = match &new.end_user {
            Some(named) => Some(self.end_user_named(admin, workspace, named).await?.id),
            None => None,
        };
        let now = self.now();
        let server = Server {
            id: ServerId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: workspace.clone(),
            name: checked_text("/name", &new.name, 80, "A name")?,
            description: new.description,
            mode: new.mode,
            settings: new.settings,
            auth_mode: new.auth_mode,
            end_user_access: new.end_user_access,
            end_user,
            is_picked: false,
            user: admin.user.clone(),
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        self.refuse_nobodys_accounts(&server).await?;
        let token = server
            .auth_mode
            .takes_tokens()
            .then(|| self.fresh_server_token(admin, &server, server.end_user.clone()));
        let mut tx = self.store.begin().await?;
        tx.add_server(&server).await?;
        self.record_server(&mut tx, admin, &server, "server.created")
            .await?;
        if let Some(token) = &token {
            self.add(&mut tx, admin, &token.credential).await?;
        }
        tx.commit().await?;
        self.changed().await;
        Ok((server, token))
    }

    pub async fn update_server(
        &self,
        admin: &Admin,
        id: &ServerId,
        change: ServerChange,
    ) -> Result<(Server, Option<Fresh>), Fault> {
        let mut server = self.server(admin, id).await?;
        let before = server.auth_mode;
        if let Some(name) = &change.name {
            server.name = checked_text("/name", name, 80, "A name")?;
        }
        if let Some(description) = change.description {
            server.description = description;
        }
        if let Some(mode) = change.mode {
            server.mode = mode;
        }
        if let Some(settings) = change.settings {
            server.settings = settings;
        }
        if let Some(auth_mode) = change.auth_mode {
            server.auth_mode = auth_mode;
        }
        if let Some(access) = change.end_user_access {
            server.end_user_access = access;
        }
        let all = self.store.server_credentials(&admin.org, id).await?;
        let mut ended: Vec<&Credential> = Vec::new();
        let mut fresh = None;
        if let Some(named) = &change.end_user {
            let end_user = match named {
                Some(named) => {
                    let found = self.end_user_named(admin, &server.workspace, named);
                    Some(found.await?.id)
                }
                None => None,
            };
            if server.end_user != end_user {
                // Whoever has the old token was given the accounts of somebody else.
                ended.extend(&all);
                server.end_user = end_user;
                if server.auth_mode.takes_tokens() {
                    fresh = Some(self.fresh_server_token(admin, &server, server.end_user.clone()));
                }
            }
        }
        let takes = |credential: &Credential| match credential.kind {
            TokenKind::OAuthGrant => server.auth_mode.takes_oauth(),
            _ => server.auth_mode.takes_tokens(),
        };
        if ended.is_empty() {
            ended.extend(all.iter().filter(|one| !takes(one)));
        }
        if server.auth_mode.takes_tokens() && !before.takes_tokens() && fresh.is_none() {
            fresh = Some(self.fresh_server_token(admin, &server, server.end_user.clone()));
        }
        self.refuse_nobodys_accounts(&server).await?;
        server.updated_at = self.now();
        let mut tx = self.store.begin().await?;
        if !tx.update_server(&server).await? {
            return Err(unknown_server());
        }
        for token in ended {
            self.revoke_within(&mut tx, admin, token).await?;
        }
        if let Some(fresh) = &fresh {
            self.add(&mut tx, admin, &fresh.credential).await?;
        }
        self.record_server(&mut tx, admin, &server, "server.updated")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok((self.server(admin, id).await?, fresh))
    }

    /// With its tools, tokens and connected clients: these are out at once.
    pub async fn delete_server(&self, admin: &Admin, id: &ServerId) -> Result<(), Fault> {
        let server = self.server(admin, id).await?;
        let tokens = self.store.server_credentials(&admin.org, id).await?;
        let mut tx = self.store.begin().await?;
        for token in &tokens {
            self.revoke_within(&mut tx, admin, token).await?;
        }
        if !tx.delete_server(&admin.org, id).await? {
            return Err(unknown_server());
        }
        self.record_server(&mut tx, admin, &server, "server.deleted")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// Replaces a server's own token; the one before is dead at once. Those of end users stay.
    pub async fn regenerate_server_token(
        &self,
        admin: &Admin,
        id: &ServerId,
    ) -> Result<(Server, Fresh), Fault> {
        let server = self.server(admin, id).await?;
        takes_tokens(&server)?;
        let tokens = self.server_tokens(admin, id).await?;
        let fresh = self.fresh_server_token(admin, &server, server.end_user.clone());
        let mut tx = self.store.begin().await?;
        for token in tokens
            .iter()
            .filter(|token| token.origin == Origin::Default)
        {
            self.revoke_within(&mut tx, admin, token).await?;
        }
        self.add(&mut tx, admin, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok((server, fresh))
    }

    /// Makes a token of a server for one end user, whose accounts its calls use.
    pub async fn create_end_user_token(
        &self,
        admin: &Admin,
        id: &ServerId,
        end_user: &str,
        scopes: Scopes,
        expires_in_s: Option<i64>,
    ) -> Result<(Server, Fresh), Fault> {
        let server = self.server(admin, id).await?;
        takes_tokens(&server)?;
        let end_user = self
            .end_user_named(admin, &server.workspace, end_user)
            .await?;
        refuse_members_token(&end_user)?;
        let end_user = end_user.id;
        if server
            .end_user
            .as_ref()
            .is_some_and(|only| *only != end_user)
        {
            return Err(
                Fault::new(Code::AlreadyExists, "The server is of another end user.")
                    .hint("Make a server without endUserId for tokens of several end users."),
            );
        }
        let seconds = expires_in_s.unwrap_or(USUAL_SECONDS);
        if !(60..=MOST_SECONDS).contains(&seconds) {
            return Err(Fault::invalid_arg(
                "/expires_in",
                "range",
                "A token is good for 60 seconds to a year.",
            ));
        }
        let mut fresh = self.fresh_server_token(admin, &server, Some(end_user));
        fresh.credential.origin = Origin::Manual;
        fresh.credential.scopes = scopes;
        fresh.credential.expires_at = Some(self.now().plus_seconds(seconds));
        let mut tx = self.store.begin().await?;
        self.add(&mut tx, admin, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok((server, fresh))
    }

    /// The tokens of a server that are alive: its own one, then those of end users.
    pub async fn server_tokens(
        &self,
        actor: &Actor,
        id: &ServerId,
    ) -> Result<Vec<Credential>, Fault> {
        self.server(actor, id).await?;
        let mut all = self.store.server_credentials(&actor.org, id).await?;
        all.retain(|one| one.kind == TokenKind::ServerToken);
        Ok(all)
    }

    pub async fn revoke_server_token(
        &self,
        admin: &Admin,
        id: &ServerId,
        token: &CredentialId,
    ) -> Result<(), Fault> {
        let tokens = self.server_tokens(admin, id).await?;
        if !tokens.iter().any(|one| one.id == *token) {
            return Err(Fault::not_found("The server has no such token."));
        }
        self.revoke(admin, token).await
    }

    fn fresh_server_token(
        &self,
        admin: &Admin,
        server: &Server,
        end_user: Option<EndUserId>,
    ) -> Fresh {
        let name = server.name.clone();
        let scopes = Scopes::of_tools();
        let mut fresh = self.fresh(admin, TokenKind::ServerToken, name, Origin::Default, scopes);
        fresh.credential.workspace = Some(server.workspace.clone());
        fresh.credential.server = Some(server.id.clone());
        fresh.credential.end_user = end_user;
        fresh
    }

    /// One token that many may share cannot stand for the accounts of one person.
    async fn refuse_nobodys_accounts(&self, server: &Server) -> Result<(), Fault> {
        if let Some(end_user) = &server.end_user
            && server.auth_mode.takes_tokens()
            && let Some(end_user) = self.store.end_user(&server.org, end_user).await?
        {
            refuse_members_token(&end_user)?;
        }
        if server.end_user.is_some() || server.auth_mode != AuthMode::Bearer {
            return Ok(());
        }
        let all = self
            .store
            .integrations(&server.org, &server.workspace)
            .await?;
        match all.iter().find(|one| one.strategy == Strategy::PerUser) {
            None => Ok(()),
            Some(per_user) => Err(Fault::new(
                Code::McpBearerBlocksPerUser,
                format!(
                    "The integration {:?} uses the accounts of end users, and a bearer token alone names none.",
                    per_user.alias
                ),
            )
            .hint("Pass endUserId, or leave authMode at oauth_and_bearer and make a token for each end user.")),
        }
    }

    pub(crate) async fn record_server(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        server: &Server,
        action: &str,
    ) -> Result<(), Fault> {
        let details = json!({ "server": server.id, "name": server.name, "mode": server.mode });
        let mut event = self.event(&admin.org, &admin.label, action, details);
        event.workspace = Some(server.workspace.clone());
        tx.record(&event).await?;
        Ok(())
    }
}

/// Whoever has a token calls as its end user, and nobody else than a member calls as the member.
fn refuse_members_token(end_user: &EndUser) -> Result<(), Fault> {
    if end_user.user.is_none() {
        return Ok(());
    }
    Err(Fault::new(
        Code::McpBearerBlocksPerUser,
        "This end user is a member of the organization: they sign in themselves, and have no tokens.",
    )
    .hint("Set authMode to oauth, or leave endUserId out."))
}

fn takes_tokens(server: &Server) -> Result<(), Fault> {
    if server.auth_mode.takes_tokens() {
        return Ok(());
    }
    Err(Fault::new(
        Code::McpBearerDisabled,
        "Clients sign in to this server by OAuth only.",
    )
    .hint("Set authMode to bearer or oauth_and_bearer."))
}

/// The scopes of a server's token as developers name them: by what a client may do with the server,
/// or as everywhere else.
pub fn token_scopes(named: Option<&[String]>) -> Result<Scopes, Fault> {
    let Some(named) = named else {
        return Ok(Scopes::of_tools());
    };
    let mut scopes = Vec::new();
    for (index, name) in named.iter().enumerate() {
        match name.as_str() {
            "mcp:tools" | "mcp:code" => scopes.extend([Scope::ReadTools, Scope::WriteTools]),
            "read:tools" => scopes.push(Scope::ReadTools),
            "write:tools" => scopes.push(Scope::WriteTools),
            _ => {
                return Err(Fault::invalid_arg(
                    &format!("/scopes/{index}"),
                    "enum",
                    "The scopes of a server are mcp:tools, mcp:code, read:tools and write:tools.",
                )
                .called(ManagementName::InvalidMcpScopes));
            }
        }
    }
    Ok(scopes.into_iter().collect())
}

impl App {
    /// What a program can call of an integration, or of the flows, as TypeScript.
    pub async fn declarations(
        &self,
        actor: &Actor,
        id: &ServerId,
        alias: &str,
    ) -> Result<String, Fault> {
        let server = self.server(actor, id).await?;
        let hosted = self.hosted(&actor.org, id).await?;
        if let Some(part) = hosted.part(alias) {
            return Ok(
                part.switched(|switched| surface::declarations(std::slice::from_ref(switched)))
            );
        }
        let flows = self.flows_of_org(&actor.org).await?;
        let get_run = &self.toolsets.get_run.def;
        let flows = flows.in_programs(&server.workspace, id, get_run);
        if let Some(flows) = flows.filter(|_| alias == surface::FLOWS) {
            return Ok(flows.declarations());
        }
        let mut known = hosted.aliases();
        known.extend(flows.map(|_| surface::FLOWS));
        let fault = Fault::not_found(format!("The server has no integration {alias:?}."));
        Err(fault.hint(format!("It has {}.", known.join(", "))))
    }
}
