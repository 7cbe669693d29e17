//! Calls of a hosted server's tools as its own token would make them: by a developer's program, and on
//! a page.

use crate::App;
use crate::actor::Actor;
use crate::trying::as_person;
use quaymaster_core::caller::{Grant, Who};
use quaymaster_core::door::Door as _;
use quaymaster_core::id::ServerId;
use quaymaster_core::tool::{Call, Ctx, JsonObject, Outcome, Source, ToolResult};
use quaymaster_core::{Caller, Code, Fault, Scopes};
use quaymaster_store::server::{Mode, Server};
use std::sync::Arc;

pub use quaymaster_connectors::surface::FLOWS;

/// The tool of servers in CODE mode that runs programs.
pub const EXECUTE: &str = "quaymaster_execute";

/// What came of a call that was made.
pub type Made = Result<ToolResult, Fault>;

impl App {
    /// For a person on a page, with no more than the person may. In CODE mode the tools are the three
    /// of that mode.
    pub async fn try_tool(
        &self,
        actor: &Actor,
        id: &ServerId,
        tool: &str,
        args: JsonObject,
    ) -> Result<ToolResult, Fault> {
        let server = self.server(actor, id).await?;
        let person = as_person(actor, Vec::new())?;
        self.call_as_server(person, actor, server, tool, args, Source::Page)
            .await?
    }

    /// For whoever holds an API key. The outer fault says that the call was not made at all.
    pub async fn call_server_tool(
        &self,
        caller: &Caller,
        actor: &Actor,
        id: &ServerId,
        tool: &str,
        args: JsonObject,
    ) -> Result<Made, Fault> {
        let server = self.server(actor, id).await?;
        self.call_with_key(caller, actor, server, tool, args).await
    }

    /// Runs a program over a server in code mode, for a developer's own program.
    pub async fn execute_code(
        &self,
        caller: &Caller,
        actor: &Actor,
        id: &ServerId,
        code: &str,
    ) -> Result<Made, Fault> {
        let server = self.server(actor, id).await?;
        if server.mode != Mode::Code {
            return Err(Fault::new(
                Code::InvalidArg,
                "Programs run over servers in CODE mode, and this one is in TOOLS mode.",
            )
            .hint("Set its mode to CODE, or make another server."));
        }
        let args = JsonObject::from_iter([("code".to_owned(), code.into())]);
        self.call_with_key(caller, actor, server, EXECUTE, args)
            .await
    }

    async fn call_with_key(
        &self,
        caller: &Caller,
        actor: &Actor,
        server: Server,
        tool: &str,
        args: JsonObject,
    ) -> Result<Made, Fault> {
        let caller = Caller {
            scopes: Scopes::of_tools(),
            ..caller.clone()
        };
        self.call_as_server(caller, actor, server, tool, args, Source::Rest)
            .await
    }

    async fn call_as_server(
        &self,
        caller: Caller,
        actor: &Actor,
        server: Server,
        tool: &str,
        args: JsonObject,
        source: Source,
    ) -> Result<Made, Fault> {
        if let Some(end_user) = &server.end_user {
            self.may_act_for(actor, end_user).await?;
        }
        let caller = Caller {
            who: Who::Server(server.id.clone(), server.end_user),
            grants: vec![Grant::Hosted(server.id, server.workspace)],
            // Those were ticked of other toolsets.
            tools: None,
            ..caller
        };
        let call = Call {
            tool: tool.to_owned(),
            args: Arc::new(args),
            source,
            answers: None,
            ctx: Ctx::new(self.fresh_call_id(), self.now()),
        };
        Ok(match self.call(&caller, call).await {
            Ok(Outcome::Done(result)) => Ok(result),
            Ok(Outcome::Ask(..)) => Err(Fault::internal()),
            Err(fault) => Err(fault),
        })
    }
}
