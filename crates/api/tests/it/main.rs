//! The API over a real product on a temporary SQLite database, called without a socket.

mod activity;
mod bodies;
mod document;
mod door;
mod keys;
mod product;
mod tools;
mod trash;
mod workspaces;
