//! Hosted servers: those of a workspace, one of them, and a token that is shown once.

use askama::Template;
use quaymaster_core::Instant;

use super::address::segment;
use super::amount::Amount;
use super::connect::Connect;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::pager::Pager;
use super::place::{Choice, Place};

/// `/workspaces/{id}/servers`: asks itself with `query` and `page`; posts `name`, `mode`, `auth_mode` and
/// `end_user` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "servers.html")]
pub struct ServersPage {
    pub layout: Layout,
    pub place: Place,
    pub query: String,
    pub servers: Vec<ServerRow>,
    pub pager: Pager,
    /// None for those who may not make one.
    pub form: Option<ServerForm>,
}

#[derive(Debug, Clone)]
pub struct ServerRow {
    /// Part of its path.
    pub id: String,
    pub name: String,
    pub mode: &'static str,
    pub is_picked: bool,
    /// External id of the end user that it is of.
    pub end_user: Option<String>,
    pub endpoint: String,
    pub created_at: Instant,
}

/// What a server is.
#[derive(Debug, Clone)]
pub struct ServerForm {
    pub name: Field,
    pub description: Field,
    pub modes: Vec<Choice>,
    pub auth_modes: Vec<Choice>,
    pub end_user: Field,
    /// Why the whole was refused.
    pub error: Option<String>,
}

impl ServerForm {
    fn problems(&self) -> Vec<Problem> {
        form::problems(
            self.error.as_ref(),
            [
                ("server-name", self.name.error.as_ref()),
                ("description", self.description.error.as_ref()),
                ("end-user", self.end_user.error.as_ref()),
            ],
        )
    }
}

impl ServersPage {
    pub fn problems(&self) -> Vec<Problem> {
        self.form
            .as_ref()
            .map(ServerForm::problems)
            .unwrap_or_default()
    }
}

/// `/servers/{id}`: asks itself with `query` and `page` of its tools; posts the form to `/settings`, and buttons to `/token` and `/delete`.
#[derive(Debug, Clone, Template)]
#[template(path = "server.html")]
pub struct ServerPage {
    pub layout: Layout,
    pub place: Place,
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub mode: &'static str,
    pub is_picked: bool,
    pub end_user: Option<String>,
    pub endpoint: String,
    /// The other address of the same endpoint.
    pub protocol: String,
    pub connect: Connect,
    /// What the tools are searched for; empty for all.
    pub query: String,
    pub pager: Pager,
    pub tools: Vec<ServerToolRow>,
    /// How many tools there are, shown here or not.
    pub tools_total: usize,
    /// How many tools only look values up.
    pub companions: usize,
    /// The first of them.
    pub flows: Vec<ServerFlowRow>,
    pub flows_total: usize,
    /// Integrations of the workspace that the server has no room for.
    pub left_out: usize,
    /// Estimated tokens of the list in TOOLS mode and in CODE mode.
    pub tools_tokens: u64,
    pub code_tokens: u64,
    /// None where tokens do not open it, or for those who may not know.
    pub token: Option<ServerTokenRow>,
    pub takes_tokens: bool,
    /// None for those who may not change it.
    pub form: Option<ServerForm>,
}

#[derive(Debug, Clone)]
pub struct ServerToolRow {
    /// Path of its own page; none when it follows the workspace.
    pub path: Option<String>,
    pub name: String,
    pub title: String,
    pub alias: String,
    pub reads: bool,
    pub is_destructive: bool,
}

/// A flow that names the server.
#[derive(Debug, Clone)]
pub struct ServerFlowRow {
    /// Of its page.
    pub path: String,
    /// Of its tool.
    pub name: String,
    pub title: String,
    pub reads: bool,
    pub is_destructive: bool,
}

#[derive(Debug, Clone)]
pub struct ServerTokenRow {
    pub created_at: Instant,
    pub last_used_at: Option<Instant>,
}

impl ServerPage {
    pub fn path(&self) -> String {
        format!("/servers/{}", segment(&self.id))
    }

    pub fn problems(&self) -> Vec<Problem> {
        self.form
            .as_ref()
            .map(ServerForm::problems)
            .unwrap_or_default()
    }

    pub fn is_code(&self) -> bool {
        self.mode == "CODE"
    }

    /// In per cent, how much less CODE mode costs to read; none when it does not.
    pub fn saved(&self) -> Option<u64> {
        let less = self.tools_tokens.checked_sub(self.code_tokens)?;
        (less * 100).checked_div(self.tools_tokens)
    }
}

/// Answer to a POST that made a server or a token of it. The secret stands here and nowhere else.
#[derive(Debug, Clone, Template)]
#[template(path = "fresh_server_token.html")]
pub struct FreshServerTokenPage {
    pub layout: Layout,
    pub place: Place,
    pub id: String,
    pub name: String,
    /// `mcp_…`
    pub token: String,
    pub endpoint: String,
    /// The token took the place of another, which has stopped working.
    pub replaced: bool,
    /// With the token filled in.
    pub connect: Connect,
}

impl FreshServerTokenPage {
    pub fn path(&self) -> String {
        format!("/servers/{}", segment(&self.id))
    }
}
