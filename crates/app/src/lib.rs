//! What a caller may do.
//!
//! Invariants: a toolset runs only with an [`Admitted`](guard::Admitted), which only the guard can
//! make; a use case that changes something takes an [`Actor`] or an [`Admin`] and records an event
//! in the same transaction; nothing here knows HTTP or the protocol.
//!
//! - [`App`]: everything wired together; the [`Door`](quaymaster_core::Door) of the product
//! - in front of every tool call: [`admit`] (who), [`guard`] (may?), [`caps`], [`rate`], [`audit`]
//! - [`changes`]: follows events, drops caches, tells open streams
//! - `toolsets`: one file each; `homes`: the home directories of workspaces
//! - use cases, one module per noun: [`first_start`], [`credentials`], [`workspaces`], [`organizations`],
//!   [`sign_in`], [`account`], [`browsers`], [`members`], [`invitations`], [`resets`], [`oauth`], [`reconnect`],
//!   [`uploads`], [`trash`], [`events`]; [`connect_lines`]: what a person pastes into a client
//! - [`mail`]: what is written to people

pub mod account;
pub mod actor;
pub mod admit;
pub mod audit;
pub mod browsers;
pub mod caps;
pub mod changes;
pub mod connect_lines;
pub mod credentials;
pub mod events;
pub mod first_start;
pub mod guard;
mod homes;
pub mod invitations;
pub mod mail;
pub mod members;
pub mod oauth;
pub mod organizations;
mod password;
pub mod rate;
pub mod reconnect;
pub mod resets;
pub mod sign_in;
mod toolsets;
pub mod trash;
pub mod uploads;
mod wired;
pub mod workspaces;

pub use actor::{Actor, Admin};
pub use wired::{App, Settings};

// The way out that `App::start` takes.
pub use quaymaster_egress::{Egress, Policy as EgressPolicy};

// The rows that use cases answer with, so that a door needs nothing below this crate.
pub use quaymaster_files::{Restored, TrashItem};
pub use quaymaster_store::call::CallRow;
pub use quaymaster_store::credential::{Credential, Origin};
pub use quaymaster_store::event::Event;
pub use quaymaster_store::workspace::Workspace;
