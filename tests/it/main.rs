//! The real binary from outside: every test starts `quaymaster` on an empty data directory and
//! speaks to it through a door (MCP, REST, page, command line).
//!
//! A test names the promises of `promises.md` that it proves in a comment above it: the word
//! promise, a colon, the ids. `cargo xtask test` provides what the tests need (PostgreSQL, Node, Python,
//! Chromium) and fails when something is missing; so do the tests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod activity;
mod archives;
mod bridge;
mod cap;
mod clients;
mod code_mode;
mod command_line;
mod concurrent_edits;
mod conformance;
mod connectors;
mod connectors_attacked;
mod connectors_live;
mod connectors_rpc;
mod connectors_strained;
mod crashes;
mod definitions;
mod deployment;
mod doors;
mod faults;
mod files_api;
mod files_history;
mod flow_tokens;
mod flows;
mod guessing;
mod hosted;
mod hostile;
mod importing;
mod isolation;
mod keys;
mod knowledge;
mod mail;
mod matrix;
mod mcp_upstreams;
mod mcp_upstreams_hosted;
mod members;
mod memory;
mod mixes;
mod oauth;
mod oauth_accounts;
mod oauth_clients;
mod oauth_documents;
mod onec;
mod organizations;
mod outside;
mod own_connectors;
mod packs;
mod pages;
mod progress;
mod protocol;
mod proxies;
mod reading_documents;
mod repl;
mod scopes;
mod secrets;
mod sending;
mod skills;
mod slow_clients;
mod smoke;
mod sqlite;
mod streams;
mod token_doors;
mod tokens;
mod tools_list;
mod torn;
mod upload_rules;
mod uploads;
mod working;
