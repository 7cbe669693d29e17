//! The Door: all that the protocol, the management API and the pages see of tools.

use crate::caller::{Caller, Presented, Refusal};
use crate::fault::Fault;
use crate::tool::{Call, Outcome, ToolDef};
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
}

/// Something that a client with an open stream should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The list of tools, or a description or schema in it.
    Tools,
    /// The credential is no longer good: the stream ends.
    Revoked,
}

/// The changes that concern one caller, coalesced: two changes that nobody has read yet are one.
pub trait ChangeFeed: Send {
    /// Waits for the next change; `None` when the server shuts down.
    fn next(&mut self) -> Fut<'_, Option<Change>>;
}

pub trait Door: Send + Sync {
    /// Who this is, or why they are not let in.
    fn admit(&self, presented: Presented) -> Fut<'_, Result<Caller, Refusal>>;

    fn about(&self, caller: &Caller) -> About;

    /// The caller's tools, sorted by name of toolset and then as the toolset orders them.
    fn tools<'a>(&'a self, caller: &'a Caller) -> Fut<'a, Result<Arc<[ToolDef]>, Fault>>;

    fn call<'a>(&'a self, caller: &'a Caller, call: Call) -> Fut<'a, Result<Outcome, Fault>>;

    fn changes(&self, caller: &Caller) -> Box<dyn ChangeFeed>;
}
