//! The knowledge base: documents are uploaded, listed, searched, read again and deleted.

use crate::arriving::{WHOLE, late, piece};
use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::paging::Paging;
use crate::read::{Path, Query};
use axum::body::Body;
use axum::extract::State;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use quaymaster_app::App;
use quaymaster_app::documents::{
    self, Asked, Chunk, Document, DocumentFilter, Found, NewDocument, Receiver,
};
use quaymaster_core::id::DocumentId;
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A document of the knowledge base.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Document)]
pub(crate) struct DocumentView {
    id: String,
    /// Unique in the organization.
    path: String,
    title: String,
    /// By its name at first, by its content once it was read.
    media_type: String,
    /// In bytes.
    size: i64,
    /// `sha256:` and the digest of the bytes.
    etag: String,
    /// `queued`, `extracting`, `indexed` or `failed`.
    state: String,
    /// Why it failed: `unsupported`, `encrypted`, `no_text`, `malformed`, `too_large` or `interrupted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The same as a sentence, with what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// Pieces of its text that can be found.
    chunks: i64,
    /// Of its text.
    characters: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    indexed_at: Option<Instant>,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        let explanation = document.reason.as_deref().map(documents::reason_in_words);
        DocumentView {
            id: document.id.to_string(),
            path: document.path,
            title: document.title,
            media_type: document.media_type,
            size: document.size,
            etag: format!("sha256:{}", document.sha256),
            state: document.state.name().to_owned(),
            explanation: explanation.map(str::to_owned),
            reason: document.reason,
            chunks: document.chunks,
            characters: document.characters,
            created_at: document.created_at,
            updated_at: document.updated_at,
            indexed_at: document.indexed_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneDocument {
    document: DocumentView,
}

impl From<Document> for OneDocument {
    fn from(document: Document) -> Self {
        let document = document.into();
        OneDocument { document }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DocumentList {
    documents: Vec<DocumentView>,
    /// How many there are in all pages.
    total: i64,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListDocuments {
    /// Only paths that begin so.
    prefix: Option<String>,
    /// Only this state: `queued`, `extracting`, `indexed` or `failed`.
    state: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// How many to leave out at the start.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// Lists documents
///
/// By path.
#[utoipa::path(
    get, path = "/api/v1/documents", tag = "Documents",
    security(("bearer" = ["admin"])), params(ListDocuments),
    responses((status = 200, description = "A page of documents.", body = DocumentList), Faults)
)]
pub(crate) async fn list_documents(
    State(app): State<App>,
    Person(actor): Person,
    Query(asked): Query<ListDocuments>,
) -> Answer<axum::Json<DocumentList>> {
    let state = asked.state.as_deref().map(|name| {
        documents::State::by_name(name).ok_or_else(|| {
            let message = "A state is queued, extracting, indexed or failed.";
            Fault::invalid_arg("/state", "enum", message)
        })
    });
    let filter = DocumentFilter {
        prefix: asked.prefix.unwrap_or_default().replace('\0', ""),
        state: state.transpose()?,
    };
    let (limit, offset) = Paging::new(asked.limit, asked.offset).checked()?;
    let (page, total) = app.documents(&actor, &filter, limit, offset).await?;
    let documents = page.into_iter().map(DocumentView::from).collect();
    Ok(axum::Json(DocumentList { documents, total }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AddDocument {
    /// For example `handbook/rules.pdf`: at most 512 bytes.
    path: String,
    /// Without one, the name in the path.
    title: Option<String>,
    /// A document at that path gets these bytes, and keeps its id. Without this it is refused.
    #[param(default = false)]
    replace: Option<bool>,
}

/// Uploads a document
///
/// The body is the file itself, of any type: text, Markdown, HTML, CSV, PDF, docx, xlsx and pptx are read. What it is is
/// found by its content. The answer comes when the bytes are stored; the text can be found once the document's `state` is
/// `indexed`. One request carries at most 64 MiB; larger documents, and those over connections that break, are sent in
/// parts by an upload session. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/documents", tag = "Documents",
    security(("bearer" = ["admin"])), params(AddDocument),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "The document.", body = OneDocument), Faults)
)]
pub(crate) async fn add_document(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Query(new): Query<AddDocument>,
    headers: HeaderMap,
    body: Body,
) -> Answer<(StatusCode, axum::Json<OneDocument>)> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|size| size.to_str().ok());
    let new = NewDocument {
        path: new.path,
        title: new.title,
        replace: new.replace.unwrap_or(false),
        size: announced.and_then(|size| size.parse().ok()),
    };
    let receiver = app.receive_document(&admin, new).await?;
    let Ok(received) = tokio::time::timeout(WHOLE, receive(receiver, body)).await else {
        return Err(late("document").into());
    };
    Ok((StatusCode::CREATED, axum::Json(received?.into())))
}

async fn receive(mut receiver: Receiver, mut body: Body) -> Result<Document, Fault> {
    while let Some(bytes) = piece(&mut body, "document").await? {
        receiver = receiver.write(bytes).await?;
    }
    receiver.finish().await
}

/// Reads a document
///
/// What is known of it: its state, and why it failed.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}", tag = "Documents",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the document.")),
    responses((status = 200, description = "The document.", body = OneDocument), Faults)
)]
pub(crate) async fn read_one_document(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<DocumentId>,
) -> Answer<axum::Json<OneDocument>> {
    Ok(axum::Json(app.document(&actor, &id).await?.into()))
}

/// A piece of a document's text.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentChunk)]
pub(crate) struct ChunkView {
    /// From 1.
    n: i64,
    /// The headings above it, outermost first.
    heading: String,
    /// All pieces in their order are the text.
    text: String,
}

impl From<Chunk> for ChunkView {
    fn from(chunk: Chunk) -> Self {
        ChunkView {
            n: chunk.n,
            heading: chunk.heading,
            text: chunk.text,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChunkList {
    chunks: Vec<ChunkView>,
    /// How many there are in all pages.
    total: i64,
}

/// Lists the pieces of a document's text
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/chunks", tag = "Documents",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the document."), Paging),
    responses((status = 200, description = "A page of pieces.", body = ChunkList), Faults)
)]
pub(crate) async fn list_document_chunks(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<DocumentId>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<ChunkList>> {
    let (limit, offset) = paging.checked()?;
    let document = app.document(&actor, &id).await?;
    let from = offset.saturating_add(1);
    let chunks = app.document_chunks(&actor, &id, from, limit).await?;
    Ok(axum::Json(ChunkList {
        chunks: chunks.into_iter().map(ChunkView::from).collect(),
        total: document.chunks,
    }))
}

/// A piece of a document that was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundPassage {
    /// Where agents read it as a resource.
    uri: String,
    /// Id of the document.
    document: String,
    title: String,
    path: String,
    /// The headings above it, outermost first.
    heading_path: String,
    snippet: String,
    /// More is better; comparable within one answer.
    score: f64,
    /// Of the document.
    etag: String,
}

impl From<Found> for FoundPassage {
    fn from(found: Found) -> Self {
        FoundPassage {
            uri: found.uri,
            document: found.document,
            title: found.title,
            path: found.path,
            heading_path: found.heading,
            snippet: found.snippet,
            score: found.score,
            etag: found.etag,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundPassages {
    results: Vec<FoundPassage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchDocuments {
    /// The words to look for. Signs between them mean nothing.
    query: String,
    /// How many at most.
    #[param(minimum = 1, maximum = 25, default = 8)]
    limit: Option<i64>,
    /// Only documents whose path begins so.
    path_prefix: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Searches the documents
///
/// Finds pieces that have words of the query, best first: what `search_knowledge` does for agents.
#[utoipa::path(
    get, path = "/api/v1/documents/search", tag = "Documents",
    security(("bearer" = ["admin"])), params(SearchDocuments),
    responses((status = 200, description = "What was found.", body = FoundPassages), Faults)
)]
pub(crate) async fn search_documents(
    State(app): State<App>,
    Person(actor): Person,
    Query(asked): Query<SearchDocuments>,
) -> Answer<axum::Json<FoundPassages>> {
    let asked = Asked {
        query: asked.query,
        limit: asked.limit,
        path_prefix: asked.path_prefix,
        cursor: asked.cursor,
    };
    let found = app.search_documents(&actor.org, &asked).await?;
    Ok(axum::Json(FoundPassages {
        results: found.results.into_iter().map(FoundPassage::from).collect(),
        next_cursor: found.next_cursor,
    }))
}

/// Indexes a document again
///
/// What is found of it until then is what it had. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/reindex", tag = "Documents",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the document.")),
    responses((status = 202, description = "It waits to be read.", body = OneDocument), Faults)
)]
pub(crate) async fn reindex_document(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<DocumentId>,
) -> Answer<(StatusCode, axum::Json<OneDocument>)> {
    let document = app.reindex_document(&admin, &id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(document.into())))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Requeued {
    /// How many documents wait to be read now.
    queued: u64,
}

/// Indexes all documents again
///
/// Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/documents/reindex", tag = "Documents",
    security(("bearer" = ["admin"])),
    responses((status = 202, description = "They wait to be read.", body = Requeued), Faults)
)]
pub(crate) async fn reindex_documents(
    State(app): State<App>,
    Administrator(admin): Administrator,
) -> Answer<(StatusCode, axum::Json<Requeued>)> {
    let queued = app.reindex_documents(&admin).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Requeued { queued })))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedDocument {
    deleted: bool,
    id: String,
    path: String,
    /// Pieces of its text that are gone.
    chunks: i64,
    /// Whether its bytes are gone from the disk: not while another document has the same, or a backup runs.
    bytes_removed: bool,
}

/// Deletes a document
///
/// With its text and its bytes. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/documents/{id}", tag = "Documents",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the document.")),
    responses((status = 200, description = "It is gone.", body = DeletedDocument), Faults)
)]
pub(crate) async fn delete_document(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<DocumentId>,
) -> Answer<axum::Json<DeletedDocument>> {
    let deleted = app.delete_document(&admin, &id).await?;
    Ok(axum::Json(DeletedDocument {
        deleted: true,
        id: deleted.document.id.to_string(),
        path: deleted.document.path,
        chunks: deleted.document.chunks,
        bytes_removed: deleted.bytes_removed,
    }))
}
