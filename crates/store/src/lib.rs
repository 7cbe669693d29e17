//! The only crate that knows our SQL, and keys at rest.
//!
//! One SQL text runs on SQLite and on PostgreSQL; where the two differ there are two texts side by
//! side. A query that concerns a tenant takes its [`OrgId`](quaymaster_core::id::OrgId) as the first
//! argument, so that none can be begun without it; the few that cannot know it yet (signing in)
//! say so. What changes something takes a [`Tx`], so that the event about it is written in the same
//! transaction.
//!
//! Invariants: no secret is stored in clear; no write transaction waits for anything but the
//! database; instants are microseconds.
//!
//! - [`db`]: opening, both pools, transactions, errors
//! - [`seal`], [`keys`]: sealing at rest, the key-encryption key and its rotation; `sealed` lists what is sealed
//! - [`position`], `clauses`: pages of long lists, counted and read, and conditions with only what was asked for
//! - one file per aggregate: [`action_reply`], [`org`], [`user`], [`member`], [`invitation`], [`reset`], [`workspace`],
//!   [`credential`], [`connection`], [`connection_tools`], [`renewal`], [`oauth_app`], [`authorization`], [`definition`], [`document`], [`document_work`], [`document_search`], [`oauth`], [`link`], [`browser`], [`usage`], [`call`], [`call_counts`], [`event`], [`file_change`], [`first_steps`], [`upload`],
//!   [`instance`], [`integration`], [`partial`], [`server`], [`server_tool`], [`end_user`], [`connect_session`],
//!   [`skill`], [`memory`], [`memory_version`] and `memory_search`, [`flow`], [`flow_trigger`], [`flow_server`], [`flow_run`], [`flow_queue`], [`flow_turn`], [`flow_secret`], [`flow_kv`], [`flow_cache`], [`flow_use`], [`installed_pack`], [`own_pack`]; [`named`] finds by a part of a name, `names` has what is shown beside ids; `sweep` and `sweep_contents` forget what is past its time

#[macro_use]
mod on;
#[macro_use]
mod clauses;
pub mod action_reply;
pub mod authorization;
pub mod browser;
pub mod call;
pub mod call_counts;
pub mod connect_session;
pub mod connection;
pub mod connection_tools;
pub mod credential;
pub mod db;
pub mod definition;
pub mod document;
pub mod document_search;
pub mod document_work;
pub mod end_user;
pub mod event;
pub mod file_change;
pub mod first_steps;
pub mod flow;
pub mod flow_cache;
pub mod flow_kv;
pub mod flow_queue;
pub mod flow_run;
pub mod flow_secret;
pub mod flow_server;
pub mod flow_trigger;
pub mod flow_turn;
pub mod flow_use;
pub mod installed_pack;
pub mod instance;
pub mod integration;
pub mod invitation;
pub mod keys;
pub mod link;
pub mod member;
pub mod memory;
mod memory_search;
pub mod memory_version;
pub mod named;
mod names;
pub mod oauth;
pub mod oauth_app;
pub mod org;
pub mod own_pack;
pub mod partial;
pub mod position;
pub mod renewal;
pub mod reset;
pub mod seal;
mod sealed;
pub mod server;
pub mod server_tool;
pub mod skill;
mod sweep;
mod sweep_contents;
pub mod upload;
pub mod usage;
pub mod user;
pub mod workspace;

pub use db::{Store, StoreError, Tx};
