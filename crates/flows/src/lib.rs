//! Flows: steps as data that become tools.
//!
//! Invariants: a flow is data, and nothing here reaches anything: what steps do, the host does
//! ([`host::Host`]); no program of jq runs in here, and no secret comes in here. Whatever a flow says is
//! bounded before it is followed.
//!
//! - [`format`](mod@format): the format of a flow, strictly read; [`template`], [`expression`]: texts
//!   with expressions in them
//! - [`load`]: from a text, with everything that is wrong at its place; `lint`: the rules that
//!   types cannot say; [`published`]: the format's JSON Schema
//! - [`step_form`]: steps as forms, and the text with what was filled in
//! - [`host`]: the port; [`context`]: what expressions see; [`fault`]: how steps fail
//! - [`prepared`]: a flow with its schemas compiled; [`run`](mod@run): the interpreter
//! - [`testing`]: runs with answers that are made up
//! - [`pack`]: several flows that are installed together

pub mod context;
pub mod expression;
pub mod fault;
pub mod format;
pub mod host;
mod lint;
pub mod load;
pub mod pack;
pub mod prepared;
pub mod published;
pub mod run;
pub mod step_form;
pub mod template;
pub mod testing;
