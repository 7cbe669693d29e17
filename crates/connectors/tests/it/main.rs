//! Connectors, from their files to requests and answers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod addresses;
mod answers;
mod calls;
mod catalog;
mod fixture;
mod guide;
mod hostile;
mod import;
mod import_hostile;
mod listing;
mod load;
mod mcp_answers;
mod mcp_hostile;
mod mcp_servers;
mod oauth;
mod pages;
mod passports;
mod published;
mod redaction;
mod remote;
mod requests;
mod resolving;
mod retries;
mod rules;
mod samples;
mod sql;
mod sql_servers;
mod surface;
mod typos;
mod upstream;
mod vectors;
