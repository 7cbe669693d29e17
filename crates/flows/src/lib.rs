//! Flows: steps as data that become tools.
//!
//! Invariants: a flow is data, and nothing here reaches anything: what steps do, the host does
//! ([`host::Host`]); no program of jq runs in here, and no secret comes in here. Whatever a flow says is
//! bounded before it is followed.
//!
//! - [`format`](mod@format): the format of a flow, strictly read; [`template`], [`expression`]: texts
//!   with expressions in them
//! - [`host`]: the port; [`context`]: what expressions see; [`fault`]: how steps fail
//! - [`prepared`]: a flow with its schemas compiled
//! - [`pack`]: several flows that are installed together

pub mod context;
pub mod expression;
pub mod fault;
pub mod format;
pub mod host;
pub mod pack;
pub mod prepared;
pub mod template;
