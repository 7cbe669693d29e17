//! Programs that mean harm, programs that mean well, and what comes of them: run by a small server of a
//! pool and nothing else, as root and as nobody, with namespaces and without.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod escapes;
mod hosts;
mod isolation;
mod jq;
mod jq_hostile;
mod languages;
mod lifetimes;
mod limits;
mod python;
mod python_ages;
mod python_controls;
mod python_greedy;
mod python_hostile;
mod python_machines;
mod results;
