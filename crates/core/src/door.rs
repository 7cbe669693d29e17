//! The Door: all that the protocol, the management API and the pages see of tools, resources and
//! prompts.

use crate::caller::{Caller, Presented, Refusal};
use crate::fault::Fault;
use crate::prompt::{Completing, Completion, PromptCall, PromptDef, PromptResult};
use crate::resource::{Contents, ResourceDef, SkillDef, TemplateDef};
use crate::tool::{Call, Era, JsonObject, Outcome, ToolDef};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a server says of itself to one caller.
#[derive(Debug, Clone)]
pub struct About {
    pub name: String,
    pub title: String,
    pub version: String,
    pub instructions: Option<String>,
    pub offers: Offers,
}

/// What there is for one caller besides tools. Methods of anything else are unknown to the protocol,
/// and the door is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offers {
    pub resources: bool,
    /// Some of the resources are skills, which the skills extension tells of. Not without resources.
    pub skills: bool,
    pub prompts: bool,
    pub completions: bool,
    /// Calls write log lines for clients that ask for them.
    pub logging: bool,
}

/// Something that a client with an open stream should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The list of tools, or a description or schema in it.
    Tools,
    /// The list of resources, templates or skills.
    Resources,
    /// The list of prompts.
    Prompts,
    /// What is behind one URI that the caller may read. Only its subscribers are told.
    Updated(Arc<str>),
    /// The credential is no longer good: the stream ends.
    Revoked,
}

/// The changes that concern one caller, coalesced: two changes that nobody has read yet are one.
pub trait ChangeFeed: Send {
    /// Waits for the next change; `None` when the server shuts down.
    fn next(&mut self) -> Fut<'_, Option<Change>>;
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one. Opaque to clients, which hand it back.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// A list that fits one page.
    pub const fn all(items: Vec<T>) -> Self {
        Listed { items, next: None }
    }
}

fn not_offered<'a, T: Send + 'a>(what: &'static str) -> Fut<'a, Result<T, Fault>> {
    let fault = Fault::not_found(format!("This server has no {what}."))
        .hint("It has tools: list them to see which.");
    Box::pin(std::future::ready(Err(fault)))
}

/// Whatever stands behind [`Offers`] has a body that offers nothing, so that a door writes only what
/// it has.
pub trait Door: Send + Sync {
    /// Who this is, or why they are not let in.
    fn admit(&self, presented: Presented) -> Fut<'_, Result<Caller, Refusal>>;

    fn about(&self, caller: &Caller) -> About;

    /// The caller's tools, sorted by name of toolset and then as the toolset orders them. The list
    /// is whole and shared, since it is kept between requests; all others come in pages.
    fn tools<'a>(&'a self, caller: &'a Caller) -> Fut<'a, Result<Arc<[ToolDef]>, Fault>>;

    fn call<'a>(&'a self, caller: &'a Caller, call: Call) -> Fut<'a, Result<Outcome, Fault>>;

    /// What changes for a caller until their credential ends. A session is fed by it.
    fn changes(&self, caller: &Caller) -> Box<dyn ChangeFeed>;

    /// Waits until what the caller presented is no longer good, when that ends before the
    /// credential: an answer that goes on for long ends with it.
    fn presented_ends(&self, _caller: &Caller) -> Fut<'static, ()> {
        Box::pin(std::future::pending())
    }

    /// The challenge for a caller whose scopes do not allow a tool, when it can get more by asking
    /// its person. From memory: it is asked before a call is read.
    fn step_up(&self, _caller: &Caller, _tool: &str) -> Option<Refusal> {
        None
    }

    /// The input schema of a tool some of whose arguments are repeated in headers (MCP 2026-07-28,
    /// `x-mcp-header`), from memory: it is looked up for each call.
    fn header_schema(&self, _caller: &Caller, _tool: &str) -> Option<Arc<JsonObject>> {
        None
    }

    /// The caller's resources from `cursor` on, as clients of that era expect them.
    fn resources<'a>(
        &'a self,
        _caller: &'a Caller,
        _era: Era,
        _cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<ResourceDef>, Fault>> {
        not_offered("resources")
    }

    /// The families of resources that the caller may read by URI, from `cursor` on.
    fn templates<'a>(
        &'a self,
        _caller: &'a Caller,
        _cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<TemplateDef>, Fault>> {
        not_offered("resource templates")
    }

    /// At least one part; `NOT_FOUND` when there is nothing at the URI for this caller.
    fn read<'a>(
        &'a self,
        _caller: &'a Caller,
        _uri: &'a str,
    ) -> Fut<'a, Result<Vec<Contents>, Fault>> {
        not_offered("resources")
    }

    /// The caller's skills from `cursor` on.
    fn skills<'a>(
        &'a self,
        _caller: &'a Caller,
        _cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<SkillDef>, Fault>> {
        not_offered("skills")
    }

    /// The skill whose `SKILL.md` is at the URI; `NOT_FOUND` when there is none for this caller.
    fn skill<'a>(&'a self, _caller: &'a Caller, _uri: &'a str) -> Fut<'a, Result<SkillDef, Fault>> {
        not_offered("skills")
    }

    /// The caller's prompts from `cursor` on.
    fn prompts<'a>(
        &'a self,
        _caller: &'a Caller,
        _cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<PromptDef>, Fault>> {
        not_offered("prompts")
    }

    /// A prompt with its arguments filled in; `NOT_FOUND` when the caller has none of that name.
    fn prompt<'a>(
        &'a self,
        _caller: &'a Caller,
        _call: PromptCall,
    ) -> Fut<'a, Result<Outcome<PromptResult>, Fault>> {
        not_offered("prompts")
    }

    /// How an argument of a prompt or template may go on.
    fn complete<'a>(
        &'a self,
        _caller: &'a Caller,
        _completing: Completing,
    ) -> Fut<'a, Result<Completion, Fault>> {
        not_offered("completions")
    }
}
