//! What a tool answered.

use crate::definition::Definition;
use crate::send::{Data, Failure, FailureKind, Media, shorten};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value, json};

/// Of what an error says.
const LONGEST_MESSAGE: usize = 2_000;
const MOST_DETAILS: usize = 4 * 1024;

/// The result as data: its structured content; else its only text, read as JSON if it is that; else
/// `{content}`, all blocks. Pictures and sounds are media beside it, and told in it.
///
/// What the tool calls an error is `UPSTREAM_ERROR` with the tool's own words.
pub(super) fn read(
    definition: &Definition,
    mut result: Value,
    status: StatusCode,
) -> Result<(Data, Vec<Media>), Failure> {
    let kind = result.get("resultType").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind != "complete") {
        let message = format!(
            "{} asks for an input in between, which cannot be given here.",
            definition.title
        );
        let fault = Fault::new(Code::UpstreamError, message)
            .hint("Use another tool, or call the server with a client that answers it.");
        return Err(failed(fault, status));
    }
    let structured = result.get_mut("structuredContent").map(Value::take);
    let structured = structured.filter(|value| !value.is_null());
    let blocks = match result.get_mut("content").map(Value::take) {
        Some(Value::Array(blocks)) => blocks,
        _ => Vec::new(),
    };
    if result.get("isError") == Some(&Value::Bool(true)) {
        return Err(error(definition, structured, &blocks, status));
    }
    let mut media = Vec::new();
    let shown: Vec<Value> = blocks
        .into_iter()
        .map(|block| shown(block, &mut media))
        .collect();
    let only_texts = shown.iter().all(|block| block["type"] == "text");
    let only_seen = shown
        .iter()
        .all(|block| matches!(block["type"].as_str(), Some("text" | "image" | "audio")));
    let data = match (structured, shown.as_slice()) {
        // Texts beside it are the same for those who cannot read it.
        (Some(structured), _) if only_seen => Data::Value(structured),
        (Some(structured), _) => Data::Value(json!({ "structured": structured, "content": shown })),
        (None, []) => Data::Value(Value::Null),
        (None, [only]) if only_texts => text(only["text"].as_str().unwrap_or_default()),
        (None, _) => Data::Value(json!({ "content": shown })),
    };
    Ok((data, media))
}

fn text(text: &str) -> Data {
    if text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str(text)
    {
        return Data::Value(value);
    }
    Data::Text(text.to_owned())
}

/// A block as data. What can be seen or heard goes to the media.
fn shown(mut block: Value, media: &mut Vec<Media>) -> Value {
    let Some(members) = block.as_object_mut() else {
        return json!({ "type": "unknown" });
    };
    members.remove("annotations");
    members.remove("_meta");
    match members.get("type").and_then(Value::as_str) {
        Some("image" | "audio") => take_media(members, "data", media),
        Some("resource") => {
            if let Some(Value::Object(resource)) = members.get_mut("resource") {
                resource.remove("_meta");
                take_media(resource, "blob", media);
            }
        }
        _ => {}
    }
    block
}

/// Puts the number of bytes into the place of base64 that decodes to a picture or sound.
fn take_media(members: &mut Map<String, Value>, name: &str, media: &mut Vec<Media>) {
    let media_type = members
        .get("mimeType")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let kind = media_type.split('/').next();
    if !matches!(kind, Some("image" | "audio")) {
        return;
    }
    let Some(Ok(bytes)) = members
        .get(name)
        .and_then(Value::as_str)
        .map(|text| STANDARD.decode(text))
    else {
        return;
    };
    members.remove(name);
    members.insert("bytes".to_owned(), bytes.len().into());
    media.push(Media {
        bytes: bytes.into(),
        media_type,
    });
}

/// Other servers of this kind answer with a fault as JSON, whose message and hint are taken out.
fn error(
    definition: &Definition,
    structured: Option<Value>,
    blocks: &[Value],
    status: StatusCode,
) -> Failure {
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block.get("text")?.as_str())
        .collect();
    let whole = texts.join("\n");
    let told = structured.or_else(|| serde_json::from_str(&whole).ok().filter(Value::is_object));
    let said = told.as_ref().and_then(|told| {
        let message = told
            .get("message")
            .or_else(|| told.pointer("/error/message"));
        message?.as_str()
    });
    let message = said.unwrap_or(whole.trim());
    let message = if message.is_empty() {
        format!("A tool of {} failed and did not say why.", definition.title)
    } else {
        match message.char_indices().nth(LONGEST_MESSAGE) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message.to_owned(),
        }
    };
    let hint = told
        .as_ref()
        .and_then(|told| told.get("hint")?.as_str().map(str::to_owned));
    let mut fault = Fault::new(Code::UpstreamError, message);
    fault.hint =
        Some(hint.unwrap_or_else(|| "Correct the arguments as the message says.".to_owned()));
    fault.retryable = told.as_ref().is_some_and(|told| told["retryable"] == true);
    let mut details = Data::Value(told.unwrap_or_else(|| json!(texts)));
    shorten(&mut details, MOST_DETAILS);
    if let Data::Value(details) = details {
        fault = fault.detail("upstream", details);
    }
    failed(fault.detail("upstream_status", status.as_u16()), status)
}

fn failed(fault: Fault, status: StatusCode) -> Failure {
    Failure {
        kind: FailureKind::Upstream,
        fault,
        status: Some(status.as_u16()),
        retries: 0,
    }
}
