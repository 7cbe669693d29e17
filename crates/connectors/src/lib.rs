//! Outside services: what they are, how they are called, how an account signs in.
//!
//! Invariants: a definition is data and can do nothing but fill in requests; the URL of a request is
//! built from parts, and credentials go to the connector's own hosts only; every byte leaves through
//! [egress](quaymaster_egress); what comes back is data, cleaned of control characters.
//!
//! - [`definition`]: the format of a connector, strictly read

pub mod definition;
