//! Sends requests and reads what comes back.
//!
//! Everything that is answered, faults too, is clean of hidden characters and of the account's
//! secrets. Only what reads, or is idempotent by its definition, is sent twice.

mod answer;
mod exchange;
mod failure;
mod insist;
mod limits;
mod pages;
mod shorten;
mod wait;

pub use answer::{Answer, Data, Media, Meta, Truncated};
pub(crate) use answer::{Read, json as read_json, rate, read as read_body};
pub(crate) use failure::refusal;
pub use failure::{Failure, FailureKind};
pub(crate) use shorten::shorten;
pub(crate) use wait::asked as asked_to_wait;

use crate::definition::{Definition, Envelope, Kind, Pagination, Verb};
use crate::redact::Redactor;
use crate::request::{self, Account, Base, Built, Invocation, Known, Prepared, Signer};
use crate::sql::{self, Databases};
use crate::upstream::{self, Sessions};
use http::{HeaderValue, Method};
use limits::Limits;
use pages::{Next, Page};
use quaymaster_core::{Clock, Code, Fault};
use quaymaster_egress::Egress;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const USUAL_TIMEOUT: u32 = 30;
/// Values of handshakes that are kept.
const REMEMBERED: usize = 10_000;

/// What the caller decides about one call.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many bytes of JSON or text an answer has at most; the rest is cut off and told.
    pub max_bytes: usize,
    /// Pages that are read after the first, and put together with it.
    pub follow_pages: u32,
    /// For each request. What the definition says, else 30 seconds.
    pub timeout: Option<Duration>,
    /// How long all waiting for limits and between retries may take.
    pub max_wait: Duration,
    /// Before the first retry where the service does not say how long to wait; doubled each time.
    pub backoff: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_bytes: 1024 * 1024,
            follow_pages: 0,
            timeout: None,
            max_wait: Duration::from_secs(20),
            backoff: Duration::from_millis(500),
        }
    }
}

/// Sends calls of all connectors. One for the whole process: connections, limits and handshakes are
/// kept in it.
pub struct Sender {
    egress: Egress,
    pub(crate) clock: Arc<dyn Clock>,
    limits: Limits,
    /// Values of handshakes by connection.
    handshakes: Mutex<HashMap<String, HeaderValue>>,
    /// With upstream MCP servers, by connection.
    pub(crate) sessions: Sessions,
}

/// A call on its way.
struct Sending<'a> {
    sender: &'a Sender,
    egress: Egress,
    prepared: &'a Prepared,
    account: &'a Account,
    connection: &'a str,
    options: &'a Options,
    redactor: Redactor,
    known: Option<Known<'a>>,
    /// Whether it may be sent twice.
    is_safe: bool,
    waited: Duration,
    retries: u32,
}

impl Sender {
    pub fn new(egress: Egress, clock: Arc<dyn Clock>) -> Sender {
        Sender {
            egress,
            clock,
            limits: Limits::default(),
            handshakes: Mutex::default(),
            sessions: Sessions::default(),
        }
    }

    /// Calls the service. `connection` names the account: limits and handshakes are kept by it.
    pub async fn send(
        &self,
        prepared: &Prepared,
        account: &Account,
        connection: &str,
        call: &Invocation,
        options: &Options,
    ) -> Result<Answer, Failure> {
        let definition: &Definition = prepared.definition();
        let signer = Signer::new(definition, account).map_err(Failure::refused)?;
        let redactor = signer.redactor();
        let sent = if definition.is_file() {
            let message = format!("{} is a file, which nothing is sent to.", definition.title);
            Err(Failure::refused(Fault::new(Code::NotImplemented, message)))
        } else if definition.kind == Kind::Sql {
            sql::call(self, prepared, account, connection, call, options).await
        } else if definition.kind == Kind::Mcp {
            upstream::run(
                self, prepared, account, connection, call, options, &redactor,
            )
            .await
        } else {
            let sent = self.begin(
                prepared,
                account,
                connection,
                call,
                options,
                redactor.clone(),
            );
            match sent {
                Ok((sending, built)) => sending.run(call, built).await,
                Err(failure) => Err(failure),
            }
        };
        sent.map_err(|mut failure| {
            redactor.fault(&mut failure.fault);
            failure
        })
    }

    /// Calls what is a file of a workspace, which `databases` open.
    pub async fn query_file(
        &self,
        prepared: &Prepared,
        account: &Account,
        connection: &str,
        call: &Invocation,
        options: &Options,
        databases: &dyn Databases,
    ) -> Result<Answer, Failure> {
        let signer = Signer::new(prepared.definition(), account).map_err(Failure::refused)?;
        let sent = sql::call_file(
            self, prepared, account, connection, call, options, databases,
        );
        sent.await.map_err(|mut failure| {
            signer.redactor().fault(&mut failure.fault);
            failure
        })
    }

    fn begin<'a>(
        &'a self,
        prepared: &'a Prepared,
        account: &'a Account,
        connection: &'a str,
        call: &Invocation,
        options: &'a Options,
        redactor: Redactor,
    ) -> Result<(Sending<'a>, Built), Failure> {
        let built = request::build(prepared, account, call).map_err(Failure::refused)?;
        let known = call.action.as_deref().map(|key| prepared.known(key));
        let known = known.transpose().map_err(Failure::refused)?;
        let sending = Sending {
            sender: self,
            egress: self.way_out(account, &built.base)?,
            prepared,
            account,
            connection,
            options,
            redactor,
            known,
            is_safe: is_safe(known, call, &built),
            waited: Duration::ZERO,
            retries: 0,
        };
        Ok((sending, built))
    }

    /// Into the network only for what an administrator said is there.
    pub(crate) fn way_out(&self, account: &Account, base: &Base) -> Result<Egress, Failure> {
        let base = &base.url;
        let (Some(host), Some(port)) = (base.host_str(), base.port_or_known_default()) else {
            return Err(Failure::refused(Fault::internal()));
        };
        if !account.local {
            return Ok(self.egress.clone());
        }
        let wider = self.egress.allowing(host, port);
        wider.map_err(|error| Failure::unanswered(error, true))
    }
}

/// Sessions with upstream MCP servers.
impl Sender {
    /// Whether the server of a connection said, or showed, since it was last asked that its tools
    /// are others than were found.
    pub fn tools_changed(&self, connection: &str) -> bool {
        self.sessions.take_changed(connection)
    }

    /// Ends the session of a connection that is no more, or has other credentials.
    pub async fn end_session(&self, connection: &str) {
        self.sessions.end(Some(connection)).await;
    }

    /// Ends all sessions, when the program ends.
    pub async fn end_sessions(&self) {
        self.sessions.end(None).await;
    }
}

/// Whether sending it twice does no more than sending it once.
fn is_safe(known: Option<Known<'_>>, call: &Invocation, built: &Built) -> bool {
    let reads = matches!(built.verb, Method::GET | Method::HEAD);
    match known {
        // As another verb it is another action.
        Some(known)
            if call
                .verb
                .is_none_or(|verb| Some(verb) == known.action.method) =>
        {
            known.action.reads() || known.action.idempotent.unwrap_or(false)
        }
        _ => reads,
    }
}

impl Sending<'_> {
    async fn run(mut self, call: &Invocation, built: Built) -> Result<Answer, Failure> {
        let definition = self.definition().clone();
        let own = self
            .known
            .and_then(|known| known.action.pagination.as_ref());
        let pagination = own.or(definition.defaults.pagination.as_ref());
        let in_query = query_of(&built);
        let base = built.base.clone();
        let mut call = Cow::Borrowed(call);
        let (mut answer, mut next) = self.page(&call, &built, pagination).await?;
        if let Some(pagination) = pagination {
            while let Some(to) = &next
                && answer.meta.pages <= self.options.follow_pages
                && answer.meta.truncated.is_none()
            {
                let before = next.clone();
                let following = to.call(&call, in_query);
                let read = match self.built(&following, &built, to) {
                    Ok(built) => self.page(&following, &built, Some(pagination)).await,
                    Err(failure) => Err(failure),
                };
                match read {
                    Ok((page, after)) => {
                        if !append(pagination, &mut answer, page) {
                            break;
                        }
                        call = Cow::Owned(following);
                        next = after;
                    }
                    Err(mut failure) => {
                        self.redactor.fault(&mut failure.fault);
                        answer.meta.stopped = Some(failure.fault);
                        break;
                    }
                }
                if next == before {
                    next = None;
                }
            }
        }
        answer.meta.retries = self.retries;
        if let Some(next) = next {
            answer.meta.next = next.told(&call, in_query, &base);
            if let Some(told) = &mut answer.meta.next {
                self.redactor.value(told);
            }
        }
        Ok(answer)
    }

    fn definition(&self) -> &Arc<Definition> {
        self.prepared.definition()
    }

    fn built(&self, call: &Invocation, first: &Built, next: &Next) -> Result<Built, Failure> {
        let built = match next {
            Next::Input(..) => request::build(self.prepared, self.account, call),
            Next::Address(url) => request::at(self.prepared, self.account, first, url)
                .and_then(|built| built.ok_or_else(Fault::internal)),
        };
        built.map_err(Failure::refused)
    }

    /// One page, with as many retries as it takes.
    async fn page(
        &mut self,
        call: &Invocation,
        built: &Built,
        pagination: Option<&Pagination>,
    ) -> Result<(Answer, Option<Next>), Failure> {
        let (response, read) = self.insist(built).await?;
        let definition = self.definition().clone();
        let size = read.size;
        let mut answer = Answer {
            status: response.status.as_u16(),
            data: Data::Value(Value::Null),
            media: Vec::new(),
            meta: Meta {
                pages: 1,
                rate: answer::rate(&response.headers, &self.redactor),
                headers: self.known.and_then(|known| {
                    let names = &known.action.response.headers;
                    answer::told(&response.headers, names, &self.redactor)
                }),
                ..Meta::default()
            },
        };
        let mut next = None;
        answer.data = match read.data {
            Data::Value(whole) => {
                let at = self.result_at(&definition);
                if let Some(pagination) = pagination {
                    let page = Page {
                        url: &built.url,
                        base: &built.base,
                        allow_hosts: &definition.allow_hosts,
                        headers: &response.headers,
                        answer: &whole,
                        result: at.and_then(|at| whole.pointer(at)).unwrap_or(&whole),
                    };
                    next = page.next(pagination, call);
                    answer.meta.total = pages::total(pagination, &whole);
                }
                if call.batch.is_empty() {
                    Data::Value(taken(whole, at))
                } else {
                    Data::Value(in_order(whole, call.batch.len()))
                }
            }
            other => other,
        };
        answer.fit(size, self.options.max_bytes);
        Ok((answer, next))
    }

    /// Where the result stands in an answer.
    fn result_at<'d>(&'d self, definition: &'d Definition) -> Option<&'d str> {
        let own = self
            .known
            .and_then(|known| known.action.response.result.as_deref());
        let own = own.or(definition.defaults.result.as_deref());
        own.or(match definition.kind {
            Kind::Graphql => Some("/data"),
            Kind::Rpc => definition
                .rpc
                .as_ref()
                .filter(|rpc| rpc.envelope == Envelope::Jsonrpc2)
                .map(|_| "/result"),
            _ => None,
        })
    }
}

/// Whether inputs that are not said to go elsewhere stand in the query.
fn query_of(built: &Built) -> bool {
    Verb::parse(built.verb.as_str()).is_some_and(Verb::has_query)
}

/// The result in an answer. One that is not where it should be is the whole answer.
fn taken(mut whole: Value, at: Option<&str>) -> Value {
    let found = at.and_then(|at| whole.pointer_mut(at)).map(Value::take);
    found.unwrap_or(whole)
}

/// The answers of a batch in the order of its calls, whatever the order that they came in: each an
/// object with `result` or `error`.
fn in_order(whole: Value, calls: usize) -> Value {
    let mut ordered = vec![json!({ "error": { "message": "There was no answer." } }); calls];
    let answers = match whole {
        Value::Array(answers) => answers,
        one => vec![one],
    };
    for mut answer in answers {
        let id = answer.get("id").and_then(Value::as_u64).unwrap_or(0) as usize;
        if let Some(place) = id.checked_sub(1).and_then(|at| ordered.get_mut(at)) {
            *place = match answer.get_mut("error").map(Value::take) {
                Some(error) if !error.is_null() => json!({ "error": error }),
                _ => json!({ "result": answer.get_mut("result").map(Value::take) }),
            };
        }
    }
    Value::Array(ordered)
}

/// Puts the items of a page behind those before it. Says whether there was anything to put.
fn append(pagination: &Pagination, answer: &mut Answer, page: Answer) -> bool {
    let at = pagination.items.as_deref().unwrap_or_default();
    let (Data::Value(all), Data::Value(mut more)) = (&mut answer.data, page.data) else {
        return false;
    };
    let Some(Value::Array(items)) = all.pointer_mut(at) else {
        return false;
    };
    let Some(Value::Array(more)) = more.pointer_mut(at) else {
        return false;
    };
    items.append(more);
    answer.meta.pages += 1;
    answer.meta.truncated = page.meta.truncated;
    answer.meta.rate = page.meta.rate;
    true
}
