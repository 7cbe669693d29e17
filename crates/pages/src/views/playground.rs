//! The playground of a hosted server: its tools, one of them, and programs in CODE mode.

use askama::Template;

use super::address::segment;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::pager::Pager;
use super::place::Place;
use super::trying::{TriedOutcome, TryInput};

/// `/servers/{id}/try` in TOOLS mode: asks itself with `query` and `page`.
#[derive(Debug, Clone, Template)]
#[template(path = "playground.html")]
pub struct PlaygroundPage {
    pub layout: Layout,
    pub place: Place,
    pub server_id: String,
    pub server_name: String,
    pub query: String,
    pub pager: Pager,
    pub tools: Vec<PlaygroundTool>,
}

#[derive(Debug, Clone)]
pub struct PlaygroundTool {
    pub name: String,
    pub title: String,
    pub reads: bool,
    pub is_destructive: bool,
}

impl PlaygroundPage {
    pub fn server_path(&self) -> String {
        format!("/servers/{}", segment(&self.server_id))
    }

    pub fn href(&self, tool: &PlaygroundTool) -> String {
        format!("{}/try/{}", self.server_path(), segment(&tool.name))
    }
}

/// `/servers/{id}/try/{tool}`: posts `input.*` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "tool_call.html")]
pub struct ToolCallPage {
    pub layout: Layout,
    pub place: Place,
    pub server_id: String,
    pub server_name: String,
    pub tool: PlaygroundTool,
    pub description: String,
    pub inputs: Vec<TryInput>,
    /// Why the whole was refused before it was called.
    pub error: Option<String>,
    pub outcome: Option<TriedOutcome>,
}

impl ToolCallPage {
    pub fn server_path(&self) -> String {
        format!("/servers/{}", segment(&self.server_id))
    }

    pub fn path(&self) -> String {
        format!("{}/try/{}", self.server_path(), segment(&self.tool.name))
    }

    pub fn problems(&self) -> Vec<Problem> {
        let inputs = self.inputs.iter().enumerate();
        let inputs = inputs.map(|(at, input)| (format!("input-{at}"), input.field.error.as_ref()));
        form::problems(self.error.as_ref(), inputs)
    }
}

/// `/servers/{id}/try` in CODE mode: posts `code` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "program.html")]
pub struct ProgramPage {
    pub layout: Layout,
    pub place: Place,
    pub server_id: String,
    pub server_name: String,
    pub code: Field,
    pub declarations: Vec<Declared>,
    /// How many integrations there are besides.
    pub more: usize,
    pub ran: Option<Ran>,
}

/// An integration, or the flows, that programs can call.
#[derive(Debug, Clone)]
pub struct Declared {
    pub alias: String,
    /// What can be called, as TypeScript; none where there is no room for it before somebody opens it.
    pub text: Option<String>,
    pub is_open: bool,
}

/// What came of a program.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The result, or the fault.
    pub outcome: TriedOutcome,
    /// What it wrote, a line each.
    pub console: Vec<String>,
    pub calls: Vec<RanCall>,
    pub took: Option<String>,
}

/// A call of a program.
#[derive(Debug, Clone)]
pub struct RanCall {
    pub name: String,
    /// `ok`, or the code of a fault.
    pub result: String,
    pub took: String,
}

impl ProgramPage {
    pub fn server_path(&self) -> String {
        format!("/servers/{}", segment(&self.server_id))
    }

    /// The same page with one integration opened.
    pub fn opening(&self, one: &Declared) -> String {
        format!("{}/try?open={}", self.server_path(), segment(&one.alias))
    }

    pub fn problems(&self) -> Vec<Problem> {
        form::problems(None, [("code", self.code.error.as_ref())])
    }
}
