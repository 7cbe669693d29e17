//! A person tries a call on a page: through the same guard, cap and audit as any agent's.

use crate::App;
use crate::actor::Actor;
use quaymaster_connectors::passport;
use quaymaster_core::caller::{Grant, Who};
use quaymaster_core::door::Door as _;
use quaymaster_core::id::{ConnectionId, CredentialId, ServerId, UserId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::tool::{Call, Ctx, JsonObject, Outcome, Source, ToolResult};
use quaymaster_core::{Caller, Fault, Scopes};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What is tried.
#[derive(Debug, Clone)]
pub struct Trial {
    pub connector: String,
    /// Key of the action.
    pub action: String,
    /// Without one, as an agent that names none.
    pub account: Option<ConnectionId>,
    /// By name, as the action's schema has them.
    pub inputs: Map<String, Value>,
}

impl App {
    /// Calls an action as the person, with no more than the person may. Inputs that do not fit are
    /// `INVALID_ARG` with a pointer to each.
    pub async fn try_call(&self, actor: &Actor, trial: Trial) -> Result<ToolResult, Fault> {
        let usable = self.usable(&actor.org, &trial.connector).await?;
        let account = trial.account.iter().cloned().collect();
        let prepared = self.over_connections(&usable, &actor.org, &account).await?;
        prepared.check(&trial.action, &trial.inputs)?;
        let arguments = passport::arguments(prepared.definition(), &trial.action, &trial.inputs);
        let mut args = arguments.ok_or_else(Fault::internal)?;
        args.insert("service".to_owned(), json!(trial.connector));
        let mut grants = vec![Grant::Catalog];
        if let Some(account) = &trial.account {
            args.insert("instance_id".to_owned(), json!(account));
            // One that only a workspace reaches is tried as from there.
            let connection = self.connection(actor, account).await?;
            grants.extend(connection.workspace.map(Grant::Files));
        }
        let caller = Caller {
            org: actor.org.clone(),
            who: Who::User(actor.user.clone()),
            credential: credential_of_person(&actor.user)?,
            kind: TokenKind::ApiKey,
            scopes: actor.scopes,
            grants,
            expires_at: None,
            access: None,
        };
        let call = Call {
            tool: "connector_execute".to_owned(),
            args: Arc::new(args),
            source: Source::Page,
            answers: None,
            ctx: Ctx::new(self.fresh_call_id(), self.now()),
        };
        match self.call(&caller, call).await? {
            Outcome::Done(result) => Ok(result),
            Outcome::Ask(..) => Err(Fault::internal()),
        }
    }
}

impl App {
    /// Calls a tool of a hosted server as its own token would, for a person on a page and with no
    /// more than the person may. In CODE mode the tools are the three of that mode.
    pub async fn try_tool(
        &self,
        actor: &Actor,
        id: &ServerId,
        tool: &str,
        args: JsonObject,
    ) -> Result<ToolResult, Fault> {
        let nobody = Caller {
            org: actor.org.clone(),
            who: Who::User(actor.user.clone()),
            credential: credential_of_person(&actor.user)?,
            kind: TokenKind::ApiKey,
            scopes: actor.scopes,
            grants: Vec::new(),
            expires_at: None,
            access: None,
        };
        self.call_as_server(nobody, actor, id, tool, args, Source::Page)
            .await
    }

    /// Calls a tool of a hosted server as its own token would, for whoever holds an API key.
    pub async fn call_server_tool(
        &self,
        caller: &Caller,
        actor: &Actor,
        id: &ServerId,
        tool: &str,
        args: JsonObject,
    ) -> Result<ToolResult, Fault> {
        let caller = Caller {
            scopes: Scopes::of_tools(),
            ..caller.clone()
        };
        self.call_as_server(caller, actor, id, tool, args, Source::Rest)
            .await
    }

    async fn call_as_server(
        &self,
        caller: Caller,
        actor: &Actor,
        id: &ServerId,
        tool: &str,
        args: JsonObject,
        source: Source,
    ) -> Result<ToolResult, Fault> {
        let server = self.server(actor, id).await?;
        let caller = Caller {
            who: Who::Server(server.id.clone(), server.end_user),
            grants: vec![Grant::Hosted(server.id, server.workspace)],
            ..caller
        };
        let call = Call {
            tool: tool.to_owned(),
            args: Arc::new(args),
            source,
            answers: None,
            ctx: Ctx::new(self.fresh_call_id(), self.now()),
        };
        match self.call(&caller, call).await? {
            Outcome::Done(result) => Ok(result),
            Outcome::Ask(..) => Err(Fault::internal()),
        }
    }
}

/// What the audit and the rate limit know a person on a page by. No credential has such an id: it
/// is the person's own with another prefix.
pub fn credential_of_person(user: &UserId) -> Result<CredentialId, Fault> {
    let (_, own) = user.as_str().split_once('_').unwrap_or_default();
    let id = format!("{}_{own}", CredentialId::PREFIX).parse();
    id.map_err(|_| Fault::internal())
}
