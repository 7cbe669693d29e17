//! The table of methods that `rmcp` asks for, answered through the [`Door`].

use crate::convert::{self, TTL_MS, refusal};
use crate::sessions::Sessions;
use crate::state::States;
use crate::wishes::Wishes;
use crate::{calls, changes, logging, prompts, resources, skills};
use http::request::Parts;
use quaymaster_core::Caller;
use quaymaster_core::clock::{Clock, Entropy};
use quaymaster_core::door::{Door, Offers};
#[expect(deprecated, reason = "sessions still have logging/setLevel")]
use rmcp::model::SetLevelRequestParams;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    DiscoverResult, ErrorCode, ErrorData, Extensions, GetPromptRequestParams, GetPromptResponse,
    GetSkillRequestParams, GetSkillResult, InitializeRequestParams, InitializeResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerConfig, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use std::sync::{Arc, OnceLock};

/// What all sessions and requests have in common.
pub(crate) struct Shared {
    pub(crate) door: Arc<dyn Door>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) states: States,
}

/// One for each session, or for each request without one.
pub(crate) struct Handler {
    pub(crate) shared: Arc<Shared>,
    /// Who opened the session or sent the request. Of a session this is as old as the session, so
    /// requests of sessions look at their own.
    opener: Option<Arc<Caller>>,
    /// Made when the session's client first wishes for something.
    pub(crate) wishes: OnceLock<Arc<Wishes>>,
}

/// The caller that the endpoint admitted for this very request.
pub(crate) fn caller(extensions: &Extensions) -> Result<Arc<Caller>, ErrorData> {
    extensions
        .get::<Parts>()
        .and_then(|parts| parts.extensions.get::<Arc<Caller>>())
        .cloned()
        .ok_or_else(|| ErrorData::internal_error("the request has no caller", None))
}

impl Handler {
    pub(crate) fn new(shared: Arc<Shared>, opener: Option<Arc<Caller>>) -> Self {
        Handler {
            shared,
            opener,
            wishes: OnceLock::new(),
        }
    }

    pub(crate) fn wishes(&self) -> &Arc<Wishes> {
        self.wishes.get_or_init(Arc::default)
    }

    /// The caller of a method of a capability that not every door has. `rmcp` would answer with
    /// empty lists.
    pub(crate) fn offered(
        &self,
        context: &RequestContext<RoleServer>,
        what: &str,
        has: impl FnOnce(Offers) -> bool,
    ) -> Result<Arc<Caller>, ErrorData> {
        let caller = caller(&context.extensions)?;
        if has(self.shared.door.about(&caller).offers) {
            return Ok(caller);
        }
        let message = format!("This server has no {what}. It has tools: send tools/list.");
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}

impl ServerHandler for Handler {
    /// Asked for by each request, without saying whose: what any door may have. Initialize and
    /// discover answer for the caller, and so does the filter of a subscription.
    fn get_info(&self) -> ServerConfig {
        let everything = Offers {
            resources: true,
            skills: true,
            prompts: true,
            completions: true,
            logging: true,
        };
        ServerConfig::new(convert::capabilities(everything))
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut answer = self.negotiate_initialize(&request)?;
        let about = self.shared.door.about(&*caller(&context.extensions)?);
        let about = convert::server(about);
        answer.server_info = about.server_info;
        answer.capabilities = about.capabilities;
        answer.instructions = about.instructions;
        Ok(answer)
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let session = context
            .extensions
            .get::<Parts>()
            .and_then(|parts| parts.headers.get("mcp-session-id"))
            .and_then(|id| id.to_str().ok());
        // The endpoint made sure that the session is the caller's.
        if let Some(session) = session {
            let wishes = self.wishes().clone();
            let sessions = &self.shared.sessions;
            sessions.is_ready(session, context.peer.clone(), wishes);
        }
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let about = self.shared.door.about(&*caller(&context.extensions)?);
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
        let tools = self.shared.door.tools(&caller);
        let tools = tools.await.map_err(|fault| refusal(&fault))?;
        let tools = tools.iter().map(convert::tool).collect();
        let mut answer = ListToolsResult::with_all_items(tools);
        answer.ttl_ms = Some(TTL_MS);
        answer.cache_scope = Some(CacheScope::Private);
        Ok(answer)
    }

    /// Asked for only to compare arguments with headers.
    fn get_tool(&self, name: &str) -> Option<Tool> {
        let caller = self.opener.as_ref()?;
        let schema = self.shared.door.header_schema(caller, name)?;
        Some(Tool::new(name.to_owned(), "", schema))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        calls::call_tool(self, request, &context).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        prompts::list(self, request, &context).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(self, request, &context).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        prompts::complete(self, request, &context).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        resources::list(self, request, &context).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        resources::list_templates(self, request, &context).await
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(self, request, &context).await
    }

    async fn list_skills(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        skills::list(self, request, &context).await
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        skills::get(self, &request.uri, &context).await
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        resources::watch(self, request.uri, &context)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        resources::unwatch(self, &request.uri, &context)
    }

    #[expect(deprecated, reason = "sessions still have logging/setLevel")]
    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let level = serde_json::to_value(request.level).unwrap_or_default();
        logging::set_level(self, level.as_str().unwrap_or_default(), &context)
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        let about = self.shared.door.about(self.opener.as_ref()?);
        Some(requested.supported_by(&convert::capabilities(about.offers)))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        changes::listen(self, &context).await
    }
}
