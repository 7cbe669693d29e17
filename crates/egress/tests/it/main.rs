//! What leaves the machine, and what does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod allow;
mod allowing;
mod canaries;
mod connect;
mod faults;
mod hostile;
mod limits;
mod names;
mod proxy;
mod redirects;
mod server;
mod tls;
mod urls;
