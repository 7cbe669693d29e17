//! What the tests of the running binary stand on: a server of their own, and plain HTTP to its
//! doors.
//!
//! `cargo xtask test` provides what they need (PostgreSQL, Node, Python, Chromium). What is missing
//! makes a test fail; nothing is skipped.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

pub mod bearer_proxy;
pub mod browser;
pub mod mcp;
pub mod script;
pub mod server;

pub use bearer_proxy::BearerProxy;
pub use browser::{Browser, Tab};
pub use mcp::{Mcp, Reply};
pub use script::Script;
pub use server::{Database, Server, cli, tools_directory};
