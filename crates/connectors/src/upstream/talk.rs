//! A call of a tool, or the list of all, from its beginning to its end.

use super::exchange::{Message, Reply};
use super::result;
use super::session::{Era, Session, Slot};
use super::tools::{Found, MOST_TOOLS};
use crate::definition::Definition;
use crate::redact::Redactor;
use crate::request::{self, Account, Base, Invocation, Known, Prepared, Signer, ToolCall};
use crate::send::{
    Answer, Data, Failure, FailureKind, Meta, Options, Sender, asked_to_wait, rate, refusal,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{DEFAULT_MAX_BODY, Egress};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// All pages of a list together.
const MOST_LISTED: usize = 8 * 1024 * 1024;
const MOST_PAGES: usize = 200;
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const UNSUPPORTED_VERSION: i64 = -32022;
const UNKNOWN_METHOD: i64 = -32601;

/// Everything that one call needs.
pub(super) struct Talk<'a> {
    pub(super) sender: &'a Sender,
    pub(super) egress: Egress,
    pub(super) prepared: &'a Prepared,
    pub(super) account: &'a Account,
    pub(super) options: &'a Options,
    pub(super) redactor: &'a Redactor,
    pub(super) slot: Arc<Slot>,
    /// Of the connection, for errors.
    pub(super) host: String,
    pub(super) timeout: Duration,
    pub(super) deadline: Instant,
    pub(super) max_body: usize,
    /// Whether it may be sent twice.
    pub(super) is_safe: bool,
}

/// What is wanted of the server.
enum Wish {
    List,
    Call(Box<ToolCall>),
}

/// Why it was not to be had.
pub(super) struct Denied {
    failure: Failure,
    /// How long the server asks to wait.
    wait: Option<Duration>,
    /// It does not know the session, or the era, any more, and has done nothing.
    is_lost: bool,
}

impl From<Failure> for Denied {
    fn from(failure: Failure) -> Denied {
        Denied {
            failure,
            wait: None,
            is_lost: false,
        }
    }
}

/// Calls a tool, or lists all. One that reads, or is idempotent by what the server says, is tried
/// again as the definition says.
pub(crate) async fn run(
    sender: &Sender,
    prepared: &Prepared,
    account: &Account,
    connection: &str,
    call: &Invocation,
    options: &Options,
    redactor: &Redactor,
) -> Result<Answer, Failure> {
    let definition = prepared.definition();
    let key = call.action.as_deref().or_else(|| {
        let name = call.rpc.as_deref()?;
        let mut actions = definition
            .modules
            .values()
            .flat_map(|module| &module.actions);
        let own = actions.find(|(_, action)| action.rpc.as_deref() == Some(name));
        own.map(|(key, _)| key.as_str())
    });
    let known = key.map(|key| prepared.known(key));
    let known = known.transpose().map_err(Failure::refused)?;
    let wish = if call.discover {
        Wish::List
    } else {
        let call = request::tool_call(definition, known, call);
        Wish::Call(Box::new(call.map_err(Failure::refused)?))
    };
    let signer = Signer::new(definition, account).map_err(Failure::refused)?;
    let base = Base::resolve(&definition.base_url, signer).map_err(Failure::refused)?;
    let timeout = options
        .timeout
        .unwrap_or_else(|| Sender::usual_timeout(definition));
    let talk = Talk {
        sender,
        egress: sender.way_out(account, &base)?,
        prepared,
        account,
        options,
        redactor,
        slot: sender.sessions.slot(connection, account),
        host: base.url.host_str().unwrap_or_default().to_owned(),
        timeout,
        deadline: Instant::now() + timeout,
        max_body: match wish {
            Wish::List => MOST_LISTED,
            Wish::Call(_) => DEFAULT_MAX_BODY,
        },
        is_safe: call.discover || known.is_some_and(is_safe),
    };
    talk.insist(connection, call.module.as_deref(), &wish).await
}

fn is_safe(known: Known<'_>) -> bool {
    known.action.reads() || known.action.idempotent.unwrap_or(false)
}

impl Talk<'_> {
    pub(super) fn definition(&self) -> &Definition {
        self.prepared.definition()
    }

    async fn insist(
        &self,
        connection: &str,
        module: Option<&str>,
        wish: &Wish,
    ) -> Result<Answer, Failure> {
        let retry = &self.definition().defaults.retry;
        let mut waited = Duration::ZERO;
        let mut retries = 0;
        loop {
            waited += self
                .sender
                .take_turn(connection, self.definition(), module, self.options, waited)
                .await?;
            let denied = match self.once(wish).await {
                Ok(mut answer) => {
                    answer.meta.retries = retries;
                    return Ok(answer);
                }
                Err(denied) => denied,
            };
            let again = match denied.failure.kind {
                FailureKind::Unreachable => denied.failure.fault.retryable,
                FailureKind::RateLimited | FailureKind::Upstream => {
                    let status = denied.failure.status;
                    status.is_some_and(|status| retry.statuses.contains(&status))
                }
                _ => false,
            };
            let backoff = self.options.backoff.saturating_mul(1 << retries.min(8));
            let wait = denied.wait.unwrap_or(backoff);
            let goes_on = again
                && self.is_safe
                && retries < retry.max
                && waited + wait <= self.options.max_wait
                && Instant::now() + wait < self.deadline;
            if !goes_on {
                return Err(Failure {
                    retries,
                    ..denied.failure
                });
            }
            retries += 1;
            waited += wait;
            tokio::time::sleep(wait).await;
        }
    }

    /// Once, or twice when the server has forgotten the session: what it answers then was refused
    /// before it was done.
    async fn once(&self, wish: &Wish) -> Result<Answer, Denied> {
        let session = self.session().await?;
        match self.granted(&session, wish).await {
            Err(denied) if denied.is_lost => {
                self.slot.forget(&session);
                let session = self.session().await?;
                self.granted(&session, wish).await
            }
            other => other,
        }
    }

    async fn granted(&self, session: &Session, wish: &Wish) -> Result<Answer, Denied> {
        match wish {
            Wish::List => self.list(session).await,
            Wish::Call(call) => self.call(session, call).await,
        }
    }

    async fn call(&self, session: &Session, call: &ToolCall) -> Result<Answer, Denied> {
        let params = json!({ "name": call.name, "arguments": call.arguments });
        let mut message = Message::new("tools/call", params);
        message.headers.clone_from(&call.headers);
        if matches!(session.era, Era::Stateless) {
            stateless_headers(call, &mut message.headers);
        }
        let (result, reply) = self.result_of(session, message).await?;
        let read = result::read(self.definition(), result, reply.status);
        let (data, media) = read.map_err(|failure| {
            if is_unknown_tool(&failure.fault.message) {
                self.slot.tools_changed();
            }
            Denied::from(failure)
        })?;
        let mut answer = Answer {
            status: reply.status.as_u16(),
            data,
            media,
            meta: Meta {
                pages: 1,
                rate: rate(&reply.headers, self.redactor),
                ..Meta::default()
            },
        };
        answer.fit(reply.read.size, self.options.max_bytes);
        Ok(answer)
    }

    /// Every page of the list of tools, within limits.
    async fn list(&self, session: &Session) -> Result<Answer, Denied> {
        let mut listed: Vec<Value> = Vec::new();
        let mut size = 0;
        let mut seen = HashSet::new();
        let mut cursor: Option<String> = None;
        let mut is_cut = false;
        let mut goes_on = session.has_tools;
        while goes_on {
            let params = match &cursor {
                Some(cursor) => json!({ "cursor": cursor }),
                None => json!({}),
            };
            let (mut result, reply) = self
                .result_of(session, Message::new("tools/list", params))
                .await?;
            size += reply.read.size;
            if size > MOST_LISTED {
                return Err(self.too_large().into());
            }
            let Some(Value::Array(page)) = result.get_mut("tools").map(Value::take) else {
                return Err(self.no_list(&reply).into());
            };
            listed.extend(page);
            cursor = result
                .get("nextCursor")
                .and_then(Value::as_str)
                .map(str::to_owned);
            goes_on = match &cursor {
                Some(next) => {
                    is_cut = listed.len() >= MOST_TOOLS
                        || seen.len() >= MOST_PAGES
                        || !seen.insert(next.clone());
                    !is_cut
                }
                None => false,
            };
        }
        let found = Found::of(session.server.clone(), &listed, is_cut);
        let data = serde_json::to_value(found).map_err(|_| Failure::refused(Fault::internal()))?;
        Ok(Answer {
            status: 200,
            data: Data::Value(data),
            media: Vec::new(),
            meta: Meta {
                pages: 1,
                ..Meta::default()
            },
        })
    }

    fn no_list(&self, reply: &Reply) -> Failure {
        let message = format!(
            "{} answered its list of tools in a way that cannot be read.",
            self.definition().title
        );
        Failure::unreadable(Fault::new(Code::UpstreamError, message), reply.status)
    }

    /// An error as the server's own.
    pub(super) fn refused(&self, reply: &Reply) -> Denied {
        let definition = self.definition();
        let retry = &definition.defaults.retry;
        let asked = asked_to_wait(
            &reply.headers,
            reply.read.json(),
            retry,
            self.sender.clock.now(),
        );
        let failure = match refusal(definition, reply.status, &reply.read) {
            Some(refusal) => refusal.failure(definition, asked, self.is_safe, self.redactor),
            None => {
                let message = format!(
                    "{} answered in a way that cannot be read.",
                    definition.title
                );
                Failure::unreadable(Fault::new(Code::UpstreamError, message), reply.status)
            }
        };
        if is_unknown_tool(&failure.fault.message) {
            self.slot.tools_changed();
        }
        Denied {
            failure,
            wait: asked.map(|asked| asked.wait),
            is_lost: false,
        }
    }

    /// An error within a session, which may mean that the server does not know it any more.
    pub(super) fn lost_or_refused(&self, session: &Session, reply: &Reply) -> Denied {
        let (status, code) = (reply.status.as_u16(), reply.error_code());
        let mut denied = self.refused(reply);
        let says = |word: &str| denied.failure.fault.message.to_lowercase().contains(word);
        denied.is_lost = match &session.era {
            // Many servers answer 400 where the protocol says 404.
            Era::Sessions { id: Some(_), .. } => {
                status == 404 || (status == 400 && says("session"))
            }
            Era::Sessions { id: None, .. } => status == 400 && says("session"),
            Era::Stateless => {
                code == Some(UNSUPPORTED_VERSION)
                    || (status == 404 && code == Some(UNKNOWN_METHOD))
                    || (status == 400 && (says("session") || says("initialize")))
            }
        };
        denied
    }
}

/// Headers that repeat parts of a call (2026-07-28, Streamable HTTP; SEP-2243).
fn stateless_headers(call: &ToolCall, headers: &mut HeaderMap) {
    if let Ok(name) = HeaderValue::from_str(&request::sentinel(&call.name)) {
        headers.insert(NAME, name);
    }
    for (name, value) in &call.repeated {
        let name = HeaderName::try_from(format!("mcp-param-{name}"));
        let value = HeaderValue::from_str(&request::sentinel(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
}

/// Servers say it in many ways; a mistake costs one more look at the list.
fn is_unknown_tool(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("tool")
        && [
            "unknown tool",
            "not found",
            "no tool",
            "does not exist",
            "not exist",
            "no such tool",
        ]
        .iter()
        .any(|words| message.contains(words))
}
