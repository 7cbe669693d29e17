//! Upstream MCP servers: their tools are found, become actions, and are called over Streamable HTTP.
//!
//! Both eras are spoken: 2026-07-28, which is asked for first, and the versions with sessions. A
//! session belongs to one connection and the credentials that opened it. Nothing that a server says
//! makes us do anything but answer: its requests get "method not found", a ping gets an answer.
//!
//! - [`tools`](Tool): what a server tells of its tools, cleaned; [`with_tools`]: a definition with them
//! - `session`: how a server is spoken to, kept by connection; `open`: found out and agreed
//! - `exchange`: one message and its answer, as JSON or as events; `events`: reads those
//! - `talk`: a call or a listing from its beginning to its end; `result`: what a tool answered

mod actions;
mod events;
mod exchange;
mod open;
mod result;
mod schema;
mod session;
mod talk;
mod tools;

pub use actions::{MODULE, with_tools};
pub(crate) use session::Sessions;
pub(crate) use talk::run;
pub use tools::{Found, MOST_TOOLS, Tool};
