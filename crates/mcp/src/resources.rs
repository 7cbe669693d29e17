//! Resources: lists, reading, and who watches what in sessions.

use crate::calls::era;
use crate::convert::{TTL_MS, refusal};
use crate::handler::Handler;
use quaymaster_core::door::{Listed, Offers};
use quaymaster_core::resource::{Body, Contents, ResourceDef, TemplateDef};
use quaymaster_core::{Code, Fault};
use rmcp::RoleServer;
use rmcp::model::{
    CacheScope, ErrorData, ListResourceTemplatesResult, ListResourcesResult,
    PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    Resource, ResourceContents, ResourceTemplate,
};
use rmcp::service::RequestContext;

fn offered(offers: Offers) -> bool {
    offers.resources
}

pub(crate) async fn list(
    handler: &Handler,
    request: Option<PaginatedRequestParams>,
    context: &RequestContext<RoleServer>,
) -> Result<ListResourcesResult, ErrorData> {
    let caller = handler.offered(context, "resources", offered)?;
    let cursor = request.and_then(|request| request.cursor);
    let listed = (handler.shared.door).resources(&caller, era(context), cursor.as_deref());
    let Listed { items, next } = listed.await.map_err(|fault| refusal(&fault))?;
    let mut answer = ListResourcesResult::with_all_items(items.into_iter().map(resource).collect());
    answer.next_cursor = next;
    answer.ttl_ms = Some(TTL_MS);
    answer.cache_scope = Some(CacheScope::Private);
    Ok(answer)
}

pub(crate) async fn list_templates(
    handler: &Handler,
    request: Option<PaginatedRequestParams>,
    context: &RequestContext<RoleServer>,
) -> Result<ListResourceTemplatesResult, ErrorData> {
    let caller = handler.offered(context, "resource templates", offered)?;
    let cursor = request.and_then(|request| request.cursor);
    let listed = handler.shared.door.templates(&caller, cursor.as_deref());
    let Listed { items, next } = listed.await.map_err(|fault| refusal(&fault))?;
    let mut answer =
        ListResourceTemplatesResult::with_all_items(items.into_iter().map(template).collect());
    answer.next_cursor = next;
    answer.ttl_ms = Some(TTL_MS);
    answer.cache_scope = Some(CacheScope::Private);
    Ok(answer)
}

pub(crate) async fn read(
    handler: &Handler,
    request: ReadResourceRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<ReadResourceResponse, ErrorData> {
    let caller = handler.offered(context, "resources", offered)?;
    let parts = handler.shared.door.read(&caller, &request.uri);
    let parts = parts.await.map_err(|fault| unread(fault, &request.uri))?;
    let answer = ReadResourceResult::new(parts.into_iter().map(contents).collect())
        .with_ttl_ms(TTL_MS)
        .with_cache_scope(CacheScope::Private);
    Ok(answer.into())
}

/// Nothing at a URI has a code of its own in the versions with sessions, and the URI in its data in
/// all (MCP, resources, error handling).
fn unread(fault: Fault, uri: &str) -> ErrorData {
    if fault.code != Code::NotFound {
        return refusal(&fault);
    }
    let mut data = fault.to_json();
    data["uri"] = uri.into();
    ErrorData::resource_not_found(fault.message, Some(data))
}

/// Starts to tell a session's client when the resource changes.
pub(crate) fn watch(
    handler: &Handler,
    uri: String,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    handler.offered(context, "resources", offered)?;
    if handler.wishes().watch(uri) {
        return Ok(());
    }
    let message = "This session subscribes to too many resources, or the URI is too long. Unsubscribe from some first.";
    Err(ErrorData::invalid_params(message, None))
}

pub(crate) fn unwatch(
    handler: &Handler,
    uri: &str,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    handler.offered(context, "resources", offered)?;
    handler.wishes().unwatch(uri);
    Ok(())
}

fn resource(def: ResourceDef) -> Resource {
    let mut resource = Resource::new(def.uri, def.name);
    resource.title = def.title;
    resource.description = def.description;
    resource.mime_type = def.mime;
    resource.size = def.size;
    resource
}

fn template(def: TemplateDef) -> ResourceTemplate {
    let mut template = ResourceTemplate::new(def.uri_template, def.name);
    template.title = def.title;
    template.description = def.description;
    template.mime_type = def.mime;
    template
}

fn contents(part: Contents) -> ResourceContents {
    let Contents { uri, mime, body } = part;
    match body {
        Body::Text(text) => ResourceContents::TextResourceContents {
            uri,
            mime_type: mime,
            text,
            meta: None,
        },
        Body::Blob(blob) => ResourceContents::BlobResourceContents {
            uri,
            mime_type: mime,
            blob,
            meta: None,
        },
    }
}
