//! The words of Quaymaster as types.
//!
//! Invariants: no runtime, no IO, no SQL, no HTTP; nothing here knows which protocol a call came
//! by. Traits return boxed futures, so that whoever implements them picks the runtime. Time and
//! randomness are passed in.
//!
//! - [`fault`]: the one error shape and the one table of codes; [`management`]: finer names for programs
//! - [`id`]: ids with a prefix, one type each
//! - [`scope`], [`caller`]: who somebody is and what they may do; [`mix`]: which toolsets and tools; [`place`]: where they come from
//! - [`tool`], [`resource`], [`prompt`]: what each is, how it is asked for, what it answers
//! - [`ask`]: what a call may ask its client; [`log`]: what it may tell it
//! - [`door`]: the only thing the protocol sees of the product
//! - [`schema`]: checks arguments against a tool's JSON Schema
//! - [`suggest`]: did you mean
//! - [`clock`], [`secret`], [`hex`](mod@hex): time, randomness, tokens, how digests are written

pub mod ask;
pub mod caller;
pub mod clock;
pub mod door;
pub mod fault;
pub mod hex;
pub mod id;
pub mod log;
pub mod management;
pub mod mix;
pub mod place;
pub mod prompt;
pub mod resource;
pub mod schema;
pub mod scope;
pub mod secret;
pub mod suggest;
pub mod tool;

pub use caller::{Caller, Grant, Who};
pub use clock::{Clock, Entropy, Instant};
pub use door::{Door, Fut};
pub use fault::{Code, Fault};
pub use hex::{hex, unhex};
pub use management::ManagementName;
pub use place::Place;
pub use scope::{Scope, Scopes};
