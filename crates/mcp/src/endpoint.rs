//! The endpoint: `Host` and `Origin` → what a browser asks ahead → credential → method, `Accept`, `Content-Type` → session →
//! `rmcp`.

use crate::cors;
use crate::handler::{Handler, Shared};
use crate::origin::Origins;
use crate::sessions::{OpenStream, Sessions};
use crate::state::States;
use crate::step_up;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body::Frame;
use quaymaster_core::caller::{Audience, Presented, Refusal, Side};
use quaymaster_core::clock::{Clock, Entropy};
use quaymaster_core::door::{Door, Fut};
use quaymaster_core::{Caller, Code, Fault};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const FIRST_STATELESS: &str = "2026-07-28";
/// A megabyte of text can be six times as long once it is escaped JSON.
pub(crate) const MOST_BODY: usize = 8 * 1024 * 1024;

tokio::task_local! {
    /// Whose request is being handled, for the handler that it makes.
    static CALLER: Arc<Caller>;
}

/// Among the extensions of an answer that somebody got who presented nothing: it proves nothing of who
/// they are.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredAnybody;

/// The endpoint, over any [`Door`].
#[derive(Clone)]
pub struct Mcp {
    door: Arc<dyn Door>,
    origins: Arc<Origins>,
    sessions: Arc<Sessions>,
    service: StreamableHttpService<Handler, LocalSessionManager>,
}

impl Mcp {
    /// `state_key` protects what clients keep between a question and its answer; nodes of one
    /// server share it. `stop` ends all streams. Must be called within a runtime.
    pub fn new(
        door: Arc<dyn Door>,
        origins: Origins,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        state_key: &[u8; 32],
        stop: CancellationToken,
    ) -> Self {
        let sessions = Sessions::new();
        // Host and Origin are checked here, in front of authentication.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_max_request_body_bytes(MOST_BODY)
            .with_cancellation_token(stop.clone());
        let shared = Arc::new(Shared {
            door: door.clone(),
            clock,
            entropy,
            sessions: sessions.clone(),
            states: States::new(state_key),
        });
        let service = StreamableHttpService::new(
            move || {
                Ok(Handler::new(
                    shared.clone(),
                    CALLER.try_with(Arc::clone).ok(),
                ))
            },
            sessions.manager.clone(),
            config,
        );
        tokio::spawn(reap(sessions.clone(), stop));
        Mcp {
            door,
            origins: Arc::new(origins),
            sessions,
            service,
        }
    }

    /// `/mcp` and `/mcp/`, one endpoint without a redirect, and the endpoint of each hosted server
    /// under its two addresses.
    pub fn router(self) -> Router {
        use axum::routing::any;
        Router::new()
            .route("/mcp", any(enter))
            .route("/mcp/", any(enter))
            .route("/mcp/{id}", any(enter_hosted))
            .route("/api/v1/mcp/servers/{id}/protocol", any(enter_protocol))
            .with_state(self)
    }

    async fn answer(
        &self,
        audience: Audience,
        side: Side,
        mut request: Request<Body>,
    ) -> Result<Response, Box<Response>> {
        let presented = presented(audience, side, &request);
        forget_query(request.uri_mut());
        let caller = self
            .door
            .admit(presented)
            .await
            .map_err(|refusal| Box::new(refuse(&refusal)))?;
        check_method_and_types(request.method(), request.headers())?;
        let session = self.session_of(request.headers_mut(), &caller)?;
        let ends_session = request.method() == Method::DELETE;
        let listens = request.method() == Method::GET;
        let caller = Arc::new(caller);
        let mut request = step_up::check(&*self.door, &caller, request).await?;
        request.extensions_mut().insert(caller.clone());
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(BOTH_TYPES));
        let mut answer = CALLER
            .scope(caller.clone(), self.service.handle(request))
            .await;
        if caller.anonymous().is_some() {
            answer.extensions_mut().insert(AnsweredAnybody);
        }
        if let Some(session) = session {
            if !ends_session {
                let open = self.sessions.stream(session.into());
                // A call that is running ends by itself; who listens must come again.
                let until = listens.then(|| self.door.presented_ends(&caller));
                return Ok(answer.map(|body| {
                    Body::new(Held {
                        body: Some(body),
                        until,
                        open,
                    })
                }));
            }
            self.sessions.end(&session.into()).await;
            // Nothing is left to be done, as 202 would say; the Python SDK takes that for a failure.
            if answer.status() == StatusCode::ACCEPTED {
                *answer.status_mut() = StatusCode::NO_CONTENT;
            }
        } else if let Some(opened) = answer
            .headers()
            .get(SESSION)
            .and_then(|id| id.to_str().ok())
        {
            let changes = self.door.changes(&caller);
            let credential = caller.credential.clone();
            self.sessions.bind(opened.into(), credential, changes).await;
        }
        Ok(answer.map(Body::new))
    }

    /// The session a request names, when it is one of the caller's. The stateless era has none, so
    /// the header means nothing there.
    fn session_of(
        &self,
        headers: &mut HeaderMap,
        caller: &Caller,
    ) -> Result<Option<String>, Box<Response>> {
        let stateless = headers
            .get(VERSION)
            .and_then(|version| version.to_str().ok())
            .is_some_and(|version| version >= FIRST_STATELESS);
        if stateless {
            headers.remove(SESSION);
            return Ok(None);
        }
        let Some(id) = headers.get(SESSION) else {
            return Ok(None);
        };
        let id = id.to_str().unwrap_or_default().to_owned();
        if self.sessions.belongs_to(&id, &caller.credential) {
            return Ok(Some(id));
        }
        let fault = Fault::not_found("There is no such session.")
            .hint("Send initialize to open a new one.");
        Err(Box::new(
            (StatusCode::NOT_FOUND, Json(fault)).into_response(),
        ))
    }
}

async fn enter(State(mcp): State<Mcp>, request: Request<Body>) -> Response {
    serve(&mcp, Audience::Mcp, Side::Endpoint, request).await
}

async fn enter_hosted(
    State(mcp): State<Mcp>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    serve_hosted(&mcp, &id, Side::Endpoint, request).await
}

async fn enter_protocol(
    State(mcp): State<Mcp>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    serve_hosted(&mcp, &id, Side::Protocol, request).await
}

async fn serve_hosted(mcp: &Mcp, id: &str, side: Side, request: Request<Body>) -> Response {
    match id.parse() {
        Ok(server) => serve(mcp, Audience::Server(server), side, request).await,
        Err(_) => {
            let fault = Fault::not_found("There is no such endpoint.")
                .hint("The endpoint of a hosted server ends in its id, which starts with srv_.");
            no_store((StatusCode::NOT_FOUND, Json(fault)).into_response())
        }
    }
}

async fn serve(mcp: &Mcp, audience: Audience, side: Side, request: Request<Body>) -> Response {
    if let Err(refusal) = mcp.origins.check(request.uri(), request.headers()) {
        return no_store(*refusal);
    }
    let page = request.headers().get(ORIGIN).cloned();
    let mut answer = if cors::is_preflight(&request) {
        cors::preflight()
    } else {
        let answer = mcp.answer(audience, side, request).await;
        answer.unwrap_or_else(|refusal| *refusal)
    };
    if let Some(origin) = page {
        cors::let_read(&mut answer, origin);
    }
    no_store(answer)
}

fn no_store(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(
        http::header::CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    );
    // The address of the request may hold a token.
    headers.insert(
        http::header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    // Proxies that buffer would hold events back.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    answer
}

async fn reap(sessions: Arc<Sessions>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_mins(1)) => sessions.reap().await,
            () = stop.cancelled() => return,
        }
    }
}

fn presented(audience: Audience, side: Side, request: &Request<Body>) -> Presented {
    // Of another scheme it is a credential, too, and none of ours: whoever sends it is not anonymous.
    let bearer = request.headers().get(AUTHORIZATION).map(|value| {
        let value = value.to_str().unwrap_or_default();
        let (scheme, token) = value.split_once(' ').unwrap_or_default();
        let token = token.trim();
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        SecretString::from(if is_bearer { token } else { "" })
    });
    let query = request.uri().query().unwrap_or_default();
    let in_url = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "token")
        .map(|(_, token)| SecretString::from(token.into_owned()))
        .collect();
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    Presented {
        audience: Some(audience),
        side,
        bearer,
        in_url,
        // What is no text names no organization, and must not pass as absent.
        org: request
            .headers()
            .get("x-org-id")
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        address: address.map(|ConnectInfo(address)| address.ip()),
    }
}

/// Takes the query away, which only said who asks: nothing behind here can log it.
fn forget_query(uri: &mut Uri) {
    if uri.query().is_some()
        && let Ok(path) = uri.path().parse()
    {
        *uri = path;
    }
}

pub(crate) fn refuse(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.fault.code.status())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(&refusal.fault)).into_response();
    let challenge = refusal
        .challenge
        .as_deref()
        .and_then(|text| HeaderValue::from_str(text).ok());
    if let Some(challenge) = challenge {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    let details = refusal.fault.details.as_ref();
    let seconds = details.and_then(|details| details.get("retry_after_s")?.as_u64());
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

const BOTH_TYPES: &str = "application/json, text/event-stream";

fn check_method_and_types(method: &Method, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let refuse = |status: StatusCode, message: &str| {
        let fault = Fault::new(Code::InvalidArg, message);
        Err(Box::new((status, Json(fault)).into_response()))
    };
    match *method {
        Method::POST => {
            if !is_json(headers) {
                return refuse(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "A POST to this endpoint has Content-Type: application/json.",
                );
            }
            if !accepts(headers, "application/json") || !accepts(headers, "text/event-stream") {
                return refuse(
                    StatusCode::NOT_ACCEPTABLE,
                    "A POST to this endpoint has Accept: application/json, text/event-stream.",
                );
            }
            Ok(())
        }
        Method::GET if accepts(headers, "text/event-stream") => Ok(()),
        Method::GET => refuse(
            StatusCode::NOT_ACCEPTABLE,
            "A GET of this endpoint opens an event stream and has Accept: text/event-stream.",
        ),
        Method::DELETE => Ok(()),
        _ => {
            let fault = Fault::new(
                Code::InvalidArg,
                "This endpoint knows POST, GET and DELETE.",
            );
            let mut response = (StatusCode::METHOD_NOT_ALLOWED, Json(fault)).into_response();
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
            Err(Box::new(response))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Whether `Accept` covers a media type (RFC 9110 §12.5.1); a weight of zero excludes it.
fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let family = wanted.split('/').next().unwrap_or_default();
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let excluded = parts.any(|part| {
                part.strip_prefix("q=")
                    .and_then(|q| q.parse::<f32>().ok())
                    .is_some_and(|q| q <= 0.0)
            });
            !excluded && (name == wanted || name == "*/*" || name == format!("{family}/*"))
        })
}

/// An answer that keeps its session's stream counted while it is read, and ends in time.
struct Held<B> {
    /// None once it is over: the session must know at once that nobody reads here any more.
    body: Option<B>,
    until: Option<Fut<'static, ()>>,
    #[expect(dead_code, reason = "the stream counts for as long as this lives")]
    open: OpenStream,
}

impl<B> http_body::Body for Held<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let over = self.until.as_mut().map(|until| until.as_mut().poll(cx));
        if over.is_some_and(|over| over.is_ready()) {
            self.until = None;
            self.body = None;
        }
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        (self.body.as_ref()).is_none_or(http_body::Body::is_end_stream)
    }
}
