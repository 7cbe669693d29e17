//! A door with the fixture tools of the conformance suite, which lets everybody in.

use quaymaster_core::caller::{Presented, Refusal};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::door::{About, Change, ChangeFeed, Door, Fut};
use quaymaster_core::id::{CredentialId, OrgId, WorkspaceId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::tool::{Call, Content, JsonObject, Nature, Outcome, ToolDef, ToolResult};
use quaymaster_core::{Caller, Code, Fault, Scopes, Who};
use quaymaster_mcp::Mcp;
use quaymaster_mcp::origin::Origins;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// The smallest PNG and WAV.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

pub(crate) struct FixtureDoor {
    pub(crate) admitted: AtomicUsize,
    changes: broadcast::Sender<Change>,
}

impl FixtureDoor {
    pub(crate) fn new() -> Arc<FixtureDoor> {
        Arc::new(FixtureDoor {
            admitted: AtomicUsize::new(0),
            changes: broadcast::channel(4096).0,
        })
    }

    /// Tells everybody.
    pub(crate) fn tell(&self, change: Change) {
        // Nobody listening is fine.
        let _ = self.changes.send(change);
    }

    /// The protocol over this door.
    pub(crate) fn router(self: &Arc<Self>) -> axum::Router {
        let mcp = Mcp::new(
            self.clone(),
            Origins::new([]),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            CancellationToken::new(),
        );
        mcp.router()
    }
}

/// A caller of one letter: `a` and `b` are two credentials.
fn caller(letter: &str) -> Caller {
    let id = |prefix: &str| format!("{prefix}_{letter:0>26}");
    let org: OrgId = id("org").parse().unwrap();
    let workspace: WorkspaceId = id("ws").parse().unwrap();
    let credential: CredentialId = id("crd").parse().unwrap();
    Caller {
        org,
        who: Who::Workspace(workspace),
        credential,
        kind: TokenKind::WorkspaceToken,
        scopes: Scopes::of_tools(),
        grants: Vec::new(),
        expires_at: None,
    }
}

fn object(value: Value) -> Arc<JsonObject> {
    match value {
        Value::Object(object) => Arc::new(object),
        other => panic!("{other} is no object"),
    }
}

fn tool(name: &'static str, input: Value) -> ToolDef {
    ToolDef {
        name,
        title: name,
        description: format!("The fixture {name} of the conformance suite"),
        input: object(input),
        output: None,
        nature: Nature {
            read_only: true,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    }
}

fn tools() -> Arc<[ToolDef]> {
    let names = [
        "test_simple_text",
        "test_image_content",
        "test_audio_content",
        "test_embedded_resource",
        "test_multiple_content_types",
        "test_error_handling",
        "test_tool_with_progress",
        "test_trigger_tool_change",
    ];
    let plain = names.map(|name| tool(name, json!({ "type": "object" })));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
        } },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    });
    let drafted = tool("json_schema_2020_12_tool", schema);
    plain.into_iter().chain([drafted]).collect()
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

fn image() -> Content {
    Content::Image {
        data: PNG.to_owned(),
        mime: "image/png".to_owned(),
    }
}

fn embedded(uri: &str, mime: &str, text: &str) -> Content {
    Content::Embedded {
        uri: uri.to_owned(),
        mime: mime.to_owned(),
        text: text.to_owned(),
    }
}

impl FixtureDoor {
    async fn run(&self, call: Call) -> Result<Vec<Content>, Fault> {
        Ok(match call.tool.as_str() {
            "test_simple_text" | "json_schema_2020_12_tool" => {
                vec![text("This is a simple text response for testing.")]
            }
            "test_image_content" => vec![image()],
            "test_audio_content" => vec![Content::Audio {
                data: WAV.to_owned(),
                mime: "audio/wav".to_owned(),
            }],
            "test_embedded_resource" => vec![embedded(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content.",
            )],
            "test_multiple_content_types" => vec![
                text("Multiple content types test:"),
                image(),
                embedded(
                    "test://mixed-content-resource",
                    "application/json",
                    r#"{"test":"data","value":123}"#,
                ),
            ],
            "test_error_handling" => {
                let message = "This tool intentionally returns an error for testing.";
                return Err(Fault::new(Code::InvalidArg, message));
            }
            "test_tool_with_progress" => {
                for done in [0, 50, 100] {
                    if let Some(progress) = &call.ctx.progress {
                        progress.report(done, Some(100), "Working");
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                vec![text("Done.")]
            }
            "test_trigger_tool_change" => {
                self.tell(Change::Tools);
                vec![text("Told.")]
            }
            name => {
                let fault = Fault::not_found(format!("There is no tool {name:?}."));
                return Err(fault.detail("unknown_tool", name));
            }
        })
    }
}

impl Door for FixtureDoor {
    fn admit(&self, presented: Presented) -> Fut<'_, Result<Caller, Refusal>> {
        self.admitted.fetch_add(1, Ordering::Relaxed);
        let letter = presented
            .bearer
            .map_or("0".to_owned(), |token| token.expose_secret().to_owned());
        Box::pin(async move { Ok(caller(&letter)) })
    }

    fn about(&self, caller: &Caller) -> About {
        About {
            name: "fixture".to_owned(),
            title: "Fixture".to_owned(),
            version: "1.0".to_owned(),
            instructions: Some(format!("You are {}.", caller.credential)),
        }
    }

    fn tools<'a>(&'a self, _caller: &'a Caller) -> Fut<'a, Result<Arc<[ToolDef]>, Fault>> {
        Box::pin(async { Ok(tools()) })
    }

    fn call<'a>(&'a self, _caller: &'a Caller, call: Call) -> Fut<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            let content = self.run(call).await?;
            Ok(Outcome::Done(ToolResult {
                content,
                structured: None,
            }))
        })
    }

    fn changes(&self, _caller: &Caller) -> Box<dyn ChangeFeed> {
        Box::new(Feed(self.changes.subscribe()))
    }
}

struct Feed(broadcast::Receiver<Change>);

impl ChangeFeed for Feed {
    fn next(&mut self) -> Fut<'_, Option<Change>> {
        Box::pin(async { self.0.recv().await.ok() })
    }
}
