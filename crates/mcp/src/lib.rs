//! The Model Context Protocol door: one URL for both eras of the protocol.
//!
//! 2024-11-05 to 2025-11-25 have a handshake, sessions, a GET stream and DELETE; 2026-07-28 is
//! stateless. `rmcp` speaks both; this crate decides who gets to it.
//!
//! Invariants: sees only the [`Door`](quaymaster_core::Door); no request reaches `rmcp` before its
//! `Host` and `Origin` are ours and its credential is admitted; a session belongs to the credential
//! that opened it, and another's looks exactly like one that never was.
//!
//! - [`Mcp`]: the endpoint as an axum router
//! - [`origin`]: whose `Host` and `Origin` are accepted, for every route of the server; `cors`: what
//!   pages of those may do here
//! - `endpoint`: from the socket to `rmcp` and back; `step_up`: grants that are too narrow; `sessions`, and what their clients wish for in
//!   `wishes`
//! - `handler`: the table of methods; `calls`, `resources`, `skills`, `prompts`, `logging`, `changes` behind it
//! - `asking`: questions to a client; `state`: what it keeps meanwhile; `notices`: what a call tells
//! - `convert`: our words to `rmcp`'s

mod asking;
mod calls;
mod changes;
mod convert;
mod cors;
mod endpoint;
mod handler;
mod logging;
mod notices;
pub mod origin;
mod prompts;
mod resources;
mod sessions;
mod skills;
mod state;
mod step_up;
mod wishes;

pub use endpoint::{AnsweredAnybody, Mcp};
use rmcp::model::ProtocolVersion;

/// Protocol versions spoken, oldest first.
pub fn protocol_versions() -> Vec<&'static str> {
    ProtocolVersion::KNOWN_VERSIONS
        .iter()
        .map(ProtocolVersion::as_str)
        .collect()
}

/// The newest version that has sessions: what most clients of today negotiate.
pub const NEWEST_WITH_SESSIONS: &str = "2025-11-25";
