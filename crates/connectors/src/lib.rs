//! Outside services: what they are, how they are called, how an account signs in.
//!
//! Invariants: a definition is data and can do nothing but fill in requests; the URL of a request is
//! built from parts, and credentials go to the connector's own hosts only; every byte leaves through
//! [egress](quaymaster_egress); what comes back is data, cleaned of control characters.
//!
//! - [`definition`]: the format of a connector, strictly read
//! - [`load`]: from YAML, with everything that is wrong at its place; [`lint`]: the rules that types
//!   cannot say; [`published`]: the format's JSON Schema
//! - [`import`]: from documents of other formats (OpenAPI, Google Discovery) to a definition
//! - [`catalog`]: the connectors there are, and how they are found
//! - [`passport`]: what an agent reads of them; [`resolve`]: from what it then asks for to what to call
//! - [`params`]: an action's inputs as plain JSON Schema
//! - [`request`]: from an action, an account and inputs to one request; [`send`]: retries, limits,
//!   pages, errors
//! - [`surface`]: from actions to tools for models and code
//! - [`oauth`]: signing an account in at an authorization server
//! - [`examples`]: documented requests, and whether a definition builds them
//! - [`sql`]: statements for a database
//! - [`upstream`]: MCP servers whose tools become actions
//! - [`handed`]: what programs in a sandbox get of an account
//! - [`clean`], [`redact`]: what nobody sees and what nobody may see, taken out of answers

pub mod catalog;
pub mod clean;
pub mod definition;
pub mod examples;
mod handed;
pub mod import;
pub mod lint;
pub mod load;
pub mod oauth;
pub mod params;
pub mod passport;
pub mod published;
pub mod redact;
pub mod request;
pub mod resolve;
pub mod send;
pub mod sql;
pub mod surface;
pub mod upstream;

pub use handed::{Handed, handed};
