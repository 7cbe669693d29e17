//! The protocol over a door that is not the product: who is let in, what both eras answer, and the
//! official conformance suite.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod asking;
mod bodies;
mod changes;
mod client;
mod conformance;
mod door;
mod eras;
mod fixtures;
mod logging;
mod refusals;
mod resources;
mod sessions;
