//! The crate from outside: every tool, every fault, and everybody who tries to get out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod big_files;
mod bounds;
mod edit_model;
mod faults;
mod hostile;
mod race;
mod schemas;
mod search;
mod support;
mod text_files;
mod tools_edit;
mod tools_read;
mod tools_tree;
mod trash_quota;
mod uploads;
mod writers;
