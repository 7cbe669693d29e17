//! The tools of a credential over REST, for assistants that speak no MCP. The shapes are those of
//! MCP (server/tools), so that what knows one knows the other.

use crate::auth::ToolCaller;
use crate::error::{Answer, Faults};
use crate::read::{Json, Path};
use axum::extract::State;
use http::HeaderMap;
use http::header::USER_AGENT;
use quaymaster_app::App;
use quaymaster_core::tool::{
    Call, Content, Ctx, JsonObject, Nature, Outcome, Source, ToolDef, ToolResult,
};
use quaymaster_core::{Code, Door as _, Fault};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct ToolList {
    tools: Vec<ToolView>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tool)]
pub(crate) struct ToolView {
    name: Cow<'static, str>,
    title: Cow<'static, str>,
    description: String,
    /// JSON Schema 2020-12 of the arguments.
    #[schema(value_type = Object)]
    input_schema: Arc<JsonObject>,
    /// JSON Schema 2020-12 of `structuredContent`.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Arc<JsonObject>>,
    annotations: Annotations,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ToolAnnotations)]
pub(crate) struct Annotations {
    title: Cow<'static, str>,
    read_only_hint: bool,
    destructive_hint: bool,
    idempotent_hint: bool,
    open_world_hint: bool,
}

impl From<&ToolDef> for ToolView {
    fn from(def: &ToolDef) -> Self {
        let Nature {
            read_only,
            destructive,
            idempotent,
            open_world,
        } = def.nature;
        ToolView {
            name: def.name.clone(),
            title: def.title.clone(),
            description: def.description.clone(),
            input_schema: def.input.clone(),
            output_schema: def.output.clone(),
            annotations: Annotations {
                title: def.title.clone(),
                read_only_hint: read_only,
                destructive_hint: destructive,
                idempotent_hint: idempotent,
                open_world_hint: open_world,
            },
        }
    }
}

/// Lists the credential's tools
#[utoipa::path(
    get, path = "/api/v1/tools", tag = "Tools",
    security(("bearer" = ["chat"])),
    responses((status = 200, description = "The tools.", body = ToolList), Faults)
)]
pub(crate) async fn list_tools(
    State(app): State<App>,
    ToolCaller(caller): ToolCaller,
) -> Answer<axum::Json<ToolList>> {
    let tools = app.tools(&caller).await?;
    Ok(axum::Json(ToolList {
        tools: tools.iter().map(ToolView::from).collect(),
    }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ToolResult)]
pub(crate) struct ResultView {
    content: Vec<Block>,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<Value>,
}

/// A block of a result, told apart by `type`.
#[derive(Serialize, ToSchema)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
#[schema(as = ContentBlock)]
pub(crate) enum Block {
    Text {
        text: String,
    },
    Image {
        /// Base64.
        data: String,
        #[serde(rename = "mimeType")]
        mime_type: String,
    },
    Audio {
        /// Base64.
        data: String,
        #[serde(rename = "mimeType")]
        mime_type: String,
    },
    Resource {
        resource: Resource,
    },
    ResourceLink {
        uri: String,
        name: String,
        #[serde(rename = "mimeType", skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
    },
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EmbeddedResource)]
pub(crate) struct Resource {
    uri: String,
    mime_type: String,
    text: String,
}

impl From<Content> for Block {
    fn from(content: Content) -> Self {
        match content {
            Content::Text(text) => Block::Text { text },
            Content::Image { data, mime } => Block::Image {
                data,
                mime_type: mime,
            },
            Content::Audio { data, mime } => Block::Audio {
                data,
                mime_type: mime,
            },
            Content::Embedded { uri, mime, text } => Block::Resource {
                resource: Resource {
                    uri,
                    mime_type: mime,
                    text,
                },
            },
            Content::Link {
                uri,
                name,
                mime,
                size,
            } => Block::ResourceLink {
                uri,
                name,
                mime_type: mime,
                size,
            },
        }
    }
}

impl From<ToolResult> for ResultView {
    fn from(result: ToolResult) -> Self {
        ResultView {
            content: result.content.into_iter().map(Block::from).collect(),
            structured_content: result.structured,
        }
    }
}

/// A megabyte of text can be six times as long once it is escaped JSON.
const MOST_ARGUMENTS: usize = 8 * 1024 * 1024;

/// Calls a tool
///
/// The body is the object of its arguments. Tools that change something need the scope
/// `write:tools` besides, all others `read:tools`.
#[utoipa::path(
    post, path = "/api/v1/tools/{name}", tag = "Tools",
    security(("bearer" = ["chat"])),
    request_body(content = Object, description = "The arguments, as `inputSchema` says."),
    params(("name" = String, Path, description = "Name of the tool.")),
    responses((status = 200, description = "What the tool answered.", body = ResultView), Faults)
)]
pub(crate) async fn call_tool(
    State(app): State<App>,
    ToolCaller(caller): ToolCaller,
    Path(tool): Path<String>,
    headers: HeaderMap,
    Json(args): Json<JsonObject, MOST_ARGUMENTS>,
) -> Answer<axum::Json<ResultView>> {
    let client = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let ctx = Ctx {
        client: client.map(str::to_owned),
        ..Ctx::new(app.fresh_call_id(), app.now())
    };
    let call = Call {
        tool,
        args: Arc::new(args),
        source: Source::Rest,
        answers: None,
        ctx,
    };
    match app.call(&caller, call).await? {
        Outcome::Done(result) => Ok(axum::Json(result.into())),
        Outcome::Ask(..) => Err(Fault::new(
            Code::Forbidden,
            "This tool asks its user something, and over REST nobody can be asked.",
        )
        .hint("Call it over MCP, with a client that supports elicitation.")
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::PartialSchema as _;

    #[test]
    fn blocks_are_spelled_as_in_mcp_and_so_is_their_schema() {
        let blocks = [
            Content::Text("a".into()),
            Content::Image {
                data: "AA==".into(),
                mime: "image/png".into(),
            },
            Content::Audio {
                data: "AA==".into(),
                mime: "audio/wav".into(),
            },
            Content::Embedded {
                uri: "a://b".into(),
                mime: "text/plain".into(),
                text: "c".into(),
            },
            Content::Link {
                uri: "a://b".into(),
                name: "b".into(),
                mime: None,
                size: Some(1),
            },
        ]
        .map(Block::from);
        insta::assert_snapshot!(serde_json::to_string(&blocks).unwrap(), @r#"[{"type":"text","text":"a"},{"type":"image","data":"AA==","mimeType":"image/png"},{"type":"audio","data":"AA==","mimeType":"audio/wav"},{"type":"resource","resource":{"uri":"a://b","mimeType":"text/plain","text":"c"}},{"type":"resource_link","uri":"a://b","name":"b","size":1}]"#);
        let schema = serde_json::to_value(Block::schema()).unwrap();
        for (block, variant) in blocks.iter().zip(schema["oneOf"].as_array().unwrap()) {
            let block = serde_json::to_value(block).unwrap();
            for required in variant["required"].as_array().unwrap() {
                assert!(
                    block.get(required.as_str().unwrap()).is_some(),
                    "{block}: {required}"
                );
            }
            for key in block.as_object().unwrap().keys() {
                assert!(variant["properties"].get(key).is_some(), "{block}: {key}");
            }
        }
    }
}
