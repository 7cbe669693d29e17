//! The files of a workspace: listed, read, written, moved, deleted. Agents use the file tools.

use crate::arriving::{WHOLE, late, piece};
use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::read::{Json, Path, Query, position};
use crate::workspaces::find;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH};
use quaymaster_app::App;
use quaymaster_app::activity::Position;
use quaymaster_app::files::{
    CompleteResult, CreateDirectory, DeleteFile, Entry, EntryType, FileReceiver, ListFiles,
    MoveFile, NewFile, Order, Sort,
};
use quaymaster_core::id::TrashId;
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AskedList {
    /// The directory, relative to the workspace's root; without one, the root.
    path: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FileEntry)]
pub(crate) struct EntryView {
    path: String,
    /// `file`, `directory`, `symlink` or `other`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Bytes; 0 for what is no file.
    size: u64,
    #[schema(value_type = String, format = DateTime)]
    modified_at: Instant,
    /// Only when it is known without reading the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// A guess by the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        EntryView {
            path: entry.path,
            kind: name_of(entry.kind),
            size: entry.size,
            modified_at: entry.modified_at,
            etag: entry.etag,
            media_type: entry.mime,
        }
    }
}

fn name_of(kind: EntryType) -> &'static str {
    match kind {
        EntryType::File => "file",
        EntryType::Directory => "directory",
        EntryType::Symlink => "symlink",
        EntryType::Other => "other",
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FileList {
    path: String,
    /// Directories first, then by name.
    entries: Vec<EntryView>,
    /// Entries on all pages.
    total: u64,
    /// For `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AskedHistory {
    /// The path, relative to the workspace's root.
    path: String,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    #[serde(default, deserialize_with = "position")]
    before: Option<Position>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FileChange)]
pub(crate) struct FileChangeView {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// The tool that an agent called, `execute` for a statement over a database, or the action of the event of a person,
    /// for example `file.written`.
    action: String,
    /// Id of the credential, the connection that a statement ran over (`sqlite:main`), or who did it as events say it.
    actor: String,
    /// Where it was moved or copied to, or came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_path: Option<String>,
    /// Of its content since.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FileHistory {
    /// Newest first.
    changes: Vec<FileChangeView>,
    /// For `before` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists the recorded changes of a file
///
/// As far back as calls are kept, also of a file that is gone. What was in it before is not kept.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/files/history", tag = "Files",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), AskedHistory),
    responses((status = 200, description = "A page of changes.", body = FileHistory), Faults)
)]
pub(crate) async fn read_file_history(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(asked): Query<AskedHistory>,
) -> Answer<axum::Json<FileHistory>> {
    let workspace = find(&app, &actor, &id).await?;
    let limit = i64::from(asked.limit.unwrap_or(50).clamp(1, 500));
    let before = asked.before.as_ref();
    let rows = app
        .file_history(&actor, &workspace.id, &asked.path, before, limit)
        .await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next = rows.last().filter(|_| is_full);
    Ok(axum::Json(FileHistory {
        next: next.map(|row| row.position().to_string()),
        changes: rows
            .into_iter()
            .map(|row| FileChangeView {
                at: row.at,
                action: row.action,
                actor: row.actor,
                other_path: row.other,
                etag: row.etag,
            })
            .collect(),
    }))
}

/// Lists a directory
///
/// Hidden entries included. Symbolic links are listed, not followed.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/files", tag = "Files",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), AskedList),
    responses((status = 200, description = "A page of the directory.", body = FileList), Faults)
)]
pub(crate) async fn list_files(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(asked): Query<AskedList>,
) -> Answer<axum::Json<FileList>> {
    let workspace = find(&app, &actor, &id).await?;
    let ask = ListFiles {
        path: asked.path.unwrap_or_default(),
        recursive: false,
        depth: 1,
        glob: None,
        include_hidden: true,
        respect_gitignore: false,
        sort: Sort::Name,
        order: Order::Asc,
        limit: asked.limit.unwrap_or(200),
        cursor: asked.cursor,
    };
    let listed = app.list_files(&actor, &workspace.id, ask).await?;
    Ok(axum::Json(FileList {
        path: listed.path,
        total: listed.total.unwrap_or(listed.entries.len() as u64),
        entries: listed.entries.into_iter().map(EntryView::from).collect(),
        next: listed.next_cursor,
    }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AskedFile {
    /// Relative to the workspace's root.
    path: String,
}

/// Reads a whole file
///
/// Its bytes, as they are. `ETag` is what changes of it can be bound to.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/files/content", tag = "Files",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), AskedFile),
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"), Faults)
)]
pub(crate) async fn read_file(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(asked): Query<AskedFile>,
) -> Answer<Response> {
    let workspace = find(&app, &actor, &id).await?;
    let file = app.take_away(&actor, &workspace.id, asked.path).await?;
    let head = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, "attachment".to_owned()),
        (CONTENT_LENGTH, file.size.to_string()),
        (ETAG, format!("\"{}\"", file.etag)),
    ];
    Ok((head, Body::from_stream(file.bytes())).into_response())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AskedPut {
    /// Relative to the workspace's root; directories on the way are made.
    path: String,
    /// Replace a file that is there. `If-Match` with its etag does so too, unless it has changed.
    #[param(default = false)]
    replace: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StoredFile)]
pub(crate) struct StoredView {
    path: String,
    etag: String,
    /// Bytes.
    size: u64,
    /// Another file was there before.
    replaced: bool,
}

impl From<CompleteResult> for StoredView {
    fn from(stored: CompleteResult) -> Self {
        StoredView {
            path: stored.path,
            etag: stored.etag,
            size: stored.size,
            replaced: stored.replaced,
        }
    }
}

/// Writes a whole file
///
/// The body is the file, of any size that the workspace takes; `Content-Length` is needed. It is in its place whole or
/// not at all.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}/files/content", tag = "Files",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), AskedPut,
        ("If-Match" = Option<String>, Header, description = "Only if the file has this etag.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "What is stored.", body = StoredView), Faults)
)]
pub(crate) async fn write_file(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(asked): Query<AskedPut>,
    headers: HeaderMap,
    body: Body,
) -> Answer<axum::Json<StoredView>> {
    let workspace = find(&app, &actor, &id).await?;
    let announced = headers.get(CONTENT_LENGTH);
    let size = announced.and_then(|size| size.to_str().ok()?.parse().ok());
    // Clients leave the header out of a request without a body.
    let size = size.or_else(|| HttpBody::is_end_stream(&body).then_some(0));
    let size = size.ok_or_else(|| {
        Fault::invalid_arg("/size", "required", "The size of the file is not known.")
            .hint("Send Content-Length.")
    })?;
    let if_match = etag_of(&headers);
    let new = NewFile {
        path: asked.path,
        size,
        overwrite: asked.replace.unwrap_or(false) || if_match.is_some(),
        if_match,
    };
    let receiver = app.receive_file(&actor, &workspace.id, new).await?;
    let Ok(stored) = tokio::time::timeout(WHOLE, receive(receiver, body)).await else {
        return Err(late("file").into());
    };
    Ok(axum::Json(stored?.into()))
}

async fn receive(mut receiver: FileReceiver, mut body: Body) -> Result<CompleteResult, Fault> {
    while let Some(bytes) = piece(&mut body, "file").await? {
        receiver = receiver.write(bytes).await?;
    }
    receiver.finish().await
}

fn etag_of(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(IF_MATCH)?;
    // What is no text matches nothing, rather than everything.
    Some(String::from_utf8_lossy(etag.as_bytes()).into_owned())
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeletedFile)]
pub(crate) struct DeletedView {
    path: String,
    /// Entries that are no directories.
    files: u64,
    /// Under which it can be restored.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    trash_id: Option<TrashId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    restorable_until: Option<Instant>,
}

/// Deletes a file or directory
///
/// It goes to the trash with everything in it.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/files", tag = "Files",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), AskedFile,
        ("If-Match" = Option<String>, Header, description = "Only if the file has this etag.")),
    responses((status = 200, description = "What is deleted.", body = DeletedView), Faults)
)]
pub(crate) async fn delete_file(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(asked): Query<AskedFile>,
    headers: HeaderMap,
) -> Answer<axum::Json<DeletedView>> {
    let workspace = find(&app, &actor, &id).await?;
    let ask = DeleteFile {
        path: asked.path,
        recursive: true,
        missing_ok: false,
        permanent: false,
        if_match: etag_of(&headers),
        dry_run: false,
    };
    let deleted = app.delete_file(&actor, &workspace.id, ask).await?;
    Ok(axum::Json(DeletedView {
        path: deleted.path,
        files: deleted.deleted_files,
        trash_id: deleted.trash_id,
        restorable_until: deleted.restorable_until,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDirectory {
    /// Relative to the workspace's root; those above it are made.
    path: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Directory)]
pub(crate) struct DirectoryView {
    path: String,
    /// False: it was there already.
    created: bool,
}

/// Makes a directory
///
/// One that is there already is fine.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/files/directories", tag = "Files",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    request_body = NewDirectory,
    responses((status = 200, description = "The directory.", body = DirectoryView), Faults)
)]
pub(crate) async fn create_directory(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Json(new): Json<NewDirectory>,
) -> Answer<axum::Json<DirectoryView>> {
    let workspace = find(&app, &actor, &id).await?;
    let ask = CreateDirectory {
        path: new.path,
        parents: true,
    };
    let made = app.create_directory(&actor, &workspace.id, ask).await?;
    Ok(axum::Json(DirectoryView {
        path: made.path,
        created: made.created,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Move {
    from: String,
    /// Its new path, name included; directories on the way are made.
    to: String,
    /// Replace a file that is there.
    #[serde(default)]
    replace: bool,
    /// Only if the file at `from` has this etag.
    if_match: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MovedFile)]
pub(crate) struct MovedView {
    from: String,
    to: String,
    /// Something was there before.
    replaced: bool,
}

/// Moves or renames a file or directory
///
/// A directory is never replaced.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/files/move", tag = "Files",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    request_body = Move,
    responses((status = 200, description = "Where it is now.", body = MovedView), Faults)
)]
pub(crate) async fn move_file(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Json(asked): Json<Move>,
) -> Answer<axum::Json<MovedView>> {
    let workspace = find(&app, &actor, &id).await?;
    let ask = MoveFile {
        source: asked.from,
        destination: asked.to,
        overwrite: asked.replace,
        create_parents: true,
        if_match: asked.if_match,
        if_match_destination: None,
    };
    let moved = app.move_file(&actor, &workspace.id, ask).await?;
    Ok(axum::Json(MovedView {
        from: moved.source,
        to: moved.destination,
        replaced: moved.replaced,
    }))
}
