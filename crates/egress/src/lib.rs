//! The only way out of the machine.
//!
//! Everything that the program sends to an outside server goes through an [`Egress`]: requests by
//! [`Egress::send`], other protocols by [`Egress::connect`]. It reaches public servers by https, and
//! besides them what an operator allows ([`Allow`]).
//!
//! Invariants:
//! - One place connects (`dial`), below the HTTP client: it gets the host and port of the
//!   connection to make, resolves once, checks every address, and connects to one that it
//!   checked. No spelling of a host, no second answer of a name server and no redirect passes by it.
//! - One address that may not be reached refuses the whole name.
//! - The policy is fixed for the life of an [`Egress`]; [`Egress::allowing`] makes another one. A
//!   connection is used again only for the same scheme, host and port, which the same policy let
//!   through.
//! - No answer is larger or slower than its request allows. Nothing is decompressed.
//! - No error tells an address that a name stands for, or whether it stands for one at all.
//!
//! Modules, bottom up:
//! - `ranges`: addresses that are not public; `host`: hosts in one spelling; `target`: URLs likewise
//! - [`Allow`], [`Policy`]: what an operator decides; `roots`: whose certificates are believed
//! - [`Resolver`]: names to addresses; `dial`: checks and connects
//! - [`Proxy`]: the way out of programs that have no other one
//! - [`Request`], [`Response`], [`Stream`], `redirect`, `send`: requests; [`EgressError`]: what goes wrong

mod allow;
mod dial;
mod error;
mod host;
mod policy;
mod proxy;
mod ranges;
mod redirect;
mod request;
mod resolve;
mod roots;
mod send;
mod stream;
mod target;

pub use allow::{Allow, AllowError};
pub use error::EgressError;
pub use policy::{Policy, PolicyError};
pub use proxy::{Place, Proxy, ProxyRules, Serving, Visit};
pub use ranges::is_public;
pub use request::{DEFAULT_MAX_BODY, DEFAULT_TIMEOUT, MAX_REDIRECTS, Request, Response};
pub use resolve::{Resolver, SystemResolver};
pub use send::{Egress, TlsStream};
pub use stream::Stream;
