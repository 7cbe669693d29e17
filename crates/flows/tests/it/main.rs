//! Flows from their text to their result, with real jq and a host that reaches nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod durable;
mod examples;
mod fast_path;
mod jq;
mod limits;
mod lint;
mod pack;
mod published;
mod requests;
mod step_form;
mod steps;
mod world;
