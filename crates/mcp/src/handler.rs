//! What `rmcp` asks, answered through the [`Door`].

use crate::convert;
use crate::progress::Reports;
use crate::sessions::Sessions;
use http::request::Parts;
use quaymaster_core::clock::{Clock, Entropy};
use quaymaster_core::door::{Change, Door};
use quaymaster_core::fault::UNKNOWN_TOOL;
use quaymaster_core::id::CallId;
use quaymaster_core::tool::{Call, Ctx, Era, Outcome, Source};
use quaymaster_core::{Caller, Code, Fault};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    DiscoverResult, ErrorCode, ErrorData, Extensions, InitializeRequestParams, InitializeResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ServerConfig, SubscriptionFilter,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use std::sync::Arc;

/// How long a client may believe a list: not at all, since changes are told.
const TTL_MS: u64 = 0;

#[derive(Clone)]
pub(crate) struct Handler {
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sessions: Arc<Sessions>,
}

/// The caller that the endpoint admitted for this very request.
fn caller(extensions: &Extensions) -> Result<Arc<Caller>, ErrorData> {
    extensions
        .get::<Parts>()
        .and_then(|parts| parts.extensions.get::<Arc<Caller>>())
        .cloned()
        .ok_or_else(|| ErrorData::internal_error("the request has no caller", None))
}

/// A fault where the protocol has no place for a result.
fn refused(fault: &Fault) -> ErrorData {
    let code = match fault.code {
        Code::Internal | Code::Unavailable => ErrorCode::INTERNAL_ERROR,
        _ => ErrorCode::INVALID_REQUEST,
    };
    ErrorData::new(code, fault.message.clone(), Some(fault.to_json()))
}

/// A method of a capability that the server does not declare; `rmcp` would answer with empty lists.
fn not_offered(what: &str) -> ErrorData {
    let message = format!("This server has no {what}. It has tools: send tools/list.");
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
}

impl Handler {
    pub(crate) fn new(
        door: Arc<dyn Door>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        sessions: Arc<Sessions>,
    ) -> Self {
        Handler {
            door,
            clock,
            entropy,
            sessions,
        }
    }

    fn call_of(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Call {
        let era = match context.protocol_version() {
            Some(version) if version >= ProtocolVersion::V_2026_07_28 => Era::Stateless,
            _ => Era::Session,
        };
        let client = context.meta.client_info().or_else(|| {
            context
                .peer
                .peer_info()
                .map(|info| info.client_info.clone())
        });
        Call {
            tool: request.name.into_owned(),
            args: request.arguments.unwrap_or_default(),
            source: Source::Mcp(era),
            ctx: Ctx {
                id: CallId::fresh(&*self.clock, &*self.entropy),
                started: self.clock.now(),
                cancel: context.ct.clone(),
                progress: None,
                client: client.map(|client| format!("{} {}", client.name, client.version)),
            },
        }
    }

    /// Runs a call; reports of its progress go out before its answer.
    async fn call(
        &self,
        caller: &Caller,
        mut call: Call,
        context: &RequestContext<RoleServer>,
    ) -> Result<Outcome, Fault> {
        let Some(token) = context.meta.get_progress_token() else {
            return self.door.call(caller, call).await;
        };
        let (reports, mut receiver) = Reports::channel();
        call.ctx.progress = Some(Arc::new(reports));
        let mut answer = self.door.call(caller, call);
        let outcome = loop {
            tokio::select! {
                outcome = &mut answer => break outcome,
                Some(report) = receiver.recv() => report.send(&context.peer, &token).await,
            }
        };
        while let Ok(report) = receiver.try_recv() {
            report.send(&context.peer, &token).await;
        }
        outcome
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        // Without a caller there is only what is the same for all; initialize and discover answer
        // for the caller.
        convert::server(quaymaster_core::door::About {
            name: "quaymaster".into(),
            title: "Quaymaster".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            instructions: None,
        })
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut answer = self.negotiate_initialize(&request)?;
        let about = convert::server(self.door.about(&*caller(&context.extensions)?));
        answer.server_info = about.server_info;
        answer.instructions = about.instructions;
        Ok(answer)
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let about = self.door.about(&*caller(&context.extensions)?);
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(
            versions,
            convert::server(about),
        ))
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let caller = caller(&context.extensions)?;
        let tools = self
            .door
            .tools(&caller)
            .await
            .map_err(|fault| refused(&fault))?;
        let tools = tools.iter().map(convert::tool).collect();
        let mut answer = ListToolsResult::with_all_items(tools);
        answer.ttl_ms = Some(TTL_MS);
        answer.cache_scope = Some(CacheScope::Private);
        Ok(answer)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = caller(&context.extensions)?;
        let call = self.call_of(request, &context);
        match self.call(&caller, call, &context).await {
            Ok(Outcome::Done(result)) => Ok(CallToolResponse::Complete(convert::result(result))),
            Err(fault) => {
                if fault.has_detail(UNKNOWN_TOOL) {
                    return Err(ErrorData::invalid_params(
                        fault.message.clone(),
                        Some(fault.to_json()),
                    ));
                }
                Ok(CallToolResponse::Complete(convert::fault(&fault)))
            }
        }
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(not_offered("prompts"))
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(not_offered("resources"))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(not_offered("resource templates"))
    }

    async fn complete(
        &self,
        _request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(not_offered("completions"))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let session = context
            .extensions
            .get::<Parts>()
            .and_then(|parts| parts.headers.get("mcp-session-id"))
            .and_then(|id| id.to_str().ok());
        // The endpoint made sure that the session is the caller's.
        if let Some(session) = session {
            self.sessions.is_ready(session, context.peer.clone());
        }
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let caller = caller(&context.request_context().extensions)?;
        let mut changes = self.door.changes(&caller);
        loop {
            tokio::select! {
                change = changes.next() => match change {
                    Some(Change::Tools) => {
                        if context.sink().notify_tool_list_changed().await.is_err() {
                            return Ok(());
                        }
                    }
                    Some(Change::Revoked) | None => return Ok(()),
                },
                () = context.cancelled() => return Ok(()),
            }
        }
    }
}
