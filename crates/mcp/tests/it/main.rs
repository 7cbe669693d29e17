//! The protocol over a door that is not the product: who is let in, what both eras answer, and the
//! official conformance suite with the fixtures that a door can express.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bodies;
mod changes;
mod client;
mod conformance;
mod door;
mod eras;
mod refusals;
mod sessions;
