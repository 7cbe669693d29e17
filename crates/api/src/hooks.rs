//! Webhooks: `POST /hooks/{workspace}/{path}` starts a flow.
//!
//! The sender proves itself by a secret that the flow names, so there is no bearer token of ours here.
//! Faults have the shape that tools answer.

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{CACHE_CONTROL, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use quaymaster_app::App;
use quaymaster_app::flows::webhooks::{Answered, Hooked};
use quaymaster_core::{Code, Fault};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// Of a body.
const MOST: usize = 1024 * 1024;
/// A sender that takes longer for so little holds a connection and nothing else.
const WITHIN: Duration = Duration::from_secs(30);

/// Takes webhooks. It owns every path under `/hooks`.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/hooks/{workspace}/{path}", post(hook))
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::map_response(protected))
        .with_state(app)
}

struct Refused(Fault);

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Refused(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = self.0.details.as_ref();
        let wait = wait.and_then(|details| details.get("retry_after_s")?.as_u64());
        let mut response = (status, axum::Json(self.0)).into_response();
        if let Some(wait) = wait.filter(|_| status == StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(RETRY_AFTER, wait.into());
        }
        response
    }
}

async fn hook(
    State(app): State<App>,
    Path((workspace, path)): Path<(String, String)>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let workspace = workspace
        .parse()
        .map_err(|_| Fault::not_found("There is no webhook at this address."))?;
    let body = whole(body).await?;
    let header = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let address = extensions.get::<ConnectInfo<SocketAddr>>();
    let hooked = Hooked {
        workspace: &workspace,
        path: &path,
        header: &header,
        body: &body,
        address: address.map(|ConnectInfo(address)| address.ip()),
    };
    Ok(match app.hook(hooked).await? {
        Answered::Started(run) => {
            (StatusCode::ACCEPTED, axum::Json(json!({ "run_id": run }))).into_response()
        }
        Answered::Done(run, result) => {
            axum::Json(json!({ "run_id": run, "result": result })).into_response()
        }
    })
}

async fn whole(body: Body) -> Result<Vec<u8>, Fault> {
    let whole = Limited::new(body, MOST).collect();
    let Ok(arrived) = tokio::time::timeout(WITHIN, whole).await else {
        return Err(Fault::new(
            Code::Timeout,
            "The body did not arrive in time.",
        ));
    };
    match arrived {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("The body has more than {MOST} bytes.");
            Err(Fault::new(Code::TooLarge, message).detail("limit_bytes", MOST))
        }
        Err(_) => Err(Fault::new(Code::InvalidArg, "The body ended too early.")),
    }
}

async fn wrong_method() -> (StatusCode, axum::Json<Fault>) {
    let fault = Fault::new(Code::InvalidArg, "A webhook is called by POST.");
    (StatusCode::METHOD_NOT_ALLOWED, axum::Json(fault))
}

async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
