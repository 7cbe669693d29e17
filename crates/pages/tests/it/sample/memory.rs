//! Memory.

use quaymaster_pages::views::{
    FolderRow, MemoryFilePage, MemoryPage, MemoryRow, MemoryVersionRow, SavedFile,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_memory(&self) -> Vec<Page> {
        let folder = |name: &str| FolderRow {
            name: self.t(name),
            prefix: self.t(&format!("{name}/")),
        };
        let row = |path: &str, line: Option<&str>| MemoryRow {
            path: self.t(path),
            size: 1_400,
            written_by: self.t("API key laptop"),
            written_at: self.ago(500),
            line: line.map(|line| self.t(line)),
        };
        let list = MemoryPage {
            layout: self.inside(),
            query: String::new(),
            prefix: String::new(),
            way: vec![],
            folders: vec![folder("org"), folder("projects")],
            files: vec![row("todo.md", None)],
            next: Some("prefix=&cursor=todo.md".to_owned()),
            agents_write_org: Some(true),
            error: None,
        };
        let below = MemoryPage {
            prefix: self.t("projects/launch/"),
            way: vec![folder("projects")],
            agents_write_org: None,
            ..list.clone()
        };
        let found = MemoryPage {
            query: self.t("hotel"),
            folders: vec![],
            files: vec![row("trips/lisbon.md", Some("Hotel by the river."))],
            next: None,
            ..list.clone()
        };
        let nothing = MemoryPage {
            files: vec![],
            error: Some(self.t("The query has no letter and no digit.")),
            ..found.clone()
        };
        let none = MemoryPage {
            query: String::new(),
            error: None,
            ..nothing.clone()
        };
        let new = MemoryFilePage {
            layout: self.inside(),
            saved: None,
            path: self.field(""),
            content: self.field(""),
            error: None,
        };
        let wrong = MemoryFilePage {
            path: self.wrong("../x", "This cannot be the path of a memory file."),
            content: self.wrong("x", "A memory file has at most 100 KiB."),
            ..new.clone()
        };
        let version = |version, change, is_readable, is_redacted| MemoryVersionRow {
            version,
            change,
            written_by: self.t("You"),
            written_at: self.ago(900),
            size: 120,
            is_current: version == 4,
            is_readable,
            is_redacted,
        };
        let saved = SavedFile {
            path: self.t("projects/launch.md"),
            new_path: self.t("projects/launch.md"),
            etag: self.t("sha256:ab"),
            is_deleted: false,
            looking_at: None,
            may_write: true,
            versions: vec![
                version(4, "restored", true, false),
                version(3, "deleted", false, false),
                version(2, "edited", false, true),
                version(1, "created", true, false),
            ],
        };
        let file = |saved: SavedFile| MemoryFilePage {
            saved: Some(saved),
            content: self.field("# Launch\n\nMonday\n"),
            error: Some(self.t("Somebody has changed it meanwhile.")),
            ..new.clone()
        };
        let old = SavedFile {
            looking_at: Some(1),
            ..saved.clone()
        };
        let deleted = SavedFile {
            is_deleted: true,
            ..saved.clone()
        };
        let reading = SavedFile {
            may_write: false,
            ..saved.clone()
        };
        vec![
            page("memory", &list),
            page("memory-below", &below),
            page("memory-found", &found),
            page("memory-nothing", &nothing),
            page("memory-none", &none),
            page("memory-new", &new),
            page("memory-wrong", &wrong),
            page("memory-file", &file(saved)),
            page("memory-old", &file(old)),
            page("memory-deleted", &file(deleted)),
            page("memory-reading", &file(reading)),
        ]
    }
}
