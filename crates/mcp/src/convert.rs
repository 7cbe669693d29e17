//! Our words to `rmcp`'s.

use quaymaster_core::Fault;
use quaymaster_core::door::About;
use quaymaster_core::tool::{Content, ToolDef, ToolResult};
use rmcp::model::{
    CallToolResult, ContentBlock, Implementation, Resource, ResourceContents, ServerCapabilities,
    ServerConfig, Tool, ToolAnnotations,
};

pub(crate) fn server(about: About) -> ServerConfig {
    let capabilities = ServerCapabilities::builder()
        .enable_tools()
        .enable_tool_list_changed()
        .build();
    let name = Implementation::new(about.name, about.version).with_title(about.title);
    let server = ServerConfig::new(capabilities).with_server_info(name);
    match about.instructions {
        Some(instructions) => server.with_instructions(instructions),
        None => server,
    }
}

pub(crate) fn tool(def: &ToolDef) -> Tool {
    let nature = def.nature;
    let annotations = ToolAnnotations::with_title(def.title)
        .read_only(nature.read_only)
        .destructive(nature.destructive)
        .idempotent(nature.idempotent)
        .open_world(nature.open_world);
    let mut tool = Tool::new(def.name, def.description.clone(), def.input.clone());
    tool.title = Some(def.title.to_owned());
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

fn block(content: Content) -> ContentBlock {
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
