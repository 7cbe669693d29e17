//! What a tool is, how it is called, what it answers.

use crate::ask::{Answers, ClientCapabilities, InputRequests, RequestState};
use crate::clock::Instant;
use crate::id::CallId;
use crate::log::{Level, Log};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub type JsonObject = Map<String, Value>;

/// Hints of the protocol about a tool's nature (MCP, server/tools, annotations).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    pub read_only: bool,
    pub destructive: bool,
    pub idempotent: bool,
    pub open_world: bool,
}

/// A tool as it is listed.
#[derive(Debug, Clone)]
pub struct ToolDef {
    pub name: Cow<'static, str>,
    pub title: Cow<'static, str>,
    pub description: String,
    /// JSON Schema 2020-12 of the arguments, an object.
    pub input: Arc<JsonObject>,
    /// JSON Schema 2020-12 of the structured result, an object.
    pub output: Option<Arc<JsonObject>>,
    pub nature: Nature,
}

/// Protocol versions with a handshake and sessions, or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2024-11-05 to 2025-11-25
    Session,
    /// 2026-07-28
    Stateless,
}

/// The way by which a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Mcp(Era),
    Rest,
    Page,
    /// A program in code mode.
    Code,
}

impl Source {
    pub const fn name(self) -> &'static str {
        match self {
            Source::Mcp(Era::Session) => "mcp-session",
            Source::Mcp(Era::Stateless) => "mcp-stateless",
            Source::Rest => "rest",
            Source::Page => "page",
            Source::Code => "code",
        }
    }
}

/// Tells a waiting client how far a call is.
pub trait Progress: Send + Sync {
    /// `done` of `total` units; `message` is plain text.
    fn report(&self, done: u64, total: Option<u64>, message: &str);
}

/// What surrounds one call.
#[derive(Clone)]
pub struct Ctx {
    pub id: CallId,
    pub started: Instant,
    /// Only this ends a running call; a dropped connection does not.
    pub cancel: CancellationToken,
    pub progress: Option<Arc<dyn Progress>>,
    /// Where lines go that the client asked for.
    pub log: Option<Arc<dyn Log>>,
    /// The client's name as it tells it. Not to be trusted.
    pub client: Option<String>,
    /// What the client can be asked.
    pub client_can: ClientCapabilities,
}

impl Ctx {
    /// A call that nobody watches, by a client that cannot be asked anything.
    pub fn new(id: CallId, started: Instant) -> Self {
        Ctx {
            id,
            started,
            cancel: CancellationToken::new(),
            progress: None,
            log: None,
            client: None,
            client_can: ClientCapabilities::default(),
        }
    }

    /// Tells a client that asked for it how far the call is.
    pub fn report(&self, done: u64, total: Option<u64>, message: &str) {
        if let Some(progress) = &self.progress {
            progress.report(done, total, message);
        }
    }

    /// Writes a line at a client that asked for lines of this level.
    pub fn log(&self, level: Level, data: impl Into<Value>) {
        if let Some(log) = &self.log {
            log.write(level, data.into());
        }
    }
}

/// One call of one tool.
#[derive(Clone)]
pub struct Call {
    pub tool: String,
    /// Shared, because a call that asked something comes again with the same arguments.
    pub args: Arc<JsonObject>,
    pub source: Source,
    /// Present when the call asked before.
    pub answers: Option<Answers>,
    pub ctx: Ctx,
}

/// A block of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text(String),
    /// Base64 and media type.
    Image {
        data: String,
        mime: String,
    },
    Audio {
        data: String,
        mime: String,
    },
    /// A text resource that comes along.
    Embedded {
        uri: String,
        mime: String,
        text: String,
    },
    /// Something that can be fetched elsewhere.
    Link {
        uri: String,
        name: String,
        mime: Option<String>,
        size: Option<u64>,
    },
}

/// What a tool answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToolResult {
    pub content: Vec<Content>,
    pub structured: Option<Value>,
}

/// How a call ended when it did not fail.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T = ToolResult> {
    Done(T),
    /// The client must be asked first; then the call comes again with the answers and the state.
    /// What the client cannot be asked ([`Ctx::client_can`]) fails the call.
    Ask(InputRequests, RequestState),
}
