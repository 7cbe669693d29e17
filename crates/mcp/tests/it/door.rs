//! A door with the fixtures of the conformance suite, which lets everybody in.

use crate::fixtures::{asking, prompts, resources, skills, tools};
use quaymaster_core::caller::{Presented, Reach, Refusal};
use quaymaster_core::clock::{Clock, Instant, SystemClock, SystemEntropy};
use quaymaster_core::door::{About, Change, ChangeFeed, Door, Fut, Listed, Offers};
use quaymaster_core::id::{CredentialId, OrgId, WorkspaceId};
use quaymaster_core::prompt::{Completing, Completion, PromptCall, PromptDef, PromptResult};
use quaymaster_core::resource::{Contents, ResourceDef, SkillDef, TemplateDef};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::tool::{Call, Era, JsonObject, Outcome, ToolDef, ToolResult};
use quaymaster_core::{Caller, Fault, Scopes, Who};
use quaymaster_mcp::Mcp;
use quaymaster_mcp::origin::Origins;
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

pub(crate) struct FixtureDoor {
    pub(crate) admitted: AtomicUsize,
    /// Calls of tools and prompts.
    pub(crate) called: AtomicUsize,
    offers: Offers,
    changes: broadcast::Sender<Change>,
    /// Everybody's access tokens end.
    ends: Arc<tokio::sync::Notify>,
    clock: Arc<Ahead>,
}

/// A clock that tests set ahead.
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Instant {
        SystemClock
            .now()
            .plus_seconds(self.0.load(Ordering::SeqCst))
    }
}

impl FixtureDoor {
    /// With everything that a door can have.
    pub(crate) fn new() -> Arc<FixtureDoor> {
        FixtureDoor::offering(Offers {
            resources: true,
            skills: true,
            prompts: true,
            completions: true,
            logging: true,
        })
    }

    pub(crate) fn offering(offers: Offers) -> Arc<FixtureDoor> {
        Arc::new(FixtureDoor {
            admitted: AtomicUsize::new(0),
            called: AtomicUsize::new(0),
            offers,
            changes: broadcast::channel(4096).0,
            ends: Arc::default(),
            clock: Arc::new(Ahead(AtomicI64::new(0))),
        })
    }

    pub(crate) fn set_ahead(&self, seconds: i64) {
        self.clock.0.store(seconds, Ordering::SeqCst);
    }

    /// Tells everybody.
    pub(crate) fn tell(&self, change: Change) {
        // Nobody listening is fine.
        let _ = self.changes.send(change);
    }

    /// Ends what everybody presented, and no credential.
    pub(crate) fn end_tokens(&self) {
        self.ends.notify_waiters();
    }

    /// The protocol over this door.
    pub(crate) fn router(self: &Arc<Self>) -> axum::Router {
        self.router_with_key([7; 32])
    }

    pub(crate) fn router_with_key(self: &Arc<Self>, state_key: [u8; 32]) -> axum::Router {
        let mcp = Mcp::new(
            self.clone(),
            Origins::new([]),
            self.clock.clone(),
            Arc::new(SystemEntropy),
            &state_key,
            CancellationToken::new(),
        );
        mcp.router()
    }
}

/// A caller of one letter: `a` and `b` are two credentials.
fn caller(letter: &str) -> Caller {
    let id = |prefix: &str| format!("{prefix}_{letter:0>26}");
    let org: OrgId = id("org").parse().unwrap();
    let workspace: WorkspaceId = id("ws").parse().unwrap();
    let credential: CredentialId = id("crd").parse().unwrap();
    Caller {
        org,
        who: Who::Workspace(workspace),
        credential,
        kind: TokenKind::WorkspaceToken,
        scopes: Scopes::of_tools(),
        reach: Reach::Organization,
        grants: Vec::new(),
        tools: None,
        expires_at: None,
        access: None,
    }
}

impl Door for FixtureDoor {
    fn admit(&self, presented: Presented) -> Fut<'_, Result<Caller, Refusal>> {
        self.admitted.fetch_add(1, Ordering::Relaxed);
        let letter = presented
            .bearer
            .map_or("0".to_owned(), |token| token.expose_secret().to_owned());
        Box::pin(async move { Ok(caller(&letter)) })
    }

    fn about(&self, caller: &Caller) -> About {
        About {
            name: "fixture".to_owned(),
            title: "Fixture".to_owned(),
            version: "1.0".to_owned(),
            instructions: Some(format!("You are {}.", caller.credential)),
            offers: self.offers,
        }
    }

    fn tools<'a>(&'a self, _caller: &'a Caller) -> Fut<'a, Result<Arc<[ToolDef]>, Fault>> {
        Box::pin(async { Ok(tools::all()) })
    }

    fn call<'a>(&'a self, _caller: &'a Caller, call: Call) -> Fut<'a, Result<Outcome, Fault>> {
        self.called.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if let Some(outcome) = asking::run(&call) {
                return outcome;
            }
            let change = match call.tool.as_str() {
                "test_trigger_tool_change" => Some(Change::Tools),
                "test_trigger_prompt_change" => Some(Change::Prompts),
                _ => None,
            };
            let content = match change {
                Some(change) => {
                    self.tell(change);
                    Vec::new()
                }
                None => tools::run(&call).await?,
            };
            Ok(Outcome::Done(ToolResult {
                content,
                structured: None,
            }))
        })
    }

    fn changes(&self, _caller: &Caller) -> Box<dyn ChangeFeed> {
        Box::new(Feed(self.changes.subscribe()))
    }

    fn presented_ends(&self, _caller: &Caller) -> Fut<'static, ()> {
        let ends = self.ends.clone();
        Box::pin(async move { ends.notified().await })
    }

    fn header_schema(&self, _caller: &Caller, tool: &str) -> Option<Arc<JsonObject>> {
        (tool == tools::WITH_HEADER).then(tools::header_schema)
    }

    fn resources<'a>(
        &'a self,
        _caller: &'a Caller,
        _era: Era,
        cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<ResourceDef>, Fault>> {
        Box::pin(async move { resources::list(cursor) })
    }

    fn templates<'a>(
        &'a self,
        _caller: &'a Caller,
        _cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<TemplateDef>, Fault>> {
        Box::pin(async { Ok(resources::templates()) })
    }

    fn read<'a>(
        &'a self,
        _caller: &'a Caller,
        uri: &'a str,
    ) -> Fut<'a, Result<Vec<Contents>, Fault>> {
        Box::pin(async move { resources::read(uri) })
    }

    fn skills<'a>(
        &'a self,
        _caller: &'a Caller,
        _cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<SkillDef>, Fault>> {
        Box::pin(async { Ok(Listed::all(vec![skills::entry()])) })
    }

    fn skill<'a>(&'a self, _caller: &'a Caller, uri: &'a str) -> Fut<'a, Result<SkillDef, Fault>> {
        Box::pin(async move { skills::get(uri) })
    }

    fn prompts<'a>(
        &'a self,
        _caller: &'a Caller,
        _cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<PromptDef>, Fault>> {
        Box::pin(async { Ok(prompts::list()) })
    }

    fn prompt<'a>(
        &'a self,
        _caller: &'a Caller,
        call: PromptCall,
    ) -> Fut<'a, Result<Outcome<PromptResult>, Fault>> {
        self.called.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { prompts::get(&call) })
    }

    fn complete<'a>(
        &'a self,
        _caller: &'a Caller,
        completing: Completing,
    ) -> Fut<'a, Result<Completion, Fault>> {
        Box::pin(async move { Ok(prompts::complete(&completing)) })
    }
}

struct Feed(broadcast::Receiver<Change>);

impl ChangeFeed for Feed {
    fn next(&mut self) -> Fut<'_, Option<Change>> {
        Box::pin(async { self.0.recv().await.ok() })
    }
}
