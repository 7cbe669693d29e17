//! What a caller may do.
//!
//! Invariants: a toolset runs only with an [`Admitted`](guard::Admitted), which only the guard can
//! make; a use case that changes something takes an [`Actor`] or an [`Admin`] and records an event
//! in the same transaction; nothing here knows HTTP or the protocol.
//!
//! - [`App`]: everything wired together; the [`Door`](quaymaster_core::Door) of the product
//! - in front of every tool call: [`admit`] (who), [`guard`] (may?), [`caps`], [`rate`], [`audit`]
//! - `problems`: what is wrong with a text
//! - `guesses`: how often somebody may be wrong; `password`: digests, a few at a time
//! - [`changes`]: follows events, drops caches; `feed`: what open streams are told
//! - `catalog`: the connectors of an organization; `invoke`: in front of every call to one
//! - `hosted`: a hosted server as its callers see it
//! - `resources`: what callers read by URI
//! - `toolsets`: one file each; `homes`: the home directories of workspaces; `databases`: files of them that are databases
//! - use cases, one module per noun: [`first_start`], [`first_steps`], [`credentials`], [`mixing`], [`flow_tokens`], [`workspaces`], [`organizations`],
//!   [`sign_in`], [`links`], `csrf`, [`account`], [`browsers`], [`members`], [`invitations`], [`resets`], [`skills`], [`memory`], [`oauth`], [`reconnect`], [`connections`], [`connection_types`], [`connectors`], [`discovery`], [`definitions`], [`documents`], [`flows`], [`packs`],
//!   [`trying`], [`actions`], [`uploads`], [`files`], [`finding`], [`trash`], [`activity`], [`call_usage`], [`integrations`], [`partials`], [`end_users`], [`servers`], [`server_tools`], [`picking`], [`as_server`], [`service`], [`connect_sessions`]; [`connect_lines`]: what a person pastes into a client
//! - [`mail`]: what is written to people

pub mod account;
pub mod actions;
pub mod activity;
pub mod actor;
pub mod admit;
pub mod as_server;
pub mod audit;
pub mod browsers;
pub mod call_usage;
pub mod caps;
mod catalog;
pub mod changes;
pub mod connect_lines;
pub mod connect_sessions;
pub mod connection_types;
pub mod connections;
pub mod connectors;
pub mod credentials;
mod csrf;
mod databases;
pub mod definitions;
pub mod discovery;
pub mod documents;
pub mod end_users;
mod feed;
pub mod files;
pub mod finding;
pub mod first_start;
pub mod first_steps;
pub mod flow_tokens;
pub mod flows;
pub mod guard;
mod guesses;
mod homes;
mod hosted;
pub mod integrations;
pub mod invitations;
mod invoke;
pub mod isolation;
pub mod links;
pub mod mail;
pub mod members;
pub mod memory;
pub mod mixing;
pub mod oauth;
pub mod organizations;
pub mod packs;
pub mod partials;
mod password;
pub mod picking;
mod problems;
pub mod rate;
pub mod reconnect;
pub mod resets;
mod resources;
pub mod server_tools;
pub mod servers;
pub mod service;
pub mod sign_in;
pub mod skills;
mod toolsets;
pub mod trash;
pub mod trying;
pub mod uploads;
mod wired;
pub mod workspaces;

pub use actor::{Actor, Admin};
pub use problems::{Problem, problems_of};
pub use toolsets::repl::{PythonEgress, PythonSettings};
pub use wired::{App, Settings, WaysOut};

// Of which `WaysOut` is made.
pub use quaymaster_egress::{Egress, Policy as EgressPolicy};

// The rows that use cases answer with, so that a door needs nothing below this crate.
pub use quaymaster_files::{Restored, TrashItem};
pub use quaymaster_store::call::CallRow;
pub use quaymaster_store::credential::{Credential, Origin};
pub use quaymaster_store::event::Event;
pub use quaymaster_store::workspace::Workspace;
