//! Hosted servers: made by the management API, and called over MCP.

pub(crate) mod changes;
mod clients;
mod curl;
mod developers;
mod doors;
mod end_users;
mod flows;
mod flows_in_programs;
mod invitations;
mod names;
mod narrowed;
mod oauth;
mod once;
mod partials;
mod picking;
mod reach;
mod sdks;
mod setup;
mod signing_in;
mod tools;
