//! Our words to `rmcp`'s.

use quaymaster_core::door::{About, Offers};
use quaymaster_core::tool::{Content, ToolDef, ToolResult};
use quaymaster_core::{Code, Fault};
use rmcp::model::{
    CallToolResult, ContentBlock, ErrorCode, ErrorData, Implementation, JsonObject,
    PromptsCapability, Resource, ResourceContents, ResourcesCapability, SKILLS_EXTENSION_ID,
    ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};

/// How long a client may believe a list or resource: not at all, since changes are told.
pub(crate) const TTL_MS: u64 = 0;

pub(crate) fn capabilities(offers: Offers) -> ServerCapabilities {
    let mut capabilities = ServerCapabilities::builder()
        .enable_tools()
        .enable_tool_list_changed()
        .build();
    if offers.resources {
        let mut resources = ResourcesCapability::default();
        resources.subscribe = Some(true);
        resources.list_changed = Some(true);
        capabilities.resources = Some(resources);
    }
    if offers.prompts {
        let mut prompts = PromptsCapability::default();
        prompts.list_changed = Some(true);
        capabilities.prompts = Some(prompts);
    }
    if offers.skills {
        capabilities
            .extensions
            .get_or_insert_default()
            .insert(SKILLS_EXTENSION_ID.to_owned(), JsonObject::new());
    }
    capabilities.completions = offers.completions.then(JsonObject::new);
    capabilities.logging = offers.logging.then(JsonObject::new);
    capabilities
}

pub(crate) fn server(about: About) -> ServerConfig {
    let name = Implementation::new(about.name, about.version).with_title(about.title);
    let server = ServerConfig::new(capabilities(about.offers)).with_server_info(name);
    match about.instructions {
        Some(instructions) => server.with_instructions(instructions),
        None => server,
    }
}

/// A fault where the protocol has no place for a result.
pub(crate) fn refusal(fault: &Fault) -> ErrorData {
    let code = match fault.code {
        Code::Internal | Code::Unavailable => ErrorCode::INTERNAL_ERROR,
        Code::InvalidArg | Code::NotFound => ErrorCode::INVALID_PARAMS,
        _ => ErrorCode::INVALID_REQUEST,
    };
    ErrorData::new(code, fault.message.clone(), Some(fault.to_json()))
}

pub(crate) fn tool(def: &ToolDef) -> Tool {
    let nature = def.nature;
    let annotations = ToolAnnotations::with_title(def.title.clone())
        .read_only(nature.read_only)
        .destructive(nature.destructive)
        .idempotent(nature.idempotent)
        .open_world(nature.open_world);
    let mut tool = Tool::new(def.name.clone(), def.description.clone(), def.input.clone());
    tool.title = Some(def.title.clone().into_owned());
    tool.output_schema.clone_from(&def.output);
    tool.annotations = Some(annotations);
    tool
}

pub(crate) fn result(result: ToolResult) -> CallToolResult {
    let content = result.content.into_iter().map(block).collect();
    let mut converted = CallToolResult::success(content);
    converted.structured_content = result.structured;
    converted
}

/// A fault as a tool's error: its JSON as the only text.
pub(crate) fn fault(fault: &Fault) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(fault.to_json().to_string())])
}

pub(crate) fn block(content: Content) -> ContentBlock {
    match content {
        Content::Text(text) => ContentBlock::text(text),
        Content::Image { data, mime } => ContentBlock::image(data, mime),
        Content::Audio { data, mime } => ContentBlock::audio(data, mime),
        Content::Embedded { uri, mime, text } => {
            ContentBlock::resource(ResourceContents::text(text, uri).with_mime_type(mime))
        }
        Content::Link {
            uri,
            name,
            mime,
            size,
        } => {
            let mut resource = Resource::new(uri, name);
            resource.mime_type = mime;
            resource.size = size;
            ContentBlock::resource_link(resource)
        }
    }
}
