//! What leaves: pages, redirects, and errors as pages.

use askama::Template;
use axum::Json;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use quaymaster_core::{Code, Fault};
use serde::de::DeserializeOwned;

use super::notice::{self, Notice};
use super::person::Visitor;
use super::{Pages, cookie};
use crate::views::ErrorPage;
use crate::{CONSENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY, FILE_SECURITY_POLICY};

/// Why a handler does not answer with its page.
pub(super) enum Stop {
    /// Another page comes first: a path on this server.
    Elsewhere(String),
    /// [`finish`] draws the error page.
    Failed(Box<Failed>),
}

/// What the error page says.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) status: StatusCode,
    pub(super) code: Option<Code>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Failed {
            status: StatusCode::from_u16(fault.code.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: Some(fault.code),
            message: fault.message,
            hint: fault.hint,
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Failed(Box::new(fault.into()))
    }
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Stop::Failed(Box::new(failed))
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Stop::Elsewhere(path) => Redirect::to(&path).into_response(),
            Stop::Failed(failed) => {
                let mut response = failed.status.into_response();
                response.extensions_mut().insert(*failed);
                response
            }
        }
    }
}

/// A page, with the status that belongs to what it says.
pub(super) fn shown(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page was not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Of a form that is shown again with what was typed: the server's own failures keep their status.
pub(super) fn status_of_form(fault: &Fault) -> StatusCode {
    match StatusCode::from_u16(fault.code.status()) {
        Ok(status) if status.is_server_error() => status,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The parts of the path, read as ids. Whatever cannot be an id names nothing.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Pages> for At<T> {
    type Rejection = Stop;
    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Stop> {
        match Path::<T>::from_request_parts(parts, pages).await {
            Ok(Path(found)) => Ok(At(found)),
            Err(_) => Err(no_page().into()),
        }
    }
}

pub(super) fn no_page() -> Failed {
    Fault::not_found("There is no such page.")
        .hint("Check the address.")
        .into()
}

/// Below these paths programs call, which read JSON.
const OF_PROGRAMS: [&str; 6] = ["/.well-known", "/api", "/mcp", "/register", "/token", "/u"];

pub(super) async fn nothing_here(uri: Uri) -> Response {
    let of_programs = OF_PROGRAMS.iter().any(|prefix| {
        uri.path()
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if of_programs {
        let fault = Fault::not_found("There is nothing at this address.")
            .hint("/api/v1/openapi.json lists the addresses of the API; MCP clients use /mcp.");
        (StatusCode::NOT_FOUND, Json(fault.to_json())).into_response()
    } else {
        Stop::from(no_page()).into_response()
    }
}

pub(super) async fn wrong_method() -> Response {
    let failed = Failed {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: None,
        message: "This address does not take that kind of request.".to_owned(),
        hint: Some("Go back and use the form of the page.".to_owned()),
    };
    Stop::from(failed).into_response()
}

/// Of the page whose form leads to an OAuth client: [`finish`] sends it with
/// [`CONSENT_SECURITY_POLICY`].
#[derive(Debug, Clone)]
pub(super) struct LeadsAway;

/// What somebody wrote into a workspace, sent as it is: [`finish`] sends it with
/// [`FILE_SECURITY_POLICY`].
#[derive(Debug, Clone)]
pub(super) struct OfStrangers;

/// The pages between an OAuth client and its answer. Some clients open them in a window and wait
/// for what it says, and an opener policy would part the two.
const IN_WINDOWS: [&str; 3] = ["/authorize", "/sign-in", "/welcome"];

const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Draws the error page where a handler stopped, forgets a notice that was shown, and sets the
/// headers that every answer has.
pub(super) async fn finish(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let sent = request.headers().clone();
    let in_window = IN_WINDOWS.contains(&request.uri().path());
    let mut response = next.run(request).await;
    if let Some(failed) = response.extensions_mut().remove::<Failed>() {
        let layout = Visitor::of(&pages, &sent).await.layout;
        let page = ErrorPage {
            layout,
            status: failed.status.as_u16(),
            code: failed.code.map(|code| code.name().to_owned()),
            message: failed.message,
            hint: failed.hint,
            back_href: "/".to_owned(),
            back_label: "Go to the first page".to_owned(),
        };
        let allow = response.headers_mut().remove(header::ALLOW);
        response = shown(failed.status, &page);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    if response.headers().contains_key(header::CONTENT_TYPE)
        && !response.status().is_redirection()
        && notice::sent(&pages.app, &sent).is_some()
    {
        cookie::add(&mut response, &notice::forgotten(&pages.app));
    }
    let leads_away = response.extensions_mut().remove::<LeadsAway>().is_some();
    let of_strangers = response.extensions_mut().remove::<OfStrangers>().is_some();
    let policy = match (of_strangers, leads_away) {
        (true, _) => FILE_SECURITY_POLICY,
        (_, true) => CONSENT_SECURITY_POLICY,
        _ => CONTENT_SECURITY_POLICY,
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !in_window {
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

/// Goes on to a page that says once what was done.
pub(super) fn done(pages: &Pages, path: &str, notice: Notice) -> Response {
    let mut response = Redirect::to(path).into_response();
    cookie::add(&mut response, &notice.cookie(&pages.app));
    response
}

/// The field that a fault of a form is about, as in `/name`; none for any other fault.
pub(super) fn field_of(fault: &Fault) -> Option<&str> {
    if fault.code != Code::InvalidArg {
        return None;
    }
    fault
        .details
        .as_ref()?
        .pointer("/errors/0/pointer")?
        .as_str()
}
