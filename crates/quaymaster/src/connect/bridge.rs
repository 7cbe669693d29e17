//! The server's side: the session, the requests, the stream of what the server tells unasked.

use super::answer::{Answer, Part};
use super::exchange::Call;
use super::{error_answer, messages};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
/// Between two tries to open the listening stream.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a request waits for a server that is starting again.
const RESTARTS_WITHIN: Duration = Duration::from_secs(5);
const RETRY_EVERY: Duration = Duration::from_millis(200);

pub(super) struct Bridge {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    session: watch::Sender<Session>,
    /// Held while a session is opened anew, so that it is done once.
    reopening: tokio::sync::Mutex<()>,
    /// Requests under way, by their ids as JSON.
    calls: Mutex<HashMap<String, Call>>,
    listener: Mutex<Option<AbortHandle>>,
    out: mpsc::Sender<Value>,
    /// Requests that still wait are answered now.
    pub(super) ending: CancellationToken,
}

/// What `initialize` brought about, and the client's messages, to do it again.
#[derive(Clone, Default)]
struct Session {
    id: Option<String>,
    version: Option<String>,
    initialize: Option<Value>,
    initialized: Option<Value>,
}

impl Bridge {
    pub(super) fn new(
        url: Url,
        authorization: HeaderValue,
        out: mpsc::Sender<Value>,
    ) -> anyhow::Result<Bridge> {
        let mut client = Client::builder().connect_timeout(Duration::from_secs(10));
        if is_loopback(&url) {
            // A proxy of the environment would look on its own machine.
            client = client.no_proxy();
        }
        Ok(Bridge {
            client: client.build()?,
            url,
            authorization,
            session: watch::Sender::default(),
            reopening: tokio::sync::Mutex::default(),
            calls: Mutex::default(),
            listener: Mutex::default(),
            out,
            ending: CancellationToken::new(),
        })
    }

    pub(super) fn calls(&self) -> MutexGuard<'_, HashMap<String, Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_session(&self) -> bool {
        self.session.borrow().id.is_some()
    }

    pub(super) async fn write(&self, message: Value) {
        let _ = self.out.send(message).await;
    }

    pub(super) async fn write_error(&self, id: &Value, code: i32, text: &str) {
        self.write(error_answer(id, code, text)).await;
    }

    /// Posts a message. A session that the server does not know any more is opened anew first.
    /// The error is a sentence for the client.
    pub(super) async fn send(&self, message: &Value) -> Result<Response, String> {
        let session = self.session.borrow().clone();
        let response = self.post(message, &session).await?;
        let stale = response.status() == StatusCode::NOT_FOUND
            && session.id.is_some()
            && messages::own_version(message).is_none()
            && message["method"] != "initialize";
        if !stale {
            return Ok(response);
        }
        self.reopen(&session).await?;
        if messages::is_response(message) {
            // Nobody in the new session asked for it.
            return Ok(response);
        }
        let session = self.session.borrow().clone();
        self.post(message, &session).await
    }

    async fn post(&self, message: &Value, session: &Session) -> Result<Response, String> {
        let mut request = self
            .request(self.client.post(self.url.clone()))
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json");
        let params = &message["params"];
        if let Some(version) = messages::own_version(message) {
            request = request.header(VERSION, version);
            if let Some(method) = message["method"].as_str() {
                request = request.header("mcp-method", method);
            }
            if let Some(name) = params["name"].as_str().or_else(|| params["uri"].as_str()) {
                request = request.header("mcp-name", messages::header_text(name));
            }
        } else if message["method"] != "initialize" {
            request = in_session(request, session);
        }
        // A server that was there before may be starting again; nothing was sent to it so far.
        let patience = if session.id.is_some() {
            RESTARTS_WITHIN
        } else {
            Duration::ZERO
        };
        let begun = Instant::now();
        let request = request.body(message.to_string());
        loop {
            let Some(attempt) = request.try_clone() else {
                return Err("the message cannot be sent".to_owned());
            };
            match attempt.send().await {
                Ok(response) => return Ok(response),
                Err(error) if error.is_connect() && begun.elapsed() < patience => {
                    tokio::time::sleep(RETRY_EVERY).await;
                }
                Err(error) => return Err(format!("the server does not answer: {}", chain(error))),
            }
        }
    }

    fn request(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(AUTHORIZATION, self.authorization.clone())
    }

    /// Keeps what the answer to the client's `initialize` opened.
    pub(super) fn opened(&self, initialize: &Value, response: &Response) {
        if response.status().is_success() {
            self.session.send_replace(Session {
                id: session_id(response),
                version: None,
                initialize: Some(initialize.clone()),
                initialized: None,
            });
        }
    }

    pub(super) fn agreed_on(&self, answer: &Value) {
        if let Some(version) = agreed_version(answer) {
            self.session
                .send_modify(|session| session.version = Some(version));
        }
    }

    /// After `notifications/initialized` was taken: from now on the server may speak unasked.
    pub(super) fn initialized(self: &Arc<Self>, message: &Value) {
        self.session
            .send_modify(|session| session.initialized = Some(message.clone()));
        let listener = tokio::spawn(self.clone().listen()).abort_handle();
        let former = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(listener);
        if let Some(former) = former {
            former.abort();
        }
    }

    /// Sends the client's handshake again. Does nothing when another did so since.
    async fn reopen(&self, stale: &Session) -> Result<(), String> {
        let _one_at_a_time = self.reopening.lock().await;
        let mut session = self.session.borrow().clone();
        if session.id != stale.id {
            return Ok(());
        }
        let Some(initialize) = &session.initialize else {
            return Err("the server forgot the session".into());
        };
        let response = self.post(initialize, &Session::default()).await?;
        let (status, id) = (response.status(), session_id(&response));
        // The client has had its answer; this one is for the bridge alone.
        let answer = first_answer(response, &initialize["id"]);
        let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
        let answer = answer.unwrap_or_default();
        let (Some(version), Some(id)) = (agreed_version(&answer), id) else {
            let said = answer["error"]["message"].as_str();
            let said = said.or_else(|| answer["message"].as_str());
            let said = said.map_or_else(|| format!("status {status}"), str::to_owned);
            return Err(format!(
                "the server forgot the session and opens no new one: {said}"
            ));
        };
        session.id = Some(id);
        session.version = Some(version);
        if let Some(initialized) = &session.initialized {
            self.post(initialized, &session).await?;
        }
        self.session.send_replace(session);
        Ok(())
    }

    /// The stream of what the server tells unasked; opened again when it breaks, and when there
    /// is a new session.
    async fn listen(self: Arc<Self>) {
        let mut changes = self.session.subscribe();
        loop {
            let session = changes.borrow_and_update().clone();
            if session.id.is_none() {
                return;
            }
            let id = session.id.clone();
            tokio::select! {
                flow = self.listen_once(&session) => if flow.is_break() {
                    return;
                },
                _ = changes.wait_for(move |now| now.id != id) => continue,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn listen_once(&self, session: &Session) -> ControlFlow<()> {
        let request = self
            .request(self.client.get(self.url.clone()))
            .header(ACCEPT, "text/event-stream");
        let Ok(response) = in_session(request, session).send().await else {
            return ControlFlow::Continue(());
        };
        let status = response.status();
        if status.is_success() {
            let mut answer = Answer::of(response);
            while let Ok(Some(Part::Message(message))) = answer.next().await {
                self.write(message).await;
            }
        } else if status == StatusCode::NOT_FOUND {
            let _ = self.reopen(session).await;
        } else if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
            // There is no such stream, or the credential is gone; the next request says so.
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Subscriptions stand open for as long as the client does.
    pub(super) fn end_subscriptions(&self) {
        for call in self.calls().values().filter(|call| call.subscribes) {
            call.given_up.cancel();
        }
    }

    pub(super) async fn end_session(&self) {
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(listener) = listener {
            listener.abort();
        }
        let session = self.session.borrow().clone();
        if session.id.is_some() {
            let request = self.request(self.client.delete(self.url.clone()));
            let request = in_session(request, &session).timeout(Duration::from_secs(2));
            let _ = request.send().await;
        }
    }
}

fn in_session(mut request: RequestBuilder, session: &Session) -> RequestBuilder {
    if let Some(id) = &session.id {
        request = request.header(SESSION, id);
    }
    if let Some(version) = &session.version {
        request = request.header(VERSION, version);
    }
    request
}

/// The message that answers, or what was said instead.
async fn first_answer(response: Response, id: &Value) -> Value {
    let mut answer = Answer::of(response);
    while let Ok(Some(part)) = answer.next().await {
        match part {
            Part::Message(message) if messages::answers(&message, id) => return message,
            Part::Message(_) => {}
            Part::Other(body) => return body,
        }
    }
    Value::Null
}

fn session_id(response: &Response) -> Option<String> {
    let id = response.headers().get(SESSION)?.to_str().ok()?;
    Some(id.to_owned())
}

fn agreed_version(answer: &Value) -> Option<String> {
    let version = answer["result"]["protocolVersion"].as_str()?;
    Some(version.to_owned())
}

/// What went wrong, down to its cause; the address is known.
pub(super) fn chain(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::from(error.without_url()))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_machine_has_many_names() {
        for (url, expected) in [
            ("http://localhost:8080/mcp", true),
            ("http://LOCALHOST/mcp", true),
            ("http://127.3.2.1/mcp", true),
            ("http://[::1]:80/mcp", true),
            ("http://tools.localhost/mcp", true),
            ("http://localhost.example.com/mcp", false),
            ("http://10.0.0.1/mcp", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
