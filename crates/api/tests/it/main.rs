//! The API over a real product on a temporary SQLite database, called without a socket.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod accounts;
mod activity;
mod bodies;
mod connected_clients;
mod connections;
mod connectors;
mod contract;
mod document;
mod door;
mod keys;
mod members;
mod oauth;
mod product;
mod tools;
mod trash;
mod upstream;
mod workspaces;
