//! `/memory`: notes listed, searched, written, renamed and deleted; their history.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::memory::{
    Edit, MOST_CONTENT, MemoryEntry, MemoryVersion, Reader, Writer, etag,
};
use quaymaster_app::{Actor, App};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;

use super::Pages;
use super::answer::{self, Stop, field_of, shown, status_of_form};
use super::connections::said;
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::writers::Writers;
use crate::views::address::segment;
use crate::views::{
    Field, FolderRow, Layout, MemoryFilePage, MemoryPage, MemoryRow, MemoryVersionRow, SavedFile,
};

/// Rows of a page.
const A_PAGE: usize = 100;
/// Versions that a page shows.
const MOST_VERSIONS: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    query: String,
    prefix: String,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Stop> {
    // What cannot be read asks for nothing.
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let actor = &person.actor;
    let reader = Reader::of_actor(actor);
    let decides = actor.role.administers();
    let mut page = MemoryPage {
        layout: person.layout,
        query: asked.query.trim().to_owned(),
        prefix: asked.prefix,
        way: Vec::new(),
        folders: Vec::new(),
        files: Vec::new(),
        next: None,
        agents_write_org: if decides {
            Some(app.agents_write_org_memory(actor).await?)
        } else {
            None
        },
        error: None,
    };
    let cursor = asked.cursor.as_deref();
    if page.query.is_empty() {
        let wanted = quaymaster_app::memory::Wanted {
            prefix: &page.prefix,
            depth: Some(1),
            limit: A_PAGE,
            cursor,
        };
        let listing = app.list_memory(&reader, wanted).await?;
        let ids: Vec<_> = listing
            .entries
            .iter()
            .map(|entry| entry.written_by.as_str())
            .collect();
        let writers = Writers::of(&app, actor, &ids).await?;
        let folder = |prefix: String| FolderRow {
            name: prefix[page.prefix.len()..].trim_end_matches('/').to_owned(),
            prefix,
        };
        page.folders = listing.prefixes.into_iter().map(folder).collect();
        page.files = listing
            .entries
            .into_iter()
            .map(|entry| row(entry, &writers, None))
            .collect();
        let next = listing.next;
        page.next =
            next.map(|at| format!("prefix={}&cursor={}", segment(&page.prefix), segment(&at)));
        page.way = way(&page.prefix);
        return Ok(shown(StatusCode::OK, &page));
    }
    match app
        .search_memory(&reader, &page.query, A_PAGE, cursor)
        .await
    {
        Ok((found, next)) => {
            let ids: Vec<_> = found
                .iter()
                .map(|found| found.entry.written_by.as_str())
                .collect();
            let writers = Writers::of(&app, actor, &ids).await?;
            page.next = next.map(|at| format!("query={}&cursor={at}", segment(&page.query)));
            page.files = found
                .into_iter()
                .map(|found| row(found.entry, &writers, found.line.map(|(_, line)| line)))
                .collect();
            page.prefix = String::new();
            Ok(shown(StatusCode::OK, &page))
        }
        Err(fault) if fault.code == Code::InvalidArg => {
            page.error = Some(said(fault));
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

fn row(entry: MemoryEntry, writers: &Writers, line: Option<String>) -> MemoryRow {
    MemoryRow {
        size: u64::try_from(entry.size).unwrap_or(0),
        written_by: writers.name(&entry.written_by),
        written_at: entry.written_at,
        path: entry.path,
        line,
    }
}

/// The folders above the one that is open.
fn way(prefix: &str) -> Vec<FolderRow> {
    let mut above: Vec<FolderRow> = prefix
        .match_indices('/')
        .map(|(at, _)| FolderRow {
            name: prefix[..at]
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned(),
            prefix: prefix[..=at].to_owned(),
        })
        .collect();
    above.pop();
    above
}

fn empty(layout: Layout) -> MemoryFilePage {
    MemoryFilePage {
        layout,
        saved: None,
        path: Field::default(),
        content: Field::default(),
        error: None,
    }
}

pub(super) async fn write(person: Person) -> Result<Response, Stop> {
    Ok(shown(StatusCode::OK, &empty(person.layout)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    path: String,
    version: Option<i64>,
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    named: Result<Query<Named>, QueryRejection>,
) -> Result<Response, Stop> {
    let named = named.map(|Query(named)| named).unwrap_or_default();
    let page = page_of(
        &app,
        &person.actor,
        person.layout,
        &named.path,
        named.version,
    )
    .await?;
    Ok(shown(StatusCode::OK, &page))
}

/// A file as it is, or as it was in a version.
async fn page_of(
    app: &App,
    actor: &Actor,
    layout: Layout,
    path: &str,
    version: Option<i64>,
) -> Result<MemoryFilePage, Fault> {
    let reader = Reader::of_actor(actor);
    let current = match app.memory_file(&reader, path).await {
        Ok(file) => Some(file),
        Err(fault) if fault.code == Code::NotFound => None,
        Err(fault) => return Err(fault),
    };
    // Nothing was ever there: this says so.
    let mut versions = app.memory_versions(&reader, path).await?;
    versions.truncate(MOST_VERSIONS);
    let old = match version {
        Some(version) => Some(app.memory_version(&reader, path, version).await?.1),
        None => None,
    };
    let ids: Vec<_> = versions
        .iter()
        .map(|version| version.written_by.as_str())
        .collect();
    let writers = Writers::of(app, actor, &ids).await?;
    let now = current.as_ref().map(|file| file.entry.version);
    let shown = |one: MemoryVersion| MemoryVersionRow {
        is_current: now == Some(one.version),
        version: one.version,
        change: one.change.name(),
        written_by: writers.name(&one.written_by),
        written_at: one.written_at,
        size: u64::try_from(one.size).unwrap_or(0),
        is_readable: one.content.is_some(),
        is_redacted: one.redacted_at.is_some(),
    };
    let mut page = empty(layout);
    page.saved = Some(SavedFile {
        path: path.to_owned(),
        new_path: path.to_owned(),
        etag: current
            .as_ref()
            .map(|file| etag(&file.entry.sha256))
            .unwrap_or_default(),
        is_deleted: current.is_none(),
        looking_at: version,
        may_write: !path.starts_with("org/") || actor.role.administers(),
        versions: versions.into_iter().map(shown).collect(),
    });
    let content = old.or_else(|| current.map(|file| file.content));
    page.content = Field::new(content.unwrap_or_default());
    Ok(page)
}

pub(super) struct Written {
    path: String,
    content: String,
    etag: String,
}

impl Form for Written {
    /// As an encoded form a byte can be three.
    const MOST: usize = 3 * MOST_CONTENT + 64 * 1024;

    fn read(fields: &Fields) -> Self {
        Written {
            path: fields.one("path").trim().to_owned(),
            // Browsers send line ends of their own (HTML, "newline normalization").
            content: fields.one("content").replace("\r\n", "\n"),
            etag: fields.text("etag"),
        }
    }
}

/// What was typed, with the reason, whatever it is.
fn refused(mut page: MemoryFilePage, form: Written, fault: Fault) -> Response {
    let status = status_of_form(&fault);
    let field = field_of(&fault).map(str::to_owned);
    let is_content = matches!(fault.code, Code::TooLarge) || field.as_deref() == Some("/content");
    page.content.value = form.content;
    page.path.value = form.path;
    let message = Some(said(fault));
    match field.as_deref() {
        _ if is_content => page.content.error = message,
        Some("/path") if page.saved.is_none() => page.path.error = message,
        _ => page.error = message,
    }
    shown(status, &page)
}

fn address(path: &str) -> String {
    format!("/memory/file?path={}", segment(path))
}

pub(super) async fn add(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let writer = Writer::of_actor(&person.actor);
    let edit = Edit::Create {
        content: form.content.clone(),
    };
    match pages.app.edit_memory(&writer, &form.path, edit, None).await {
        Ok(_) => Ok(answer::done(
            &pages,
            &address(&form.path),
            Notice::NoteSaved,
        )),
        Err(fault) => Ok(refused(empty(person.layout), form, fault)),
    }
}

pub(super) async fn change(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let writer = Writer::of_actor(&person.actor);
    let edit = Edit::Create {
        content: form.content.clone(),
    };
    // Without what was read, nothing is written over.
    let read = (!form.etag.is_empty()).then_some(form.etag.as_str());
    match pages.app.edit_memory(&writer, &form.path, edit, read).await {
        Ok(_) => Ok(answer::done(
            &pages,
            &address(&form.path),
            Notice::NoteSaved,
        )),
        Err(fault) => {
            let layout = person.layout.clone();
            let page = page_of(&pages.app, &person.actor, layout, &form.path, None).await;
            // What cannot be read any more is written like a new one.
            let page = page.unwrap_or_else(|_| empty(person.layout));
            Ok(refused(page, form, fault))
        }
    }
}

pub(super) struct OfFile {
    path: String,
    etag: String,
    new_path: String,
    version: i64,
}

impl Form for OfFile {
    fn read(fields: &Fields) -> Self {
        OfFile {
            path: fields.text("path"),
            etag: fields.text("etag"),
            new_path: fields.one("new_path").trim().to_owned(),
            version: fields.one("version").parse().unwrap_or(0),
        }
    }
}

/// Goes on when it was done; otherwise shows the file as it is now, with the reason, and the new path that
/// was typed.
async fn done_or_told(
    pages: &Pages,
    person: Person,
    path: &str,
    typed: Option<&str>,
    done: Result<String, Fault>,
    notice: Notice,
) -> Result<Response, Stop> {
    match done {
        Ok(next) => Ok(answer::done(pages, &next, notice)),
        Err(fault) => {
            let status = status_of_form(&fault);
            let mut page = page_of(&pages.app, &person.actor, person.layout, path, None).await?;
            if let (Some(saved), Some(typed)) = (&mut page.saved, typed) {
                typed.clone_into(&mut saved.new_path);
            }
            page.error = Some(said(fault));
            Ok(shown(status, &page))
        }
    }
}

pub(super) async fn rename(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<OfFile>,
) -> Result<Response, Stop> {
    let writer = Writer::of_actor(&person.actor);
    let edit = Edit::Rename {
        to: form.new_path.clone(),
    };
    let done = pages
        .app
        .edit_memory(&writer, &form.path, edit, Some(&form.etag));
    let done = done.await.map(|done| address(&done.path));
    let typed = Some(form.new_path.as_str());
    done_or_told(&pages, person, &form.path, typed, done, Notice::NoteRenamed).await
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<OfFile>,
) -> Result<Response, Stop> {
    let writer = Writer::of_actor(&person.actor);
    let done = pages
        .app
        .edit_memory(&writer, &form.path, Edit::Delete, Some(&form.etag));
    let done = done.await.map(|_| address(&form.path));
    done_or_told(&pages, person, &form.path, None, done, Notice::NoteDeleted).await
}

pub(super) async fn restore(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<OfFile>,
) -> Result<Response, Stop> {
    let writer = Writer::of_actor(&person.actor);
    let done = pages
        .app
        .restore_memory(&writer, &form.path, form.version, None);
    let done = done.await.map(|_| address(&form.path));
    done_or_told(&pages, person, &form.path, None, done, Notice::NoteRestored).await
}

pub(super) async fn redact(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<OfFile>,
) -> Result<Response, Stop> {
    let writer = Writer::of_actor(&person.actor);
    let done = pages.app.redact_memory(&writer, &form.path, form.version);
    let done = done.await.map(|_| address(&form.path));
    done_or_told(&pages, person, &form.path, None, done, Notice::NoteRedacted).await
}

pub(super) struct Settings {
    agents: bool,
}

impl Form for Settings {
    fn read(fields: &Fields) -> Self {
        Settings {
            agents: !fields.one("agents").is_empty(),
        }
    }
}

pub(super) async fn set(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    Posted(form): Posted<Settings>,
) -> Result<Response, Stop> {
    pages
        .app
        .let_agents_write_org_memory(&admin, form.agents)
        .await?;
    Ok(answer::done(&pages, "/memory", Notice::MemorySet))
}
