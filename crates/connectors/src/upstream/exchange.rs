//! One message to a server, and what comes back: JSON, events, or an error of HTTP.

use super::events::Events;
use super::session::{Era, STATELESS, Session};
use super::talk::Talk;
use crate::request::{self, Built};
use crate::send::{Data, Failure, Read, read_body, read_json};
use bytes::BytesMut;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{DEFAULT_MAX_BODY, EgressError, MAX_REDIRECTS, Request, Stream};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
/// Questions of a server that are answered within one call.
const MOST_ANSWERS: usize = 16;
/// How long an answer to a server's question may take.
const ANSWERING: Duration = Duration::from_secs(5);
/// How often a stream that ended early is taken up again.
const MOST_RESUMED: usize = 5;
const UNKNOWN_METHOD: i64 = -32601;

/// What came back.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// A whole JSON-RPC message, or what came instead.
    pub(super) read: Read,
}

impl Reply {
    /// The result, if it is one.
    pub(super) fn result(&mut self) -> Option<Value> {
        let Data::Value(message) = &mut self.read.data else {
            return None;
        };
        let there = self.status.is_success() && message.get("error").is_none_or(Value::is_null);
        let result = message.get_mut("result").filter(|_| there)?;
        result.is_object().then(|| result.take())
    }

    pub(super) fn error_code(&self) -> Option<i64> {
        self.read.json()?.pointer("/error/code")?.as_i64()
    }
}

/// A request of ours: its method, parameters, and headers that repeat some of them.
pub(super) struct Message<'m> {
    pub(super) method: &'m str,
    pub(super) params: Value,
    pub(super) headers: HeaderMap,
}

impl<'m> Message<'m> {
    pub(super) fn new(method: &'m str, params: Value) -> Message<'m> {
        Message {
            method,
            params,
            headers: HeaderMap::new(),
        }
    }
}

impl Talk<'_> {
    /// Sends a request in a session's era, and waits for its answer.
    pub(super) async fn ask(
        &self,
        session: &Session,
        message: Message<'_>,
    ) -> Result<Reply, Failure> {
        let mut headers = message.headers;
        era_headers(session, &mut headers);
        let mut params = message.params;
        if matches!(session.era, Era::Stateless) {
            if let Ok(method) = HeaderValue::from_str(message.method) {
                headers.insert(METHOD, method);
            }
            params["_meta"] = meta();
        }
        self.request(
            Some(session),
            session.next_id(),
            message.method,
            params,
            headers,
        )
        .await
    }

    /// A request with these headers, of whatever era.
    pub(super) async fn request(
        &self,
        session: Option<&Session>,
        id: u64,
        method: &str,
        params: Value,
        headers: HeaderMap,
    ) -> Result<Reply, Failure> {
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let built = self.built(Method::POST, headers, Some(body))?;
        let stream = self
            .open(built)
            .await
            .map_err(|error| self.unanswered(error))?;
        let is_events =
            stream.status.is_success() && media_type(&stream.headers) == "text/event-stream";
        if is_events {
            self.events(session, id, stream).await
        } else {
            self.whole(id, stream).await
        }
    }

    /// Sends a notification, or the answer to a question of the server's; nothing is expected.
    pub(super) async fn tell(&self, session: Option<&Session>, message: Value) {
        let mut headers = HeaderMap::new();
        if let Some(session) = session {
            era_headers(session, &mut headers);
        }
        let sent = async {
            let built = self.built(Method::POST, headers, Some(message))?;
            let mut stream = self
                .open(built)
                .await
                .map_err(|error| self.unanswered(error))?;
            // To the end, so that the connection can be used again.
            while let Ok(Some(_)) = stream.chunk().await {}
            Ok::<(), Failure>(())
        };
        match tokio::time::timeout(ANSWERING, sent).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::debug!(?failure, "a message was not taken"),
            Err(_) => tracing::debug!("a message was not taken in time"),
        }
    }

    pub(super) fn built(
        &self,
        verb: Method,
        mut headers: HeaderMap,
        body: Option<Value>,
    ) -> Result<Built, Failure> {
        if verb == Method::POST {
            headers.insert(ACCEPT, BOTH);
        }
        request::message(self.definition(), self.account, verb, headers, body)
            .map_err(Failure::refused)
    }

    /// Opens an exchange. A redirect that keeps the method is followed below the connection's own
    /// address: frameworks answer so for a slash at the end.
    async fn open(&self, mut built: Built) -> Result<Stream, EgressError> {
        for _ in 0..MAX_REDIRECTS {
            let stream = self.egress.open(self.outgoing(&built)).await?;
            let redirects = matches!(stream.status.as_u16(), 307 | 308);
            let to = stream.headers.get(LOCATION).filter(|_| redirects);
            let to = to.and_then(|to| built.url.join(to.to_str().ok()?).ok());
            let next = to.and_then(|to| {
                let own = built.base.holds(&to);
                let signed = own.then(|| request::at(self.prepared, self.account, &built, &to));
                signed?.ok()?
            });
            match next {
                Some(next) => built = next,
                None => return Ok(stream),
            }
        }
        self.egress.open(self.outgoing(&built)).await
    }

    fn outgoing(&self, built: &Built) -> Request {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut request = Request::new(built.verb.clone(), built.url.as_str())
            .timeout(left.max(Duration::from_millis(1)))
            .max_body(self.max_body)
            .body(built.body.clone());
        for (name, value) in &built.headers {
            request = request.header(name.clone(), value.clone());
        }
        request
    }

    /// An answer that is no stream of events.
    async fn whole(&self, id: u64, mut stream: Stream) -> Result<Reply, Failure> {
        let mut body = BytesMut::new();
        loop {
            match stream.chunk().await {
                Ok(Some(bytes)) => body.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(error) => return Err(self.unanswered(error)),
            }
        }
        let (status, headers) = (stream.status, stream.headers);
        let read = read_body(status, &headers, &body.freeze(), false, self.redactor)
            .map_err(|fault| Failure::unreadable(fault, status))?;
        let Read { data, size } = read;
        let data = match data {
            // Answers of 2025-03-26 may come several at once.
            Data::Value(Value::Array(messages)) => {
                let mut messages = messages.into_iter();
                let own = messages.find(|message| answers(message, id));
                Data::Value(own.unwrap_or_default())
            }
            other => other,
        };
        let read = Read { data, size };
        if status.is_success() && !read.json().is_some_and(|message| answers(message, id)) {
            return Err(nothing(status));
        }
        Ok(Reply {
            status,
            headers,
            read,
        })
    }

    /// The answer within a stream of events. What else comes is answered or passed over.
    async fn events(
        &self,
        session: Option<&Session>,
        id: u64,
        mut stream: Stream,
    ) -> Result<Reply, Failure> {
        let mut events = Events::default();
        let mut answered = 0;
        let mut size = 0;
        let mut resumed = 0;
        loop {
            if stream
                .headers
                .get(CONTENT_ENCODING)
                .is_some_and(|encoding| encoding != "identity")
            {
                let fault = Fault::new(
                    Code::UpstreamError,
                    "The answer is compressed, which was not asked for.",
                );
                return Err(Failure::unreadable(fault, stream.status));
            }
            let broke = loop {
                let bytes = match stream.chunk().await {
                    Ok(Some(bytes)) => bytes,
                    Ok(None) => break None,
                    Err(error @ EgressError::Exchange { .. }) => break Some(error),
                    Err(error) => return Err(self.unanswered(error)),
                };
                size += bytes.len();
                // Taken up again, a stream is still one answer.
                if size > self.max_body {
                    return Err(self.too_large());
                }
                events.feed(&bytes);
                while let Some(event) = events.next() {
                    if event.data.trim().is_empty() {
                        continue;
                    }
                    let message = read_json(&event.data, self.redactor)
                        .map_err(|fault| Failure::unreadable(fault, stream.status))?;
                    if answers(&message, id) {
                        let data = Data::Value(message);
                        return Ok(Reply {
                            status: stream.status,
                            headers: stream.headers,
                            read: Read { data, size },
                        });
                    }
                    self.heard(session, &message, &mut answered).await;
                }
            };
            let again = session.filter(|session| resumed < MOST_RESUMED && session.has_id());
            let (Some(session), Some(last)) = (again, &events.last_id) else {
                return Err(match broke {
                    Some(error) => self.unanswered(error),
                    None => nothing(stream.status),
                });
            };
            resumed += 1;
            let wait = events.retry.unwrap_or(Duration::from_millis(500));
            tokio::time::sleep_until((Instant::now() + wait).min(self.deadline)).await;
            stream = self.resume(session, last).await?;
        }
    }

    /// The rest of a stream that ended before its answer (2025-11-25, Streamable HTTP, resumability).
    async fn resume(&self, session: &Session, last: &str) -> Result<Stream, Failure> {
        let mut headers = HeaderMap::new();
        era_headers(session, &mut headers);
        headers.insert(ACCEPT, EVENTS);
        if let Ok(last) = HeaderValue::from_str(last) {
            headers.insert(LAST_EVENT, last);
        }
        let built = self.built(Method::GET, headers, None)?;
        let stream = self
            .open(built)
            .await
            .map_err(|error| self.unanswered(error))?;
        if !stream.status.is_success() || media_type(&stream.headers) != "text/event-stream" {
            return Err(nothing(stream.status));
        }
        Ok(stream)
    }

    /// A message that is not the answer.
    async fn heard(&self, session: Option<&Session>, message: &Value, answered: &mut usize) {
        let Some(method) = message.get("method").and_then(Value::as_str) else {
            return;
        };
        let id = message
            .get("id")
            .filter(|id| id.is_string() || id.is_number());
        let Some(id) = id else {
            if method == "notifications/tools/list_changed" {
                self.slot.tools_changed();
            }
            return;
        };
        *answered += 1;
        if *answered > MOST_ANSWERS {
            return;
        }
        let answer = if method == "ping" {
            json!({ "jsonrpc": "2.0", "id": id, "result": {} })
        } else {
            let error = json!({ "code": UNKNOWN_METHOD, "message": "Method not found" });
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        };
        self.tell(session, answer).await;
    }

    /// A limit of time is told as that of the whole call, of which a request has what is left.
    pub(super) fn unanswered(&self, error: EgressError) -> Failure {
        let error = match error {
            EgressError::Timeout { host, .. } => EgressError::Timeout {
                host,
                limit: self.timeout,
            },
            other => other,
        };
        Failure::unanswered(error, self.is_safe)
    }

    pub(super) fn too_large(&self) -> Failure {
        let host = self.host.clone();
        let limit = self.max_body.min(DEFAULT_MAX_BODY);
        self.unanswered(EgressError::TooLarge { host, limit })
    }
}

/// In `_meta` of every request without a session.
pub(super) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": client(),
    })
}

pub(super) fn client() -> Value {
    json!({ "name": "quaymaster", "version": env!("CARGO_PKG_VERSION") })
}

fn era_headers(session: &Session, headers: &mut HeaderMap) {
    let version = match &session.era {
        Era::Stateless => STATELESS,
        Era::Sessions { version, id } => {
            if let Some(id) = id {
                headers.insert(SESSION, id.clone());
            }
            version
        }
    };
    headers.insert(VERSION, HeaderValue::from_static(version));
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let value = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    value.trim().to_ascii_lowercase()
}

/// Whether a message is the answer to the request with this id.
fn answers(message: &Value, id: u64) -> bool {
    let own = match message.get("id") {
        Some(Value::Number(own)) => own.as_u64() == Some(id),
        // What could not be read is answered without an id (JSON-RPC 2.0 §5).
        Some(Value::Null) => message.get("error").is_some(),
        _ => false,
    };
    own && message.get("method").is_none()
        && (message.get("result").is_some() || message.get("error").is_some())
}

fn nothing(status: StatusCode) -> Failure {
    let fault = Fault::new(Code::UpstreamError, "The server did not answer the request.")
        .hint("Check that the address is that of an MCP server over Streamable HTTP; ask who runs it if it stays so.");
    Failure::unreadable(fault, status)
}
