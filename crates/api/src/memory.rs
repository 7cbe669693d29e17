//! Memory files: listed, read, written, renamed, deleted. What they said before is in `memory_versions`.

use crate::auth::{Administrator, MemoryReader, MemoryWriter};
use crate::error::{Answer, ApiError, Faults};
use crate::read::{Json, Path, Query};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, StatusCode};
use quaymaster_app::App;
use quaymaster_app::memory::{Edit, MemoryEntry, Wanted, Written, etag};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A body that carries a file of 100 KiB, however its characters are escaped.
const FILE: usize = 1 << 20;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MemoryEntry)]
pub(crate) struct EntryView {
    /// Paths that begin with `org/` are the organization's, all others the person's own.
    path: String,
    etag: String,
    version: i64,
    /// In bytes.
    size: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// Id of the person or credential that wrote it.
    updated_by: String,
}

impl From<MemoryEntry> for EntryView {
    fn from(entry: MemoryEntry) -> Self {
        EntryView {
            etag: etag(&entry.sha256),
            path: entry.path,
            version: entry.version,
            size: entry.size,
            updated_at: entry.written_at,
            updated_by: entry.written_by,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListMemory {
    /// Only paths that begin so.
    prefix: Option<String>,
    /// Folders deeper than this below the prefix are shown as folders.
    #[param(minimum = 1, maximum = 32)]
    depth: Option<usize>,
    /// Instead of `prefix`: files that have all of these words, or words that begin so.
    query: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundView {
    #[serde(flatten)]
    entry: EntryView,
    /// The first line that has one of the words, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemoryList {
    /// By path, or best first when there is a query.
    files: Vec<FoundView>,
    /// Folders that are shown as such, with a slash at their end.
    folders: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists memory files
///
/// The person's own and the organization's, without their contents.
#[utoipa::path(
    get, path = "/api/v1/memory/files", tag = "Memory",
    security(("bearer" = ["read:data"])), params(ListMemory),
    responses((status = 200, description = "A page of files.", body = MemoryList), Faults)
)]
pub(crate) async fn list_memory_files(
    State(app): State<App>,
    MemoryReader(reader): MemoryReader,
    Query(asked): Query<ListMemory>,
) -> Answer<axum::Json<MemoryList>> {
    let limit = asked.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        return Err(Fault::invalid_arg("/limit", "range", "A limit is 1 to 500.").into());
    }
    let cursor = asked.cursor.as_deref();
    if let Some(query) = &asked.query {
        if asked.prefix.is_some() || asked.depth.is_some() {
            let message = "A query goes without prefix and depth.";
            return Err(Fault::invalid_arg("/query", "oneOf", message).into());
        }
        let (found, next_cursor) = app.search_memory(&reader, query, limit, cursor).await?;
        let files = found.into_iter().map(|found| {
            let (line, text) = found.line.unzip();
            FoundView {
                entry: found.entry.into(),
                line,
                text,
            }
        });
        return Ok(axum::Json(MemoryList {
            files: files.collect(),
            folders: Vec::new(),
            next_cursor,
        }));
    }
    let wanted = Wanted {
        prefix: asked.prefix.as_deref().unwrap_or_default(),
        depth: asked.depth,
        limit,
        cursor,
    };
    let listing = app.list_memory(&reader, wanted).await?;
    let files = listing.entries.into_iter().map(|entry| FoundView {
        entry: entry.into(),
        line: None,
        text: None,
    });
    Ok(axum::Json(MemoryList {
        files: files.collect(),
        folders: listing.prefixes,
        next_cursor: listing.next,
    }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AtVersion {
    /// What it said in that version, also when it was deleted.
    version: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemoryFileView {
    #[serde(flatten)]
    entry: EntryView,
    content: String,
}

/// Reads a memory file
///
/// The answer has an `ETag`; with `If-None-Match` of the same one it is 304.
#[utoipa::path(
    get, path = "/api/v1/memory/files/{*path}", tag = "Memory",
    security(("bearer" = ["read:data"])),
    params(("path" = String, Path, description = "Path of the file, with slashes."), AtVersion),
    responses(
        (status = 200, description = "The file.", body = MemoryFileView),
        (status = 304, description = "It is the one that the client has."),
        Faults
    )
)]
pub(crate) async fn read_memory_file(
    State(app): State<App>,
    MemoryReader(reader): MemoryReader,
    Path(path): Path<String>,
    Query(at): Query<AtVersion>,
    headers: HeaderMap,
) -> Answer<Response> {
    let view = match at.version {
        Some(version) => {
            let (found, content) = app.memory_version(&reader, &path, version).await?;
            let entry = EntryView {
                path: found.path,
                etag: etag(&found.sha256),
                version: found.version,
                size: found.size,
                updated_at: found.written_at,
                updated_by: found.written_by,
            };
            MemoryFileView { entry, content }
        }
        None => {
            let file = app.memory_file(&reader, &path).await?;
            MemoryFileView {
                entry: file.entry.into(),
                content: file.content,
            }
        }
    };
    let tag = [(ETAG, quoted(&view.entry.etag))];
    let known = condition(&headers, &IF_NONE_MATCH)?;
    if known.is_some_and(|known| known == "*" || known == view.entry.etag) {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok((tag, axum::Json(view)).into_response())
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// One entity tag of a condition, or `*` (RFC 9110 §13.1).
pub(crate) fn condition(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Fault> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let wrong = || {
        Fault::invalid_arg(
            "",
            "pattern",
            format!("The header {name} is no entity tag."),
        )
        .hint("Pass one ETag as the server answered it, in quotes, or *.")
    };
    let text = value.to_str().map_err(|_| wrong())?.trim();
    if text == "*" {
        return Ok(Some(text.to_owned()));
    }
    let strong = text.strip_prefix("W/").unwrap_or(text);
    let tag = strong
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let tag = tag
        .filter(|tag| !tag.contains(['"', ',']))
        .ok_or_else(wrong)?;
    Ok(Some(tag.to_owned()))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WrittenView {
    path: String,
    /// Absent once it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    version: i64,
    size: i64,
    /// It said that already; there is no new version.
    unchanged: bool,
}

pub(crate) fn written(done: Written) -> Response {
    let status = if done.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let tag = done.etag.as_deref().map(|etag| [(ETAG, quoted(etag))]);
    let body = axum::Json(WrittenView {
        path: done.path,
        etag: done.etag,
        version: done.version,
        size: done.size,
        unchanged: done.unchanged,
    });
    match tag {
        Some(tag) => (status, tag, body).into_response(),
        None => (status, body).into_response(),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutMemoryFile {
    /// At most 100 KiB of text.
    content: String,
}

/// Writes a memory file
///
/// A new one; over one that is there only with `If-Match`, so that nothing is lost that nobody read. The
/// organization's, below `org/`, need an administrator.
#[utoipa::path(
    put, path = "/api/v1/memory/files/{*path}", tag = "Memory",
    security(("bearer" = ["read:data", "write:tools"])), request_body = PutMemoryFile,
    params(
        ("path" = String, Path, description = "Path of the file, with slashes."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, or `*`."),
    ),
    responses(
        (status = 200, description = "It is changed.", body = WrittenView),
        (status = 201, description = "It is there.", body = WrittenView),
        Faults
    )
)]
pub(crate) async fn put_memory_file(
    State(app): State<App>,
    MemoryWriter(writer): MemoryWriter,
    Path(path): Path<String>,
    headers: HeaderMap,
    Json(new): Json<PutMemoryFile, FILE>,
) -> Answer<Response> {
    let if_match = condition(&headers, &IF_MATCH)?;
    let edit = Edit::Create {
        content: new.content,
    };
    let done = app.edit_memory(&writer, &path, edit, if_match.as_deref());
    Ok(written(done.await.map_err(ApiError::about_body)?))
}

/// Deletes a memory file
///
/// Its versions stay for 30 days, and it can be restored from them.
#[utoipa::path(
    delete, path = "/api/v1/memory/files/{*path}", tag = "Memory",
    security(("bearer" = ["read:data", "write:tools"])),
    params(
        ("path" = String, Path, description = "Path of the file, with slashes."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, or `*`."),
    ),
    responses((status = 200, description = "It is gone.", body = WrittenView), Faults)
)]
pub(crate) async fn delete_memory_file(
    State(app): State<App>,
    MemoryWriter(writer): MemoryWriter,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let if_match = condition(&headers, &IF_MATCH)?;
    let done = app.edit_memory(&writer, &path, Edit::Delete, if_match.as_deref());
    Ok(written(done.await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RenameMemoryFile {
    path: String,
    new_path: String,
    /// The etag that was read, or `*`.
    if_match: Option<String>,
}

/// Renames a memory file
#[utoipa::path(
    post, path = "/api/v1/memory/rename", tag = "Memory",
    security(("bearer" = ["read:data", "write:tools"])), request_body = RenameMemoryFile,
    responses((status = 200, description = "It has its new path.", body = WrittenView), Faults)
)]
pub(crate) async fn rename_memory_file(
    State(app): State<App>,
    MemoryWriter(writer): MemoryWriter,
    Json(asked): Json<RenameMemoryFile>,
) -> Answer<Response> {
    let edit = Edit::Rename { to: asked.new_path };
    let done = app.edit_memory(&writer, &asked.path, edit, asked.if_match.as_deref());
    Ok(written(done.await.map_err(ApiError::about_body)?))
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MemorySettings {
    /// Agents may write the organization's memory. Off unless somebody turned it on: what one agent
    /// writes there, every other one reads.
    agents_write_org: bool,
}

/// Reads the settings of memory
///
/// Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/memory/settings", tag = "Memory",
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The settings.", body = MemorySettings), Faults)
)]
pub(crate) async fn read_memory_settings(
    State(app): State<App>,
    Administrator(admin): Administrator,
) -> Answer<axum::Json<MemorySettings>> {
    let agents_write_org = app.agents_write_org_memory(&admin).await?;
    Ok(axum::Json(MemorySettings { agents_write_org }))
}

/// Changes the settings of memory
///
/// Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/memory/settings", tag = "Memory",
    security(("bearer" = ["admin"])), request_body = MemorySettings,
    responses((status = 200, description = "The settings as they are now.", body = MemorySettings), Faults)
)]
pub(crate) async fn set_memory_settings(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(settings): Json<MemorySettings>,
) -> Answer<axum::Json<MemorySettings>> {
    app.let_agents_write_org_memory(&admin, settings.agents_write_org)
        .await?;
    Ok(axum::Json(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_one_entity_tag() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, value.parse().unwrap());
            condition(&headers, &IF_MATCH).map(Option::unwrap_or_default)
        };
        assert_eq!(read("\"sha256:ab\"").unwrap(), "sha256:ab");
        assert_eq!(read("W/\"sha256:ab\"").unwrap(), "sha256:ab");
        assert_eq!(read("*").unwrap(), "*");
        for wrong in ["sha256:ab", "\"a\", \"b\"", "\"", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
