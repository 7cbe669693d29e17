//! Steps of the kind `http`: one request through egress, with secrets put in here and nowhere else.

use super::vault::Opened;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use quaymaster_connectors::clean;
use quaymaster_core::schema::shorten;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{Egress, EgressError, Request, Response};
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::host::{Auth, Body, HttpRequest, Text};
use serde_json::{Map, Value, json};

/// What a request may not be told to have: the body decides, or egress.
const OURS: [HeaderName; 2] = [http::header::HOST, http::header::CONTENT_LENGTH];

/// Sends the request of a step. Answers `{status, headers, body}` for every status.
pub(super) async fn send(
    egress: &Egress,
    request: &HttpRequest,
    secrets: &Opened,
) -> Result<Value, StepFault> {
    let built = built(request, secrets)?;
    let most = request.limits.body as usize;
    let sent = built
        .timeout(request.limits.timeout)
        .max_body(most)
        .follow_redirects();
    let response = egress.send(sent).await.map_err(unanswered)?;
    answered(&response, secrets)
}

/// An address that cannot be used is the flow's fault and not its caller's.
fn unanswered(error: EgressError) -> StepFault {
    let mut fault = Fault::from(error);
    if fault.code == Code::InvalidArg {
        fault.code = Code::FlowError;
        fault.details = None;
    }
    fault.into()
}

fn built(request: &HttpRequest, secrets: &Opened) -> Result<Request, StepFault> {
    let wrong = |what: &str| StepFault::flow(format!("The request cannot be made: {what}."));
    let mut url = url::Url::parse(&request.url).map_err(|error| {
        wrong(&format!(
            "{:?} is no address ({error})",
            shorten(&request.url)
        ))
    })?;
    if !request.query.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, text) in &request.query {
            pairs.append_pair(name, &secrets.fill(text)?);
        }
    }
    let method =
        Method::from_bytes(request.method.as_bytes()).map_err(|_| wrong("the method is none"))?;
    let mut headers = HeaderMap::new();
    for (name, text) in &request.headers {
        let known = HeaderName::from_bytes(name.as_bytes())
            .ok()
            .filter(|name| !OURS.contains(name))
            .ok_or_else(|| {
                wrong(&format!(
                    "{:?} is no header that it may have",
                    shorten(name)
                ))
            })?;
        headers.append(known, value_of(text, secrets)?);
    }
    match &request.auth {
        None => {}
        Some(Auth::Bearer(token)) => {
            let mut text = Text::literal("Bearer ");
            text.0.extend(token.0.iter().cloned());
            headers.insert(AUTHORIZATION, value_of(&text, secrets)?);
        }
        Some(Auth::Basic { user, password }) => {
            let pair = format!("{}:{}", secrets.fill(user)?, secrets.fill(password)?);
            let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
                .map_err(|_| wrong("user or password cannot be sent"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
    let (body, kind) = match &request.body {
        None => (Bytes::new(), None),
        Some(Body::Body(value)) => (value.to_string().into(), Some("application/json")),
        Some(Body::Form(pairs)) => {
            let form: String = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            (form.into(), Some("application/x-www-form-urlencoded"))
        }
        Some(Body::Text(text)) => (text.clone().into(), Some("text/plain; charset=utf-8")),
    };
    if let Some(kind) = kind {
        headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static(kind));
    }
    let mut built = Request::new(method, url).body(body);
    for (name, value) in &headers {
        built = built.header(name.clone(), value.clone());
    }
    Ok(built)
}

/// A value with a secret in it stays behind when a redirect leads to another origin.
fn value_of(text: &Text, secrets: &Opened) -> Result<HeaderValue, StepFault> {
    let filled = secrets.fill(text)?;
    let mut value = HeaderValue::from_str(&filled)
        .map_err(|_| StepFault::flow("A header's value has characters that no header can have."))?;
    value.set_sensitive(text.secrets().next().is_some());
    Ok(value)
}

fn answered(response: &Response, secrets: &Opened) -> Result<Value, StepFault> {
    let status = response.status.as_u16();
    let unreadable = |what: &str| StepFault {
        status: Some(status),
        ..StepFault::new(Code::UpstreamError, format!("The answer {what}."))
    };
    if let Some(encoding) = response.headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(unreadable("is compressed, which was not asked for"));
    }
    let mut headers = Map::new();
    for name in response.headers.keys() {
        let values = response.headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        headers.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    let kind = response
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let body = body_of(&kind, &response.body)
        .map_err(|()| unreadable("says that it is JSON and is not, or is nested too deeply"))?;
    let mut answer = json!({ "status": status, "headers": headers, "body": body });
    secrets.redactor().value(&mut answer);
    Ok(answer)
}

/// JSON as such, other text as text, the rest as Base64.
fn body_of(kind: &str, bytes: &Bytes) -> Result<Value, ()> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let is_json = kind == "application/json" || kind.ends_with("+json") || kind == "text/json";
    if is_json {
        return serde_json::from_slice(bytes).map_err(|_| ());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Value::String(clean::text(text).into_owned())),
        Err(_) if kind.starts_with("text/") => {
            let text = String::from_utf8_lossy(bytes);
            Ok(Value::String(clean::text(&text).into_owned()))
        }
        Err(_) => Ok(json!({
            "media_type": kind, "bytes": bytes.len(), "base64": STANDARD.encode(bytes),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_or_text_or_bytes() {
        let body = |kind: &str, bytes: &'static [u8]| body_of(kind, &Bytes::from_static(bytes));
        assert_eq!(body("application/json", b"[1]"), Ok(json!([1])));
        assert_eq!(body("application/problem+json", b"{}"), Ok(json!({})));
        assert_eq!(body("application/json", b"<html>"), Err(()));
        assert_eq!(body("application/json", b""), Ok(Value::Null));
        assert_eq!(body("text/html", b"<p>"), Ok(json!("<p>")));
        assert_eq!(body("", b"plain"), Ok(json!("plain")));
        assert_eq!(body("image/png", b"\xff\x00").unwrap()["base64"], "/wA=");
    }
}
