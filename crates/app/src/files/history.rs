//! Which changes of a file are recorded: by agents with their calls, by people with an event.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::mix::ToolsetKey;
use quaymaster_core::tool::{Outcome, ToolDef};
pub use quaymaster_store::file_change::{FileChange, FileChangeRow};
use quaymaster_store::position::Position;
use serde_json::Value;

/// Tools that answer with a path at which nothing has changed yet.
const CHANGE_NOTHING: [&str; 2] = ["create_upload_session", "abort_upload_session"];
/// Rows of one page.
const MOST: i64 = 500;

impl App {
    /// The recorded changes of a path, newest first: as far back as calls are kept.
    pub async fn file_history(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        path: &str,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<FileChangeRow>, Fault> {
        let workspace = self.believed_workspace(&actor.org, workspace).await?;
        // A person looks for the change made a moment ago.
        self.flush_audit().await;
        let path = path.trim_matches('/');
        // No file is called so, and not every database takes it.
        if path.contains('\0') {
            return Ok(Vec::new());
        }
        let limit = limit.clamp(1, MOST);
        let found = self
            .store
            .file_changes(&actor.org, &workspace.id, path, before, limit);
        Ok(found.await?)
    }

    /// What a call changed, when it was one of the file tools.
    pub(crate) fn files_changed(&self, tool: &ToolDef, outcome: &Outcome) -> Vec<FileChange> {
        let Outcome::Done(result) = outcome else {
            return Vec::new();
        };
        let is_change = !tool.nature.read_only && !CHANGE_NOTHING.contains(&&*tool.name);
        let mut of_files = self.toolsets.of(ToolsetKey::Files);
        if !is_change || !of_files.any(|def| def.name == tool.name) {
            return Vec::new();
        }
        let moved = tool.name == "move_file";
        result
            .structured
            .as_ref()
            .map_or(Vec::new(), |told| told_in(told, moved))
    }
}

/// The changes that an answer tells of, whose members all file tools have in common.
pub(super) fn told_in(answer: &Value, moved: bool) -> Vec<FileChange> {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    if answer["dry_run"] == true || answer["unchanged"] == true {
        return Vec::new();
    }
    let etag = text("etag");
    let Some(destination) = text("destination") else {
        // A deletion of what was not there names its path and nothing that was deleted.
        let deleted_nothing = !answer["deleted_files"].is_null() && answer["type"].is_null();
        let path = text("path").filter(|_| !deleted_nothing);
        let change = |path| FileChange {
            path,
            other: None,
            etag,
        };
        return path.map(change).into_iter().collect();
    };
    let source = text("source");
    let gone = source.clone().filter(|_| moved).map(|path| FileChange {
        path,
        other: Some(destination.clone()),
        etag: None,
    });
    let came = FileChange {
        path: destination,
        other: source,
        etag,
    };
    [came].into_iter().chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(answer: &Value, moved: bool) -> Vec<(String, Option<String>)> {
        let all = told_in(answer, moved).into_iter();
        all.map(|one| (one.path, one.other)).collect()
    }

    #[test]
    fn what_was_changed_is_read_from_the_answer() {
        let a = ("a".to_owned(), None);
        assert_eq!(
            paths(&json!({ "path": "a", "etag": "e" }), false),
            std::slice::from_ref(&a)
        );
        for nothing in [
            json!({ "path": "a", "dry_run": true }),
            json!({ "path": "a", "unchanged": true }),
            json!({ "path": "a", "deleted_files": 0 }),
            json!({ "matches": [] }),
        ] {
            assert_eq!(paths(&nothing, false), [], "{nothing}");
        }
        let deleted = json!({ "path": "a", "deleted_files": 1, "type": "file" });
        assert_eq!(paths(&deleted, false), [a]);
        let two = json!({ "source": "a", "destination": "b" });
        let came = ("b".to_owned(), Some("a".to_owned()));
        assert_eq!(paths(&two, false), std::slice::from_ref(&came));
        assert_eq!(
            paths(&two, true),
            [came, ("a".to_owned(), Some("b".to_owned()))]
        );
    }
}
