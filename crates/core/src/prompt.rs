//! Prompts: messages that a client's user picks by name; and completion of what they type.

use crate::ask::{Answers, Message};
use crate::tool::{Ctx, JsonObject, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A prompt as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptDef {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub arguments: Vec<PromptArgument>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptArgument {
    pub name: String,
    pub description: Option<String>,
    pub required: bool,
}

/// One use of a prompt.
#[derive(Clone)]
pub struct PromptCall {
    pub prompt: String,
    pub args: Arc<JsonObject>,
    pub source: Source,
    /// Present when the call asked before.
    pub answers: Option<Answers>,
    pub ctx: Ctx,
}

/// A prompt with its arguments filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptResult {
    pub description: Option<String>,
    pub messages: Vec<Message>,
}

/// Where an argument is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completed {
    Prompt(String),
    /// The URI template of a resource.
    Template(String),
}

/// An argument that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completing {
    pub of: Completed,
    pub argument: String,
    pub typed: String,
    /// Arguments that are filled in already.
    pub others: BTreeMap<String, String>,
}

/// How the argument may go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The best first. The protocol tells at most a hundred.
    pub values: Vec<String>,
    /// How many there are in all, if that is known.
    pub total: Option<u32>,
}
