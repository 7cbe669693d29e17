//! One message of the client on its way: sent, and answered exactly once.

use super::answer::{Answer, Part};
use super::bridge::{self, Bridge};
use super::messages;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A request is certainly sent after this time, also when the server holds its headers back.
const SENT_BY_NOW: Duration = Duration::from_secs(2);

/// A request under way, as others see it.
#[derive(Clone, Default)]
pub(super) struct Call {
    /// The server has the request.
    sent: CancellationToken,
    /// The client does not want the answer any more.
    pub(super) given_up: CancellationToken,
    /// Closing the response is how its era cancels (2026-07-28).
    stateless: bool,
    pub(super) subscribes: bool,
}

pub(super) struct Exchange {
    bridge: Arc<Bridge>,
    message: Value,
    /// Only requests have one.
    id: Option<Value>,
    call: Call,
    /// What must have happened before the message is sent.
    waits_for: Vec<(CancellationToken, Option<Duration>)>,
    /// Cancelled once the answer is written, or will never be.
    pub(super) answered: CancellationToken,
}

impl Exchange {
    /// `None` when the message has done its work already.
    pub(super) fn begin(
        bridge: &Arc<Bridge>,
        message: Value,
        opened: Option<CancellationToken>,
    ) -> Option<Exchange> {
        let mut waits_for: Vec<_> = opened.map(|opened| (opened, None)).into_iter().collect();
        if message["method"] == "notifications/cancelled" {
            let key = message["params"]["requestId"].to_string();
            match bridge.calls().get(&key) {
                Some(call) => {
                    call.given_up.cancel();
                    if call.stateless {
                        return None;
                    }
                    waits_for.push((call.sent.clone(), Some(SENT_BY_NOW)));
                }
                None if !bridge.has_session() => return None,
                None => {}
            }
        }
        let id = messages::request_id(&message);
        let call = Call {
            stateless: messages::own_version(&message).is_some(),
            subscribes: message["method"] == "subscriptions/listen",
            ..Call::default()
        };
        if let Some(id) = &id {
            bridge.calls().insert(id.to_string(), call.clone());
        }
        Some(Exchange {
            bridge: bridge.clone(),
            message,
            id,
            call,
            waits_for,
            answered: CancellationToken::new(),
        })
    }

    /// What follows these needs the session.
    pub(super) fn opens_session(&self) -> bool {
        let method = self.message["method"].as_str();
        matches!(method, Some("initialize" | "notifications/initialized"))
    }

    pub(super) async fn run(self) {
        let aborted = async {
            self.call.given_up.cancelled().await;
            if !self.call.stateless && !self.call.subscribes {
                // The server is told by a message, and answers or does not.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.exchange() => {}
            () = aborted => {}
            () = self.bridge.ending.cancelled() => {
                self.fail("the client closed its end before the answer came").await;
            }
        }
        self.answered.cancel();
        if let Some(id) = &self.id {
            self.bridge.calls().remove(&id.to_string());
        }
    }

    async fn exchange(&self) {
        for (event, limit) in &self.waits_for {
            let limit = limit.unwrap_or(Duration::MAX);
            let _ = tokio::time::timeout(limit, event.cancelled()).await;
        }
        let sent = self.bridge.send(&self.message).await;
        self.call.sent.cancel();
        let response = match sent {
            Ok(response) => response,
            Err(text) => return self.fail(&text).await,
        };
        let status = response.status();
        match self.message["method"].as_str() {
            Some("initialize") => self.bridge.opened(&self.message, &response),
            Some("notifications/initialized") if status.is_success() => {
                self.bridge.initialized(&self.message);
            }
            _ => {}
        }
        if self.id.is_some() {
            self.copy(response).await;
        }
    }

    /// Writes an answer's messages out, be it a stream, one JSON body or a refusal.
    async fn copy(&self, response: Response) {
        let status = response.status();
        let mut answer = Answer::of(response);
        let ended = loop {
            match answer.next().await {
                Ok(Some(Part::Message(message))) => self.pass(message).await,
                Ok(Some(Part::Other(body))) => break refusal(status, &body),
                Ok(None) => break "the server ended the answer early".to_owned(),
                Err(error) => break format!("the answer broke off: {}", bridge::chain(error)),
            }
        };
        self.fail(&ended).await;
    }

    async fn pass(&self, mut message: Value) {
        let Some(id) = &self.id else { return };
        if message["error"].is_object() && message["id"].is_null() {
            // A server that refused before it read the id.
            message["id"] = id.clone();
        }
        if !messages::answers(&message, id) {
            return self.bridge.write(message).await;
        }
        if self.answered.is_cancelled() {
            return;
        }
        if self.message["method"] == "initialize" {
            self.bridge.agreed_on(&message);
        }
        self.bridge.write(message).await;
        self.answered.cancel();
    }

    /// Answers with an error, unless there was an answer or nobody waits for one.
    async fn fail(&self, text: &str) {
        let Some(id) = &self.id else { return };
        if !self.answered.is_cancelled() && !self.call.given_up.is_cancelled() {
            self.answered.cancel();
            self.bridge.write_error(id, -32_000, text).await;
        }
    }
}

/// A refusal's own words where it has some.
fn refusal(status: StatusCode, body: &Value) -> String {
    match body["message"].as_str() {
        Some(text) => text.to_owned(),
        None => format!("the server answered with status {status}"),
    }
}
