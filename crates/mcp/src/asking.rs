//! Questions to a client: what it can be asked, how a question looks on the wire, what an answer
//! says, and the asking itself where there are sessions.

use crate::convert::block;
use crate::handler::Handler;
use quaymaster_core::ask::{
    Answer, ClientCapabilities, InputRequest, InputRequests, Root, Sampling,
};
use quaymaster_core::id::CallId;
use quaymaster_core::tool::Content;
use quaymaster_core::{Code, Fault};
use rmcp::RoleServer;
use rmcp::model::{
    ClientResult, ElicitationAction, ElicitationCapability, ErrorData, InputResponses,
    ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, ServiceError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The key of a stateless request's capabilities in its `_meta`.
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// What the client of this request declared: in the request itself, or when its session began.
/// Called for every call, so it copies nothing.
pub(crate) fn client_can(context: &RequestContext<RoleServer>) -> ClientCapabilities {
    if let Some(declared) = context.meta.get(CAPABILITIES) {
        let elicitation = declared
            .get("elicitation")
            .filter(|value| value.is_object());
        let mode = |mode| elicitation.is_some_and(|modes| modes.get(mode).is_some());
        return ClientCapabilities {
            forms: elicitation.is_some() && (mode("form") || !mode("url")),
            urls: mode("url"),
            sampling: declared.get("sampling").is_some(),
            roots: declared.get("roots").is_some(),
        };
    }
    let Some(client) = context.peer.peer_info() else {
        return ClientCapabilities::default();
    };
    let declared = &client.capabilities;
    let elicitation = declared.elicitation.as_ref();
    // Before there were modes, there were only forms.
    let forms = |modes: &ElicitationCapability| modes.form.is_some() || modes.url.is_none();
    ClientCapabilities {
        forms: elicitation.is_some_and(forms),
        urls: elicitation.is_some_and(|modes| modes.url.is_some()),
        sampling: declared.sampling.is_some(),
        roots: declared.roots.is_some(),
    }
}

/// The stateless era's error for a client that cannot be asked.
pub(crate) fn missing(lacking: ClientCapabilities) -> ErrorData {
    let mut required = json!({});
    for (is_lacking, capability, mode) in [
        (lacking.forms, "elicitation", Some("form")),
        (lacking.urls, "elicitation", Some("url")),
        (lacking.sampling, "sampling", None),
        (lacking.roots, "roots", None),
    ] {
        match mode {
            _ if !is_lacking => {}
            Some(mode) => required[capability][mode] = json!({}),
            None => required[capability] = json!({}),
        }
    }
    match serde_json::from_value(required) {
        Ok(required) => ErrorData::missing_required_client_capability(required),
        Err(error) => unaskable(&error),
    }
}

/// The fault of a session whose client cannot be asked.
pub(crate) fn cannot_be_asked(lacking: ClientCapabilities) -> Fault {
    let names = lacking.names();
    let message = format!(
        "This call has to ask its client something, and the client did not declare {}.",
        names.join(", ")
    );
    Fault::new(Code::Forbidden, message)
        .hint("Connect with a client that declares it when it initializes.")
        .detail("missing_client_capabilities", names)
}

/// A question that does not fit the wire is the door's mistake.
fn unaskable(error: &dyn std::fmt::Display) -> ErrorData {
    tracing::error!(%error, "a question cannot be asked");
    ErrorData::internal_error("The server failed. Its log has the cause.", None)
}

/// A question on the wire.
pub(crate) fn request(
    handler: &Handler,
    question: InputRequest,
) -> Result<rmcp::model::InputRequest, ErrorData> {
    // Read from JSON, because `rmcp` deprecates its own types of sampling and roots.
    let request = match question {
        InputRequest::Form { message, schema } => json!({
            "method": "elicitation/create",
            "params": { "mode": "form", "message": message, "requestedSchema": schema },
        }),
        InputRequest::Url { message, url } => {
            // Clients of 2025-11-25 know a page by an id. Nothing is ever said about it again.
            let id = CallId::fresh(&*handler.shared.clock, &*handler.shared.entropy);
            json!({
                "method": "elicitation/create",
                "params": { "mode": "url", "message": message, "url": url, "elicitationId": id },
            })
        }
        InputRequest::Sample(sampling) => json!({
            "method": "sampling/createMessage",
            "params": conversation(sampling).map_err(|error| unaskable(&error))?,
        }),
        InputRequest::Roots => json!({ "method": "roots/list" }),
    };
    serde_json::from_value(request).map_err(|error| unaskable(&error))
}

fn conversation(sampling: Sampling) -> Result<Value, serde_json::Error> {
    let messages = sampling.messages.into_iter().map(|message| {
        let content = serde_json::to_value(block(message.content))?;
        Ok(json!({ "role": message.role.name(), "content": content }))
    });
    let messages: Value = messages.collect::<Result<_, serde_json::Error>>()?;
    let mut params = json!({ "messages": messages, "maxTokens": sampling.max_tokens });
    if let Some(system) = sampling.system {
        params["systemPrompt"] = system.into();
    }
    Ok(params)
}

/// Answers that a stateless client brings.
pub(crate) fn given(responses: InputResponses) -> Result<BTreeMap<String, Answer>, ErrorData> {
    let read = |(key, response): (String, Value)| {
        let answer = serde_json::from_value(response).ok().and_then(answer);
        let answer = answer.ok_or_else(|| {
            let message = format!("The response to {key:?} is none that the protocol knows.");
            ErrorData::invalid_params(message, None)
        })?;
        Ok((key, answer))
    };
    responses.into_iter().map(read).collect()
}

#[expect(deprecated, reason = "sampling and roots work until clients drop them")]
fn answer(result: ClientResult) -> Option<Answer> {
    match result {
        ClientResult::ElicitResult(result) => match (result.action, result.content) {
            (ElicitationAction::Accept, Some(Value::Object(content))) => {
                Some(Answer::Accepted(content))
            }
            (ElicitationAction::Accept, None) => Some(Answer::Accepted(serde_json::Map::new())),
            (ElicitationAction::Decline, _) => Some(Answer::Declined),
            (ElicitationAction::Cancel, _) => Some(Answer::Cancelled),
            _ => None,
        },
        ClientResult::CreateMessageResult(result) => {
            let blocks = match serde_json::to_value(&result.message.content).ok()? {
                Value::Array(blocks) => blocks,
                block => vec![block],
            };
            let content = blocks.iter().map(said);
            Some(Answer::Sampled {
                content: content.collect::<Option<_>>()?,
                model: result.model,
            })
        }
        ClientResult::ListRootsResult(result) => {
            let roots = result.roots.into_iter().map(|root| Root {
                uri: root.uri,
                name: root.name,
            });
            Some(Answer::Roots(roots.collect()))
        }
        _ => None,
    }
}

/// A block of what a model said. No tools are lent to it, so it calls none.
fn said(block: &Value) -> Option<Content> {
    let field = |name: &str| block.get(name)?.as_str().map(str::to_owned);
    match block.get("type")?.as_str()? {
        "text" => Some(Content::Text(field("text")?)),
        "image" => Some(Content::Image {
            data: field("data")?,
            mime: field("mimeType")?,
        }),
        "audio" => Some(Content::Audio {
            data: field("data")?,
            mime: field("mimeType")?,
        }),
        _ => None,
    }
}

/// Asks a session's client one question after the other, on the stream of the request that asks.
pub(crate) async fn ask(
    handler: &Handler,
    context: &RequestContext<RoleServer>,
    questions: InputRequests,
    deadline: Instant,
) -> Result<BTreeMap<String, Answer>, Fault> {
    let mut given = BTreeMap::new();
    for (key, question) in questions {
        let request = request(handler, question).map_err(|_| Fault::internal())?;
        let request = match request {
            rmcp::model::InputRequest::CreateMessage(request) => request.into(),
            rmcp::model::InputRequest::Elicitation(request) => request.into(),
            rmcp::model::InputRequest::ListRoots(request) => request.into(),
            _ => return Err(Fault::internal()),
        };
        let result = tokio::select! {
            result = exchange(context, request, deadline) => result?,
            () = context.ct.cancelled() => {
                return Err(Fault::new(Code::Timeout, "The client cancelled the call."));
            }
        };
        let answer = answer(result).ok_or_else(|| {
            Fault::new(
                Code::UpstreamError,
                format!("The client's answer to {key:?} is none that the protocol knows."),
            )
        })?;
        given.insert(key, answer);
    }
    Ok(given)
}

async fn exchange(
    context: &RequestContext<RoleServer>,
    request: ServerRequest,
    deadline: Instant,
) -> Result<ClientResult, Fault> {
    let left = deadline.saturating_duration_since(Instant::now());
    let options = PeerRequestOptions::with_timeout(left);
    let answer = async {
        let sent = context.peer.send_cancellable_request(request, options);
        sent.await?.await_response().await
    };
    answer.await.map_err(|error| match error {
        ServiceError::Timeout { .. } => Fault::new(
            Code::Timeout,
            "The call had to ask its client something, and no answer came in time.",
        ),
        ServiceError::McpError(error) => Fault::new(
            Code::UpstreamError,
            format!(
                "The call had to ask its client something, and the client refused: {}",
                quaymaster_core::schema::shorten(&error.message)
            ),
        ),
        error => {
            tracing::debug!(%error, "a client could not be asked");
            Fault::new(
                Code::Unavailable,
                "The call had to ask its client something, and the client is gone.",
            )
        }
    })
}
