//! A client whose grant is too narrow for a tool is told by HTTP which scopes to ask for (RFC 6750
//! §3.1; MCP 2026-07-28, authorization, scope challenge handling), because clients look for that
//! there and not in the result of a call.

use crate::endpoint::{MOST_BODY, refuse};
use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse as _, Response};
use http::{Method, Request, StatusCode};
use quaymaster_core::door::Door;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Caller, Scopes};
use serde::Deserialize;

/// The part of a message that says which tool it calls.
#[derive(Deserialize)]
struct Message {
    method: String,
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Params {
    name: Option<String>,
}

/// Passes a request on, or refuses it with the challenge. Only the calls of grants that lack
/// something are read ahead; all others pass as they came.
pub(crate) async fn check(
    door: &dyn Door,
    caller: &Caller,
    request: Request<Body>,
) -> Result<Request<Body>, Box<Response>> {
    let lacks = caller.kind == TokenKind::OAuthGrant && !Scopes::of_tools().within(caller.scopes);
    if !lacks || request.method() != Method::POST {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BODY).await else {
        return Err(Box::new(StatusCode::PAYLOAD_TOO_LARGE.into_response()));
    };
    // What is no message is refused further on, in the words of the protocol.
    let tool = serde_json::from_slice::<Message>(&body)
        .ok()
        .filter(|message| message.method == "tools/call")
        .and_then(|message| message.params?.name);
    if let Some(refusal) = tool.and_then(|tool| door.step_up(caller, &tool)) {
        return Err(Box::new(refuse(&refusal)));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}
