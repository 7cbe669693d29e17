//! The body of an answer, message by message, be it a stream or one JSON text.

use super::events::EventLines;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use std::collections::VecDeque;

pub(super) struct Answer {
    response: Response,
    is_stream: bool,
    lines: EventLines,
    events: VecDeque<String>,
}

pub(super) enum Part {
    Message(Value),
    /// A body that is no JSON-RPC message: a fault, or null when it is no JSON either.
    Other(Value),
}

impl Answer {
    pub(super) fn of(response: Response) -> Answer {
        let kind = response.headers().get(CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        Answer {
            response,
            is_stream,
            lines: EventLines::default(),
            events: VecDeque::new(),
        }
    }

    /// `None` at the end, which one JSON text that is a message has, too.
    pub(super) async fn next(&mut self) -> reqwest::Result<Option<Part>> {
        if !self.is_stream {
            return self.body().await;
        }
        loop {
            while let Some(event) = self.events.pop_front() {
                if let Ok(message) = serde_json::from_str(&event) {
                    return Ok(Some(Part::Message(message)));
                }
            }
            match self.response.chunk().await? {
                Some(chunk) => self.events.extend(self.lines.push(&chunk)),
                None => return Ok(None),
            }
        }
    }

    async fn body(&mut self) -> reqwest::Result<Option<Part>> {
        let mut body = Vec::new();
        while let Some(chunk) = self.response.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        // What follows is the end of a stream that nothing comes on any more.
        self.is_stream = true;
        Ok(Some(match serde_json::from_slice::<Value>(&body) {
            Ok(message) if message["jsonrpc"] == "2.0" => Part::Message(message),
            other => Part::Other(other.unwrap_or_default()),
        }))
    }
}
