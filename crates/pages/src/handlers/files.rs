//! `/workspaces/{id}/files`: directories, files, and what is done with them.

mod changing;
mod history;
mod raw;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::files::{
    Entry, EntryType, GetFileInfo, ListFiles, ListFilesResult, Order, ReadAs, ReadFile,
    ReadFileResult, Sort,
};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::{Code, Fault};
use serde::Deserialize;

pub(super) use changing::{create, delete, edit, make_directory, rename, save, upload};
pub(super) use history::read as history;
pub(super) use raw::read as raw;

use super::answer::{At, Stop, shown};
use super::person::Person;
use super::place;
use crate::views::address::segment;
use crate::views::{Crumb, EntryKind, EntryRow, Field, FilePage, FilesPage, Place, ShownAs, Usage};

/// Entries of a page, and lines.
const ENTRIES: u32 = 50;
const LINES: i64 = 1_000;
/// Bytes of text on a page.
const PAGE_BYTES: u64 = 128 * 1024;
/// Of a text that is edited here, which is one page of the files crate.
const EDIT_BYTES: u64 = 256 * 1024;
/// Of a file that is sent by the page, which is held whole until it is stored, once.
const MOST_BYTES: usize = 32 * 1024 * 1024;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Where {
    path: String,
    cursor: String,
    /// The first line.
    line: String,
    download: String,
}

/// The address of a page of files.
fn address(place: &Place, page: &str, path: &str) -> String {
    let page = if page.is_empty() {
        String::new()
    } else {
        format!("/{page}")
    };
    let query = if path.is_empty() {
        String::new()
    } else {
        format!("?path={}", segment(path).replace("%2F", "/"))
    };
    format!("{}/files{page}{query}", place.path())
}

/// The directory of a path; empty for the root.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The root and every directory on the way to this one, itself included.
fn crumbs(place: &Place, directory: &str) -> Vec<Crumb> {
    let mut crumbs = vec![Crumb {
        name: "Files".to_owned(),
        href: address(place, "", ""),
    }];
    let mut end = 0;
    for part in directory.split('/').filter(|part| !part.is_empty()) {
        end += part.len();
        crumbs.push(Crumb {
            name: part.to_owned(),
            href: address(place, "", &directory[..end]),
        });
        end += 1;
    }
    crumbs
}

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(looking): Query<Where>,
) -> Result<Response, Stop> {
    let page = directory(&app, person, &id, &looking).await?;
    Ok(shown(StatusCode::OK, &page))
}

async fn directory(
    app: &App,
    person: Person,
    id: &WorkspaceId,
    looking: &Where,
) -> Result<FilesPage, Fault> {
    let actor = &person.actor;
    let place = place::find(app, actor, id).await?;
    let ask = ListFiles {
        path: looking.path.clone(),
        recursive: false,
        depth: 1,
        glob: None,
        include_hidden: true,
        respect_gitignore: false,
        sort: Sort::Name,
        order: Order::Asc,
        limit: ENTRIES,
        cursor: Some(looking.cursor.clone()).filter(|cursor| !cursor.is_empty()),
    };
    let listed = app.list_files(actor, id, ask).await?;
    let storage = app.storage(actor, id).await?;
    let ListFilesResult {
        path,
        entries,
        total,
        next_cursor,
        unlistable,
        ..
    } = listed;
    let next = next_cursor.map(|cursor| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("path", &path)
            .append_pair("cursor", &cursor)
            .finish();
        format!("{}/files?{query}", place.path())
    });
    Ok(FilesPage {
        crumbs: crumbs(&place, &path),
        total: total.unwrap_or(entries.len() as u64),
        entries: entries
            .into_iter()
            .map(|entry| row(&place, entry))
            .collect(),
        next,
        unlistable: unlistable.unwrap_or(0),
        storage: Usage {
            used: storage.used_bytes,
            limit: storage.quota_bytes.max(0).cast_unsigned(),
        },
        most_bytes: MOST_BYTES as u64,
        refused: None,
        new_file: Field::default(),
        new_directory: Field::default(),
        path,
        place,
        layout: person.layout,
    })
}

fn row(place: &Place, entry: Entry) -> EntryRow {
    let (kind, page) = match entry.kind {
        EntryType::Directory => (EntryKind::Directory, Some("")),
        EntryType::File => (EntryKind::File, Some("view")),
        // Where it leads decides what is shown; out of the workspace it leads nowhere.
        EntryType::Symlink => (EntryKind::Link, Some("view")),
        EntryType::Other => (EntryKind::Other, None),
    };
    EntryRow {
        name: name(&entry.path).to_owned(),
        href: page.map(|page| address(place, page, &entry.path)),
        path: entry.path,
        kind,
        size: entry.size,
        modified_at: entry.modified_at,
    }
}

pub(super) async fn view(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(looking): Query<Where>,
) -> Result<Response, Stop> {
    match file(&app, person, &id, &looking).await {
        Ok(page) => Ok(shown(StatusCode::OK, &page)),
        // A link to a directory, or an address typed by hand.
        Err(fault) if fault.code == Code::IsADirectory => {
            let path = segment(&looking.path).replace("%2F", "/");
            Err(Stop::Elsewhere(format!(
                "/workspaces/{}/files?path={path}",
                segment(id.as_str())
            )))
        }
        Err(fault) => Err(fault.into()),
    }
}

async fn file(
    app: &App,
    person: Person,
    id: &WorkspaceId,
    looking: &Where,
) -> Result<FilePage, Fault> {
    let actor = &person.actor;
    let place = place::find(app, actor, id).await?;
    let first = looking.line.parse::<i64>().unwrap_or(1).max(1);
    let ask = reading(&looking.path, first);
    let read = match app.read_file(actor, id, ask.clone()).await {
        // A page beyond the end: the file became shorter.
        Err(fault) if fault.code == Code::LineOutOfRange => {
            app.read_file(actor, id, reading(&looking.path, 1)).await?
        }
        read => read?,
    };
    let info = GetFileInfo {
        path: read.path.clone(),
        checksum: false,
        count_lines: false,
    };
    let info = app.file_info(actor, id, info).await?;
    let page = |line: u64| format!("{}&line={line}", address(&place, "view", &read.path));
    let is_text = read.content.is_some();
    let is_image = raw::INLINE.contains(&read.mime.as_str());
    let shown = if is_text {
        text(&read, page)
    } else if is_image {
        ShownAs::Image
    } else {
        ShownAs::Nothing
    };
    let is_small = is_text && read.size <= EDIT_BYTES;
    let not_edited = if is_small {
        let whole = changing::whole(&read.path);
        changing::not_edited(&app.read_file(actor, id, whole).await?)
    } else {
        None
    };
    let is_editable = is_small && not_edited.is_none();
    Ok(FilePage {
        name: name(&read.path).to_owned(),
        crumbs: crumbs(&place, parent(&read.path)),
        size: read.size,
        media_type: read.mime,
        modified_at: info.modified_at,
        etag: read.etag,
        shown,
        raw: address(&place, "raw", &read.path),
        history: address(&place, "history", &read.path),
        not_edited,
        edit: is_editable.then(|| address(&place, "edit", &read.path)),
        rename: Field::new(&*read.path),
        path: read.path,
        place,
        layout: person.layout,
    })
}

fn reading(path: &str, first: i64) -> ReadFile {
    ReadFile {
        path: path.to_owned(),
        start_line: Some(first),
        end_line: -1,
        offset: None,
        length: None,
        read_as: ReadAs::Auto,
        encoding: None,
        line_numbers: false,
        max_bytes: PAGE_BYTES,
        if_none_match: None,
    }
}

fn text(read: &ReadFileResult, page: impl Fn(u64) -> String) -> ShownAs {
    let first = read.start_line.unwrap_or(1);
    let content = read.content.as_deref().unwrap_or_default();
    let most = usize::try_from(LINES).unwrap_or(0);
    let all: Vec<_> = content.lines().collect();
    let lines = (first..).zip(all.iter().take(most));
    let lines: Vec<_> = lines.map(|(n, line)| (n, (*line).to_owned())).collect();
    let behind = first + lines.len() as u64;
    let has_more = all.len() > most || read.next.is_some();
    let before = first.saturating_sub(LINES.unsigned_abs()).max(1);
    ShownAs::Text {
        total: read.total_lines.unwrap_or(0),
        previous: (first > 1).then(|| page(before)),
        next: has_more.then(|| page(behind)),
        is_clipped: !read.clipped_lines.is_empty(),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crumbs_lead_from_the_root_to_the_directory() {
        let place = Place {
            id: "ws_1".into(),
            name: "W".into(),
            is_admin: false,
        };
        let crumbs = crumbs(&place, "a b/c&d");
        let hrefs: Vec<_> = crumbs.iter().map(|crumb| crumb.href.as_str()).collect();
        assert_eq!(
            hrefs,
            [
                "/workspaces/ws_1/files",
                "/workspaces/ws_1/files?path=a%20b",
                "/workspaces/ws_1/files?path=a%20b/c%26d"
            ]
        );
        assert_eq!((parent("a/b/c"), name("a/b/c")), ("a/b", "c"));
        assert_eq!((parent("c"), name("c")), ("", "c"));
    }
}
