//! What a tool is, how it is called, what it answers.

use crate::clock::Instant;
use crate::id::CallId;
use serde_json::{Map, Value};
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
    pub name: &'static str,
    pub title: &'static str,
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
}

impl Source {
    pub const fn name(self) -> &'static str {
        match self {
            Source::Mcp(Era::Session) => "mcp-session",
            Source::Mcp(Era::Stateless) => "mcp-stateless",
            Source::Rest => "rest",
            Source::Page => "page",
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
    /// The client's name as it tells it. Not to be trusted.
    pub client: Option<String>,
}

impl Ctx {
    /// Tells a client that asked for it how far the call is.
    pub fn report(&self, done: u64, total: Option<u64>, message: &str) {
        if let Some(progress) = &self.progress {
            progress.report(done, total, message);
        }
    }
}

/// One call of one tool.
#[derive(Clone)]
pub struct Call {
    pub tool: String,
    pub args: JsonObject,
    pub source: Source,
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
pub enum Outcome {
    Done(ToolResult),
}
