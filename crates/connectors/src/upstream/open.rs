//! Finding out how a server is spoken to, and agreeing on it.

use super::exchange::{Message, Reply, SESSION, VERSION, client, meta};
use super::session::{Era, STATELESS, Session, WITH_SESSIONS};
use super::talk::{Denied, Talk};
use crate::clean;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use quaymaster_core::{Code, Fault};
use serde_json::{Value, json};
use std::sync::Arc;

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const DISCOVER: &str = "server/discover";
/// What a server calls itself, in characters.
const LONGEST_NAME: usize = 80;

impl Talk<'_> {
    /// The session of the connection, opened if there is none.
    pub(super) async fn session(&self) -> Result<Arc<Session>, Denied> {
        let opening = tokio::time::timeout_at(self.deadline, self.slot.opening.lock());
        let Ok(_one_at_a_time) = opening.await else {
            let host = self.host.clone();
            let limit = self.timeout;
            return Err(self
                .unanswered(quaymaster_egress::EgressError::Timeout { host, limit })
                .into());
        };
        if let Some(session) = self.slot.session() {
            return Ok(session);
        }
        let session = match self.discover().await? {
            Some(session) => session,
            None => self.initialize().await?,
        };
        let session = Arc::new(session);
        self.slot.put(session.clone());
        Ok(session)
    }

    /// Whether the server knows the version without sessions. One that does not answers with any
    /// error; what says nothing about that is told as it is.
    async fn discover(&self) -> Result<Option<Session>, Denied> {
        let mut headers = HeaderMap::new();
        headers.insert(VERSION, HeaderValue::from_static(STATELESS));
        headers.insert(METHOD, HeaderValue::from_static(DISCOVER));
        let params = json!({ "_meta": meta() });
        let asked = self.request(None, 0, DISCOVER, params, headers).await;
        let mut reply = match asked {
            Ok(reply) => reply,
            // An answer that is none: perhaps initialize gets a better one.
            Err(failure) if failure.status.is_some() => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        if let Some(result) = reply.result() {
            let versions = result.get("supportedVersions").and_then(Value::as_array);
            let knows = versions.is_some_and(|all| all.iter().any(|version| version == STATELESS));
            let about = result.pointer("/_meta/io.modelcontextprotocol~1serverInfo");
            let about = about.or_else(|| result.pointer("/_meta/serverInfo"));
            let server = about.or_else(|| result.get("serverInfo")).and_then(name_of);
            let has_tools = has_tools(&result);
            return Ok(knows.then(|| Session::new(Era::Stateless, server, has_tools, None)));
        }
        match reply.status.as_u16() {
            401 | 429 | 502..=504 => Err(self.refused(&reply)),
            _ => Ok(None),
        }
    }

    async fn initialize(&self) -> Result<Session, Denied> {
        let params = json!({
            "protocolVersion": WITH_SESSIONS[0],
            "capabilities": {},
            "clientInfo": client(),
        });
        let mut reply = self
            .request(None, 0, "initialize", params, HeaderMap::new())
            .await?;
        let Some(result) = reply.result() else {
            return Err(self.refused(&reply));
        };
        let spoken = result
            .get("protocolVersion")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let version = WITH_SESSIONS.into_iter().find(|known| *known == spoken);
        let version = version.ok_or_else(|| self.unknown_version(spoken))?;
        let id = session_id(&reply);
        let goodbye = match &id {
            Some(id) => {
                let mut headers = HeaderMap::new();
                headers.insert(SESSION, id.clone());
                headers.insert(VERSION, HeaderValue::from_static(version));
                let built = self.built(Method::DELETE, headers, None)?;
                Some((self.egress.clone(), built))
            }
            None => None,
        };
        let server = result.get("serverInfo").and_then(name_of);
        let has_tools = has_tools(&result);
        let session = Session::new(Era::Sessions { version, id }, server, has_tools, goodbye);
        let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.tell(Some(&session), done).await;
        Ok(session)
    }

    fn unknown_version(&self, spoken: &str) -> Denied {
        let shown = quaymaster_core::schema::shorten(&clean::text(spoken));
        let message = format!(
            "{} speaks version {shown:?} of the protocol, which is not known here.",
            self.definition().title
        );
        let fault = Fault::new(Code::UpstreamError, message)
            .hint("Ask who runs the server for a version from 2024-11-05 to 2026-07-28.");
        crate::send::Failure::unreadable(fault, http::StatusCode::OK).into()
    }

    /// Asks in a session, with the connection's own parameters.
    pub(super) async fn result_of(
        &self,
        session: &Session,
        message: Message<'_>,
    ) -> Result<(Value, Reply), Denied> {
        let mut reply = self.ask(session, message).await?;
        match reply.result() {
            Some(result) => Ok((result, reply)),
            None => Err(self.lost_or_refused(session, &reply)),
        }
    }
}

/// Visible ASCII only (2025-11-25, Streamable HTTP, session management).
fn session_id(reply: &Reply) -> Option<HeaderValue> {
    let id = reply.headers.get(SESSION)?;
    let is_plain = !id.is_empty() && id.as_bytes().iter().all(u8::is_ascii_graphic);
    let mut id = id.clone();
    id.set_sensitive(true);
    is_plain.then_some(id)
}

fn has_tools(result: &Value) -> bool {
    result
        .pointer("/capabilities/tools")
        .is_some_and(Value::is_object)
}

/// `title` or `name`, in a line.
fn name_of(about: &Value) -> Option<String> {
    let said = ["title", "name"].iter().find_map(|key| {
        let text = about.get(*key)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    })?;
    let line: String = said
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect();
    Some(line)
}
