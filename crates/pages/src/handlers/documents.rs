//! `/documents`: the knowledge base. Documents are uploaded, searched, looked at, indexed again and deleted.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use quaymaster_app::App;
use quaymaster_app::documents::{
    self, Asked, Document, DocumentFilter, Found, NewDocument, State as DocumentState,
};
use quaymaster_app::uploads::NewDocumentUpload;
use quaymaster_core::id::{DocumentId, UploadId};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

use super::answer::{self, At, Stop, shown};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, File, Form, Posted};
use super::{Pages, paged};
use crate::views::address::segment;
use crate::views::pager::ROWS;
use crate::views::{
    DocumentForm, DocumentPage, DocumentRow, DocumentStatus, DocumentsPage, Field, PassageRow,
    PieceView, Usage,
};

const PATH: &str = "/documents";
/// Pieces of a document on its page.
const PIECES: i64 = 20;
/// Passages that a search shows.
const PASSAGES: i64 = 20;
/// Of a file that is sent by the page, which is held whole until it is stored, once.
const MOST_BYTES: usize = 32 * 1024 * 1024;

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<paged::Asked>,
) -> Result<Response, Stop> {
    let form = person.actor.role.administers().then(DocumentForm::default);
    let page = page(&app, person, &asked, form).await?;
    Ok(shown(StatusCode::OK, &page))
}

async fn page(
    app: &App,
    person: Person,
    asked: &paged::Asked,
    form: Option<DocumentForm>,
) -> Result<DocumentsPage, Fault> {
    let actor = &person.actor;
    let query: String = asked.query.trim().chars().take(500).collect();
    let found = if query.is_empty() {
        Vec::new()
    } else {
        let asked = Asked {
            query: query.clone(),
            limit: Some(PASSAGES),
            ..Asked::default()
        };
        app.search_documents(&actor.org, &asked).await?.results
    };
    let all = DocumentFilter::default();
    let (documents, total) = app.documents(actor, &all, ROWS, asked.offset()).await?;
    let usage = app.document_usage(actor).await?;
    let settings = app.settings();
    let most = settings.document_bytes.max(0).cast_unsigned();
    Ok(DocumentsPage {
        layout: person.layout,
        query,
        found: found.into_iter().map(passage).collect(),
        documents: documents.into_iter().map(row).collect(),
        pager: asked.pager(PATH, total),
        room: Usage {
            used: usage.bytes.max(0).cast_unsigned(),
            limit: settings.documents_quota_bytes.max(0).cast_unsigned(),
        },
        form: form.map(|form| DocumentForm {
            most_bytes: most,
            whole_bytes: most.min(MOST_BYTES as u64),
            ..form
        }),
    })
}

fn passage(found: Found) -> PassageRow {
    let piece = found.uri.rsplit_once('#').map_or("1", |(_, piece)| piece);
    let from: i64 = piece.parse().unwrap_or(1);
    PassageRow {
        document: format!(
            "{PATH}/{}?from={}#piece-{from}",
            segment(&found.document),
            from - 1
        ),
        title: found.title,
        path: found.path,
        heading: found.heading,
        snippet: found.snippet,
    }
}

fn row(document: Document) -> DocumentRow {
    DocumentRow {
        id: document.id.to_string(),
        status: status(&document),
        path: document.path,
        title: document.title,
        size: document.size.max(0).cast_unsigned(),
        updated_at: document.updated_at,
    }
}

fn status(document: &Document) -> DocumentStatus {
    match document.state {
        DocumentState::Queued => DocumentStatus::Queued,
        DocumentState::Extracting => DocumentStatus::Extracting,
        DocumentState::Indexed => DocumentStatus::Indexed(document.chunks.max(0).cast_unsigned()),
        DocumentState::Failed => {
            let reason = document.reason.as_deref().unwrap_or_default();
            DocumentStatus::Failed(documents::reason_in_words(reason).to_owned())
        }
    }
}

pub(super) struct Uploaded {
    file: Option<File>,
    folder: String,
    title: String,
    replace: bool,
}

impl Form for Uploaded {
    const MOST: usize = MOST_BYTES + 64 * 1024;
    const WITHIN: Duration = Duration::from_mins(10);

    fn read(fields: &Fields) -> Self {
        Uploaded {
            file: fields.file("file"),
            folder: fields.text("folder"),
            title: fields.text("title"),
            replace: !fields.one("replace").is_empty(),
        }
    }
}

pub(super) async fn upload(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<Uploaded>,
) -> Result<Response, Stop> {
    let again = again(&form.folder, &form.title, form.replace);
    let fault = match form.file {
        None => Fault::invalid_arg("/file", "required", "Choose a file."),
        Some(file) => {
            let new = NewDocument {
                path: path_of(&form.folder, &file.name),
                title: Some(form.title),
                replace: form.replace,
                size: i64::try_from(file.bytes.len()).ok(),
            };
            let taken = async {
                let mut receiver = pages.app.receive_document(&admin, new).await?;
                for piece in file.pieces() {
                    receiver = receiver.write(piece).await?;
                }
                receiver.finish().await
            };
            match taken.await {
                Ok(_) => return Ok(answer::done(&pages, PATH, Notice::DocumentAdded)),
                Err(fault) => fault,
            }
        }
    };
    refused(&pages.app, person, again, fault).await
}

/// The form with what was typed.
fn again(folder: &str, title: &str, replace: bool) -> DocumentForm {
    DocumentForm {
        folder: Field::new(folder.to_owned()),
        title: Field::new(title.to_owned()),
        replace,
        ..DocumentForm::default()
    }
}

/// The page once more, with why the document was not taken.
async fn refused(
    app: &App,
    person: Person,
    mut again: DocumentForm,
    fault: Fault,
) -> Result<Response, Stop> {
    let said = match &fault.hint {
        Some(hint) => format!("{} {hint}", fault.message),
        None => fault.message.clone(),
    };
    let status = match fault.code {
        Code::InvalidArg | Code::AlreadyExists | Code::TooLarge | Code::QuotaExceeded => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => return Err(fault.into()),
    };
    match answer::field_of(&fault) {
        Some("/path") => again.folder.error = Some(said),
        Some("/title") => again.title.error = Some(said),
        _ => again.error = Some(said),
    }
    let asked = paged::Asked::default();
    let page = page(app, person, &asked, Some(again)).await?;
    Ok(shown(status, &page))
}

/// What the script says of a file that it sends in parts, when it begins and when it is done.
pub(super) struct InParts {
    name: String,
    size: i64,
    folder: String,
    title: String,
    replace: bool,
}

impl Form for InParts {
    fn read(fields: &Fields) -> Self {
        InParts {
            name: fields.text("name"),
            // What is no number is the size of nothing.
            size: fields.one("size").parse().unwrap_or(-1),
            folder: fields.text("folder"),
            title: fields.text("title"),
            replace: !fields.one("replace").is_empty(),
        }
    }
}

/// Answers the script where it sends the parts, or with the page that says why not.
pub(super) async fn begin(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<InParts>,
) -> Result<Response, Stop> {
    let again = again(&form.folder, &form.title, form.replace);
    let new = NewDocumentUpload {
        path: path_of(&form.folder, &form.name),
        title: Some(form.title),
        replace: form.replace,
        size: form.size,
        sha256: None,
    };
    let begun = match pages.app.create_document_upload(&admin, new).await {
        Ok(begun) => begun,
        Err(fault) => return refused(&pages.app, person, again, fault).await,
    };
    let told = json!({
        "part": begun.part_path,
        "partSize": begun.part_size,
        "partCount": begun.part_count,
        "complete": format!("{PATH}/uploads/{}/complete", segment(begun.id.as_str())),
    });
    Ok(Json(told).into_response())
}

/// The script has sent what it could. What passes by itself costs nobody what was sent, since the script asks again; any other
/// session that does not become a document now never does.
pub(super) async fn complete(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<UploadId>,
    Posted(form): Posted<InParts>,
) -> Result<Response, Stop> {
    let Err(fault) = pages.app.complete_document_upload(&admin, &id).await else {
        return Ok(answer::done(&pages, PATH, Notice::DocumentAdded));
    };
    if matches!(
        fault.code,
        Code::RateLimited | Code::Unavailable | Code::Timeout | Code::Internal
    ) {
        return Err(fault.into());
    }
    if let Err(kept) = pages.app.abort_document_upload(&admin, &id).await {
        tracing::debug!(%kept, "an upload that failed was not aborted");
    }
    let fault = match fault.code {
        Code::UploadIncomplete => Fault::invalid_arg(
            "/file",
            "required",
            "Not all of the file arrived. Upload it again.",
        ),
        _ => fault,
    };
    let again = again(&form.folder, &form.title, form.replace);
    refused(&pages.app, person, again, fault).await
}

/// Some browsers send a path, of which the name counts.
fn path_of(folder: &str, name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let folder = folder.trim().trim_matches('/');
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[derive(Deserialize)]
pub(super) struct Reading {
    #[serde(default)]
    from: String,
}

impl Reading {
    /// What is no number is the beginning.
    fn from(&self) -> i64 {
        self.from.parse().unwrap_or(0).clamp(0, i64::from(i32::MAX))
    }
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<DocumentId>,
    Query(reading): Query<Reading>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let document = app.document(actor, &id).await?;
    let from = reading.from();
    let pieces = app.document_chunks(actor, &id, from + 1, PIECES).await?;
    let page = DocumentPage {
        may_change: actor.role.administers(),
        layout: person.layout,
        id: document.id.to_string(),
        status: status(&document),
        path: document.path,
        title: document.title,
        media_type: document.media_type,
        size: document.size.max(0).cast_unsigned(),
        characters: document.characters.max(0).cast_unsigned(),
        updated_at: document.updated_at,
        indexed_at: document.indexed_at,
        pieces: pieces
            .into_iter()
            .map(|piece| PieceView {
                n: piece.n,
                heading: piece.heading,
                text: piece.text,
            })
            .collect(),
        previous: (from > 0).then(|| (from - PIECES).max(0)),
        next: (from + PIECES < document.chunks).then_some(from + PIECES),
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn reindex(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<DocumentId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.reindex_document(&admin, &id).await?;
    let path = format!("{PATH}/{}", segment(id.as_str()));
    Ok(answer::done(&pages, &path, Notice::DocumentsQueued))
}

pub(super) async fn reindex_all(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.reindex_documents(&admin).await?;
    Ok(answer::done(&pages, PATH, Notice::DocumentsQueued))
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<DocumentId>,
    Query(asked): Query<paged::Asked>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.delete_document(&admin, &id).await?;
    Ok(answer::done(
        &pages,
        &asked.back(PATH),
        Notice::DocumentDeleted,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_in_its_folder_by_its_name_alone() {
        assert_eq!(path_of("", "a.md"), "a.md");
        assert_eq!(path_of(" /handbook/ ", "C:\\files\\a.md"), "handbook/a.md");
        assert_eq!(path_of("x/y", "../../a.md"), "x/y/a.md");
    }
}
