//! Hosted servers: made by the management API, and called over MCP.

pub(crate) mod changes;
mod clients;
mod curl;
mod developers;
mod doors;
mod end_users;
mod invitations;
mod narrowed;
mod oauth;
mod partials;
mod picking;
mod sdks;
mod setup;
mod tools;
