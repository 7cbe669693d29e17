//! The files of a workspace: directories, texts, pictures, edits.

use quaymaster_pages::views::{
    Crumb, EntryKind, EntryRow, Field, FileChangeView, FileEditPage, FileHistoryPage, FilePage,
    FilesPage, ShownAs, Tone, Usage,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_files(&self) -> Vec<Page> {
        let list = FilesPage {
            layout: self.saying(Tone::Done, "The file is in the workspace."),
            place: self.place(),
            path: self.t("reports"),
            crumbs: self.crumbs(),
            entries: self.entries(),
            total: 4,
            next: Some(self.t("/workspaces/ws_2/files?cursor=x")),
            unlistable: 1,
            storage: Usage {
                used: 30 << 20,
                limit: 5 << 30,
            },
            most_bytes: 32 << 20,
            refused: None,
            new_file: Field::default(),
            new_directory: Field::default(),
        };
        let empty = FilesPage {
            layout: self.inside(),
            path: String::new(),
            entries: vec![],
            total: 0,
            next: None,
            unlistable: 0,
            ..list.clone()
        };
        let taken = "There is something of this name already.";
        let refused = FilesPage {
            layout: self.inside(),
            refused: Some(("new-file", self.t(taken))),
            new_file: self.wrong("notes.md", taken),
            ..list.clone()
        };
        let text = self.text_file();
        let image = FilePage {
            shown: ShownAs::Image,
            edit: None,
            ..text.clone()
        };
        let archive = FilePage {
            shown: ShownAs::Nothing,
            not_edited: Some(
                "The file cannot be edited on a page: its lines end in different ways, and a form would even them.",
            ),
            ..image.clone()
        };
        let blank = FilePage {
            shown: ShownAs::Text {
                lines: vec![],
                total: 0,
                previous: None,
                next: None,
                is_clipped: false,
            },
            rename: self.wrong("../up", "The path would leave the workspace."),
            ..text.clone()
        };
        let edit = FileEditPage {
            layout: self.inside(),
            place: self.place(),
            path: self.t("reports/notes.md"),
            name: self.t("notes.md"),
            crumbs: self.crumbs(),
            view: self.t("/workspaces/ws_2/files/view?path=reports/notes.md"),
            text: self.field("# Notes\n"),
            etag: self.t("sha256:00"),
            encoding: self.t("utf-8"),
            is_stale: false,
        };
        let stale = FileEditPage {
            text: self.wrong("# Notes\n", "Somebody changed the file meanwhile."),
            is_stale: true,
            ..edit.clone()
        };
        vec![
            page("files", &list),
            page("files-empty", &empty),
            page("files-wrong", &refused),
            page("file", &text),
            page("file-image", &image),
            page("file-other", &archive),
            page("file-wrong", &blank),
            page("file-history", &self.file_history()),
            page("file-edit", &edit),
            page("file-edit-wrong", &stale),
        ]
    }

    fn file_history(&self) -> FileHistoryPage {
        let change = |what: &str, other: Option<&str>| FileChangeView {
            at: self.ago(9_000),
            what: self.t(what),
            href: other.is_none().then(|| self.t("/activity?tool=write_file")),
            who: self.t("Default token"),
            other: other.map(|path| self.t(path)),
            other_href: other.map(|_| self.t("/workspaces/ws_2/files/history?path=b")),
            etag: other.is_none().then(|| self.t("sha256:00")),
        };
        FileHistoryPage {
            layout: self.inside(),
            place: self.place(),
            name: self.t("notes.md"),
            crumbs: self.crumbs(),
            view: self.t("/workspaces/ws_2/files/view?path=reports/notes.md"),
            changes: vec![
                change("file.moved", Some("b.md")),
                change("write_file", None),
            ],
            next: Some(self.t("/workspaces/ws_2/files/history?before=1.x")),
        }
    }

    fn crumbs(&self) -> Vec<Crumb> {
        let crumb = |name: &str, href: &str| Crumb {
            name: self.t(name),
            href: self.t(href),
        };
        vec![
            crumb("Files", "/workspaces/ws_2/files"),
            crumb("reports", "/workspaces/ws_2/files?path=reports"),
        ]
    }

    fn entries(&self) -> Vec<EntryRow> {
        let entry = |name: &str, kind, size| EntryRow {
            name: self.t(name),
            path: self.t(&format!("reports/{name}")),
            href: (kind != EntryKind::Other)
                .then(|| self.t("/workspaces/ws_2/files/view?path=reports/x")),
            kind,
            size,
            modified_at: self.ago(9_000),
        };
        vec![
            entry("2026", EntryKind::Directory, 0),
            entry("notes.md", EntryKind::File, 2_140),
            entry("latest", EntryKind::Link, 0),
            entry("pipe", EntryKind::Other, 0),
        ]
    }

    fn text_file(&self) -> FilePage {
        FilePage {
            layout: self.inside(),
            place: self.place(),
            path: self.t("reports/notes.md"),
            name: self.t("notes.md"),
            crumbs: self.crumbs(),
            size: 2_140,
            media_type: self.t("text/markdown"),
            modified_at: self.ago(9_000),
            etag: self.t("sha256:00"),
            shown: ShownAs::Text {
                lines: vec![
                    (1_001, self.t("# Notes")),
                    (1_002, String::new()),
                    (1_003, self.t("    indented, with a line that is long enough to go on beyond the edge of every screen there is, and then some more")),
                ],
                total: 2_400,
                previous: Some(self.t("/workspaces/ws_2/files/view?path=x&line=1")),
                next: Some(self.t("/workspaces/ws_2/files/view?path=x&line=2001")),
                is_clipped: true,
            },
            raw: self.t("/workspaces/ws_2/files/raw?path=reports/notes.md"),
            history: self.t("/workspaces/ws_2/files/history?path=reports/notes.md"),
            edit: Some(self.t("/workspaces/ws_2/files/edit?path=reports/notes.md")),
            not_edited: None,
            rename: self.field("reports/notes.md"),
        }
    }
}
