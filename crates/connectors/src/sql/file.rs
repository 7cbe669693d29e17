//! Databases that are files of workspaces. Who may open one, and where, is decided above.

use super::{Answer, Query};
use quaymaster_core::Fault;
use quaymaster_core::door::Fut;

/// Where a database is.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseFile<'f> {
    /// The name or the id of a workspace.
    pub workspace: &'f str,
    /// From its root.
    pub path: &'f str,
}

/// Whoever runs statements over files.
pub trait Databases: Send + Sync {
    /// Runs one statement. It has its effect when this answers, and none when this fails.
    fn run<'a>(
        &'a self,
        file: &'a DatabaseFile<'a>,
        query: &'a Query<'a>,
    ) -> Fut<'a, Result<Answer, Fault>>;
}
