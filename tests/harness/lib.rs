//! What the tests of the running binary stand on: a server of their own, and plain HTTP to its
//! doors.
//!
//! `cargo xtask test` provides what they need (PostgreSQL, Node, Python, Chromium). What is missing
//! makes a test fail; nothing is skipped.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

pub mod bearer_proxy;
pub mod browser;
pub mod canary;
pub mod desk;
pub mod developer;
pub mod mcp;
pub mod oauth_client;
pub mod outside_service;
pub mod person;
pub mod script;
pub mod server;
pub mod services;
pub mod tls_server;
pub mod upstream;
pub mod visitor;

pub use bearer_proxy::BearerProxy;
pub use browser::{Browser, Tab};
pub use canary::Canary;
pub use desk::Desk;
pub use developer::{Developer, Made};
pub use mcp::{Mcp, Reply};
pub use oauth_client::OAuthClient;
pub use outside_service::OutsideService;
pub use person::{Page as PersonPage, Person};
pub use script::Script;
pub use server::{Database, Server, binary, cli, fresh_postgres, program, tools_directory};
pub use services::Service;
pub use tls_server::{Answer, TlsServer};
pub use upstream::{Act, Asked, Upstream};
pub use visitor::Visitor;

/// The tools of a workspace token, in the order of their list.
pub const FILE_TOOLS: [&str; 19] = [
    "list_files",
    "search_files",
    "read_file",
    "write_file",
    "delete_file",
    "create_directory",
    "move_file",
    "copy_file",
    "get_file_info",
    "insert_lines",
    "replace_lines",
    "delete_lines",
    "find_replace",
    "insert_after_pattern",
    "create_upload_session",
    "get_upload_status",
    "complete_upload_session",
    "abort_upload_session",
    "get_reconnect_url",
];
